// Sends a file in pieces, each tried again when it is lost: a large one neither fills the server's memory nor its patience.

const PIECE = 2 * 1024 * 1024;
const TRIES = 5;

const form = document.getElementById("upload");
const fault = document.getElementById("fault");

// The theme writes the name of a chosen file into a field of its own, which is not here, and fails.
form.addEventListener("change", (event) => { event.stopPropagation(); }, { capture: true });

class Refused extends Error {}

const ask = async (address, body, headers = {}) => {
  const token = form.elements.csrfmiddlewaretoken.value;
  const options = { method: "POST", body, headers: { "X-CSRFToken": token, ...headers }, redirect: "manual" };
  const response = await fetch(address, options);
  // Without a session the server answers with the way to the login page.
  if (response.type === "opaqueredirect") throw new Refused(form.dataset.signedOut);
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const data = isJson ? await response.json() : {};
  if (!response.ok && data.message && data.bytes === undefined) throw new Refused(data.message);
  if (!response.ok && data.bytes === undefined) throw new Error(String(response.status));
  return data;
};

const pause = (tries) => new Promise((resolve) => { setTimeout(resolve, 500 * 2 ** tries); });

const piece = async (address, file, offset) => {
  for (let tries = 0; ; tries += 1) {
    try {
      const content = file.slice(offset, offset + PIECE);
      return await ask(`${address}?offset=${offset}`, content, { "Content-Type": "application/octet-stream" });
    } catch (error) {
      if (error instanceof Refused || tries === TRIES) throw error;
      await pause(tries);
    }
  }
};

const show = (percent) => {
  document.getElementById("bar").value = percent;
  document.getElementById("percent").textContent = `${percent}%`;
};

const send = async (file) => {
  const about = new FormData();
  about.append("name", file.name);
  about.append("size", file.size);
  const begun = await ask(form.dataset.begin, about);
  document.getElementById("sent").hidden = false;
  let sent = 0;
  for (let stuck = 0; sent < file.size && stuck < TRIES;) {
    show(Math.floor(100 * sent / file.size));
    const { bytes, message } = await piece(begun.pieces, file, sent);
    stuck = bytes > sent ? 0 : stuck + 1;
    if (message && stuck === TRIES) throw new Refused(message);
    sent = bytes;
  }
  show(100);
  location.assign(begun.next);
};

form.addEventListener("submit", async (event) => {
  const [file] = form.elements.file.files;
  if (!file) return;
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  fault.textContent = "";
  try {
    await send(file);
  } catch (error) {
    fault.textContent = error instanceof Refused ? error.message : form.dataset.offline;
    document.getElementById("sent").hidden = true;
    button.disabled = false;
  }
});
