// Asks the server for the counts of a draft: once per pause in editing, and never shows the answer to an older draft.

import { SignedOutError } from "./server.js";

const PAUSE = 250;

export class Counter {
  /** `progressed(share)`, `answered(data)`, `faulted(faults)` and `failed(isSignedOut)` tell how the latest draft fares. */
  constructor({ url, server, progressed, answered, faulted, failed }) {
    Object.assign(this, { url, server, progressed, answered, faulted, failed });
  }

  count(draft, pause = PAUSE) {
    this.stop();
    this.timer = setTimeout(() => this.ask(draft), pause);
  }

  /** Want no answer any more. The server notices the closed connection and abandons the count. */
  stop() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  async ask(draft) {
    const request = new AbortController();
    this.request = request;
    try {
      const response = await this.server.post(this.url, draft, request.signal);
      const isAnswered = response.ok ? await this.read(response, request) : await this.refused(response, request);
      if (!isAnswered && !request.signal.aborted) this.failed(false);
    } catch (error) {
      if (!request.signal.aborted) this.failed(error instanceof SignedOutError);
    }
  }

  /** Whether one of the lines was the answer. */
  async read(response, request) {
    for await (const line of lines(response.body)) {
      if (request.signal.aborted || line.failed) return false;
      if ("progress" in line) this.progressed(line.progress);
      else return this.answered(line), true;
    }
    return false;
  }

  async refused(response, request) {
    if (response.status !== 422) return false;
    const { faults } = await response.json();
    if (!request.signal.aborted) this.faulted(faults);
    return true;
  }
}

/** What a stream of JSON lines holds, as it comes. */
async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    const parts = (rest + chunk.value).split("\n");
    rest = parts.pop();
    for (const part of parts) if (part.trim()) yield JSON.parse(part);
  }
  if (rest.trim()) yield JSON.parse(rest);
}
