// "All" ticks every box of its kind, and shows whether some or all are ticked. Without scripts it stays hidden.
(() => {
  "use strict";

  for (const all of document.querySelectorAll("[data-all]")) {
    const boxes = [...all.form.elements[all.dataset.all]];
    const show = () => {
      const ticked = boxes.filter((box) => box.checked).length;
      all.checked = ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    };
    all.addEventListener("change", () => {
      for (const box of boxes) box.checked = all.checked;
    });
    all.form.addEventListener("change", show);
    all.closest("label").hidden = false;
    show();
  }
})();
