// The theme's folds in the list of lessons have no name for a screen reader.
addEventListener("DOMContentLoaded", () => {
  for (const fold of document.querySelectorAll("nav summary:not([aria-label])")) {
    const link = fold.closest("li").querySelector("a");
    fold.setAttribute("aria-label", `Pages below ${link.textContent.trim()}`);
  }
});
