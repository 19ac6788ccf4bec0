// Which filters there are, and what may be chosen in them.

const PAUSE = 200;
const blanks = { none: undefined, text: "", texts: [], number: null, range: [null, null], date: null };

/** The value that a widget begins with. */
export const blank = (widget) => structuredClone(blanks[widget]);

export class Catalogue {
  constructor(groups, server, url) {
    Object.assign(this, { groups, server, url, types: new Map(), sources: new Map() });
    this.filters = groups.flatMap((group) => group.filters);
  }

  /** The entry that a node is of; undefined for filters that this release does not know. */
  entryOf(node) {
    return this.filters.find((entry) => entry.type === node.type && (hasOwnSubject(entry) ? entry.subject === node.subject : true));
  }

  /** A filter as it is when just added. */
  begin(entry) {
    const [operator] = entry.operators;
    const node = { type: entry.type, operator: operator.code };
    if (hasOwnSubject(entry)) node.subject = entry.subject;
    else if (entry.asks) node.subject = null;
    const value = blank(operator.value.widget);
    return value === undefined ? node : { ...node, value };
  }

  /** The operators that suit a subject. Of a subject whose types nobody knows, all. */
  operatorsFor(entry, subject) {
    const types = this.types.get(`${entry.type}\n${subject}`);
    const suits = (operator) => !operator.types || !types?.length || operator.types.some((type) => types.includes(type));
    const suitable = entry.operators.filter(suits);
    return suitable.length ? suitable : entry.operators;
  }

  /** What a filter can be about: all of it is known once it was asked for. */
  subjects(entry) {
    const { choices } = entry.asks;
    return choices ? new Choices(choices) : this.remembered({ type: entry.type }, (asked) => new Subjects(this, asked));
  }

  values(spec, node) {
    const asked = { type: node.type, subject: node.subject };
    return spec.suggests && !spec.choices ? this.remembered(asked, () => new Suggestions(this, asked)) : new Choices(spec.choices ?? []);
  }

  remembered(asked, make) {
    const key = JSON.stringify(asked);
    if (!this.sources.has(key)) this.sources.set(key, make(asked));
    return this.sources.get(key);
  }

  /** Ask for suggestions; the types of subjects are remembered. */
  async suggest(asked) {
    const { subjects, values } = await this.server.get(this.url, asked);
    for (const { id, types } of subjects ?? []) if (types) this.types.set(`${asked.type}\n${id}`, types);
    return subjects ?? values;
  }
}

const hasOwnSubject = (entry) => entry.subject !== undefined && entry.subject !== null;

const named = (entries, query) => {
  const wanted = query.toLocaleLowerCase();
  return entries.filter(({ name, note }) => `${name}\n${note ?? ""}`.toLocaleLowerCase().includes(wanted));
};

/** Entries that are all known. */
class Choices {
  constructor(entries) {
    this.entries = entries;
  }

  find(query) {
    return named(this.entries, query);
  }

  /** The name of an entry; null if it is none. */
  nameOf(id) {
    return this.entryOf(id)?.name ?? null;
  }

  /** What one should know of it; undefined for most. */
  markOf(id) {
    return this.entryOf(id)?.mark;
  }

  entryOf(id) {
    return this.entries.find((entry) => entry.id === id);
  }
}

/** Entries that are asked for when they are first needed, all at once. */
class Subjects {
  constructor(catalogue, asked) {
    Object.assign(this, { catalogue, asked });
  }

  find(query) {
    return this.entries ? named(this.entries, query) : this.load().then(() => named(this.entries, query));
  }

  load() {
    this.loading ??= this.catalogue.suggest(this.asked).then((entries) => (this.entries = entries)).finally(() => (this.loading = null));
    return this.loading;
  }

  nameOf(id) {
    return String(id);
  }
}

/** Entries that the server suggests for what was typed; each answer is kept while the page is open. */
class Suggestions {
  constructor(catalogue, asked) {
    Object.assign(this, { catalogue, asked, answers: new Map(), names: new Map() });
  }

  find(query) {
    this.latest = query;
    return this.answers.get(query) ?? this.ask(query);
  }

  async ask(query) {
    if (query) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (query !== this.latest) return []; // more was typed meanwhile: nobody waits for this
    const entries = await this.catalogue.suggest({ ...this.asked, q: query });
    for (const { id, name } of entries) this.names.set(id, name);
    this.answers.set(query, entries);
    return entries;
  }

  nameOf(id) {
    return this.names.get(id) ?? String(id);
  }
}
