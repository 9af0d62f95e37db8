// Lab 1: paint a picture, edit a kernel, and watch the window move.
import { $, announce, arrowKeys, calm, challenge, format, make, ready, text } from "./frame.mjs";
import { changes, correlate, FEWEST, KERNELS, LETTERS, map, maxPool, products, relu, SEARCHED, stages, sum, vote, windowAt } from "./sliding-window.numbers.mjs";

const SIDE = 9, KERNEL = 3, INTERVAL = 350; // milliseconds between two places
const SETTINGS = ["stride", "padding", "dilation"];
const copy = (table) => map(table, (value) => value);
const state = { picture: copy(LETTERS.X), letter: "X", kernel: copy(KERNELS.falling), place: 0, filled: Infinity, timer: 0 };

const settings = () => Object.fromEntries(SETTINGS.map((name) => [name, Number($(name).value)]));
const divisor = () => ($("mean").checked ? KERNEL ** 2 : 1);
const scores = () => map(correlate(state.picture, state.kernel, settings()), (value) => value / divisor());

/** Colours of a number in a map: purple above zero, orange below, and ink that stands out. */
function colours(value, most) {
  const end = value < 0 ? [179, 88, 6] : [84, 39, 136];
  const share = Math.min(1, Math.abs(value) / most);
  const mixed = end.map((channel) => 247 + (channel - 247) * share);
  const [red, green, blue] = mixed.map((channel) => (channel / 255) ** 2.2);
  const ink = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
  return `background: rgb(${mixed.map(Math.round)}); color: ${ink}`;
}
const most = () => Math.max(sum(map(state.kernel, Math.abs)) / divisor(), 1e-9); // the largest number possible

/** A number that fits into a small cell: ".33" for 0.33 where columns are many. */
const short = (value, columns) => (columns > 7 ? format(value).replace(/^(\u2212?)0\./, "$1.") : format(value));

/** Draw a table of numbers that is only looked at; `name` says for a screen reader what it is. */
function draw(grid, table, style, name, numbers = true) {
  grid.style.setProperty("--columns", table[0].length);
  const values = table.flat();
  if (grid.children.length !== values.length) grid.replaceChildren(...values.map(() => make("span")));
  values.forEach((value, n) => {
    const cell = grid.children[n], written = numbers && value !== null ? short(value, table[0].length) : "";
    if (cell.textContent !== written) cell.textContent = written;
    cell.className = value === null ? "blank" : "";
    cell.style = value === null ? "" : style(value);
  });
  grid.setAttribute("aria-label", `${name}: ${table.map((row) => row.map((v) => (v === null ? "-" : format(v))).join(" ")).join("; ")}`);
}

const pictureStyle = (value) => (value === 0 ? "background: #b9bcc4; color: #111"
  : value < 0 ? "background: #23252b; color: #f4f4f4" : "background: #fbfbfb; color: #111");

// ---- the picture: 81 buttons, the padding around them, and the frame with its grip

const pixels = Array.from({ length: SIDE ** 2 }, (_, n) => make("button", { type: "button" }));
const grip = make("button", { type: "button", className: "grip", textContent: "✥" });
const frame = make("div", { className: "frame" }, grip);
let brush = null; // while the mouse paints: what it paints, and the pixel where it began

function layPicture() {
  const { padding } = settings(), side = SIDE + 2 * padding;
  const cells = Array.from({ length: side ** 2 }, (_, n) => {
    const row = Math.floor(n / side) - padding, column = (n % side) - padding;
    const inside = row >= 0 && row < SIDE && column >= 0 && column < SIDE;
    return inside ? pixels[row * SIDE + column] : make("span", { className: "outside", textContent: "0", ariaHidden: "true" });
  });
  $("picture").style.setProperty("--columns", side);
  $("picture").replaceChildren(...cells, frame);
}

function paint(pixel, value) {
  const n = pixels.indexOf(pixel);
  state.picture[Math.floor(n / SIDE)][n % SIDE] = value;
  render();
}
const valueOf = (pixel) => state.picture.flat()[pixels.indexOf(pixel)];

pixels.forEach((pixel) => {
  pixel.addEventListener("click", () => { if (!brush?.moved) paint(pixel, -valueOf(pixel)); });
  pixel.addEventListener("pointerdown", () => { brush = { from: pixel, value: -valueOf(pixel), moved: false }; });
  pixel.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse" || event.buttons !== 1 || !brush || brush.from === pixel) return;
    if (!brush.moved) paint(brush.from, brush.value);
    brush.moved = true;
    paint(pixel, brush.value);
  });
});
addEventListener("pointerup", () => setTimeout(() => { brush = null; }));

