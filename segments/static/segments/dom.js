// Making elements, and filling words in. Nothing here knows about segments.

let lastId = 0;

/** An id no other element of the page has. */
export const uniqueId = (prefix) => `${prefix}-${++lastId}`;

/** An element: `on*` are listeners, other properties are attributes; false, null and undefined leave one out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else set(element, name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Set an attribute, or remove it. */
export function set(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : value);
}

/** The theme's symbol of that name, silent to screen readers. */
export const icon = (name, className = "") =>
  h("span", { class: `material-symbols-outlined ${className}`.trim(), "aria-hidden": "true" }, name);

/** What one should know of a thing before choosing it, as a tag: `{name, title, state}`. A space keeps it from its name
 * where it is read out. */
export const mark = (known) =>
  known ? [" ", h("span", { class: `rc-tag sb-mark sb-mark-${known.state}`, title: known.title }, known.name)] : null;

/** A button that does not submit the form. */
export const button = (properties, ...children) => h("button", { type: "button", ...properties }, ...children);

/** A field that belongs to no form: it is not sent, and Enter in it does not save the page. */
export const field = (properties) => h("input", { form: "sb-none", autocomplete: "off", ...properties });

/** Text for screen readers only. */
export const unseen = (text) => h("span", { class: "rc-hidden" }, text);

/** Say what a button does, to those who see its symbol only and to those who do not. */
export function label(element, text) {
  set(element, "aria-label", text);
  set(element, "title", text);
}

/** `fill("Remove {name}", { name: "VIP" })` */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
