// A number, and two of them: from and to.

import { field, h, uniqueId } from "./dom.js";

function numberField({ min, max, is_whole: isWhole }, name, value, changed) {
  const [inputmode, step] = isWhole ? ["numeric", 1] : ["decimal", "any"];
  const input = field({ type: "number", class: "sb-input sb-number", inputmode, step, min, max, "aria-label": name, oninput: () => changed(name) });
  input.value = value ?? "";
  return input;
}

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
