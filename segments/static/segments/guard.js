// Leaving the page with unsaved changes asks first.

/** Watch a form; `isEdited` says that it came back from the server unsaved. */
export function guard(form, isEdited) {
  const content = () => new URLSearchParams(new FormData(form)).toString();
  const saved = isEdited ? null : content();
  let isLeavingByForm = false;
  form.addEventListener("submit", () => (isLeavingByForm = true));
  window.addEventListener("pageshow", () => (isLeavingByForm = false));
  window.addEventListener("beforeunload", (event) => {
    if (!isLeavingByForm && content() !== saved) event.preventDefault();
  });
}
