// Lab 4: stack layers, and see what each makes of the picture and what it costs.
import { $, announce, challenge, format, make, ready, text } from "./frame.mjs";
import { challengeSteps, count, keras, NEW, PRESETS, totals } from "./layer-calculator.numbers.mjs";

const SIDES = ["height", "width", "channels"];
const FIELDS = { conv: ["filters", "size", "stride", "padding"], pool: ["size", "stride", "padding"], dense: ["units"] };
const times = (numbers) => numbers.map((number) => format(number)).join(" × ");
let network = structuredClone(PRESETS.lecture);
let rows = []; // the list's elements, one an element of network.layers

/** A field for a whole number of at least 1; what is half-typed changes nothing. */
function wholeNumber(field, take) {
  field.addEventListener("input", () => {
    const value = Number(field.value), fits = Number.isInteger(value) && value >= 1 && value <= 9999;
    field.setAttribute("aria-invalid", String(!fits));
    if (!fits) return;
    take(value);
    $("preset").value = "own";
    render();
  });
}

function control(layer, name, n) {
  const label = text(`field-${name}`), named = { ariaLabel: text("of-layer", { label, number: n + 1 }) };
  if (name !== "padding") {
    const field = make("input", { type: "number", min: 1, max: 9999, value: layer[name], ...named });
    wholeNumber(field, (value) => { layer[name] = value; });
    return make("label", {}, label, field);
  }
  const options = ["valid", "same"].map((value) => make("option", { value, selected: layer.padding === value, textContent: value }));
  const choice = make("select", named, ...options);
  choice.addEventListener("change", () => {
    layer.padding = choice.value;
    $("preset").value = "own";
    render();
  });
  return make("label", {}, label, choice);
}

/** Write the list anew after the stack itself has changed; then `focus` of layer n has the focus. */
function layRows(n = null, focus = "") {
  rows = network.layers.map((layer, place) => {
    const kind = text(`kind-${layer.kind}`), number = place + 1;
    const button = (name, sign, enabled, act) => {
      const one = make("button", { type: "button", className: name, textContent: sign, disabled: !enabled });
      one.ariaLabel = text(name, { number, kind });
      one.addEventListener("click", act);
      return one;
    };
    const last = network.layers.length - 1;
    const moves = make("div", { className: "moves" },
      button("up", "↑", place > 0, () => move(place, place - 1, "up")),
      button("down", "↓", place < last, () => move(place, place + 1, "down")),
      button("remove", "✕", true, () => change(() => network.layers.splice(place, 1), Math.min(place, last - 1), "remove")));
    const fields = (FIELDS[layer.kind] ?? []).map((name) => control(layer, name, place));
    const what = make("div", { className: "what" }, make("strong", { textContent: `${number}. ${kind}` }), ...fields);
    return make("li", { className: "layer" }, what, make("div", { className: "out" }), moves);
  });
  $("layers").replaceChildren(...rows);
  const wanted = rows[n]?.querySelector(`.${focus}:enabled`) ?? rows[n]?.querySelector("input, button:enabled");
  if (focus) (wanted ?? $("add").firstChild).focus();
  render();
}

function change(act, n, focus) {
  act();
  $("preset").value = "own";
  layRows(n, focus);
  announce($("sees").textContent);
}
function move(from, to, focus) {
  change(() => network.layers.splice(to, 0, ...network.layers.splice(from, 1)), to, focus);
}

/** The picture and every layer that changes its shape as blocks: taller is wider maps, thicker is more of them. */
function draw(results, field) {
  const blocks = [{ kind: "input", shape: network.input }];
  results.forEach((one, n) => {
    const { kind } = network.layers[n];
    if (!one.fault && kind !== "norm" && kind !== "dropout") blocks.push({ kind, shape: one.shape });
  });
  const tallest = Math.max(...network.input.slice(0, 2)), high = 130;
  let x = 6, drawn = "";
  blocks.forEach(({ kind, shape }, n) => {
    const flat = shape.length === 1, label = shape.join("×"), room = Math.max(64, 8 * label.length + 8);
    const height = flat ? Math.min(high, 14 * Math.log2(shape[0] + 1)) : Math.max(4, high * Math.sqrt(shape[0] / tallest));
    const wide = n === 0 ? high * Math.sqrt(shape[1] / tallest) : flat ? 8 : 6 + 5 * Math.log2(shape[2]);
    const width = Math.max(room, wide), left = x + (width - wide) / 2, top = 24 + (high - height) / 2;
    drawn += `<text class="kind" x="${x + width / 2}" y="14">${text(`short-${kind}`)}</text>`;
    drawn += `<rect class="${kind}" x="${left}" y="${top}" width="${wide}" height="${height}" rx="2"/>`;
    if (n === 0 && field > 1) {
      const [across, down] = [wide / shape[1], height / shape[0]];
      const [w, h] = [Math.min(wide, field * across), Math.min(height, field * down)];
      drawn += `<rect class="sees" x="${left + (wide - w) / 2}" y="${top + (height - h) / 2}" width="${w}" height="${h}"/>`;
    }
    drawn += `<text x="${x + width / 2}" y="${high + 44}">${label}</text>`;
    x += width + 10;
  });
  const name = blocks.map(({ kind, shape }) => `${text(`short-${kind}`)} ${times(shape)}`).join(", ");
  $("drawing").innerHTML = `<svg role="img" width="${x}" height="${high + 54}">${drawn}</svg>`;
  $("drawing").firstChild.setAttribute("aria-label", name);
}

function render() {
  SIDES.forEach((name, n) => { if (document.activeElement !== $(name)) $(name).value = network.input[n]; });
  const results = count(network.input, network.layers), sums = totals(results);
  results.forEach((one, n) => {
    rows[n].classList.toggle("fault", Boolean(one.fault));
    const cells = one.fault ? [text(`fault-${one.fault}`)] : [
      ["gives", times(one.shape)], ["parameters", format(one.parameters)], ["multiplications", format(one.multiplications)],
      ["field", one.field === null ? text("everything") : times([one.field, one.field])],
    ].map(([name, value]) => make("span", { className: name }, make("small", { textContent: text(`short-${name}`) }), value));
    rows[n].querySelector(".out").replaceChildren(...cells);
    const share = make("span", { className: "share", style: `width: ${(100 * one.parameters) / (sums.parameters || 1)}%` });
    if (!one.fault) cells[1].append(share);
  });
  for (const name of ["parameters", "trained", "multiplications"]) $(name).textContent = format(sums[name]);
  $("field").textContent = times([sums.field, sums.field]);
  $("sees").textContent = text(sums.whole ? "sees" : "stops", { field: times([sums.field, sums.field]) });
  draw(results, sums.field);
  $("code").textContent = keras(network.input, network.layers);
  const steps = challengeSteps(network.input, network.layers), said = {};
  for (const name in steps) said[name] = text(steps[name] ? "yes" : "no");
  challenge(Object.values(steps).every(Boolean), text("verdict", said));
}

for (const name of [...Object.keys(PRESETS), "own"]) $("preset").append(make("option", { value: name, textContent: text(`preset-${name}`) }));
$("preset").addEventListener("change", () => {
  if ($("preset").value in PRESETS) network = structuredClone(PRESETS[$("preset").value]);
  layRows();
});
SIDES.forEach((name, n) => wholeNumber($(name), (value) => { network.input[n] = value; }));
for (const kind in NEW) {
  const button = make("button", { type: "button", textContent: text("add-one", { kind: text(`kind-${kind}`) }) });
  button.addEventListener("click", () => change(() => network.layers.push({ ...NEW[kind] })));
  $("add").append(button);
}
layRows();
ready();
