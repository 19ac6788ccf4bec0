// “Who is in it”: a few of the users whom the filters select now.

import { button, h, icon } from "./dom.js";
import { SignedOutError } from "./server.js";

const SAMPLE = 20; // fewer than that are all there are

export class People {
  /** `draft()` is the definition as it stands. */
  constructor({ server, url, words, draft, announce }) {
    Object.assign(this, { server, url, words, draft, announce });
    this.note = h("p", { class: "rc-note" }, words.people_text);
    this.list = h("ul", { class: "sb-people" });
    this.asker = button({ class: "rc-button", onclick: () => this.load() }, icon("group"), words.show_people);
    this.element = h("section", { class: "rc-card sb-look", "aria-label": words.people },
      h("h3", { class: "rc-title" }, words.people), this.note, this.list, h("div", { class: "rc-actions" }, this.asker));
  }

  async load() {
    const turn = (this.turn = {});
    this.say(this.words.looking);
    try {
      const response = await this.server.post(this.url, this.draft());
      if (!response.ok) throw new Error(response.status);
      const { people, note } = await response.json();
      if (turn !== this.turn) return;
      this.list.replaceChildren(...people.map(person));
      this.asker.lastChild.textContent = people.length < SAMPLE ? this.words.show_people : this.words.show_other_people;
      this.say(note, true);
    } catch (error) {
      if (turn === this.turn) this.say(error instanceof SignedOutError ? this.words.signed_out : this.words.not_looked_up, true);
    }
  }

  say(text, isResult = false) {
    this.note.textContent = text;
    if (isResult) this.announce(text);
  }

  /** After an edit: these users were of other filters. */
  forget() {
    this.turn = null;
    if (!this.list.children.length) return this.say(this.words.people_text);
    this.list.replaceChildren();
    this.asker.lastChild.textContent = this.words.show_people;
    this.say(this.words.people_changed);
  }
}

const person = ({ name, url, facts }) =>
  h("li", {}, h("a", { class: "rc-link", href: url, target: "_blank", rel: "noopener" }, name), h("span", { class: "sb-facts" }, facts.join(" · ")));
