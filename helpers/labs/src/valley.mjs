// The page of lesson 3's valley: two drawings, the walk, the table, the challenge.
import { $, announce, calm, challenge, format, make, ready, text } from "./frame.mjs";
import {
  LABELS, PICTURES, START, STEPS, contour, findFloor, judge, largestRate, lossAt, lossOf, pulls, shareOfX, slopesAt, step,
} from "./valley.numbers.mjs";

const LEVELS = [0.656, 0.66, 0.67, 0.69, 0.72, 0.76, 0.82, 0.9, 1.0, 1.15]; // those of the lesson's map
const FEW_STEPS = 7; // the second challenge; without momentum the best rate needs 11
const FLOORS = { true: findFloor(true), false: findFloor(false) };
const HARDEST = largestRate(false);

const state = { one: true, rate: 5, momentum: 0, start: START, path: [], change: [0, 0], earlier: null, timer: 0 };
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
  const kept = (value) => Math.min(Math.max(pixel(value), Math.min(from, to) - room), Math.max(from, to) + room);
  return Object.assign(kept, { value: (at) => low + ((at - from) / (to - from)) * (high - low) });
}

const line = (points) => points.map(([x, y], number) => `${number ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/** Return an arrow from one pixel to another, with its head; nothing where it would be shorter than a pixel. */
function arrow([x, y], [toX, toY], look) {
  const length = Math.hypot(toX - x, toY - y);
  if (length < 1) return "";
  const [right, down] = [(toX - x) / length, (toY - y) / length];
  const head = Math.min(8, length);
  const wing = (side) => [toX - head * (right + side * 0.5 * down), toY - head * (down - side * 0.5 * right)];
  return shape("path", { class: `pull ${look}`, d: line([[x, y], [toX, toY]]) + line([wing(1), [toX, toY], wing(-1)]) });
}

/** Draw both axes with these marks and names around the field. */
function axes(drawing, { x, y, left, right, top, bottom }, xMarks, yMarks, xName, yName, write = format) {
  for (const mark of xMarks) {
    drawing.append(shape("path", { class: "grid", d: line([[x(mark), top], [x(mark), bottom]]) }));
    drawing.append(shape("text", { x: x(mark), y: bottom + 17, "text-anchor": "middle", class: "quiet" }, format(mark)));
  }
  for (const mark of yMarks) {
    drawing.append(shape("path", { class: "grid", d: line([[left, y(mark)], [right, y(mark)]]) }));
    drawing.append(shape("text", { x: left - 7, y: y(mark) + 4, "text-anchor": "end", class: "quiet" }, write(mark)));
  }
  drawing.append(shape("text", { x: (left + right) / 2, y: bottom + 36, "text-anchor": "middle" }, xName));
  drawing.append(shape("text", { x: left, y: top - 9, "text-anchor": "start" }, yName));
}

/** Empty a drawing, make it as wide as its place, and return its field: the part inside the axes, which clips. */
function canvas(drawing, height, sides, xRange, yRange) {
  const width = drawing.clientWidth || 560;
  const field = { left: sides[3], right: width - sides[1], top: sides[0], bottom: height - sides[2] };
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  drawing.style.height = `${height}px`;
  const edges = { x: field.left, y: field.top, width: field.right - field.left, height: field.bottom - field.top };
  const clip = shape("clipPath", { id: `${drawing.id}-clip` }, shape("rect", edges));
  const inside = shape("g", { "clip-path": `url(#${drawing.id}-clip)` });
  drawing.replaceChildren(clip);
  field.x = scale(xRange, [field.left, field.right]);
  field.y = scale(yRange, [field.bottom, field.top]);
  return { ...field, inside };
}

/* ---- the landscape over one weight ---- */

function drawOne(drawing) {
  const rows = 20 * 5; // under the curve: the pull of each picture and their mean
  const field = canvas(drawing, 420 + rows, [28, 14, 46 + rows, 42], [-8, 8], [0, 3]);
  const { x, y, inside } = field;
  axes(drawing, field, [-8, -4, 0, 4, 8], [0, 1, 2, 3], text("cross-axis"), text("loss-axis"));
  drawing.append(inside);
  const votes = Array.from({ length: 161 }, (_, number) => -8 + number / 10);
  const curve = (lossWith) => line(votes.map((vote) => [x(vote), y(lossWith([state.start[0], vote]))]));
  LABELS.forEach((label, number) => {
    inside.append(shape("path", { class: `alone ${label}`, d: curve((vote) => lossOf(vote, number)) }));
  });
  inside.append(shape("path", { class: "mean", d: curve(lossAt) }));
  const places = state.path.map(([, vote]) => [x(vote), y(lossAt([state.start[0], vote]))]);
  const here = state.path.at(-1);
  const [loss, slope] = [lossAt(here), slopesAt(here)[1]];
  const tangent = [-2.5, 2.5].map((aside) => [x(here[1] + aside), y(loss + aside * slope)]);
  inside.append(shape("path", { class: "walked", d: line(places) }), ...traces(places));
  inside.append(shape("path", { class: "tangent", d: line(tangent) }));
  const next = ahead().votes[1];
  inside.append(shape("circle", { class: "landing", cx: x(next), cy: y(lossAt([here[0], next])), r: 5 }));
  inside.append(shape("circle", { class: "here", cx: places.at(-1)[0], cy: places.at(-1)[1], r: 8 }));
  const all = pulls(here).map(([, cross]) => cross);
  const middle = Math.min(Math.max(x(here[1]), field.left), field.right);
  [...all, slope].forEach((pull, row) => {
    const height = field.bottom + 60 + 20 * row;
    const name = row < 4 ? text("picture-name", { number: row + 1, label: LABELS[row] }) : text("mean");
    const look = LABELS[row] ?? "all";
    drawing.append(shape("text", { x: field.left, y: height + 4, class: look }, name));
    drawing.append(arrow([middle, height], [middle - 0.45 * (field.right - field.left) * pull, height], look));
  });
  drawing.append(shape("path", { class: "grid", d: line([[middle, field.bottom + 48], [middle, field.bottom + 148]]) }));
  return field;
}

const traces = (places) => places.slice(0, -1).map(([x, y]) => shape("circle", { class: "trace", cx: x, cy: y, r: 3.5 }));

/* ---- the landscape over two weights ---- */

function drawTwo(drawing) {
  const wide = drawing.clientWidth || 560;
  const field = canvas(drawing, Math.round((wide - 56) * 0.8) + 74, [28, 14, 46, 42], [-2.5, 2.5], [-1, 3]);
  const { x, y, inside } = field;
  axes(drawing, field, [-2, -1, 0, 1, 2], [-1, 0, 1, 2, 3], text("cross-axis"), text("line-axis"));
  drawing.append(inside);
  const cells = Array.from({ length: 61 }, (_, number) => number);
  const [cross, lineVote] = [(column) => -2.5 + column / 12, (row) => -1 + row / 15];
  const heights = cells.map((row) => cells.map((column) => lossAt([lineVote(row), cross(column)])));
  const pixel = ([lineValue, crossValue]) => [x(crossValue), y(lineValue)];
  const [floorX, floorY] = pixel(FLOORS.false);
  let lastName = floorY - 10; // names of levels stand on the diagonal, where there is room for them
  for (const level of LEVELS) {
    const pieces = contour(heights, level).map((ends) => ends.map(([column, row]) => [x(cross(column)), y(lineVote(row))]));
    inside.append(shape("path", { class: "level", d: pieces.map(line).join("") }));
    const diagonal = ([[px, py]]) => Math.abs((px - floorX) / (field.right - floorX) - (floorY - py) / (floorY - field.top));
    const [written] = pieces.filter(([[px]]) => px > floorX).sort((a, b) => diagonal(a) - diagonal(b));
    if (written && lastName - written[0][1] > 15) {
      lastName = written[0][1];
      const place = { x: written[0][0], y: lastName + 4, class: "halo quiet", "text-anchor": "middle" };
      inside.append(shape("text", place, format(level, 3)));
    }
  }
  const here = state.path.at(-1);
  const from = pixel(here);
  inside.append(shape("text", { x: floorX, y: floorY + 8, "text-anchor": "middle", "font-size": 24, class: "halo" }, "★"));
  const places = state.path.map(pixel);
  inside.append(shape("path", { class: "walked", d: line(places) }), ...traces(places));
  const next = pixel(ahead().votes);
  inside.append(shape("path", { class: "ahead", d: line([from, next]) }));
  inside.append(shape("circle", { class: "landing", cx: next[0], cy: next[1], r: 5 }));
  pulls(here).forEach(([linePull, crossPull], number) => {
    const tip = pixel([here[0] - 2 * linePull, here[1] - 2 * crossPull]);
    inside.append(arrow(from, tip, LABELS[number]));
    const aside = Math.hypot(tip[0] - from[0], tip[1] - from[1]);
    if (aside < 18) return;
    const beyond = [0, 1].map((axis) => tip[axis] + (12 * (tip[axis] - from[axis])) / aside);
    inside.append(shape("text", { x: beyond[0], y: beyond[1] + 4, class: `halo ${LABELS[number]}`, "text-anchor": "middle" }, `${number + 1}`));
  });
  inside.append(shape("circle", { class: "here", cx: from[0], cy: from[1], r: 8 }));
  return field;
}

/* ---- the loss after each step ---- */

function drawHistory() {
  const drawing = $("history");
  const field = canvas(drawing, 240, [26, 8, 44, 44], [0, STEPS], [-6, 1]);
  const { x, y, inside } = field;
  const power = (mark) => ({ "-6": "10⁻⁶", "-3": "0.001", 0: "1" })[mark];
  axes(drawing, field, [0, 10, 20, 30, 40], [-6, -3, 0], text("steps-axis"), text("above-axis"), power);
  drawing.append(inside);
  const floorLoss = lossAt(FLOORS[state.one]);
  const points = (path) => line(path.map((votes, number) => [x(number), y(Math.log10(Math.max(lossAt(votes) - floorLoss, 1e-7)))]));
  inside.append(shape("path", { class: "limit", d: line([[field.left, y(-3)], [field.right, y(-3)]]) }));
  inside.append(shape("text", { x: field.right - 4, y: y(-3) + 16, "text-anchor": "end", class: "limit" }, text("arrived-below")));
  if (state.earlier) {
    inside.append(shape("path", { class: "earlier", d: points(state.earlier.path) }));
    const name = text("earlier", { rate: format(state.earlier.rate, 1), momentum: format(state.earlier.momentum) });
    drawing.append(shape("text", { x: field.right, y: field.top - 9, "text-anchor": "end", class: "quiet" }, name));
  }
  inside.append(shape("path", { class: "tangent", d: points(state.path) }));
  const now = Math.log10(Math.max(lossAt(state.path.at(-1)) - floorLoss, 1e-7));
  inside.append(shape("circle", { class: "here", cx: x(state.path.length - 1), cy: y(now), r: 5 }));
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
    if (state.momentum === 0 && arrived >= 0) record.arrived = Math.max(record.arrived, state.rate);
    if (state.momentum === 0 && arrived < 0 && state.rate > HARDEST) record.missed = Math.min(record.missed, state.rate);
    if (state.momentum > 0 && arrived >= 0) record.fewest = Math.min(record.fewest, arrived);
  }
}

