/** Diffs in one column or side by side, as this reader likes them. */

const KEY = "perdure-diffs";
const root = document.documentElement;

function preferred() {
  try {
    return localStorage.getItem(KEY) === "split" ? "split" : "unified";
  } catch {
    return "unified";
  }
}

/* On the root, so that a diff which comes later is shown the same way. */
root.dataset.diffs = preferred();

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-diff-view]");
  if (!button) return;
  root.dataset.diffs = button.dataset.diffView;
  try {
    localStorage.setItem(KEY, button.dataset.diffView);
  } catch {
    // It holds for this page alone.
  }
  button.parentElement.querySelector(`[data-diff-view]:not([data-diff-view="${button.dataset.diffView}"])`).focus();
});
