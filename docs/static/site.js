// What a screen reader needs and the theme leaves out: a name for each fold in the list of lessons, and a
// role for each reference that its list may hold.
addEventListener("DOMContentLoaded", () => {
  for (const fold of document.querySelectorAll("nav summary:not([aria-label])")) {
    const link = fold.closest("li").querySelector("a");
    fold.setAttribute("aria-label", `Pages below ${link.textContent.trim()}`);
  }
  for (const entry of document.querySelectorAll(".citation-list > .citation")) {
    entry.setAttribute("role", "listitem");
  }
});
