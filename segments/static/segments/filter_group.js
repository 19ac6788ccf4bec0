// A group: how its filters are joined, whether it is excluded, and its filters and groups.

import { button, field, fill, h, icon, set, uniqueId } from "./dom.js";
import { FilterRow } from "./filter_row.js";
import { TreeNode } from "./tree_node.js";

/** The outermost group has no parent: it stays. */
export class FilterGroup extends TreeNode {
  constructor(node, page, parent = null) {
    super(page, parent);
    Object.assign(this, { operator: node.operator, exclude: node.exclude ?? false });
    this.caption = h("span", { class: "sb-caption" });
    this.list = h("ul", { class: "sb-children" });
    this.empty = this.makeEmpty();
    this.foot = this.makeFoot();
    this.element = h("section", { class: parent ? "sb-group" : "sb-group sb-root", role: "group" },
      this.head(), this.verdict, this.faultText, this.list, this.empty, this.foot);
    this.children = node.children.map((child) => this.make(child));
    this.list.append(...this.children.map((child) => this.listItem(child)));
  }

  // --- making ---
  head() {
    const { words } = this.page;
    // An excluded outermost group is possible, though nobody needs it: it is shown, not offered.
    const canExclude = this.parent || this.exclude;
    const box = field({ type: "checkbox", onchange: () => this.change({ exclude: box.checked }) });
    box.checked = this.exclude;
    const exclude = canExclude ? h("label", { class: "sb-exclude" }, box, words.exclude) : null;
    const tools = this.parent ? this.tools() : null;
    const what = h("div", { class: "sb-head-main" }, this.joins(), this.caption, exclude);
    // How many the outermost group selects stands in the card beside it.
    return this.parent ? h("div", { class: "sb-head" }, this.handle, what, this.numbers, tools) : h("div", { class: "sb-head" }, what);
  }

  joins() {
    const { words } = this.page;
    const name = uniqueId("sb-join");
    const choice = (value, text) => {
      const radio = field({ type: "radio", name, value, onchange: () => this.change({ operator: value }) });
      radio.checked = this.operator === value;
      return h("label", { class: "sb-join-choice" }, radio, h("span", {}, text));
    };
    return h("div", { class: "sb-joins", role: "radiogroup", "aria-label": words.join }, choice("and", words.and), choice("or", words.or_button));
  }

  makeEmpty() {
    const { words } = this.page;
    if (this.parent) return h("p", { class: "sb-empty-group" }, words.empty_group);
    return h("div", { class: "sb-empty" }, icon("filter_alt"), h("h3", {}, words.empty), h("p", {}, words.empty_text));
  }

  makeFoot() {
    const { words } = this.page;
    this.limit = h("span", { class: "sb-limit", id: uniqueId("sb-limit"), hidden: true });
    this.adder = button({ class: "rc-button rc-button-small sb-add-filter", onclick: () => this.addFilter() }, icon("add"), words.add_filter);
    this.groupAdder = button({ class: "rc-button rc-button-small sb-quiet", onclick: () => this.addGroup() }, icon("library_add"), words.add_group);
    return h("div", { class: "sb-foot" }, this.adder, this.groupAdder, this.limit);
  }

  make(node) {
    return node.type === "group" ? new FilterGroup(node, this.page, this) : new FilterRow(node, this.page, this);
  }

  listItem(child) {
    child.joinText = h("span", { class: "sb-join", "aria-hidden": "true" });
    child.item = h("li", { class: "sb-item" }, child.joinText, child.element);
    return child.item;
  }

  // --- editing ---
  change(what) {
    Object.assign(this, what);
    this.clearFault();
    this.page.edited();
  }

  /** Take a child in. The move and whatever else belongs to it are one edit, which its caller reports. */
  insert(child, index = this.children.length) {
    child.parent = this;
    this.list.insertBefore(child.item ?? this.listItem(child), this.children[index]?.item ?? null);
    this.children.splice(index, 0, child);
    this.clearFault();
  }

  detach(child) {
    this.children.splice(this.children.indexOf(child), 1);
    child.item.remove();
    this.clearFault();
  }

  async addFilter() {
    if (this.refuse(this.adder)) return;
    const entry = await this.page.chooseFilter(this.page.words.add_filter);
    if (!entry) return this.adder.focus();
    const child = this.make(this.page.catalogue.begin(entry));
    this.insert(child);
    this.change({});
    child.start();
  }

  addGroup() {
    if (this.refuse(this.groupAdder)) return;
    const group = this.make({ type: "group", operator: this.operator === "and" ? "or" : "and", children: [] });
    this.insert(group);
    this.change({});
    group.adder.focus();
  }

  /** A button that is off can be focused, and says why. */
  refuse(pressed) {
    const isOff = pressed.getAttribute("aria-disabled") === "true";
    if (isOff) this.page.announce(pressed.title);
    return isOff;
  }

  remove(child) {
    const index = this.children.indexOf(child);
    this.detach(child);
    this.change({});
    const next = this.children[index] ?? this.children.at(-1);
    (next?.remover ?? this.adder).focus();
    this.page.announce(fill(this.page.words.removed, { name: child.name }));
  }

  toJSON() {
    return { type: "group", operator: this.operator, exclude: this.exclude, children: this.children.map((child) => child.toJSON()) };
  }

  // --- told by the tree ---
  number(pointer, number) {
    const { words } = this.page;
    this.pointer = pointer;
    this.name = this.parent ? fill(words.group_number, { number }) : words.all_filters;
    this.shortName = this.name;
    set(this.element, "aria-label", this.name);
    if (this.parent) this.labelTools(this.name);
    this.caption.textContent = words[`${this.exclude ? "exclude" : "match"}_${this.operator}`];
    this.element.classList.toggle("sb-excluded", this.exclude);
    this.element.classList.toggle("sb-is-empty", !this.children.length);
    this.empty.hidden = this.children.length > 0;
    this.showLimits();
    this.children.forEach((child, index) => {
      child.joinText.textContent = index ? words[this.operator === "and" ? "and" : "or_button"] : "";
      child.number(`${pointer}/children/${index}`, this.parent ? `${number}.${index + 1}` : `${index + 1}`);
    });
  }

  showLimits() {
    const { words, max_depth: depth } = this.page;
    const full = this.page.whyFull(1);
    const deep = this.depth < depth ? "" : fill(words.too_deep, { count: depth });
    // That the segment is full is said once, at its end.
    this.limit.textContent = this.parent && full ? "" : full || deep;
    this.limit.hidden = !this.limit.textContent;
    this.turnOff(this.adder, full);
    this.turnOff(this.groupAdder, full || deep);
  }

  turnOff(one, why) {
    set(one, "aria-disabled", why ? "true" : null);
    set(one, "title", why || null);
    set(one, "aria-describedby", why && !this.limit.hidden ? this.limit.id : null);
  }

  focus() {
    (this.handle ?? this.adder).focus();
  }

  *nodes() {
    yield this;
    for (const child of this.children) {
      if (child instanceof FilterGroup) yield* child.nodes();
      else yield child;
    }
  }
}
