// A day.

import { field } from "./dom.js";

export function date({ spec, value, changed }) {
  const input = field({ type: "date", class: "sb-input sb-date", "aria-label": spec.label, oninput: () => changed("date") });
  input.value = value ?? "";
  const focus = () => input.focus();
  return { element: input, inputs: [input], focus, start: focus, get value() { return input.value || null; } };
}
