// The page of lesson 4's lab: a drawing, its preparation, the network's answer and what it sees on the way.
import { $, announce, arrowKeys, challenge, format, make, ready, text } from "./frame.mjs";
import { answer, prepare, resize, unpack } from "./draw-a-digit.numbers.mjs";

const SIDE = 280; // pixels of the drawing
const LINE = "#8ab8ff"; // on black, whatever the page's colours are
const HESITATES = 0.3; // the second choice's share that meets the challenge
const SAMPLES = [ // the ten digits as paths, written with one pen
  "M140 50C85 50 75 110 75 140C75 190 95 230 140 230C185 230 205 190 205 140C205 90 185 50 140 50",
  "M105 95L145 50V230",
  "M80 100C85 40 190 35 195 95C198 140 110 180 80 230H205",
  "M85 70C120 35 195 50 190 95C187 130 150 137 125 137C165 137 205 150 202 185C198 240 110 245 78 205",
  "M165 230V50L75 170H210",
  "M195 52H105L95 130C130 110 200 115 203 170C205 235 120 245 80 210",
  "M185 55C120 75 80 130 82 180C84 245 195 245 198 180C200 125 105 125 85 180",
  "M75 55H205C170 110 140 170 130 232",
  "M140 135C80 110 85 50 140 50C195 50 200 110 140 135C65 165 75 230 140 230C205 230 215 165 140 135",
  "M198 105C195 160 85 165 83 105C82 40 195 35 198 105C198 160 185 215 165 232",
];
const SLIDERS = { pen: [8, 48, 26], tilt: [-90, 90, 0], size: [20, 120, 100], move: [-100, 100, 0] };

const state = { strokes: [], sample: null, pending: false, writing: false, closest: 0 };
const network = await unpack(DATA);
const STAGES = network.filter((layer) => layer.shown);
const pen = $("drawing").getContext("2d", { willReadFrequently: true });
const slider = (name) => Number($(name).value);

/* ---- drawing ---- */

/** Where the sliders put a point of the drawing. */
function placed() {
  const half = SIDE / 2;
  return new DOMMatrix().translate(half + slider("move"), half).rotate(slider("tilt"))
    .scale(slider("size") / 100).translate(-half, -half);
}

function redraw() {
  pen.resetTransform();
  pen.fillStyle = "#000";
  pen.fillRect(0, 0, SIDE, SIDE);
  pen.setTransform(placed());
  Object.assign(pen, { strokeStyle: "#fff", lineWidth: slider("pen"), lineCap: "round", lineJoin: "round" });
  for (const stroke of state.strokes) pen.stroke(stroke);
  if (state.pending) return;
  state.pending = true; // at most one answer between two pictures of the screen
  requestAnimationFrame(() => {
    state.pending = false;
    think();
  });
}

function fresh(sample, strokes) {
  Object.assign(state, { sample, strokes });
  for (const name of ["tilt", "size", "move"]) set(name, SLIDERS[name][2]);
}

function set(name, value) {
  $(name).value = value;
  $(`${name}-value`).textContent = text(`unit-${name}`, { value: format(Number(value)) });
}

/* ---- thinking ---- */

function inkOf() {
  const { data } = pen.getImageData(0, 0, SIDE, SIDE);
  const values = new Float32Array(SIDE ** 2);
  for (let pixel = 0; pixel < values.length; pixel += 1) values[pixel] = data[4 * pixel];
  return { rows: SIDE, columns: SIDE, maps: 1, values };
}

function think() {
  const start = performance.now();
  const ink = inkOf();
  const steps = prepare(ink);
  const centring = $("centring").checked;
  const seen = steps && centring ? steps.centred : resize(ink, 28, 28);
  const outputs = steps && answer(network, seen);
  showSteps(steps, centring, seen);
  showAnswer(outputs?.at(-1).values);
  STAGES.forEach((layer, stage) => showMaps(stage, outputs?.[network.indexOf(layer)]));
  performance.measure("answer", { start }); // the benchmark reads it
}