function tellChallenge() {
  const found = record.arrived >= HARDEST && record.missed <= HARDEST + 0.1001;
  const values = { rate: format(record.arrived, 1), missed: format(record.missed, 1), few: FEW_STEPS };
  if (found && record.fewest <= FEW_STEPS) challenge(true, text("met-both", { ...values, fewest: record.fewest }));
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
  const words = { step: done, loss: format(loss, 4, 4), line: vote(lineVote), cross: vote(crossVote) };
  $("now").textContent = text("now", words);
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
  const number = (value, decimals = 3) => make("td", { className: "number", textContent: format(value, decimals, decimals) });
  const head = (name) => make("th", { scope: "row", textContent: name });
  $("pulls").replaceChildren(...pulls(here).map(([linePull, crossPull], row) => {
    const name = text("picture-name", { number: row + 1, label: LABELS[row] });
    const [lineFeature, crossFeature] = PICTURES[row];
    const share = shareOfX(here, PICTURES[row]);
    return make("tr", {}, head(name), number(lineFeature, 1), number(crossFeature, 1), number(share), number(linePull), number(crossPull));
  }));
  const [lineSlope, crossSlope] = slopesAt(here);
  const blank = [0, 1, 2].map(() => make("td"));
  $("mean").replaceChildren(make("tr", {}, head(text("mean")), ...blank, number(lineSlope), number(crossSlope)));
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
  $(id).addEventListener("change", () => setStart(Number($("start-line").value), Number($("start-cross").value)));
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
