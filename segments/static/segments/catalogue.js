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

  subjects(entry) {
    return this.source(entry.asks.choices, true, { type: entry.type });
  }

  values(spec, node) {
    return this.source(spec.choices ?? null, spec.suggests, { type: node.type, subject: node.subject });
  }

  source(choices, suggests, asked) {
    if (choices) return new Choices(choices);
    if (!suggests) return new Choices([]);
    const key = JSON.stringify(asked);
    if (!this.sources.has(key)) this.sources.set(key, new Suggestions(this, asked));
    return this.sources.get(key);
  }

  /** Ask for suggestions; the types of subjects are remembered. */
  async suggest(asked, signal) {
    const { subjects, values } = await this.server.get(this.url, asked, signal);
    for (const { id, types } of subjects ?? []) if (types) this.types.set(`${asked.type}\n${id}`, types);
    return subjects ?? values;
  }
}

const hasOwnSubject = (entry) => entry.subject !== undefined && entry.subject !== null;

/** Entries that are all known. */
class Choices {
  constructor(entries) {
    this.entries = entries;
  }

  find(query) {
    const wanted = query.toLocaleLowerCase();
    return this.entries.filter(({ name, note }) => `${name}\n${note ?? ""}`.toLocaleLowerCase().includes(wanted));
  }

  /** The name of an entry; null if it is none. */
  nameOf(id) {
    return this.entries.find((entry) => entry.id === id)?.name ?? null;
  }
}

/** Entries that the server suggests for what was typed; each answer is kept while the page is open. */
class Suggestions {
  constructor(catalogue, asked) {
    Object.assign(this, { catalogue, asked, answers: new Map(), names: new Map() });
  }

  find(query) {
    return this.answers.get(query) ?? this.ask(query);
  }

  async ask(query) {
    this.request?.abort();
    const request = new AbortController();
    this.request = request;
    if (query) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const entries = await this.catalogue.suggest({ ...this.asked, q: query }, request.signal);
    for (const { id, name } of entries) this.names.set(id, name);
    this.answers.set(query, entries);
    return entries;
  }

  nameOf(id) {
    return this.names.get(id) ?? String(id);
  }
}
