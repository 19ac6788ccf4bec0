// Several values in one field, each with a button that removes it.

import { button, fill, h, icon, label, mark } from "./dom.js";
import { Combobox } from "./combobox.js";

const BETWEEN = /[\n\t,;]+/;

/** `source` has `find(query)` and `nameOf(id)`; with `isFree`, what was typed may be added as it is. */
export class Chips {
  constructor({ name, chosen, source, isFree, max, words, changed, announce }) {
    Object.assign(this, { value: [...chosen], source, isFree, max, words, changed, announce });
    this.box = new Combobox({
      name, words, isFree, isMany: true,
      find: (query) => source.find(query),
      offer: (query, found) => this.offer(query, found),
      isChosen: (id) => this.value.includes(id),
      pick: (entry) => this.toggle(entry),
      closed: () => this.keepTyped(),
      keys: () => ({ Backspace: () => !this.box.input.value && this.value.length > 0 && this.remove(this.value.at(-1)) }),
    });
    this.input = this.box.input;
    this.element = this.box.element;
    if (isFree) this.input.addEventListener("paste", (event) => this.paste(event));
    this.render();
  }

  focus() {
    this.box.focus();
  }

  start() {
    this.box.start();
  }

  offer(query, found) {
    const isThere = this.value.includes(query) || found.some(({ id }) => id === query);
    return this.isFree && query && !isThere ? { id: query, name: query, note: "" } : null;
  }

  // --- editing ---
  toggle({ id, name }) {
    const isChosen = this.value.includes(id);
    this.input.value = "";
    if (!isChosen && this.isFull()) return;
    this.set(isChosen ? this.value.filter((other) => other !== id) : [...this.value, id]);
    this.announce(fill(isChosen ? this.words.value_removed : this.words.value_added, { name }));
  }

  remove(id) {
    this.set(this.value.filter((other) => other !== id));
    this.input.focus();
  }

  /** A text that was typed and not entered is meant, too. */
  keepTyped() {
    const text = this.input.value.trim();
    this.input.value = "";
    if (this.isFree && text) this.add([text]);
  }

  /** A column of a spreadsheet becomes one value per row. */
  paste(event) {
    const texts = event.clipboardData.getData("text").split(BETWEEN).map((text) => text.trim()).filter(Boolean);
    if (texts.length < 2) return;
    event.preventDefault();
    this.add(texts);
  }

  add(texts) {
    if (!this.isFull()) this.set([...new Set([...this.value, ...texts])].slice(0, this.max ?? Infinity));
  }

  isFull() {
    const isFull = this.max && this.value.length >= this.max;
    if (isFull) this.announce(fill(this.words.too_many_values, { count: this.max }));
    return isFull;
  }

  set(value) {
    this.value = value;
    this.render();
    this.changed();
  }

  // --- showing ---
  render() {
    this.box.before.replaceChildren(...this.value.map((id) => this.chip(id)));
    this.box.before.hidden = !this.value.length;
    this.input.placeholder = this.value.length ? this.words.add_value : this.isFree ? this.words.type_or_choose : this.words.choose;
  }

  chip(id) {
    const known = this.source.nameOf(id) ?? (this.isFree ? String(id) : null);
    const name = known ?? this.words.gone;
    const remove = button({ class: "sb-chip-remove", onclick: () => this.remove(id) }, icon("close"));
    label(remove, fill(this.words.remove_value, { name }));
    return h("span", { class: known === null ? "sb-chip sb-chip-gone" : "sb-chip", role: "listitem" },
      h("span", { class: "sb-chip-name", title: name }, name), mark(this.source.markOf?.(id)), remove);
  }
}
