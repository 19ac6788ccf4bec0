// One filter: which one, its operator, its value, its own count. What is particular to a kind of filter is in KINDS.

import { button, fill, h, icon, set, uniqueId } from "./dom.js";
import { Picker } from "./picker.js";

/** Each kind makes controls for a node: `{elements, focus(), start(), toJSON()}`. */
const KINDS = { cohort: cohortControls };

/** `page` has the data and words of the page, and the functions `edited()` and `announce(text)`. */
export class FilterRow {
  constructor(node, page, removed) {
    Object.assign(this, { page, partner: node.partner });
    const { words } = page;
    this.which = select(page.filters.map(({ partner, name }) => [partner, name]), node.partner, { "aria-label": words.filter, class: "sb-select sb-which" });
    this.which.addEventListener("change", () => this.changePartner());
    this.values = h("div", { class: "sb-values" });
    this.countText = h("span", { class: "sb-count", id: uniqueId("sb-count") });
    this.remover = button({ class: "rc-icon-button sb-remove", onclick: () => removed(this) }, icon("delete"));
    this.faultText = h("p", { class: "sb-fault", id: uniqueId("sb-fault"), hidden: true });
    this.element = h("div", { class: "sb-row", role: "group" }, this.which, this.values, this.countText, this.remover, this.faultText);
    this.mount(node);
  }

  mount(node) {
    this.controls = KINDS[node.type](node, this.page, () => this.edited());
    this.values.replaceChildren(...this.controls.elements);
  }

  changePartner() {
    this.partner = this.which.value;
    this.mount({ ...this.toJSON(), cohorts: [] });
    this.edited();
  }

  edited() {
    this.showFault("");
    this.page.edited();
  }

  /** Begin to fill in a new filter: with its kind if there is a choice, else with its value. */
  start() {
    if (this.page.filters.length > 1) this.which.focus();
    else this.controls.start();
  }

  toJSON() {
    return { type: "cohort", partner: this.partner, ...this.controls.toJSON() };
  }

  // --- told by the tree ---
  number(pointer, number) {
    this.pointer = pointer;
    set(this.element, "aria-label", fill(this.page.words.filter_number, { number }));
    const label = fill(this.page.words.remove_filter, { number });
    set(this.remover, "aria-label", label);
    set(this.remover, "title", label);
  }

  showCounts(counts) {
    const count = counts[this.pointer];
    this.countText.textContent = count ?? "";
    set(this.countText, "title", count === undefined ? null : fill(this.page.words.count_of, { count }));
  }

  showFault(message) {
    this.faultText.textContent = message;
    this.faultText.hidden = !message;
    this.element.classList.toggle("sb-at-fault", Boolean(message));
    for (const control of this.element.querySelectorAll("select, [role=combobox]")) {
      set(control, "aria-invalid", message ? "true" : null);
      set(control, "aria-describedby", message ? this.faultText.id : null);
    }
  }

  focusFault() {
    this.controls.focus();
  }
}

function select(options, chosen, properties) {
  const element = h("select", properties, ...options.map(([value, label]) => h("option", { value }, label)));
  element.value = chosen;
  return element;
}

function cohortControls(node, page, edited) {
  const { words } = page;
  const operators = ["includes", "does_not_include"].map((value) => [value, words[value]]);
  const operator = select(operators, node.operator, { "aria-label": words.operator, class: "sb-select sb-operator" });
  operator.addEventListener("change", edited);
  const entries = page.cohorts[node.partner] ?? [];
  const picker = new Picker({ entries, chosen: node.cohorts, words, changed: edited, announce: page.announce });
  return {
    elements: [operator, picker.element],
    focus: () => picker.focus(),
    start: () => picker.start(),
    toJSON: () => ({ operator: operator.value, cohorts: picker.chosen }),
  };
}
