// A group: how its filters are joined, whether it is excluded, and its filters and groups.

import { button, fill, h, icon, set, uniqueId } from "./dom.js";
import { FilterRow } from "./filter_row.js";

/** The outermost group has no `removed`: it stays. */
export class FilterGroup {
  constructor(node, page, removed = null, depth = 1) {
    Object.assign(this, { page, depth, isRoot: !removed, operator: node.operator, exclude: node.exclude ?? false });
    this.countText = h("span", { class: "sb-count" });
    this.caption = h("span", { class: "sb-caption" });
    this.faultText = h("p", { class: "sb-fault", hidden: true, tabindex: "-1" });
    this.list = h("ul", { class: "sb-children" });
    this.element = h("section", { class: this.isRoot ? "sb-group sb-root" : "sb-group", role: "group" },
      this.head(removed), this.faultText, this.list, this.empty(), this.foot());
    this.children = node.children.map((child) => this.make(child));
    this.list.append(...this.children.map((child) => this.listItem(child)));
  }

  // --- making ---
  head(removed) {
    const { words } = this.page;
    this.remover = removed && button({ class: "rc-icon-button sb-remove", onclick: () => removed(this) }, icon("delete"));
    // An excluded outermost group is possible, though nobody needs it: it is shown, not offered.
    const canExclude = !this.isRoot || this.exclude;
    const box = h("input", { type: "checkbox", onchange: () => this.change({ exclude: box.checked }) });
    box.checked = this.exclude;
    const exclude = canExclude ? h("label", { class: "sb-exclude" }, box, words.exclude) : null;
    return h("div", { class: "sb-head" }, this.joins(), this.caption, exclude, this.isRoot ? null : this.countText, this.remover);
  }

  joins() {
    const { words } = this.page;
    const name = uniqueId("sb-join");
    const choice = (value, label) => {
      const radio = h("input", { type: "radio", name, value, form: "sb-none", onchange: () => this.change({ operator: value }) });
      radio.checked = this.operator === value;
      return h("label", { class: "sb-join-choice" }, radio, h("span", {}, label));
    };
    return h("div", { class: "sb-joins", role: "radiogroup", "aria-label": words.join },
      choice("and", words.and), choice("or", words.or_button));
  }

  empty() {
    const { words } = this.page;
    const hasCohorts = this.page.filters.length > 0;
    this.emptyText = this.isRoot
      ? h("div", { class: "sb-empty" }, icon("filter_alt"),
          h("h3", {}, hasCohorts ? words.empty : words.no_cohorts), h("p", {}, hasCohorts ? words.empty_text : words.no_cohorts_text))
      : h("p", { class: "sb-empty-group" }, words.empty_group);
    return this.emptyText;
  }

  foot() {
    const { words, filters, max_depth: maxDepth } = this.page;
    this.adder = button({ class: "rc-button rc-button-small sb-add-filter", disabled: !filters.length, onclick: () => this.addFilter() }, icon("add"), words.add_filter);
    const group = this.depth < maxDepth
      ? button({ class: "rc-button rc-button-small sb-quiet", disabled: !filters.length, onclick: () => this.addGroup() }, icon("library_add"), words.add_group)
      : null;
    return h("div", { class: "sb-foot" }, this.adder, group);
  }

  make(node) {
    const removed = (child) => this.removeChild(child);
    return node.type === "group" ? new FilterGroup(node, this.page, removed, this.depth + 1) : new FilterRow(node, this.page, removed);
  }

  listItem(child) {
    child.joinText = h("span", { class: "sb-join", "aria-hidden": "true" });
    child.item = h("li", { class: "sb-item" }, child.joinText, child.element);
    return child.item;
  }

  // --- editing ---
  change(what) {
    Object.assign(this, what);
    this.showFault("");
    this.page.edited();
  }

  add(node) {
    const child = this.make(node);
    this.children.push(child);
    this.list.append(this.listItem(child));
    this.change({});
    return child;
  }

  addFilter() {
    const before = this.children.filter((child) => child instanceof FilterRow).at(-1);
    const partner = before?.partner ?? this.page.filters[0].partner;
    this.add({ type: "cohort", partner, operator: "includes", cohorts: [] }).start();
  }

  addGroup() {
    const operator = this.operator === "and" ? "or" : "and";
    this.add({ type: "group", operator, exclude: false, children: [] }).adder.focus();
  }

  removeChild(child) {
    const index = this.children.indexOf(child);
    this.children.splice(index, 1);
    child.item.remove();
    const { words } = this.page;
    this.page.announce(child instanceof FilterGroup ? words.group_removed : words.filter_removed);
    (this.children[index] ?? this.children.at(-1))?.remover.focus();
    if (!this.children.length) this.adder.focus();
    this.change({});
  }

  toJSON() {
    return { type: "group", operator: this.operator, exclude: this.exclude, children: this.children.map((child) => child.toJSON()) };
  }

  // --- told by the tree ---
  number(pointer, number) {
    const { words } = this.page;
    this.pointer = pointer;
    set(this.element, "aria-label", this.isRoot ? words.all_filters : fill(words.group_number, { number }));
    this.caption.textContent = words[`${this.exclude ? "exclude" : "match"}_${this.operator}`];
    this.element.classList.toggle("sb-excluded", this.exclude);
    this.emptyText.hidden = this.children.length > 0;
    this.element.classList.toggle("sb-is-empty", !this.children.length);
    if (this.remover) this.labelRemover(fill(words.remove_group, { number }));
    this.children.forEach((child, index) => {
      child.joinText.textContent = index ? words[this.operator === "and" ? "and" : "or_button"] : "";
      child.number(`${pointer}/children/${index}`, this.isRoot ? `${index + 1}` : `${number}.${index + 1}`);
    });
  }

  labelRemover(label) {
    set(this.remover, "aria-label", label);
    set(this.remover, "title", label);
  }

  *nodes() {
    yield this;
    for (const child of this.children) {
      if (child instanceof FilterGroup) yield* child.nodes();
      else yield child;
    }
  }

  showCounts(counts) {
    this.countText.textContent = counts[this.pointer] ?? "";
  }

  showFault(message) {
    this.faultText.textContent = message;
    this.faultText.hidden = !message;
    this.element.classList.toggle("sb-at-fault", Boolean(message));
  }

  focusFault() {
    this.faultText.focus();
  }
}
