// Small behaviours of every admin page. No dependency, no inline code: the pages' policy allows neither.
(() => {
  "use strict";

  // Icons are ligatures: their names ("unfold_more") must not be read aloud. One place for all of them.
  const hideIcons = (root) => {
    for (const icon of root.querySelectorAll(".material-symbols-outlined:not([aria-hidden])")) {
      icon.setAttribute("aria-hidden", "true");
      icon.setAttribute("translate", "no");
    }
  };

  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.rc-menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };

  const copy = async (button) => {
    const text = document.getElementById(button.dataset.copy).textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without TLS browsers offer no clipboard: select the text, so that one key copies it.
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      return;
    }
    const label = button.querySelector("[data-label]");
    label.textContent = button.dataset.copied;
    setTimeout(() => { label.textContent = button.dataset.label; }, 2000);
  };

  document.addEventListener("DOMContentLoaded", () => {
    hideIcons(document);
    new MutationObserver(() => hideIcons(document)).observe(document.body, { childList: true, subtree: true });
  });

  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest("details.rc-menu"));
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
    const closer = event.target.closest("[data-closes]");
    if (closer) closer.closest("dialog").close();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.rc-menu[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
})();
