// The page of lesson 3's valley: two drawings, the walk, the table, the challenge.
import { $, announce, calm, challenge, format, make, ready, text } from "./frame.mjs";
import {
  LABELS, PICTURES, START, STEPS, contour, findFloor, judge, lossAt, lossOf, pulls, shareOfX,
  slopesAt, step, survey,
} from "./valley.numbers.mjs";

const LEVELS = [0.656, 0.66, 0.67, 0.69, 0.72, 0.76, 0.82, 0.9, 1.0, 1.15]; // those of the lesson's map
const FEW_STEPS = 7; // the second challenge; without momentum the best rate needs more
const FLOORS = { true: findFloor(true), false: findFloor(false) };
const { bounces: BOUNCES, largest: LARGEST, quickest: QUICKEST } = survey(false);

const state = {
  one: true, rate: 5, momentum: 0, start: START, path: [], change: [0, 0], earlier: null, timer: 0,
};
const record = { arrived: 0, missed: Infinity, fewest: Infinity };

/* ---- drawing: every scale maps a value to a pixel ---- */

/** Return an SVG element with these attributes and children. */
function shape(tag, attributes = {}, ...children) {
  const element = document.createElementNS($("landscape").namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Return a function from values [low, high] to pixels [from, to], kept near the drawing. */
function scale([low, high], [from, to]) {
  const room = 3 * Math.abs(to - from); // a path that flies off must not become an endless number
  const pixel = (value) => from + ((value - low) / (high - low)) * (to - from);
  const [least, most] = [Math.min(from, to) - room, Math.max(from, to) + room];
  const kept = (value) => Math.min(Math.max(pixel(value), least), most);
  return Object.assign(kept, { value: (at) => low + ((at - from) / (to - from)) * (high - low) });
}

const line = (points) => `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;

const dot = ([x, y], look, radius) => shape("circle", { class: look, cx: x, cy: y, r: radius });

/** Return words at a pixel; `anchor` says which part of them stands there: start, middle or end. */
const words = ([x, y], content, look = "", anchor = "middle") =>
  shape("text", { x, y, class: look, "text-anchor": anchor }, content);

/** Return an arrow from one pixel to another, with its head; nothing where it would be shorter than one. */
function arrow([x, y], [toX, toY], look) {
  const length = Math.hypot(toX - x, toY - y);
  if (length < 1) return "";
  const [right, down] = [(toX - x) / length, (toY - y) / length];
  const head = Math.min(8, length);
  const wing = (side) => [toX - head * (right + side * 0.5 * down), toY - head * (down - side * 0.5 * right)];
  const strokes = line([[x, y], [toX, toY]]) + line([wing(1), [toX, toY], wing(-1)]);
  return shape("path", { class: `pull ${look}`, d: strokes });
}

/** Empty a drawing and give it axes with these marks and names. Returns its field, whose inside clips. */
function axes(drawing, height, [xMarks, xName, xRange], [yMarks, yName, yRange], under = 0, write = format) {
  const width = drawing.clientWidth || 560;
  const [left, right, top, bottom] = [44, width - 14, 28, height - under - 46];
  const [x, y] = [scale(xRange, [left, right]), scale(yRange, [bottom, top])];
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.style.height = `${height}px`;
  const edges = shape("rect", { x: left, y: top, width: right - left, height: bottom - top });
  const clip = shape("clipPath", { id: `${drawing.id}-clip` }, edges);
  const names = [words([(left + right) / 2, bottom + 36], xName), words([left, top - 9], yName, "", "start")];
  drawing.replaceChildren(clip, ...names);
  for (const mark of xMarks) {
    const grid = shape("path", { class: "grid", d: line([[x(mark), top], [x(mark), bottom]]) });
    drawing.append(grid, words([x(mark), bottom + 17], format(mark), "quiet"));
  }
  for (const mark of yMarks) {
    const grid = shape("path", { class: "grid", d: line([[left, y(mark)], [right, y(mark)]]) });
    drawing.append(grid, words([left - 7, y(mark) + 4], write(mark), "quiet", "end"));
  }
  const inside = shape("g", { "clip-path": `url(#${drawing.id}-clip)` });
  drawing.append(inside);
  return { x, y, left, right, top, bottom, inside };
}

/* ---- the landscape over one weight ---- */

function drawOne(drawing) {
  const under = 100; // below the curve: the pull of each picture, and their mean
  const xAxis = [[-8, -4, 0, 4, 8], text("cross-axis"), [-8, 8]];
  const field = axes(drawing, 420 + under, xAxis, [[0, 1, 2, 3], text("loss-axis"), [0, 3]], under);
  const { x, y, inside, left, right, bottom } = field;
  const pixel = ([lineVote, vote]) => [x(vote), y(lossAt([lineVote, vote]))];
  const votes = Array.from({ length: 161 }, (_, number) => [state.start[0], -8 + number / 10]);
  LABELS.forEach((label, number) => {
    const alone = votes.map((place) => [x(place[1]), y(lossOf(place, number))]);
    inside.append(shape("path", { class: `alone ${label}`, d: line(alone) }));
  });
  const here = state.path.at(-1);
  const [loss, slope] = [lossAt(here), slopesAt(here)[1]];
  const tangent = [-2.5, 2.5].map((aside) => [x(here[1] + aside), y(loss + aside * slope)]);
  inside.append(shape("path", { class: "mean", d: line(votes.map(pixel)) }), ...walked(pixel));
  inside.append(shape("path", { class: "tangent", d: line(tangent) }));
  inside.append(dot(pixel(ahead().votes), "landing", 5), dot(pixel(here), "here", 8));
  const middle = Math.min(Math.max(x(here[1]), left), right);
  [...pulls(here).map(([, cross]) => cross), slope].forEach((pull, row) => {
    const height = bottom + 60 + 20 * row;
    const look = LABELS[row] ?? "all";
    const name = row < 4 ? text("picture-name", { number: row + 1, label: look }) : text("mean");
    const tip = [middle - 0.45 * (right - left) * pull, height];
    drawing.append(words([left, height + 4], name, look, "start"), arrow([middle, height], tip, look));
  });
  drawing.append(shape("path", { class: "grid", d: line([[middle, bottom + 48], [middle, bottom + 148]]) }));
  return field;
}

/** Return the way so far: its line, and a dot for each place before this one. */
function walked(pixel) {
  const places = state.path.map(pixel);
  const dots = places.slice(0, -1).map((place) => dot(place, "trace", 3.5));
  return [shape("path", { class: "walked", d: line(places) }), ...dots];
}

/* ---- the landscape over two weights ---- */

function drawTwo(drawing) {
  const height = Math.round(((drawing.clientWidth || 560) - 58) * 0.8) + 74; // both votes to the same scale
  const xAxis = [[-2, -1, 0, 1, 2], text("cross-axis"), [-2.5, 2.5]];
  const field = axes(drawing, height, xAxis, [[-1, 0, 1, 2, 3], text("line-axis"), [-1, 3]]);
  const { x, y, inside } = field;
  const pixel = ([lineVote, crossVote]) => [x(crossVote), y(lineVote)];
  drawLevels(field, pixel);
  const [here, next] = [state.path.at(-1), pixel(ahead().votes)];
  const from = pixel(here);
  inside.append(...walked(pixel), shape("path", { class: "ahead", d: line([from, next]) }));
  inside.append(dot(next, "landing", 5));
  pulls(here).forEach(([linePull, crossPull], number) => {
    const tip = pixel([here[0] - 2 * linePull, here[1] - 2 * crossPull]);
    inside.append(arrow(from, tip, LABELS[number]));
    const length = Math.hypot(tip[0] - from[0], tip[1] - from[1]);
    const beyond = tip.map((end, axis) => end + (12 * (end - from[axis])) / length + 4 * axis);
    if (length > 18) inside.append(words(beyond, `${number + 1}`, `halo ${LABELS[number]}`));
  });
  inside.append(dot(from, "here", 8));
  return field;
}

/** Draw the lines of equal loss, their names on the way from the floor to the upper right, and the floor. */
function drawLevels({ x, y, top, right, inside }, pixel) {
  const cells = Array.from({ length: 61 }, (_, number) => number);
  const place = ([column, row]) => [-1 + row / 15, -2.5 + column / 12];
  const heights = cells.map((row) => cells.map((column) => lossAt(place([column, row]))));
  const [floorX, floorY] = pixel(FLOORS.false);
  const aside = ([[px, py]]) => Math.abs((px - floorX) / (right - floorX) - (floorY - py) / (floorY - top));
  let lastName = floorY - 10;
  for (const level of LEVELS) {
    const pieces = contour(heights, level).map((ends) => ends.map((end) => pixel(place(end))));
    inside.append(shape("path", { class: "level", d: pieces.map(line).join("") }));
    const [written] = pieces.filter(([[px]]) => px > floorX).sort((a, b) => aside(a) - aside(b));
    if (!written || lastName - written[0][1] < 15) continue; // no room for another name
    lastName = written[0][1];
    inside.append(words([written[0][0], lastName + 4], format(level, 3), "halo quiet"));
  }
  inside.append(words([floorX, floorY + 8], "★", "halo floor"));
}

/* ---- the loss after each step ---- */

function drawHistory() {
  const power = (mark) => ({ "-6": "10⁻⁶", "-3": "0.001", 0: "1" })[mark];
  const xAxis = [[0, 10, 20, 30, 40], text("steps-axis"), [0, STEPS]];
  const field = axes($("history"), 240, xAxis, [[-6, -3, 0], text("above-axis"), [-6, 1]], 0, power);
  const { x, y, left, right, top, inside } = field;
  const floorLoss = lossAt(FLOORS[state.one]);
  const pixel = (votes, number) => [x(number), y(Math.log10(Math.max(lossAt(votes) - floorLoss, 1e-7)))];
  inside.append(shape("path", { class: "limit", d: line([[left, y(-3)], [right, y(-3)]]) }));
  inside.append(words([right - 4, y(-3) + 16], text("arrived-below"), "limit", "end"));
  if (state.earlier) {
    const { path, rate, momentum } = state.earlier;
    const name = text("earlier", { rate: format(rate, 1), momentum: format(momentum) });
    inside.append(shape("path", { class: "earlier", d: line(path.map(pixel)) }));
    $("history").append(words([right, top - 9], name, "quiet", "end"));
  }
  inside.append(shape("path", { class: "tangent", d: line(state.path.map(pixel)) }));
  inside.append(dot(pixel(state.path.at(-1), state.path.length - 1), "here", 5));
}

/* ---- the state ---- */

/** Return where the next step lands. */
function ahead() {
  return step({ votes: state.path.at(-1), change: state.change }, state.rate, state.momentum, state.one);
}

/** Go back to the start. */
function restart() {
  stop();
  state.path = [state.start];
  state.change = [0, 0];
  draw();
}

/** Take a new rate or momentum and go back to the start; a whole run with the old one stays in sight. */
function change(settings) {
  const { path, rate, momentum } = state;
  if (path.length > STEPS) state.earlier = { path, rate, momentum };
  Object.assign(state, settings);
  restart();
}

function stop() {
  clearInterval(state.timer);
  state.timer = 0;
  $("run").textContent = text("run");
}

function takeStep() {
  const { votes, change: last } = ahead();
  state.path.push(votes);
  state.change = last;
  if (state.path.length === STEPS + 1) finish();
}

function finish() {
  stop();
  const { arrived } = judge(state.path, lossAt(FLOORS[state.one]));
  if (!state.one && state.start.every((vote, which) => vote === START[which])) {
    const { rate, momentum } = state;
    if (momentum === 0 && arrived >= 0) record.arrived = Math.max(record.arrived, rate);
    if (momentum === 0 && arrived < 0 && rate > LARGEST) record.missed = Math.min(record.missed, rate);
    if (momentum > 0 && arrived >= 0) record.fewest = Math.min(record.fewest, arrived);
  }
}

function tellChallenge() {
  const found = record.arrived >= LARGEST && record.missed <= LARGEST + 0.1001;
  const values = { rate: format(record.arrived, 1), missed: format(record.missed, 1) };
  Object.assign(values, { bounces: format(BOUNCES, 1), quickest: QUICKEST, few: FEW_STEPS });
  const { fewest } = record;
  if (found && fewest <= FEW_STEPS) challenge(true, text("met-both", { ...values, fewest }));
  else if (found) challenge(true, text("met", values));
  else if (record.arrived && record.missed < Infinity) challenge(false, text("between", values));
  else if (record.arrived) challenge(false, text("arrived-so-far", values));
  else challenge(false, text(record.missed < Infinity ? "missed-so-far" : "not-yet", values));
}

/* ---- words ---- */

const vote = (value) => (Math.abs(value) < 1e4 ? format(value, 3, 3) : value.toExponential(1));

function tell() {
  const done = state.path.length - 1;
  const [lineVote, crossVote] = state.path.at(-1);
  const loss = lossAt(state.path.at(-1));
  const values = { step: done, loss: format(loss, 4, 4), line: vote(lineVote), cross: vote(crossVote) };
  $("now").textContent = text("now", values);
  const { uphill, back, arrived } = judge(state.path, lossAt(FLOORS[state.one]));
  const manner = [text("manner", { uphill, back, done })];
  if (done >= STEPS) manner.push(arrived >= 0 ? text("arrived", { step: arrived }) : text("not-arrived"));
  $("manner").textContent = done ? manner.join(" ") : text("first-step");
  const floor = FLOORS[state.one];
  $("landscape-words").textContent = text(state.one ? "one-words" : "two-words", {
    floor: format(floor[1], 2, 2), floorLine: format(floor[0], 2, 2), loss: format(lossAt(floor), 4, 4),
    slope: format(slopesAt(state.path.at(-1))[1], 3, 3), line: format(state.start[0], 1, 1),
  });
  announce(`${$("now").textContent} ${$("manner").textContent}`);
}

function fillTable() {
  const here = state.path.at(-1);
  const number = (value, decimals = 3) =>
    make("td", { className: "number", textContent: format(value, decimals, decimals) });
  const head = (name) => make("th", { scope: "row", textContent: name });
  $("pulls").replaceChildren(...pulls(here).map(([linePull, crossPull], row) => {
    const name = text("picture-name", { number: row + 1, label: LABELS[row] });
    const features = PICTURES[row].map((feature) => number(feature, 1));
    const slopes = [shareOfX(here, PICTURES[row]), linePull, crossPull].map((value) => number(value));
    return make("tr", {}, head(name), ...features, ...slopes);
  }));
  const [lineSlope, crossSlope] = slopesAt(here);
  const blank = [0, 1, 2].map(() => make("td"));
  const mean = make("tr", {}, head(text("mean")), ...blank, number(lineSlope), number(crossSlope));
  $("mean").replaceChildren(mean);
}

let field;
function draw() {
  field = (state.one ? drawOne : drawTwo)($("landscape"));
  drawHistory();
  fillTable();
  tell();
  tellChallenge();
  const focused = [$("step"), $("run")].includes(document.activeElement);
  $("step").disabled = $("run").disabled = state.path.length > STEPS;
  if (focused && $("run").disabled) $("reset").focus(); // or the keyboard would lose its place
}

/* ---- what the reader does ---- */

$("step").addEventListener("click", () => {
  stop();
  takeStep();
  draw();
});

$("run").addEventListener("click", () => {
  if (state.timer) return stop();
  if (calm()) {
    while (state.path.length <= STEPS) takeStep();
    return draw();
  }
  $("run").textContent = text("pause");
  state.timer = setInterval(() => {
    takeStep();
    draw();
  }, 100);
});

$("reset").addEventListener("click", restart);

function setRate(written) {
  const rate = Math.round(Number(written) * 10) / 10;
  if (!(rate >= 0.1 && rate <= 60)) return;
  $("rate-slider").value = rate;
  change({ rate });
}
$("rate").addEventListener("change", () => {
  setRate($("rate").value);
  $("rate").value = state.rate;
});
$("rate-slider").addEventListener("input", () => {
  $("rate").value = $("rate-slider").value;
  setRate($("rate").value);
});
$("momentum").addEventListener("input", () => {
  $("momentum-value").textContent = format(Number($("momentum").value));
  change({ momentum: Number($("momentum").value) });
});
$("weights").addEventListener("change", (event) => {
  state.one = event.target.value === "one";
  $("start-line-label").hidden = state.one;
  setStart(...START);
});

function setStart(lineVote, crossVote) {
  const [least, most] = state.one ? [-8, 8] : [-2.5, 2.5];
  const kept = (value, low, high) => Math.round(10 * Math.min(Math.max(value, low), high)) / 10;
  state.start = [kept(lineVote, -1, 3), kept(crossVote, least, most)];
  [$("start-line").value, $("start-cross").value] = state.start;
  state.earlier = null;
  restart();
}
for (const id of ["start-line", "start-cross"]) {
  const written = () => setStart(Number($("start-line").value), Number($("start-cross").value));
  $(id).addEventListener("change", written);
}

function drag(event) {
  const frame = $("landscape").getBoundingClientRect();
  const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
  if (y > field.bottom + 4) return;
  setStart(state.one ? state.start[0] : field.y.value(y), field.x.value(x));
}
$("landscape").addEventListener("pointerdown", (event) => {
  $("landscape").setPointerCapture(event.pointerId);
  drag(event);
});
$("landscape").addEventListener("pointermove", (event) => event.buttons && drag(event));

new ResizeObserver(draw).observe($("landscape").parentElement);
restart();
ready();
