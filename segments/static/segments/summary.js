// The card beside the filters: the exact count, its share, and the definition in words.

import { button, h } from "./dom.js";

const ANNOUNCE_AFTER = 900;

export class Summary {
  constructor(words, retry) {
    this.words = words;
    this.total = h("p", { class: "sb-total" }, "–");
    this.share = h("p", { class: "sb-share" });
    this.bar = h("span", {});
    this.state = h("p", { class: "sb-state" });
    this.retry = button({ class: "rc-button rc-button-small", hidden: true, onclick: retry }, words.retry);
    this.sentence = h("p", { class: "sb-sentence" });
    this.inWords = h("div", { class: "sb-in-words", hidden: true }, h("h3", {}, words.in_words), this.sentence);
    this.live = h("p", { class: "rc-hidden", "aria-live": "polite" });
    const figures = h("div", { class: "sb-figures" }, h("h3", {}, words.audience), this.total, this.share,
      h("span", { class: "sb-bar", "aria-hidden": "true" }, this.bar), this.state, this.retry);
    this.element = h("aside", { class: "rc-card sb-summary", "aria-label": words.audience }, figures, this.inWords, this.live);
  }

  /** Say something to screen readers now; a count that is still waiting to be said gives way. */
  announce(text) {
    clearTimeout(this.timer);
    this.live.textContent = text;
  }

  counting() {
    this.show("counting", this.words.counting);
  }

  answered({ total, universe, words }) {
    this.total.textContent = words.total;
    this.share.textContent = words.share;
    this.bar.style.width = `${universe ? (100 * total) / universe : 0}%`;
    this.sentence.textContent = words.sentence;
    this.inWords.hidden = !words.sentence;
    this.show("exact", words.note);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.announce(words.announcement), ANNOUNCE_AFTER);
  }

  faulted() {
    this.blank();
    this.show("fault", this.words.at_fault);
  }

  failed(isSignedOut) {
    const text = isSignedOut ? this.words.signed_out : this.words.failed;
    this.show("failed", text);
    this.retry.hidden = false;
    this.announce(text);
  }

  blank() {
    this.total.textContent = "–";
    this.share.textContent = "";
    this.bar.style.width = "0";
    this.inWords.hidden = true;
  }

  show(state, text) {
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(state === "counting"));
    this.state.textContent = text;
    this.retry.hidden = true;
  }
}
