// Reordering with the mouse: a line shows where the filter or group would go.

import { h } from "./dom.js";
import { fits } from "./moves.js";

const BEGINS_AFTER = 4; // pixels: less is a click
const EDGE = 56; // where the page scrolls along

/** `root()` is the outermost group, `dropped(node, place)` moves. */
export function draggable(handle, node, root, dropped) {
  handle.addEventListener("pointerdown", (event) => {
    if (event.button === 0) new Drag({ handle, node, root: root(), dropped, event });
  });
}

class Drag {
  constructor({ handle, node, root, dropped, event }) {
    Object.assign(this, { handle, node, root, dropped, from: event.clientY, place: null });
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", (moved) => this.move(moved), { signal });
    handle.addEventListener("pointerup", () => this.end(this.place), { signal });
    handle.addEventListener("pointercancel", () => this.end(null), { signal });
    document.addEventListener("keydown", (pressed) => pressed.key === "Escape" && this.end(null), { signal });
  }

  move({ clientX, clientY }) {
    if (!this.line && Math.abs(clientY - this.from) < BEGINS_AFTER) return;
    if (!this.line) this.begin();
    if (clientY < EDGE) window.scrollBy(0, -12);
    if (clientY > window.innerHeight - EDGE) window.scrollBy(0, 12);
    this.aim(clientX, clientY);
  }

  begin() {
    this.line = h("div", { class: "sb-drop-line", hidden: true });
    this.root.element.append(this.line);
    this.node.element.classList.add("sb-dragged");
    this.handle.classList.add("sb-dragging");
  }

  aim(x, y) {
    const group = this.groupAt(x, y);
    const others = group.children.filter((child) => child !== this.node);
    const below = others.findIndex((child) => y < middle(child.element));
    const index = below < 0 ? others.length : below;
    const isWhereItIs = group === this.node.parent && index === group.children.indexOf(this.node);
    this.place = isWhereItIs ? null : { group, index };
    this.draw(group, others, index);
  }

  /** The innermost group at a point that may take the node. */
  groupAt(x, y) {
    const element = document.elementFromPoint(x, y)?.closest(".sb-group");
    let group = [...this.root.nodes()].find((node) => node.element === element) ?? this.root;
    while (group.parent && !fits(this.node, group)) group = group.parent;
    return group;
  }

  draw(group, others, index) {
    const list = group.list.getBoundingClientRect();
    const [above, below] = [others[index - 1], others[index]];
    const y = below ? below.element.getBoundingClientRect().top - 6 : above ? above.element.getBoundingClientRect().bottom + 6 : group.foot.getBoundingClientRect().top - 6;
    this.line.hidden = this.place === null;
    const frame = group.element.getBoundingClientRect();
    Object.assign(this.line.style, { left: `${list.left || frame.left + 12}px`, top: `${y - 1}px`, width: `${list.width || frame.width - 24}px` });
  }

  end(place) {
    this.listeners.abort();
    this.line?.remove();
    this.node.element.classList.remove("sb-dragged");
    this.handle.classList.remove("sb-dragging");
    if (this.line && place) this.dropped(this.node, place);
  }
}

function middle(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return (top + bottom) / 2;
}
