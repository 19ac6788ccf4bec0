// <segment-builder>: edits the definition in the hidden field it holds, with live exact counts.
//
// The tree of FilterGroup and FilterRow objects is the state; after every edit it is written to the field as JSON,
// remembered for undoing, and counted. Counts, faults and verdicts come back by JSON pointer, which every node knows of itself.

import { Catalogue } from "./catalogue.js";
import { Counter } from "./counter.js";
import { fill, h } from "./dom.js";
import { Explanation } from "./explain.js";
import { FilterGroup } from "./filter_group.js";
import { FilterPicker } from "./filter_picker.js";
import { guard } from "./guard.js";
import { filterCount } from "./moves.js";
import { People } from "./people.js";
import { Server } from "./server.js";
import { Summary } from "./summary.js";
import { Undoing } from "./undoing.js";

const VERSION = 2;

class SegmentBuilder extends HTMLElement {
  connectedCallback() {
    if (this.tree) return;
    this.field = this.querySelector("input[name=definition]");
    const data = JSON.parse(this.querySelector("script[type='application/json']").textContent);
    const { form } = this.field;
    this.server = new Server(form.querySelector("[name=csrfmiddlewaretoken]").value);
    this.page = this.pageOf(data);
    this.parts(data);
    this.start(data, form);
  }

  /** What nodes know of the page, and what they may do with it. */
  pageOf(data) {
    const picker = new FilterPicker(data.catalogue, data.words);
    this.append(picker.element);
    const builder = this;
    return {
      words: data.words, max_depth: data.max_depth,
      catalogue: new Catalogue(data.catalogue, this.server, data.urls.suggest),
      chooseFilter: (title, current) => picker.choose(title, current),
      edited: (source) => this.edited(source),
      announce: (text) => this.summary.announce(text),
      whyFull: (more) => (builder.tree && filterCount(builder.tree) + more > data.max_filters ? fill(data.words.too_many, { count: data.max_filters }) : ""),
      get tree() { return builder.tree; },
    };
  }

  /** The cards around the tree. */
  parts({ words, urls }) {
    const { server } = this;
    const announce = this.page.announce;
    const draft = () => this.definition();
    this.summary = new Summary(words, { retry: () => this.count(0), stop: () => this.stop() });
    this.people = new People({ server, url: urls.people, words, draft, announce });
    this.explanation = new Explanation({ server, url: urls.explain, words, draft, announce, nodes: () => this.tree.nodes() });
    this.counter = new Counter({
      server, url: urls.counts,
      progressed: (share) => this.summary.progressed(share),
      answered: (counts) => this.answered(counts),
      faulted: (faults) => this.faulted(faults),
      failed: (isSignedOut) => this.summary.failed(isSignedOut),
    });
  }

  start(data, form) {
    this.tree = this.treeOf(data.definition);
    this.undoing = new Undoing({ words: data.words, json: this.write(), restored: (root, changed) => this.restored(root, changed) });
    this.classList.add("sb-ready");
    this.main = h("div", { class: "sb-main" }, this.undoing.element, this.tree.element, h("div", { class: "sb-looks" }, this.people.element, this.explanation.element));
    this.append(h("div", { class: "sb-columns" }, this.main, this.summary.element));
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
    return { version: VERSION, root: this.tree.toJSON() };
  }

  // --- edits ---
  /** Number the nodes and write the definition into the form; returns the tree as JSON. */
  write() {
    this.tree.number("/root", "");
    this.field.value = JSON.stringify(this.definition());
    return JSON.stringify(this.tree.toJSON());
  }

  edited(source = null) {
    this.undoing.push(this.write(), source);
    this.outdate();
    this.count();
  }

  /** Something was undone or redone: `changed` is the pointer of the node that is another now. */
  restored(root, changed) {
    const hadFocus = this.tree.element.contains(document.activeElement);
    const old = this.tree.element;
    this.tree = new FilterGroup(root, this.page);
    old.replaceWith(this.tree.element);
    this.write();
    this.outdate();
    this.count();
    this.nodeAt(changed).showChanged(hadFocus);
  }

  /** What was found out about other filters is not shown with these. */
  outdate() {
    this.people.forget();
    this.explanation.forget();
  }

  // --- counts ---
  count(pause) {
    this.summary.counting();
    this.classList.add("sb-stale");
    this.counter.count(this.definition(), pause);
  }

  stop() {
    this.counter.stop();
    this.summary.stopped();
  }

  answered(counts) {
    this.settle(counts.nodes);
    this.summary.answered(counts);
  }

  faulted(faults, shouldFocus = false) {
    this.settle({});
    this.summary.faulted();
    for (const { pointer, message } of faults) {
      const node = this.nodeAt(pointer);
      node.addFault(message, pointer.slice(node.pointer.length).split("/")[1]);
    }
    this.page.announce(faults.map(({ message }) => message).join(" "));
    if (shouldFocus) this.nodeAt(faults[0].pointer).focusFault();
  }

  settle(counts) {
    this.classList.remove("sb-stale");
    for (const node of this.tree.nodes()) {
      node.showCounts(counts);
      node.clearFault();
    }
  }

  /** The innermost node that a pointer such as /root/children/0/value is about. */
  nodeAt(pointer) {
    const around = [...this.tree.nodes()].filter((node) => `${pointer}/`.startsWith(`${node.pointer}/`));
    return around.at(-1) ?? this.tree;
  }
}

customElements.define("segment-builder", SegmentBuilder);
