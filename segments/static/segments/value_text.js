// A text: typed, perhaps with suggestions.

import { field } from "./dom.js";
import { Combobox } from "./combobox.js";

export function text({ spec, value, source, words, changed }) {
  const input = spec.suggests ? suggested(spec, source, words, changed) : plain(spec, changed);
  input.value = value ?? "";
  const focus = () => input.focus();
  const element = input.closest(".sb-picker") ?? input;
  return { element, inputs: [input], focus, start: focus, get value() { return input.value; } };
}

function plain(spec, changed) {
  return field({ type: "text", class: "sb-input", maxlength: spec.max, "aria-label": spec.label, oninput: () => changed("text") });
}

/** What is typed is the value; an entry of the list only when it was walked to. */
function suggested(spec, source, words, changed) {
  const pick = ({ id }) => {
    box.input.value = id;
    changed();
  };
  const box = new Combobox({ name: spec.label, words, max: spec.max, isFree: true, startsAt: -1, find: (query) => source.find(query), typed: () => changed("text"), pick });
  box.element.classList.add("sb-choice");
  return box.input;
}
