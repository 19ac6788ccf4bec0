// The card beside the filters: the exact count, its share, whom each channel reaches, and the definition in words.

import { button, fill, h, set } from "./dom.js";

const ANNOUNCE_AFTER = 900;
const PROGRESS_AFTER = 400; // most counts are quicker: what flashes up distracts

export class Summary {
  /** `retry()` counts again, `stop()` abandons the count. */
  constructor(words, { retry, stop }) {
    this.words = words;
    this.total = h("p", { class: "sb-total" }, "–");
    this.share = h("p", { class: "sb-share" });
    this.bar = h("span", {});
    this.state = h("p", { class: "sb-state" });
    this.retry = button({ class: "rc-button rc-button-small", hidden: true, onclick: retry }, words.retry);
    this.stop = button({ class: "rc-button rc-button-small", hidden: true, onclick: stop }, words.stop);
    this.track = h("span", { class: "sb-bar", "aria-hidden": "true" }, this.bar);
    this.progress = h("div", { class: "sb-bar sb-progress", role: "progressbar", "aria-label": words.counting, hidden: true }, h("span", {}));
    const sides = h("div", { class: "sb-state-line" }, this.state, this.retry, this.stop);
    this.figures = h("div", { class: "sb-figures", tabindex: "-1" }, h("h3", {}, words.audience), this.total, this.share, this.track, this.progress, sides);
    this.channels = h("ul", { class: "sb-channels" });
    this.reach = h("div", { class: "sb-part", hidden: true }, h("h3", {}, words.reachable), this.channels);
    this.sentence = h("p", { class: "sb-sentence" });
    this.inWords = h("div", { class: "sb-part", hidden: true }, h("h3", {}, words.in_words), this.sentence);
    this.live = h("p", { class: "rc-hidden", "aria-live": "polite" });
    this.element = h("aside", { class: "rc-card sb-summary", "aria-label": words.audience }, this.figures, this.reach, this.inWords, this.live);
    this.percent = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "percent" });
  }

  /** Say something to screen readers now; a count that is still waiting to be said gives way. */
  announce(text) {
    clearTimeout(this.timer);
    this.live.textContent = text;
  }

  // --- what became of the latest draft ---
  counting() {
    this.show("counting", this.words.counting);
    this.slow = setTimeout(() => this.showProgress(), PROGRESS_AFTER);
  }

  showProgress() {
    this.progress.hidden = false;
    this.track.hidden = true;
    this.stop.hidden = false;
    this.announce(this.words.counting);
  }

  /** `share` is from 0 to 1. */
  progressed(share) {
    const percent = this.percent.format(share);
    this.state.textContent = fill(this.words.counting_share, { percent });
    this.progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    this.progress.firstElementChild.style.width = `${100 * share}%`;
  }

  answered({ total, universe, channels, words }) {
    this.total.textContent = words.total;
    this.share.textContent = words.share;
    this.bar.style.width = `${universe ? (100 * total) / universe : 0}%`;
    this.channels.replaceChildren(...(channels ?? []).map(channel));
    this.reach.hidden = !channels?.length || !words.sentence;
    this.sentence.textContent = words.sentence;
    this.inWords.hidden = !words.sentence;
    const isCut = this.sentence.scrollHeight > this.sentence.clientHeight;
    set(this.sentence, "tabindex", isCut ? "0" : null); // what scrolls can be scrolled by keys
    this.show("exact", words.note);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.announce(words.announcement), ANNOUNCE_AFTER);
  }

  faulted() {
    this.total.textContent = "–";
    this.share.textContent = "";
    this.bar.style.width = "0";
    this.reach.hidden = true;
    this.inWords.hidden = true;
    this.show("fault", this.words.at_fault);
  }

  failed(isSignedOut) {
    this.leave("failed", isSignedOut ? this.words.signed_out : this.words.failed);
  }

  stopped() {
    const hadFocus = document.activeElement === this.stop;
    this.leave("stopped", this.words.stopped);
    if (hadFocus) this.retry.focus();
  }

  /** Leave the old number, which is visibly none of these filters. */
  leave(state, text) {
    this.show(state, text);
    this.retry.hidden = false;
    this.announce(text);
  }

  show(state, text) {
    clearTimeout(this.slow);
    const hadFocus = document.activeElement === this.retry;
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", String(state === "counting"));
    this.state.textContent = text;
    this.retry.hidden = true;
    this.stop.hidden = true;
    this.progress.hidden = true;
    this.progress.removeAttribute("aria-valuenow");
    this.progress.firstElementChild.style.width = "0";
    this.track.hidden = false;
    if (hadFocus) this.figures.focus();
  }
}

function channel({ name, count, share, percent }) {
  const bar = h("span", {});
  bar.style.width = `${percent}%`;
  return h("li", {}, h("span", { class: "sb-channel-name" }, name), h("span", { class: "sb-channel-count" }, count), h("span", { class: "sb-channel-share" }, share),
    h("span", { class: "sb-bar", "aria-hidden": "true" }, bar));
}
