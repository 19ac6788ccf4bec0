// “Is this user in it?”: the verdict on one user, filter by filter, here and at the filters themselves.

import { button, field, h, icon, uniqueId } from "./dom.js";
import { SignedOutError } from "./server.js";

export class Explanation {
  /** `draft()` is the definition as it stands, `nodes()` those of the tree. */
  constructor({ server, url, words, draft, nodes, announce }) {
    Object.assign(this, { server, url, words, draft, nodes, announce });
    const id = uniqueId("sb-identifier");
    const placeholder = words.identifier_example;
    this.input = field({ id, type: "text", class: "sb-input", spellcheck: "false", maxlength: 255, placeholder, onkeydown: (event) => this.press(event) });
    this.note = h("p", { class: "rc-note" }, words.explain_text);
    this.result = h("div", { class: "sb-found" });
    this.element = h("section", { class: "rc-card sb-look", "aria-label": words.explain },
      h("h3", { class: "rc-title" }, words.explain), this.note,
      h("div", { class: "sb-ask" },
        h("label", { class: "rc-hidden", for: id }, words.identifier), this.input, button({ class: "rc-button", onclick: () => this.ask() }, words.check)),
      this.result);
  }

  press(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    this.ask();
  }

  async ask() {
    const identifier = this.input.value.trim();
    if (!identifier) return this.input.focus();
    const turn = (this.turn = {});
    this.clear(this.words.looking);
    try {
      const response = await this.server.post(this.url, { definition: this.draft(), identifier });
      if (!response.ok) throw new Error(response.status);
      const answer = await response.json();
      if (turn === this.turn) this.show(answer);
    } catch (error) {
      if (turn === this.turn) this.say(error instanceof SignedOutError ? this.words.signed_out : this.words.not_looked_up);
    }
  }

  say(text) {
    this.note.textContent = text;
    this.announce(text);
  }

  show({ found, note }) {
    this.note.textContent = note;
    this.note.hidden = !note;
    this.parts = found.map((one) => this.part(one));
    this.result.replaceChildren(...this.parts.map(({ element }) => element));
    if (found.length) this.look(this.parts[0]);
    this.announce([note, ...found.map(({ verdict }) => verdict)].filter(Boolean).join(" "));
  }

  /** One user that was found. Of several, one at a time is looked at. */
  part(one) {
    const list = h("ul", { class: "sb-verdicts" });
    const link = h("a", { class: "rc-link", href: one.url, target: "_blank", rel: "noopener" }, this.words.show_user);
    const looker = button({ class: "rc-button rc-button-small", onclick: () => this.look(part) }, this.words.show_at_filters);
    const verdict = h("p", { class: one.is_member ? "sb-answer sb-met" : "sb-answer" }, icon(one.is_member ? "check_circle" : "cancel"), h("strong", {}, one.verdict));
    const part = { one, list, looker, element: h("div", { class: "sb-person" }, verdict, h("p", { class: "sb-person-line" }, link, looker), list) };
    return part;
  }

  look(part) {
    for (const other of this.parts) {
      const isLookedAt = other === part;
      other.looker.hidden = this.parts.length < 2;
      other.looker.setAttribute("aria-pressed", String(isLookedAt));
      other.list.replaceChildren(...(isLookedAt ? this.verdicts(part.one) : []));
    }
    for (const node of this.judged()) node.showVerdict(part.one.nodes[node.pointer] ?? null);
  }

  /** All but the outermost group: what is said of that is the verdict itself. */
  judged() {
    return [...this.nodes()].filter((node) => node.parent);
  }

  verdicts({ nodes }) {
    return this.judged().filter((node) => nodes[node.pointer]).map((node) => {
      const verdict = nodes[node.pointer];
      const line = h("li", { class: verdict.is_met ? "sb-verdict sb-met" : "sb-verdict" }, ...node.verdictElements(verdict));
      line.lastChild.before(h("span", { class: "sb-verdict-name" }, node.name));
      line.style.setProperty("--depth", node.depth - (node.children ? 2 : 1));
      return line;
    });
  }

  /** After an edit: this was said of other filters. */
  forget() {
    this.turn = null;
    if (this.result.children.length) this.clear(this.words.explain_changed);
  }

  clear(note) {
    this.note.textContent = note;
    this.note.hidden = false;
    this.result.replaceChildren();
    for (const node of this.judged()) node.showVerdict(null);
  }
}
