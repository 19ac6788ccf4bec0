// One of many, by searching for it: what a filter is about, such as a custom attribute.

import { Combobox } from "./combobox.js";

/** `source` has `find(query)` and `nameOf(id)`; with `isFree`, what was typed may be taken as it is. */
export class Choice {
  constructor({ name, placeholder, chosen, source, isFree, words, changed }) {
    Object.assign(this, { value: chosen ?? null, source, isFree, words, changed });
    this.box = new Combobox({
      name, placeholder, words, isFree, offersLast: true,
      find: (query) => source.find(query),
      offer: (query, found) => (isFree && query && !found.some(({ id }) => id === query) ? { id: query, name: query, note: "" } : null),
      isChosen: (id) => id === this.value,
      pick: (entry) => this.take(entry),
      closed: () => this.settle(),
    });
    this.input = this.box.input;
    this.element = this.box.element;
    this.element.classList.add("sb-choice");
    this.show();
  }

  focus() {
    this.box.focus();
  }

  start() {
    this.box.start();
  }

  /** The field says what is chosen, whatever was typed and left. */
  show() {
    this.input.value = this.value === null || this.value === "" ? "" : (this.source.nameOf(this.value) ?? this.words.gone);
    this.input.title = this.input.value;
  }

  settle() {
    const text = this.input.value.trim();
    if (this.isFree && this.box.isTyped && text) this.take({ id: text });
    else this.show();
  }

  take({ id }) {
    const isNew = id !== this.value;
    this.value = id;
    this.box.isTyped = false;
    this.show();
    if (isNew) this.changed();
  }
}
