// What filters and groups have in common: their place in the tree, what can be done with them, and what is known of them.

import { button, fill, h, icon, label, set, uniqueId, unseen } from "./dom.js";
import { draggable } from "./drag.js";
import { Menu } from "./menu.js";
import { filterCount, move, steps } from "./moves.js";

const INTO = "subdirectory_arrow_right";
const ICONS = { move_up: "arrow_upward", move_down: "arrow_downward", move_into_above: INTO, move_into_below: INTO, move_out: "logout" };
const KEYS = { ArrowUp: ["move_up"], ArrowDown: ["move_down"], ArrowRight: ["move_into_above", "move_into_below"], ArrowLeft: ["move_out"] };

/** `page` has the data and words of the page, and what nodes may do with it: `edited(source)`, `announce(text)`, `tree`. */
export class TreeNode {
  constructor(page, parent) {
    Object.assign(this, { page, parent });
    this.numbers = h("span", { class: "sb-numbers-of" });
    this.faultText = h("p", { class: "sb-fault", id: uniqueId("sb-fault"), hidden: true, tabindex: "-1" });
    this.verdict = h("p", { class: "sb-verdict", hidden: true });
  }

  get depth() {
    return this.parent ? this.parent.depth + 1 : 1;
  }

  // --- what can be done with it ---
  tools() {
    this.handle = button({ class: "sb-handle", onkeydown: (event) => this.press(event) }, icon("drag_indicator"));
    draggable(this.handle, this, () => this.page.tree, (node, place) => node.moveTo(place));
    this.menu = new Menu(() => this.menuItems());
    this.remover = button({ class: "rc-icon-button sb-remove", onclick: () => this.parent.remove(this) }, icon("delete"));
    return h("span", { class: "sb-tools" }, this.menu.element, this.remover);
  }

  labelTools(name) {
    const { words } = this.page;
    label(this.handle, fill(words.drag, { name }));
    label(this.menu.opener, fill(words.more_of, { name }));
    label(this.remover, fill(words.remove, { name }));
  }

  menuItems() {
    const { words } = this.page;
    const item = (step, place) => ({ icon: ICONS[step], name: words[step], run: () => this.moveTo(place, this.menu.opener) });
    const moves = Object.entries(steps(this)).map(([step, place]) => item(step, place));
    return [{ icon: "content_copy", name: words.duplicate, run: () => this.duplicate(), why: this.page.whyFull(filterCount(this)) }, ...moves];
  }

  press(event) {
    const possible = steps(this);
    const place = (KEYS[event.key] ?? []).map((step) => possible[step]).find(Boolean);
    if (!KEYS[event.key]) return;
    event.preventDefault();
    if (place) this.moveTo(place, this.handle);
    else this.page.announce(this.page.words.cannot_move);
  }

  /** Move there; the focus stays with what was used. */
  moveTo(place, used = null) {
    move(this, place);
    this.page.edited();
    used?.focus();
    this.element.scrollIntoView({ block: "nearest" });
    this.page.announce(fill(this.page.words.moved, { name: this.name }));
  }

  duplicate() {
    const { parent } = this;
    const copy = parent.make(this.toJSON());
    parent.insert(copy, parent.children.indexOf(this) + 1);
    this.page.edited();
    copy.menu.opener.focus();
    this.page.announce(fill(this.page.words.duplicated, { name: copy.name }));
  }

  /** After an undo: this is what is another now. */
  showChanged(shouldFocus) {
    this.element.scrollIntoView({ block: "nearest" });
    this.element.classList.add("sb-changed");
    this.element.addEventListener("animationend", () => this.element.classList.remove("sb-changed"), { once: true });
    if (shouldFocus) this.focus();
  }

  // --- what is known of it ---
  showCounts(counts) {
    const known = counts[this.pointer];
    const first = this.parent?.children.find((child) => counts[child.pointer]);
    this.numbers.replaceChildren(...(known ? this.countElements(known, counts[first?.pointer]?.left) : []));
  }

  /** `most` is what the funnel of its group begins with: what the first filter leaves. */
  countElements({ count, after, left: amount }, most) {
    const { words } = this.page;
    const said = (text, sentence) => [h("span", { "aria-hidden": "true" }, text), unseen(sentence)];
    const own = h("span", { class: "sb-count" }, ...said(count, fill(words.count_of, { count })));
    if (after === null || after === undefined) return [own];
    const bar = h("span", {});
    bar.style.width = `${most ? (100 * amount) / most : 0}%`;
    const left = h("span", { class: "sb-after" }, ...said(fill(words.left, { count: after }), fill(words.left_after, { count: after })));
    return [own, left, h("span", { class: "sb-bar sb-funnel", "aria-hidden": "true" }, bar)];
  }

  /** `{is_met, value}` of the user that is looked at; null ends that. */
  showVerdict(verdict) {
    this.verdict.hidden = !verdict;
    this.verdict.replaceChildren(...(verdict ? this.verdictElements(verdict) : []));
    this.verdict.classList.toggle("sb-met", Boolean(verdict?.is_met));
  }

  /** A tick or a cross, and the user's own value; of a group, which has none, what the mark means. */
  verdictElements({ is_met: isMet, value }) {
    const { words } = this.page;
    const text = this.exclude ? (isMet ? words.kept : words.left_out) : isMet ? words.met : words.not_met;
    return [icon(isMet ? "check_circle" : "cancel"), value ? unseen(text) : null, h("span", { class: "sb-own-value" }, value || text)].filter(Boolean);
  }

  clearFault() {
    this.faultText.textContent = "";
    this.faultText.hidden = true;
    this.element.classList.remove("sb-at-fault");
  }

  /** Say what is at fault here, after what was said already. */
  addFault(message) {
    this.faultText.textContent = [this.faultText.textContent, message].filter(Boolean).join(" ");
    this.faultText.hidden = false;
    this.element.classList.add("sb-at-fault");
  }

  focusFault() {
    this.faultText.focus();
  }
}

/** Mark fields as at fault, or with null no longer. What described them before still does. */
export function mark(inputs, faultId) {
  for (const input of inputs) {
    set(input, "aria-invalid", faultId ? "true" : null);
    set(input, "aria-describedby", [input.dataset.unit, faultId].filter(Boolean).join(" ") || null);
  }
}
