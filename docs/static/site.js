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

// Paper is white: a page that is read in the dark is printed in the light.
let shade;
addEventListener("beforeprint", () => {
  shade = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => (document.documentElement.dataset.theme = shade));