/* ---- showing ---- */

/** Draw part of a canvas so that `most` of its pixels fill another. Returns how to draw on it. */
function paint(canvas, image, [left, top, wide, high], most) {
  const context = canvas.getContext("2d");
  const scale = canvas.width / most;
  const place = [(most - wide) / 2, (most - high) / 2, wide, high].map((pixels) => pixels * scale);
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  if (wide) context.drawImage(image, left, top, wide, high, ...place);
  Object.assign(context, { strokeStyle: LINE, lineWidth: 2 });
  return { context, scale };
}

/** Return a canvas with all maps of an output, `across` in a row, a pixel apart; `white` is shown white. */
function greys({ rows, columns, maps, values }, white, across = 1, canvas = make("canvas")) {
  canvas.width = across * (columns + 1) - 1;
  canvas.height = Math.ceil(maps / across) * (rows + 1) - 1;
  const picture = new ImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(picture.data.buffer);
  values.forEach((value, number) => {
    const [place, map] = [Math.floor(number / maps), number % maps];
    const row = Math.floor(map / across) * (rows + 1) + Math.floor(place / columns);
    const column = (map % across) * (columns + 1) + (place % columns);
    pixels[row * canvas.width + column] = 0xff000000 + 0x10101 * Math.round((255 * value) / white);
  });
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

function showSteps(steps, centring, seen) {
  const [whole, cut, box, last] = $("steps").querySelectorAll("canvas");
  const first = paint(whole, $("drawing"), [0, 0, SIDE, SIDE], SIDE);
  $("moved").textContent = centring ? "" : text("no-centring");
  const small = (canvas, picture, most) =>
    paint(canvas, greys(picture, 255), [0, 0, picture.columns, picture.rows], most);
  for (const canvas of [cut, box]) paint(canvas, null, [0, 0, 0, 0], 1);
  const { context, scale } = small(last, seen, 28);
  if (!steps || !centring) return;
  const { picture, frame, boxed, top, left, middle } = steps;
  const [cutTop, cutLeft] = frame;
  const { rows: high, columns: wide } = picture;
  const cutOut = [cutLeft, cutTop, wide, high];
  first.context.strokeRect(...cutOut.map((pixels) => pixels * first.scale));
  paint(cut, $("drawing"), cutOut, Math.max(high, wide));
  small(box, boxed, 20);
  const [y, x] = middle.map((pixel) => (pixel + 0.5) * scale);
  context.strokeRect(left * scale, top * scale, boxed.columns * scale, boxed.rows * scale);
  context.fillStyle = LINE;
  context.fillRect(x - 9, y - 1, 18, 2);
  context.fillRect(x - 1, y - 9, 2, 18);
  $("moved").textContent = text("moved", { high, wide, rows: boxed.rows, columns: boxed.columns, top, left });
}

const percent = (share) => text("percent", { value: format(100 * share, 1, 1) });

function showAnswer(shares) {
  const order = shares ? [...shares.keys()].sort((a, b) => shares[b] - shares[a]) : [];
  const [first, second] = order;
  const [share, other] = [first, second].map((digit) => percent(shares?.[digit] ?? 0));
  $("reads").textContent = shares ? text("reads", { digit: first, share }) : text("blank");
  $("next").textContent = shares ? text("next", { digit: second, share: other }) : "";
  [...$("shares").children].forEach((row, digit) => {
    const part = shares?.[digit] ?? 0;
    row.className = digit === first ? "first" : "";
    row.querySelector(".track span").style.width = `${100 * part}%`;
    row.lastChild.textContent = percent(part);
  });
  const counts = shares && !state.writing; // half a digit is no challenge
  if (counts) state.closest = Math.max(state.closest, shares[second]);
  if (counts && shares[second] >= HESITATES) state.met = text("met", { first, second, share, other });
  challenge(Boolean(state.met), state.met ?? text("closest", { share: percent(state.closest) }));
  const own = text(state.strokes.length ? "own-drawing" : "no-drawing");
  const drawing = state.sample === null ? own : text("sample-drawing", { digit: state.sample });
  $("drawing").setAttribute("aria-label", drawing);
  announce(`${drawing} ${$("reads").textContent} ${$("next").textContent}`);
}

function showMaps(stage, output) {
  const canvas = $("stages").querySelectorAll("canvas")[stage];
  const { rows, columns, maps, values } = output ?? { rows: 1, columns: 1, maps: 1, values: [0] };
  greys({ rows, columns, maps, values }, Math.max(...values) || 1, Math.min(maps, 8), canvas);
  const words = output ? text("maps", { maps, rows, columns }) : text("blank");
  canvas.setAttribute("aria-label", words);
  canvas.nextElementSibling.textContent = words;
}

/* ---- the page's parts, and what the reader does ---- */

for (const [name, [min, max, value]] of Object.entries(SLIDERS)) {
  const input = make("input", { id: name, type: "range", min, max, value });
  const label = make("label", { htmlFor: name, textContent: text(`slider-${name}`) });
  const output = make("output", { id: `${name}-value`, htmlFor: name });
  $("sliders").append(make("div", { className: "control" }, label, input, output));
  set(name, value);
  input.addEventListener("input", () => {
    set(name, input.value);
    redraw();
  });
}
for (const step of [1, 2, 3, 4]) {
  const name = text(`step-${step}`);
  const canvas = make("canvas", { width: 224, height: 224, role: "img", "aria-label": name });
  $("steps").append(make("figure", {}, canvas, make("figcaption", { textContent: name })));
}
for (let digit = 0; digit < 10; digit += 1) {
  const bar = make("span", { className: "track" }, make("span"));
  const name = make("span", { textContent: digit });
  $("shares").append(make("li", {}, name, bar, make("span", { className: "number" })));
  const button = make("button", { textContent: digit, "aria-label": text("sample", { digit }) });
  button.addEventListener("click", () => {
    fresh(digit, [new Path2D(SAMPLES[digit])]);
    redraw();
  });
  $("samples").append(button);
}
arrowKeys([...$("samples").children], 5);
for (const stage of STAGES.keys()) {
  const name = text("stage", { number: stage + 1 });
  const figure = make("figure", {}, make("canvas", { className: "maps", role: "img" }), make("figcaption"));
  const id = `stage-${stage}`;
  const heading = make("h2", { id, textContent: name });
  $("stages").append(make("section", { className: "panel", "aria-labelledby": id }, heading, figure));
}

function point(event) {
  const frame = $("drawing").getBoundingClientRect();
  const scale = SIDE / frame.width;
  const seen = { x: (event.clientX - frame.left) * scale, y: (event.clientY - frame.top) * scale };
  const at = placed().inverse().transformPoint(seen);
  return [at.x, at.y];
}
$("drawing").addEventListener("pointerdown", (event) => {
  $("drawing").setPointerCapture(event.pointerId);
  state.writing = true;
  if (state.sample !== null) fresh(null, []);
  const stroke = new Path2D();
  stroke.moveTo(...point(event));
  stroke.lineTo(...point(event)); // a touch leaves a dot
  state.strokes.push(stroke);
  redraw();
});
$("drawing").addEventListener("pointermove", (event) => {
  if (!state.writing) return;
  state.strokes.at(-1).lineTo(...point(event));
  redraw();
});
for (const end of ["pointerup", "pointercancel"]) {
  $("drawing").addEventListener(end, () => {
    state.writing = false;
    redraw();
  });
}
$("clear").addEventListener("click", () => {
  fresh(null, []);
  redraw();
});
$("centring").addEventListener("change", redraw);

fresh(4, [new Path2D(SAMPLES[4])]);
redraw();
requestAnimationFrame(ready);