grip.addEventListener("pointerdown", (event) => { stop(); grip.setPointerCapture(event.pointerId); });
grip.addEventListener("pointermove", (event) => {
  if (!grip.hasPointerCapture(event.pointerId)) return;
  const box = $("picture").getBoundingClientRect(), { stride, padding, dilation } = settings();
  const cell = box.width / (SIDE + 2 * padding), reach = dilation * (KERNEL - 1) + 1;
  const [row, column] = [event.clientY - box.top, event.clientX - box.left].map((at) => Math.round((at / cell - reach) / stride));
  moveTo(row, column);
});
grip.addEventListener("keydown", (event) => {
  const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
  if (down === undefined) return;
  event.preventDefault();
  stop();
  const columns = scores()[0].length;
  moveTo(Math.floor(state.place / columns) + down, (state.place % columns) + right);
  announce($("place").textContent + ". " + $("result").textContent);
});

// ---- the kernel: nine number fields

const weights = Array.from({ length: KERNEL ** 2 }, (_, n) => make("input", {
  type: "number", step: "any", ariaLabel: text("weight", { row: Math.floor(n / KERNEL) + 1, column: (n % KERNEL) + 1 }),
}));
weights.forEach((field, n) => field.addEventListener("input", () => {
  const value = field.value === "" ? NaN : Number(field.value);
  field.setAttribute("aria-invalid", String(!Number.isFinite(value)));
  if (!Number.isFinite(value)) return; // half-typed: the last number stays
  state.kernel[Math.floor(n / KERNEL)][n % KERNEL] = value;
  const known = Object.keys(KERNELS).find((name) => String(KERNELS[name]) === String(state.kernel));
  $("kernels").value = known ?? "own";
  render();
}));

function takeKernel(name) {
  if (name in KERNELS) state.kernel = copy(KERNELS[name]);
  weights.forEach((field, n) => { field.value = state.kernel.flat()[n]; field.removeAttribute("aria-invalid"); });
  render();
}

// ---- the map: one button a place

let places = [];
function layMap(values) {
  const columns = values[0].length;
  if (places.length !== values.length * columns) {
    places = values.flat().map((_, n) => make("button", { type: "button" }));
    places.forEach((cell, n) => ["focus", "pointerenter", "click"].forEach((kind) =>
      cell.addEventListener(kind, () => { stop(); go(n); })));
    $("map").style.setProperty("--columns", columns);
    $("map").className = `grid ${columns > 9 ? "tiny" : columns > 7 ? "dense" : ""}`;
    $("map").replaceChildren(...places);
    arrowKeys(places, columns);
  }
  places.forEach((cell, n) => {
    const value = values.flat()[n], known = n < state.filled;
    const where = { row: Math.floor(n / columns) + 1, column: (n % columns) + 1, value: format(value) };
    cell.textContent = known ? short(value, columns) : "";
    cell.setAttribute("aria-label", text(known ? "score" : "score-unknown", where));
    cell.style = known ? colours(value, most()) : "";
    cell.classList.toggle("blank", !known);
    cell.classList.toggle("here", n === state.place);
  });
}

// ---- moving the window

function go(place) {
  state.place = Math.max(0, Math.min(place, places.length - 1));
  state.filled = Math.max(state.filled, state.place + 1);
  render();
}
function moveTo(row, column) {
  const values = scores(), within = (at, count) => Math.max(0, Math.min(at, count - 1));
  go(within(row, values.length) * values[0].length + within(column, values[0].length));
}
function stop() {
  clearInterval(state.timer);
  state.timer = 0;
  $("play").textContent = text("play");
  $("picture").classList.remove("moving");
}
function play() {
  if (state.timer) return stop();
  if (state.place >= places.length - 1 || state.filled >= places.length) [state.place, state.filled] = [0, 0];
  if (calm()) return go(places.length - 1); // no movement: the filled map at once
  go(state.place);
  $("play").textContent = text("pause");
  $("picture").classList.add("moving");
  state.timer = setInterval(() => {
    go(state.place + 1);
    if (state.place === places.length - 1) {
      stop();
      announce(text("filled", { count: places.length }));
    }
  }, INTERVAL);
}
function stepBy(step) {
  stop();
  go(state.place + step);
  announce($("place").textContent + ". " + $("result").textContent);
}

// ---- everything that follows from the state

