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

  // One region for all that a page does on its own: screen readers say what is written into it.
  const status = document.createElement("p");
  status.className = "rc-hidden";
  status.setAttribute("role", "status");
  const announce = (text) => {
    status.textContent = "";
    setTimeout(() => { status.textContent = text; }, 50);
  };

  const toClipboard = async (source) => {
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      return true;
    } catch {
      // Without TLS browsers have no such clipboard: select the text, so that the old way or one key copies it.
      getSelection().selectAllChildren(source);
      return document.execCommand("copy");
    }
  };

  const copy = async (button) => {
    const isCopied = await toClipboard(document.getElementById(button.dataset.copy));
    announce(isCopied ? button.dataset.copied : button.dataset.byHand);
    if (!isCopied) return;
    if (button.dataset.copy === "secret") isCopyMissing = false;
    const label = button.querySelector("[data-label]");
    button.dataset.before ??= label.textContent;
    label.textContent = button.dataset.copied;
    setTimeout(() => { label.textContent = button.dataset.before; }, 2000);
  };

  // A key is shown once: whoever leaves the page without having copied it is asked first.
  let isCopyMissing = false;
  document.addEventListener("copy", () => {
    if (isCopyMissing && getSelection().containsNode(document.getElementById("secret"), true)) isCopyMissing = false;
  });
  addEventListener("beforeunload", (event) => {
    if (isCopyMissing) event.preventDefault();
  });

  document.addEventListener("DOMContentLoaded", () => {
    hideIcons(document);
    document.body.append(status);
    isCopyMissing = Boolean(document.getElementById("secret"));
    document.querySelector("[data-focus]")?.focus();
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
