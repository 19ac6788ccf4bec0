// The line above the filters with undo and redo, and their keys.

import { button, h, icon, label, set } from "./dom.js";
import { changedNode, History } from "./history.js";

const TEXT_FIELDS = "input:not([type=checkbox], [type=radio]), textarea, [contenteditable]";

export class Undoing {
  /** `restored(root, changed)` is called with a tree as JSON and the pointer of what in it is another now. */
  constructor({ words, json, restored }) {
    Object.assign(this, { words, restored, history: new History(json) });
    this.undoer = this.makeButton("undo", words.undo, () => this.undo());
    this.redoer = this.makeButton("redo", words.redo, () => this.redo());
    this.status = h("span", { class: "rc-hidden", "aria-live": "polite" });
    this.element = h("div", { class: "sb-line" }, h("h2", { class: "rc-title" }, words.filters), this.undoer, this.redoer, this.status);
    document.addEventListener("keydown", (event) => this.press(event));
    this.render();
  }

  makeButton(symbol, name, act) {
    const made = button({ class: "rc-icon-button", onclick: act }, icon(symbol));
    label(made, name);
    return made;
  }

  push(json, source) {
    this.history.push(json, source);
    this.render();
  }

  /** The buttons stay focusable when there is nothing more to undo. */
  render() {
    set(this.undoer, "aria-disabled", this.history.canUndo ? null : "true");
    set(this.redoer, "aria-disabled", this.history.canRedo ? null : "true");
  }

  undo() {
    if (this.history.canUndo) this.go(() => this.history.undo(), this.words.undone);
  }

  redo() {
    if (this.history.canRedo) this.go(() => this.history.redo(), this.words.redone);
  }

  go(step, said) {
    const before = JSON.parse(this.history.present);
    const after = JSON.parse(step());
    this.render();
    this.restored(after, changedNode(before, after));
    this.status.textContent = "";
    this.status.textContent = said;
  }

  /** In text fields the keys undo what was typed, as everywhere. */
  press(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.closest(TEXT_FIELDS) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    const act = { z: () => (event.shiftKey ? this.redo() : this.undo()), y: () => this.redo() }[key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
