// Operates a lab in a test by a user's events, many at once, and reads it as a screen reader does.
const all = (path) => [...document.querySelectorAll(path)];
const put = (field, value) => {
  field.value = value;
  field.dispatchEvent(new Event(field.tagName === "SELECT" ? "change" : "input"));
};
const read = (one) => one.ariaLabel.split(": ")[1];
const texts = (path) => all(path).map((one) => one.textContent).join(" ");

/** Lab 1: invert pixels, write a kernel and settings, go to a place; what the page then says. */
function slide(pixels, kernel, settings, place) {
  pixels.forEach((n) => all("#picture button[aria-label^=Row]")[n].click());
  all("#kernel input").forEach((field, n) => put(field, kernel[n]));
  Object.entries(settings).forEach(([name, value]) => put(document.getElementById(name), value));
  const map = all("#map button");
  map[place % map.length].dispatchEvent(new Event("pointerenter"));
  const tables = ["relu", "pooled", "products"].map((name) => read(document.getElementById(name)));
  return [map.map(read).join(" "), ...tables, texts("#result"), texts(".total .number"), texts("#says")];
}

/** Lab 4: a picture's sides and a whole new stack, each layer the place of its button and the values of its fields. */
function build(sides, layers) {
  while (all("#layers .remove").length) all("#layers .remove")[0].click();
  all("#height, #width, #channels").forEach((field, n) => put(field, sides[n]));
  layers.forEach(([kind, ...values]) => {
    all("#add button")[kind].click();
    values.forEach((value, n) => put(all("#layers li:last-child :is(input, select)")[n], value));
  });
}

/** Lab 4: of each layer what it gives, its parameters, its multiplications, and what it sees. */
function layers() {
  return all("#layers .out").map((one) => [...one.children].map((cell) => cell.lastChild.textContent || cell.childNodes[1].textContent));
}
