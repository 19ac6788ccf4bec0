// A text field with a list beneath it: the ARIA combobox pattern. What is found and what picking does is its owner's.

import { field, fill, h, icon, mark, set } from "./dom.js";
import { Listbox } from "./listbox.js";

const SHOWN_AT_MOST = 100;
const LIST_HEIGHT = 300;
const nothing = () => {};
const DEFAULTS = { offer: nothing, typed: nothing, closed: nothing, keys: nothing, isChosen: () => false, isMany: false, startsAt: 0 };

/** `find(query)` gives entries `{id, name, note, mark}` or a promise of them; `offer(query, found)` what was typed as one more,
 * which stands last with `offersLast`. `pick(entry)` is called for a chosen one, `typed()` after each key, `closed()` when
 * the list closes: after one choice, unless `isMany`. */
export class Combobox {
  constructor(options) {
    Object.assign(this, DEFAULTS, { turn: 0, shown: [], found: [] }, options);
    const { name } = this;
    this.listbox = new Listbox({ "aria-label": name, "aria-multiselectable": this.isMany ? "true" : null });
    this.more = h("p", { class: "sb-list-more" });
    this.popup = h("div", { class: "sb-popup", hidden: true, onmousedown: (event) => event.preventDefault() }, this.listbox.element, this.more);
    this.input = field({
      type: "text", role: "combobox", class: "sb-search", spellcheck: "false", maxlength: this.max, placeholder: this.placeholder,
      "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": this.listbox.element.id, "aria-label": name,
      oninput: () => this.type(), onclick: () => this.open(), onblur: () => this.close(), onkeydown: (event) => this.press(event),
    });
    this.listbox.input = this.input;
    this.before = h("span", { class: "sb-chips", role: "list", hidden: true, "aria-label": name });
    this.box = h("div", { class: "sb-box", onmousedown: (event) => this.focusFromBox(event) }, this.before, this.input, icon("expand_more"));
    this.element = h("div", { class: "sb-picker" }, this.box, this.popup);
  }

  focus() {
    this.input.focus();
  }

  /** For a filter that was just added: the next thing to do is to choose. */
  start() {
    this.input.focus();
    this.open();
  }

  focusFromBox(event) {
    if (event.target.closest("button") || event.target === this.input) return;
    event.preventDefault();
    this.start();
  }

  type() {
    this.isTyped = true;
    this.typed();
    this.open();
  }

  /** What is looked for: a text that was there before is not, or nothing else could be found. */
  get query() {
    return this.isTyped || this.isMany ? this.input.value.trim() : "";
  }

  open() {
    if (this.popup.hidden) {
      this.popup.hidden = false;
      set(this.input, "aria-expanded", "true");
      this.place();
    }
    this.look();
  }

  place() {
    const { top, bottom } = this.box.getBoundingClientRect();
    const isTight = window.innerHeight - bottom < LIST_HEIGHT && top > LIST_HEIGHT;
    this.popup.classList.toggle("sb-popup-above", isTight);
  }

  close() {
    this.popup.hidden = true;
    this.turn += 1;
    this.listbox.activate(-1);
    set(this.input, "aria-expanded", "false");
    this.closed();
    this.isTyped = false;
  }

  // --- the list ---
  async look(activeId) {
    const turn = ++this.turn;
    const found = this.find(this.query);
    if (Array.isArray(found)) return this.render(found, activeId);
    this.render(this.found.filter(({ name }) => name.toLocaleLowerCase().includes(this.query.toLocaleLowerCase())), activeId, this.words.looking);
    const entries = await found.catch(() => null);
    if (turn === this.turn) this.render(entries ?? [], this.activeId, entries ? undefined : this.words.no_suggestions);
  }

  render(found, activeId, note = this.noteOn(found)) {
    this.found = found;
    const offered = this.offer(this.query, found);
    const own = offered ? [{ ...offered, isNew: true }] : [];
    const known = found.slice(0, SHOWN_AT_MOST);
    this.shown = this.offersLast ? [...known, ...own] : [...own, ...known];
    const options = this.shown.map((entry, index) => this.option(entry, index));
    const active = this.shown.findIndex((entry) => entry.id === activeId || (activeId === undefined && !this.isMany && this.isChosen(entry.id)));
    // What was typed is not taken as it is before it is known what there is.
    const isEarly = this.offersLast && note === this.words.looking;
    this.listbox.show(options, options, active >= 0 ? active : isEarly ? -1 : this.startsAt);
    this.more.textContent = note;
  }

  get activeId() {
    return this.shown[this.listbox.active]?.id;
  }

  noteOn(found) {
    if (found.length > SHOWN_AT_MOST) return fill(this.words.more_matches, { shown: SHOWN_AT_MOST, count: found.length });
    if (found.length) return "";
    if (this.query) return this.isFree ? "" : this.words.no_match;
    return this.isFree ? this.words.type_freely : this.words.no_choices;
  }

  option(entry, index) {
    const name = entry.isNew ? fill(this.words.use_text, { text: entry.name }) : entry.name;
    const isChosen = String(this.isChosen(entry.id));
    const id = `${this.listbox.element.id}-${index}`;
    const symbol = entry.isNew ? icon("add", "sb-new") : icon("check");
    const note = entry.note ? h("span", { class: "sb-option-note" }, entry.note) : null;
    return h("div", { id, role: "option", class: "sb-option", "aria-selected": isChosen, onclick: () => this.choose(entry) },
      symbol, h("span", { class: "sb-option-name" }, name, mark(entry.mark)), note);
  }

  choose(entry) {
    this.pick(entry);
    this.isTyped = false;
    if (this.isMany) this.look(entry.id);
    else this.close();
  }

  // --- keys ---
  press(event) {
    const act = { ...this.ownKeys(), ...this.keys(event) }[event.key];
    if (act && !event.isComposing && act() !== false) event.preventDefault();
  }

  ownKeys() {
    const isOpen = !this.popup.hidden;
    const { listbox } = this;
    return {
      ArrowDown: () => (isOpen ? listbox.next() : this.open()),
      ArrowUp: () => (isOpen ? listbox.previous() : this.open()),
      Home: () => isOpen && !this.input.value && listbox.activate(0),
      End: () => isOpen && !this.input.value && listbox.activate(listbox.options.length - 1),
      Enter: () => (isOpen ? listbox.current && this.choose(this.shown[listbox.active]) : this.open()),
      Escape: () => isOpen && this.close(),
    };
  }
}
