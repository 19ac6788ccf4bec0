// What can be undone and redone: definitions as JSON.

const KEPT = 200;
const ONE_EDIT = 1500; // typing in one field without a longer pause is one edit

export class History {
  constructor(json) {
    Object.assign(this, { past: [], present: json, future: [], source: null, at: 0 });
  }

  /** Remember an edit; `source` names the field that was typed in. */
  push(json, source = null, now = Date.now()) {
    if (json === this.present) return;
    const goesOn = source !== null && source === this.source && now - this.at < ONE_EDIT;
    if (!goesOn) this.past = [...this.past, this.present].slice(-KEPT);
    Object.assign(this, { present: json, future: [], source, at: now });
  }

  get canUndo() {
    return this.past.length > 0;
  }

  get canRedo() {
    return this.future.length > 0;
  }

  undo() {
    this.future.push(this.present);
    return this.goTo(this.past.pop());
  }

  redo() {
    this.past.push(this.present);
    return this.goTo(this.future.pop());
  }

  goTo(json) {
    Object.assign(this, { present: json, source: null });
    return json;
  }
}

/** The pointer of the innermost node of `after` in which it differs from `before`. */
export function changedNode(before, after, pointer = "/root") {
  const [were, are] = [before.children, after.children];
  if (!were || !are || before.operator !== after.operator || before.exclude !== after.exclude) return pointer;
  const same = (index) => JSON.stringify(were[index]) === JSON.stringify(are[index]);
  const index = are.findIndex((child, place) => !same(place));
  if (index < 0) return pointer;
  const child = `${pointer}/children/${index}`;
  return were.length === are.length && were[index] ? changedNode(were[index], are[index], child) : child;
}
