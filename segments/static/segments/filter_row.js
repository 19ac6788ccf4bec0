// One filter: which one, what it is about, its operator and its value.

import { button, fill, h, icon, set } from "./dom.js";
import { Choice } from "./choice.js";
import { mark, TreeNode } from "./tree_node.js";
import { carried, valueWidget } from "./values.js";

const NOTHING = { widget: "none" };

export class FilterRow extends TreeNode {
  constructor(node, page, parent) {
    super(page, parent);
    this.node = node;
    this.which = button({ class: "sb-select sb-which", "aria-haspopup": "dialog", onclick: () => this.change() });
    this.controls = h("div", { class: "sb-controls" });
    const tools = this.tools();
    const details = h("div", { class: "sb-details" }, this.controls, this.verdict, this.faultText);
    this.element = h("div", { class: "sb-row", role: "group" }, this.handle, this.which, details, this.numbers, tools);
    this.mount();
  }

  // --- making ---
  mount() {
    this.entry = this.page.catalogue.entryOf(this.node);
    this.which.textContent = this.title;
    this.which.title = this.entry?.help ?? this.title;
    this.subject = this.entry?.asks ? this.subjectChoice() : null;
    this.operator = this.entry ? this.operatorSelect() : null;
    this.fillOperators();
    this.controls.replaceChildren(...[this.subject?.element, this.operator].filter(Boolean));
    this.value = null;
    this.mountValue();
    if (this.subject) this.learnTypes();
  }

  /** What the filter is called. This release may not know it: then it can be read, kept and removed. */
  get title() {
    return this.entry?.name ?? this.page.words.unknown_filter;
  }

  subjectChoice() {
    const { label: name, placeholder, is_free: isFree } = this.entry.asks;
    const { catalogue, words } = this.page;
    const source = catalogue.subjects(this.entry);
    return new Choice({ name, placeholder, isFree, source, words, chosen: this.node.subject, changed: () => this.changeSubject() });
  }

  operatorSelect() {
    return h("select", { class: "sb-select sb-operator", form: "sb-none", "aria-label": this.page.words.operator, onchange: () => this.changeOperator() });
  }

  /** Only what is known of the types decides which operators are offered, so they may become fewer when it comes. */
  async learnTypes() {
    if (!this.entry.operators.some(({ types }) => types)) return;
    const { catalogue } = this.page;
    await Promise.resolve(catalogue.subjects(this.entry).find("")).catch(() => []); // without suggestions, all stay offered
    if (this.operator) this.fillOperators();
  }

  fillOperators() {
    if (!this.operator) return;
    const suitable = this.page.catalogue.operatorsFor(this.entry, this.node.subject);
    const isMissing = !suitable.some(({ code }) => code === this.node.operator);
    const shown = isMissing && this.operatorEntry ? [this.operatorEntry, ...suitable] : suitable;
    this.operator.replaceChildren(...shown.map(({ code, name }) => h("option", { value: code }, name)));
    this.operator.value = this.node.operator;
  }

  get operatorEntry() {
    return this.entry?.operators.find(({ code }) => code === this.node.operator);
  }

  mountValue() {
    const { catalogue, words, announce } = this.page;
    const spec = this.operatorEntry?.value ?? NOTHING;
    const changed = (source) => this.changeValue(source);
    this.value?.element.remove();
    // An operator such as “in the last … days” names the unit itself.
    const unit = spec.unit && !this.operatorEntry.name.includes("…") ? words[`unit_${spec.unit}`] : "";
    this.value = valueWidget({ spec, unit, value: this.node.value, source: catalogue.values(spec, this.node), words, announce, changed });
    if (!this.value) return;
    this.value.element.classList.add("sb-value");
    this.controls.append(this.value.element);
  }

  // --- editing ---
  async change() {
    const entry = await this.page.chooseFilter(this.page.words.change_filter, this.entry);
    this.which.focus();
    if (!entry || entry === this.entry) return;
    this.node = this.page.catalogue.begin(entry);
    this.mount();
    this.edited();
    this.start();
  }

  changeSubject() {
    this.node.subject = this.subject.value;
    const suitable = this.page.catalogue.operatorsFor(this.entry, this.node.subject);
    if (!suitable.some(({ code }) => code === this.node.operator)) this.takeOperator(suitable[0].code);
    this.fillOperators();
    this.mountValue();
    this.edited();
  }

  changeOperator() {
    this.takeOperator(this.operator.value);
    this.fillOperators();
    this.mountValue();
    this.edited();
  }

  takeOperator(code) {
    const before = this.operatorEntry?.value ?? NOTHING;
    this.node.operator = code;
    this.setValue(carried(this.node.value, before, this.operatorEntry.value));
  }

  changeValue(source) {
    this.setValue(this.value.value);
    this.edited(source && `${this.pointer}/${source}`);
  }

  setValue(value) {
    if (value === undefined) delete this.node.value;
    else this.node.value = value;
  }

  edited(source) {
    this.clearFault();
    this.page.edited(source);
  }

  /** Begin to fill in a new filter: with the first thing that is to be chosen. */
  start() {
    (this.subject ?? this.value)?.start();
    if (!this.subject && !this.value) this.focus();
  }

  focus() {
    (this.operator ?? this.which).focus();
  }

  toJSON() {
    return structuredClone(this.node);
  }

  // --- told by the tree ---
  number(pointer, number) {
    const { words } = this.page;
    this.pointer = pointer;
    const subject = this.subject?.input.value;
    const name = subject ? fill(words.about, { name: this.title, subject }) : this.title;
    this.name = fill(words.filter_named, { number, name });
    this.shortName = fill(words.filter_number, { number });
    set(this.element, "aria-label", this.name);
    set(this.which, "aria-label", fill(words.which_filter, { name: this.title }));
    this.labelTools(this.shortName);
  }

  clearFault() {
    super.clearFault();
    mark(this.inputs(), null);
    this.faulty = null;
  }

  /** `part` is what of the filter is at fault: "subject", "operator" or "value"; anything else is all of it. */
  addFault(message, part) {
    super.addFault(message);
    const own = this.inputs(part);
    const marked = own.length ? own : this.inputs();
    mark(marked, this.faultText.id);
    this.faulty ??= marked[0];
  }

  inputs(part = null) {
    const inputs = { subject: this.subject ? [this.subject.input] : [], operator: this.operator ? [this.operator] : [], value: this.value?.inputs ?? [] };
    return part === null ? Object.values(inputs).flat() : (inputs[part] ?? []);
  }

  focusFault() {
    (this.faulty ?? this.which).focus();
  }
}
