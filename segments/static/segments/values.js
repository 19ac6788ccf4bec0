// Where the value of a filter is entered: one widget per kind, `{element, inputs, focus(), start(), value}`.

import { blank } from "./catalogue.js";
import { Chips } from "./chips.js";
import { date } from "./value_date.js";
import { number, range } from "./value_numbers.js";
import { text } from "./value_text.js";

const WIDGETS = { none: () => null, text, texts, number, range, date };

/** The widget that `context.spec` asks for; null where there is nothing to enter. */
export const valueWidget = (context) => WIDGETS[context.spec.widget](context);

function texts({ spec, value, source, words, changed, announce }) {
  const chips = new Chips({ name: spec.label, chosen: value ?? [], source, isFree: spec.is_free, max: spec.max, words, changed, announce });
  chips.inputs = [chips.input];
  return chips;
}

/** What becomes of a value when another operator takes it. */
export function carried(value, from, to) {
  if (from.widget === to.widget && isSameChoice(from, to)) return value;
  if (from.widget === "text" && to.widget === "texts" && to.is_free) return value ? [value] : [];
  if (from.widget === "texts" && to.widget === "text" && from.is_free) return value[0] ?? "";
  return blank(to.widget);
}

/** Ids of one list mean nothing in another. */
const isSameChoice = (from, to) => JSON.stringify(from.choices ?? null) === JSON.stringify(to.choices ?? null);
