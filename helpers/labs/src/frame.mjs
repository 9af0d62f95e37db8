// What all labs share: texts, numbers as people write them, announcements, the challenge, keys in a grid.

/** The element with this id. */
export const $ = (id) => document.getElementById(id);

/** A text of the language file, with its {names} filled in; a text that is missing is a defect. */
export function text(key, values = {}) {
  if (!(key in TEXT)) throw new Error(`the language file lacks "${key}"`);
  return TEXT[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A number for reading: at most this many decimals, thousands separated, a true minus sign, never "-0". */
const writers = {}; // made once each: making one is slow
export function format(value, decimals = 2, least = 0) {
  const options = { maximumFractionDigits: decimals, minimumFractionDigits: least };
  const writer = (writers[[decimals, least]] ??= new Intl.NumberFormat(text("language"), options));
  const written = writer.format(value);
  return (/[1-9]/.test(written) ? written : written.replace("-", "")).replace("-", "\u2212");
}

/** A new element: make("td", { className: "number", textContent: "1" }, children ...). */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Let a screen reader say what has changed; of several changes in a row only the last. */
let waiting = 0;
export function announce(message) {
  clearTimeout(waiting);
  waiting = setTimeout(() => { $("live").textContent = message; }, 300);
}

/** Write how far the challenge is; `met` shows that it is done. */
export function challenge(met, message) {
  const box = document.querySelector(".challenge");
  box.classList.toggle("met", met);
  if ($("verdict").textContent !== message) $("verdict").textContent = message;
}

/** One Tab stop for a grid of cells (rows of `columns`): arrows, Home and End move within it. */
export function arrowKeys(cells, columns) {
  const reach = (cell) => cells.forEach((other) => { other.tabIndex = other === cell ? 0 : -1; });
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  cells.forEach((cell, place) => {
    cell.addEventListener("focus", () => reach(cell));
    cell.addEventListener("keydown", (event) => {
      const column = place % columns;
      const ends = { Home: place - column, End: place - column + columns - 1 };
      const next = ends[event.key] ?? place + (steps[event.key] ?? NaN);
      const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
      if (!cells[next]) return;
      event.preventDefault();
      if (!sideways || Math.floor(next / columns) === Math.floor(place / columns)) cells[next].focus();
    });
  });
  if (cells.length) reach(cells[0]);
}

/** True for a reader who asked the system for less movement. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** In a notebook the frame around the page becomes as high as the page. */
export function fitFrame() {
  try {
    const fit = () => { frameElement.style.height = `${document.body.offsetHeight + 2}px`; };
    if (frameElement) new ResizeObserver(fit).observe(document.body);
  } catch { /* shown by a page from elsewhere: the frame keeps its height and scrolls */ }
}

/** Called last by each lab: from here on the page answers (tests wait for it). */
export function ready() {
  fitFrame();
  document.documentElement.dataset.ready = "true";
}
