// Asking the server: with the page's token, and knowing when the session has ended.

export class SignedOutError extends Error {}

export class Server {
  constructor(token) {
    this.token = token;
  }

  /** The response to some JSON. Throws SignedOutError, and AbortError by `signal`. */
  post(url, data, signal) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.token };
    return this.fetch(url, { method: "POST", body: JSON.stringify(data), headers, signal });
  }

  /** The JSON that an address answers; parameters that are null are left out. */
  async get(url, parameters, signal) {
    const asked = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
    const response = await this.fetch(`${url}?${new URLSearchParams(asked)}`, { signal });
    if (!response.ok) throw new Error(`${response.status}`);
    return response.json();
  }

  async fetch(url, options) {
    const response = await fetch(url, { redirect: "manual", ...options });
    // Without a session the server answers with the way to the login page.
    if (response.type === "opaqueredirect") throw new SignedOutError();
    return response;
  }
}
