// The catalogue of filters in a dialog: grouped, searchable, each with its help.

import { button, field, h, icon, label, uniqueId } from "./dom.js";
import { Listbox } from "./listbox.js";

export class FilterPicker {
  constructor(groups, words) {
    Object.assign(this, { groups, words });
    this.title = h("h2", { id: uniqueId("sb-title") });
    this.listbox = new Listbox({ "aria-label": words.filters });
    this.nothing = h("p", { class: "sb-list-more", role: "status", hidden: true }, words.no_filter_match);
    this.input = field({
      type: "text", role: "combobox", class: "sb-input sb-find", spellcheck: "false", placeholder: words.search_filters, "aria-label": words.search_filters,
      "aria-expanded": "true", "aria-autocomplete": "list", "aria-controls": this.listbox.element.id,
      oninput: () => this.render(), onkeydown: (event) => this.press(event),
    });
    this.listbox.input = this.input;
    const close = button({ class: "rc-icon-button", onclick: () => this.finish(null) }, icon("close"));
    label(close, words.close);
    const leave = (event) => event.target === this.element && this.finish(null); // a click beside it
    this.element = h("dialog", { class: "rc-dialog sb-dialog", "aria-labelledby": this.title.id, onclose: () => this.finish(null), onclick: leave },
      h("div", { class: "sb-dialog-head" }, this.title, close), this.input, this.listbox.element, this.nothing);
  }

  /** The entry that is picked, or null. `current` is the one that is there. */
  choose(title, current = null) {
    this.title.textContent = title;
    this.current = current;
    this.input.value = "";
    this.element.showModal();
    this.render();
    this.input.focus();
    return new Promise((resolve) => (this.resolve = resolve));
  }

  finish(entry) {
    this.resolve?.(entry);
    this.resolve = null;
    this.element.close();
  }

  // --- the list ---
  render() {
    const text = this.input.value.trim().toLocaleLowerCase();
    this.shown = [];
    const sections = this.groups.map((group) => this.section(group, text.split(/\s+/))).filter(Boolean);
    this.listbox.show(sections, this.shown.map(({ element }) => element), this.best(text));
    this.nothing.hidden = this.shown.length > 0;
  }

  section(group, parts) {
    const fits = ({ name, help }) => parts.every((part) => `${group.name} ${name} ${help}`.toLocaleLowerCase().includes(part));
    const found = group.filters.filter(fits);
    if (!found.length) return null;
    const heading = h("div", { class: "sb-list-title", id: uniqueId("sb-list-title"), role: "presentation" }, group.name);
    return h("div", { role: "group", class: "sb-list-group", "aria-labelledby": heading.id }, heading, ...found.map((entry) => this.option(entry)));
  }

  /** Which one Enter takes: that whose name fits best, or the one that is there. */
  best(text) {
    const place = (fits) => this.shown.findIndex(({ entry }) => fits(entry.name.toLocaleLowerCase(), entry));
    const tries = text ? [(name) => name === text, (name) => name.startsWith(text), (name) => name.includes(text)] : [(_name, entry) => entry === this.current];
    return tries.map(place).find((index) => index >= 0) ?? 0;
  }

  option(entry) {
    const isChosen = String(entry === this.current);
    const element = h("div", { id: uniqueId("sb-entry"), role: "option", class: "sb-entry", "aria-selected": isChosen, onclick: () => this.finish(entry) },
      h("span", { class: "sb-entry-name" }, entry.name), h("span", { class: "sb-entry-help" }, entry.help));
    this.shown.push({ element, entry });
    return element;
  }

  press(event) {
    const chosen = this.shown[this.listbox.active]?.entry;
    const act = { ArrowDown: () => this.listbox.next(), ArrowUp: () => this.listbox.previous(), Enter: () => chosen && this.finish(chosen) }[event.key];
    if (!act || event.isComposing) return;
    event.preventDefault();
    act();
  }
}
