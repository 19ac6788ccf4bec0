// A list of options, one of which is active while the focus stays in a field: that names it to screen readers.

import { h, set, uniqueId } from "./dom.js";

export class Listbox {
  constructor(properties) {
    this.element = h("div", { id: uniqueId("sb-list"), role: "listbox", class: "sb-list", ...properties });
    this.options = [];
    this.active = -1;
  }

  /** Show `content`, in which `options` can be active. Each of them has a click listener. */
  show(content, options, active) {
    this.element.replaceChildren(...content);
    this.options = options;
    this.active = -1;
    this.activate(active);
  }

  activate(index) {
    this.current?.classList.remove("sb-option-active");
    this.active = index < this.options.length ? index : -1;
    this.current?.classList.add("sb-option-active");
    this.current?.scrollIntoView({ block: "nearest" });
    set(this.input, "aria-activedescendant", this.current?.id);
  }

  get current() {
    return this.options[this.active];
  }

  next() {
    this.activate(this.active < this.options.length - 1 ? this.active + 1 : 0);
  }

  previous() {
    this.activate(this.active > 0 ? this.active - 1 : this.options.length - 1);
  }
}
