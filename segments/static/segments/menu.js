// A button that opens a menu: the ARIA menu button pattern.

import { button, h, icon, set } from "./dom.js";

export class Menu {
  /** `items()` gives `{icon, name, run, why}` when the menu opens; `why` says why an item is off. */
  constructor(items) {
    this.items = items;
    this.opener = button({
      class: "rc-icon-button sb-more", "aria-haspopup": "menu", "aria-expanded": "false",
      onclick: () => this.toggle(), onkeydown: (event) => this.pressOpener(event),
    }, icon("more_vert"));
    this.list = h("div", { role: "menu", class: "sb-menu", hidden: true, onkeydown: (event) => this.press(event), onfocusout: (event) => this.leave(event) });
    this.element = h("span", { class: "sb-menu-place" }, this.opener, this.list);
  }

  toggle() {
    if (this.list.hidden) this.open();
    else this.close();
  }

  open() {
    this.list.replaceChildren(...this.items().map((item) => this.entry(item)));
    this.list.hidden = false;
    set(this.opener, "aria-expanded", "true");
    const isTight = window.innerHeight - this.opener.getBoundingClientRect().bottom < this.list.offsetHeight + 8;
    this.list.classList.toggle("sb-menu-above", isTight);
    this.list.firstElementChild.focus();
  }

  close() {
    this.list.hidden = true;
    set(this.opener, "aria-expanded", "false");
  }

  entry({ icon: symbol, name, run, why }) {
    const act = () => {
      if (why) return;
      this.close();
      this.opener.focus();
      run();
    };
    const text = h("span", {}, name, why ? h("small", {}, why) : null);
    return button({ role: "menuitem", class: "sb-menu-item", tabindex: "-1", "aria-disabled": why ? "true" : null, onclick: act }, icon(symbol), text);
  }

  // --- keys ---
  pressOpener(event) {
    if (event.key !== "ArrowDown" || !this.list.hidden) return;
    event.preventDefault();
    this.open();
  }

  press(event) {
    const entries = [...this.list.children];
    const index = entries.indexOf(document.activeElement);
    const go = (place) => entries.at(place % entries.length).focus();
    const act = { ArrowDown: () => go(index + 1), ArrowUp: () => go(index - 1), Home: () => go(0), End: () => go(-1), Escape: () => this.opener.focus() }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  leave(event) {
    const isPressed = event.relatedTarget === this.opener && this.opener.matches(":active"); // its click closes
    if (!isPressed && !this.list.contains(event.relatedTarget)) this.close();
  }
}