function render() {
  const values = scores(), columns = values[0].length, { stride, padding, dilation } = settings();
  state.place = Math.min(state.place, values.length * columns - 1);
  const row = Math.floor(state.place / columns), column = state.place % columns;
  const where = { row: row + 1, column: column + 1 };

  pixels.forEach((pixel, n) => {
    const value = state.picture.flat()[n];
    pixel.textContent = format(value);
    pixel.className = value > 0 ? "light" : "dark";
    pixel.setAttribute("aria-label", text("pixel", { row: Math.floor(n / SIDE) + 1, column: (n % SIDE) + 1, value: format(value) }));
  });
  const percent = 100 / (SIDE + 2 * padding), reach = (dilation * (KERNEL - 1) + 1) * percent;
  const [left, top] = [column, row].map((at) => at * stride * percent);
  Object.assign(frame.style, { left: `${left}%`, top: `${top}%`, width: `${reach}%`, height: `${reach}%` });
  grip.setAttribute("aria-label", text("grip", where));
  const cells = [...$("picture").children], side = SIDE + 2 * padding;
  cells.forEach((cell) => cell.classList.remove("used"));
  const taps = [0, 1, 2].map((n) => n * dilation); // with dilation the window has gaps: mark what it reads
  if (dilation > 1) taps.forEach((r) => taps.forEach((c) =>
    cells[(row * stride + r) * side + column * stride + c].classList.add("used")));

  const seen = windowAt(state.picture, state.kernel, row, column, settings());
  const found = products(seen, state.kernel), total = sum(found);
  const largest = Math.max(...found.flat().map(Math.abs), 1);
  $("place").textContent = text("place", where);
  draw($("window"), seen, pictureStyle, text("window"));
  draw($("products"), found, (value) => colours(value, largest), text("products"));
  const result = { sum: format(total), mean: format(total / KERNEL ** 2, 2, 2), count: KERNEL ** 2 };
  $("result").textContent = text($("mean").checked ? "result-mean" : "result-sum", result);

  $("map-title").textContent = text("map", { height: values.length, width: columns });
  layMap(values);
  const reached = values.map((line, r) => line.map((value, c) => (r * columns + c < state.filled ? value : null)));
  const whole = state.filled >= places.length;
  const positive = map(reached, (value) => (value === null ? null : Math.max(0, value)));
  $("relu").className = $("map").className;
  draw($("relu"), positive, (value) => colours(value, most()), text("relu"));
  const pooled = maxPool(relu(values));
  draw($("pooled"), whole ? pooled : map(pooled, () => null), (value) => colours(value, most()), text("pooled"));
  renderVotes();
}

function renderVotes() {
  SEARCHED.forEach((name) => {
    const [first, ...later] = stages(state.picture, KERNELS[name]);
    [first, ...later].forEach((table, n) => draw(
      $(`chain-${name}-${n}`), table, (value) => colours(value, 1), text(`kernel-${name}`) + ", " + text(`stage-${n}`), n === 2));
  });
  const votes = vote(state.picture), other = { X: "O", O: "X" };
  $("says").textContent = text("says", votes);
  for (const letter of ["X", "O"]) {
    const line = $(`total-${letter}`);
    line.classList.toggle("winner", votes.answer === letter);
    line.querySelector(".bar span").style.width = `${Math.min(100, 100 * votes[letter])}%`;
    line.querySelector(".number").textContent = format(votes[letter], 2, 2);
  }
  const count = state.letter ? changes(state.picture, LETTERS[state.letter]) : 0;
  const written = { count, answer: votes.answer, letter: state.letter, X: format(votes.X, 2, 2), O: format(votes.O, 2, 2) };
  const fooled = state.letter && votes.answer === other[state.letter], fewest = count <= FEWEST[state.letter];
  const key = !state.letter ? "verdict-empty" : !fooled ? "verdict-not" : fewest ? "verdict-met" : "verdict-fooled";
  $("now").textContent = text("now", written);
  challenge(key === "verdict-met", text(key, written));
}

// ---- once, at the beginning

for (const name of [...Object.keys(KERNELS), "own"]) $("kernels").append(make("option", { value: name, textContent: text(`kernel-${name}`) }));
$("kernel").style.setProperty("--columns", KERNEL);
$("kernel").append(...weights);
for (const heading of ["", "stage-0", "stage-1", "stage-2"]) {
  $("chains").append(make("small", { textContent: heading && text(heading) }));
}
for (const name of SEARCHED) {
  const grids = [0, 1, 2].map((n) => make("div", { id: `chain-${name}-${n}`, className: "grid", role: "img" }));
  $("chains").append(make("span", { textContent: text(`kernel-${name}`) }), ...grids);
}
for (const letter of ["X", "O", "empty"]) {
  $(`start-${letter}`).addEventListener("click", () => {
    state.letter = letter in LETTERS ? letter : null;
    state.picture = copy(LETTERS[letter] ?? map(LETTERS.X, () => -1));
    render();
  });
}
for (const name of [...SETTINGS, "mean"]) {
  $(name).addEventListener("change", () => {
    stop();
    [state.place, state.filled] = [0, Infinity];
    layPicture();
    render();
    announce($("map-title").textContent);
  });
}
$("kernels").addEventListener("change", () => takeKernel($("kernels").value));
$("play").addEventListener("click", play);
$("back").addEventListener("click", () => stepBy(-1));
$("step").addEventListener("click", () => stepBy(1));
arrowKeys(pixels, SIDE);
layPicture();
takeKernel("falling");
ready();
