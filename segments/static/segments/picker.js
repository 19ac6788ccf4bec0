// A searchable list of which several entries may be chosen: the ARIA combobox pattern, with the chosen ones before it.

import { button, fill, h, icon, set, uniqueId } from "./dom.js";

const SHOWN_AT_MOST = 100;
const LIST_HEIGHT = 300;

/** `entries` are `{id, name, partner_id}`, `chosen` ids. `changed()` is called after every change. */
export class Picker {
  constructor({ entries, chosen, words, changed, announce }) {
    Object.assign(this, { entries, chosen: [...chosen], words, changed, announce });
    this.listId = uniqueId("sb-list");
    this.active = -1;
    this.list = h("ul", { id: this.listId, role: "listbox", class: "sb-list", "aria-multiselectable": "true", "aria-label": words.cohorts });
    this.more = h("p", { class: "sb-list-more" });
    this.popup = h("div", { class: "sb-popup", hidden: true, onmousedown: (event) => event.preventDefault() }, this.list, this.more);
    this.input = h("input", {
      type: "text", role: "combobox", class: "sb-search", autocomplete: "off", spellcheck: "false",
      "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": this.listId, "aria-label": words.cohorts,
      oninput: () => this.open(), onclick: () => this.open(),
      onblur: () => this.close(), onkeydown: (event) => this.press(event),
    });
    this.chips = h("span", { class: "sb-chips", role: "list", hidden: true, "aria-label": words.cohorts });
    this.box = h("div", { class: "sb-box", onmousedown: (event) => this.focusFromBox(event) }, this.chips, this.input, icon("expand_more"));
    this.element = h("div", { class: "sb-picker" }, this.box, this.popup);
    this.renderChips();
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

  // --- the chosen ones ---
  renderChips() {
    const chips = this.chosen.map((id, index) => this.chip(id, index > 0));
    this.chips.replaceChildren(...chips);
    this.chips.hidden = !chips.length;
    this.input.placeholder = chips.length ? this.words.add_cohort : this.words.choose_cohort;
    this.box.classList.toggle("sb-box-empty", !chips.length);
  }

  chip(id, hasOneBefore) {
    const entry = this.entries.find((candidate) => candidate.id === id);
    const name = entry ? entry.name : this.words.gone_cohort;
    const label = fill(this.words.remove_cohort, { name });
    const remove = button({ class: "sb-chip-remove", "aria-label": label, title: label, onclick: () => this.remove(id) }, icon("close"));
    const or = hasOneBefore ? h("span", { class: "sb-or" }, this.words.or) : null;
    return h("span", { class: "sb-chip-item", role: "listitem" }, or,
      h("span", { class: entry ? "sb-chip" : "sb-chip sb-chip-gone" }, h("span", { class: "sb-chip-name", title: name }, name), remove));
  }

  toggle(id) {
    const isChosen = this.chosen.includes(id);
    const { name } = this.entries.find((entry) => entry.id === id);
    this.chosen = isChosen ? this.chosen.filter((other) => other !== id) : [...this.chosen, id];
    this.announce(fill(isChosen ? this.words.cohort_removed : this.words.cohort_added, { name }));
    this.input.value = "";
    this.renderChips();
    this.renderList(id);
    this.changed();
  }

  remove(id) {
    this.chosen = this.chosen.filter((other) => other !== id);
    this.renderChips();
    this.input.focus();
    this.changed();
  }

  // --- the list ---
  matches() {
    const wanted = this.input.value.trim().toLocaleLowerCase();
    return this.entries.filter((entry) => `${entry.name}\n${entry.partner_id}`.toLocaleLowerCase().includes(wanted));
  }

  open() {
    if (this.popup.hidden) {
      this.popup.hidden = false;
      set(this.input, "aria-expanded", "true");
      this.place();
      this.renderList(this.chosen[0]);
    } else this.renderList();
  }

  place() {
    const { top, bottom } = this.box.getBoundingClientRect();
    const isTight = window.innerHeight - bottom < LIST_HEIGHT && top > LIST_HEIGHT;
    this.popup.classList.toggle("sb-popup-above", isTight);
  }

  close() {
    this.popup.hidden = true;
    this.input.value = "";
    this.activate(-1);
    set(this.input, "aria-expanded", "false");
  }

  renderList(activeId) {
    const matches = this.matches();
    this.shown = matches.slice(0, SHOWN_AT_MOST);
    this.list.replaceChildren(...this.shown.map((entry) => this.option(entry)));
    const isCut = matches.length > this.shown.length;
    this.more.textContent = isCut ? fill(this.words.more_matches, { shown: this.shown.length, count: matches.length })
      : matches.length ? "" : this.words.no_match;
    this.activate(Math.max(0, this.shown.findIndex((entry) => entry.id === activeId)));
  }

  option(entry) {
    const isChosen = this.chosen.includes(entry.id);
    return h("li", { id: `${this.listId}-${entry.id}`, role: "option", class: "sb-option", "aria-selected": String(isChosen), onclick: () => this.toggle(entry.id) },
      icon("check"), h("span", { class: "sb-option-name" }, entry.name), h("span", { class: "sb-option-id" }, entry.partner_id));
  }

  activate(index) {
    const options = this.list.children;
    options[this.active]?.classList.remove("sb-option-active");
    this.active = index < options.length ? index : -1;
    const option = options[this.active];
    option?.classList.add("sb-option-active");
    option?.scrollIntoView({ block: "nearest" });
    set(this.input, "aria-activedescendant", option?.id);
  }

  // --- keys ---
  press(event) {
    const act = this.keys()[event.key];
    if (act && !event.isComposing && act() !== false) event.preventDefault();
  }

  keys() {
    const isOpen = !this.popup.hidden;
    const last = (this.shown?.length ?? 0) - 1;
    const move = (index) => (isOpen ? this.activate(index) : this.open());
    return {
      ArrowDown: () => move(this.active < last ? this.active + 1 : 0),
      ArrowUp: () => move(this.active > 0 ? this.active - 1 : last),
      Home: () => isOpen && !this.input.value && this.activate(0),
      End: () => isOpen && !this.input.value && this.activate(last),
      Enter: () => (isOpen && this.shown[this.active] ? this.toggle(this.shown[this.active].id) : this.open()),
      Escape: () => isOpen && this.close(),
      Backspace: () => !this.input.value && this.chosen.length > 0 && this.remove(this.chosen.at(-1)),
    };
  }
}
