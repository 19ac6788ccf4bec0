// A number, and two of them: from and to.

import { field, h, uniqueId } from "./dom.js";

const numberField = (spec, name, value, changed) => {
  const input = field({ type: "number", inputmode: spec.is_whole ? "numeric" : "decimal", class: "sb-input sb-number", min: spec.min, max: spec.max, step: spec.is_whole ? 1 : "any", "aria-label": name, oninput: () => changed(name) });
  input.value = value ?? "";
  return input;
};

const read = (input) => (input.value === "" || Number.isNaN(input.valueAsNumber) ? null : input.valueAsNumber);

/** The unit is read with the number. */
function withUnit(unit, ...inputs) {
  if (!unit) return [];
  const id = uniqueId("sb-unit");
  for (const input of inputs) {
    input.dataset.unit = id;
    input.setAttribute("aria-describedby", id);
  }
  return [h("span", { class: "sb-unit", id }, unit)];
}

export function number({ spec, unit, value, changed }) {
  const input = numberField(spec, spec.label, value, changed);
  const element = h("div", { class: "sb-numbers" }, input, ...withUnit(unit, input));
  const focus = () => input.focus();
  return { element, inputs: [input], focus, start: focus, get value() { return read(input); } };
}

export function range({ spec, unit, value, words, changed }) {
  const [from, to] = spec.labels.map((name, index) => numberField(spec, name, value?.[index], changed));
  const between = h("span", { class: "sb-unit", "aria-hidden": "true" }, words.to);
  const element = h("div", { class: "sb-numbers" }, from, between, to, ...withUnit(unit, from, to));
  const focus = () => from.focus();
  return { element, inputs: [from, to], focus, start: focus, get value() { return [read(from), read(to)]; } };
}
