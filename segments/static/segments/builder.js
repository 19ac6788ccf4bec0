// <segment-builder>: edits the definition in the hidden field it holds, with live exact counts.
//
// The tree of FilterGroup and FilterRow objects is the state; after every edit it is written to the field as JSON and
// counted. Counts and faults come back by JSON pointer, which every node knows of itself.

import { Counter } from "./counter.js";
import { h } from "./dom.js";
import { FilterGroup } from "./filter_group.js";
import { guard } from "./guard.js";
import { Summary } from "./summary.js";

class SegmentBuilder extends HTMLElement {
  connectedCallback() {
    if (this.tree) return;
    this.field = this.querySelector("input[name=definition]");
    const data = JSON.parse(this.querySelector("script[type='application/json']").textContent);
    const form = this.field.form;
    this.page = { ...data, edited: () => this.edited(), announce: (text) => this.summary.announce(text) };
    this.summary = new Summary(data.words, () => this.count(0));
    this.counter = new Counter({
      url: this.dataset.counts,
      token: form.querySelector("[name=csrfmiddlewaretoken]").value,
      answered: (counts) => this.answered(counts),
      faulted: (faults) => this.faulted(faults),
      failed: (isSignedOut) => this.summary.failed(isSignedOut),
    });
    this.start(data, form);
  }

  start(data, form) {
    this.tree = this.treeOf(data.definition);
    this.classList.add("sb-ready");
    this.append(h("div", { class: "sb-columns" }, this.tree.element, this.summary.element));
    this.tree.number("/root", "");
    this.field.value = JSON.stringify(this.definition());
    guard(form, data.is_edited);
    if (data.faults.length) this.faulted(data.faults, data.focus_fault);
    else this.count(0);
  }

  /** A definition that this release cannot show begins anew; its faults are among the data. */
  treeOf(definition) {
    try {
      return new FilterGroup(definition.root, this.page);
    } catch {
      return new FilterGroup({ type: "group", operator: "and", children: [] }, this.page);
    }
  }

  definition() {
    return { version: 1, root: this.tree.toJSON() };
  }

  edited() {
    this.tree.number("/root", "");
    this.field.value = JSON.stringify(this.definition());
    this.count();
  }

  count(pause) {
    this.summary.counting();
    this.classList.add("sb-counting");
    this.counter.count(this.definition(), pause);
  }

  answered(counts) {
    this.settle(counts.nodes);
    this.summary.answered(counts);
  }

  faulted(faults, shouldFocus = false) {
    this.settle({});
    this.summary.faulted();
    for (const { pointer, message } of faults) this.nodeAt(pointer).showFault(message);
    this.summary.announce(faults.map(({ message }) => message).join(" "));
    if (shouldFocus) this.nodeAt(faults[0].pointer).focusFault();
  }

  settle(counts) {
    this.classList.remove("sb-counting");
    for (const node of this.tree.nodes()) node.showCounts(counts);
  }

  /** The innermost node that a pointer such as /root/children/0/cohorts is about. */
  nodeAt(pointer) {
    const around = [...this.tree.nodes()].filter((node) => `${pointer}/`.startsWith(`${node.pointer}/`));
    return around.at(-1) ?? this.tree;
  }
}

customElements.define("segment-builder", SegmentBuilder);
