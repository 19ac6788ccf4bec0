// Asks the server for the counts of a draft: once per pause in editing, and never shows the answer to an older draft.

const PAUSE = 200;

export class Counter {
  /** `answered(data)`, `faulted(faults)` and `failed(isSignedOut)` tell how the latest draft fared. */
  constructor({ url, token, answered, faulted, failed }) {
    Object.assign(this, { url, token, answered, faulted, failed });
  }

  count(draft, pause = PAUSE) {
    clearTimeout(this.timer);
    this.request?.abort();
    this.timer = setTimeout(() => this.ask(draft), pause);
  }

  async ask(draft) {
    const request = new AbortController();
    this.request = request;
    try {
      const response = await fetch(this.url, {
        method: "POST",
        body: JSON.stringify(draft),
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.token },
        signal: request.signal,
        redirect: "manual",
      });
      // Without a session the server answers with the way to the login page.
      if (response.type === "opaqueredirect") this.failed(true);
      else await this.read(response, request);
    } catch (error) {
      if (error.name !== "AbortError") this.failed(false);
    }
  }

  async read(response, request) {
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    const data = isJson ? await response.json() : null;
    if (request.signal.aborted) return;
    if (response.ok && data) this.answered(data);
    else if (data?.faults) this.faulted(data.faults);
    else this.failed(false);
  }
}
