// Keeps the page of an import, an export or a sync up to date while it runs, and loads it again when it does not run any more.

const PAUSE = 1500;
const TOLD_EVERY = 25; // percent

const section = document.querySelector("[data-progress]");

const refresh = async () => {
  const response = await fetch(section.dataset.progress, { redirect: "manual" });
  if (!response.ok) return true;
  const data = await response.json();
  for (const [name, html] of Object.entries(data.parts)) {
    const place = section.querySelector(`[data-live="${name}"]`);
    // Whoever stands on a link in there with the keyboard stays on it.
    if (!place.contains(document.activeElement)) place.innerHTML = html;
  }
  tell(data);
  return data.is_active;
};

let told = "";
const tell = ({ words, percent }) => {
  const text = `${words}: ${percent - percent % TOLD_EVERY}%`;
  if (text === told) return;
  told = text;
  section.querySelector("[data-status]").textContent = text;
};

const follow = async () => {
  let isActive = true;
  try {
    isActive = await refresh();
  } catch {
    // The connection was lost: the next time may do.
  }
  if (isActive) setTimeout(follow, PAUSE);
  else location.reload();
};

if (section?.dataset.active === "yes") setTimeout(follow, PAUSE);
