// What lesson 4's network computes, layer by layer, and MNIST's preparation of a drawing. Nothing here
// touches the page. Pictures and maps are { rows, columns, maps, values }, all maps of a place together.

/* ---- layers: each takes its input, its settings and its weights ---- */

function empty(rows, columns, maps) {
  return { rows, columns, maps, values: new Float32Array(rows * columns * maps) };
}

/** Return how many places a window finds along one side, and how many pixels are added before the first. */
function places(size, window, stride, padding) {
  if (padding === "valid") return { count: Math.floor((size - window) / stride) + 1, before: 0 };
  const count = Math.ceil(size / stride);
  return { count, before: Math.floor(Math.max((count - 1) * stride + window - size, 0) / 2) };
}

/** Call visit(place in the input, in the output, in the window) wherever a window meets the picture. */
function slide(input, [high, wide], [down, right], padding, maps, visit) {
  const row = places(input.rows, high, down, padding);
  const column = places(input.columns, wide, right, padding);
  const output = empty(row.count, column.count, maps);
  for (let place = 0; place < row.count * column.count; place += 1) {
    const top = Math.floor(place / column.count) * down - row.before;
    const left = (place % column.count) * right - column.before;
    for (let y = Math.max(top, 0); y < Math.min(top + high, input.rows); y += 1) {
      for (let x = Math.max(left, 0); x < Math.min(left + wide, input.columns); x += 1) {
        visit((y * input.columns + x) * input.maps, place * maps, (y - top) * wide + x - left, output.values);
      }
    }
  }
  return output;
}

const AT_ONE_PLACE = { strides: [1, 1], padding: "valid" };

function convolve(input, { strides, padding }, [kernel, bias]) {
  const [high, wide, depth, maps] = kernel.shape;
  const output = slide(input, [high, wide], strides, padding, maps, (from, to, cell, values) => {
    for (let map = 0; map < depth; map += 1) {
      const value = input.values[from + map];
      const first = (cell * depth + map) * maps;
      if (value) for (let k = 0; k < maps; k += 1) values[to + k] += value * kernel[first + k];
    }
  });
  return bias ? shift(output, bias) : output;
}

function convolveDepthwise(input, { strides, padding }, [kernel, bias]) {
  const { maps } = input;
  const output = slide(input, kernel.shape, strides, padding, maps, (from, to, cell, values) => {
    for (let map = 0; map < maps; map += 1) {
      values[to + map] += input.values[from + map] * kernel[cell * maps + map];
    }
  });
  return bias ? shift(output, bias) : output;
}

function convolveSeparable(input, settings, [depthwise, pointwise, bias]) {
  const mixed = convolveDepthwise(input, settings, [depthwise]);
  return convolve(mixed, AT_ONE_PLACE, bias ? [pointwise, bias] : [pointwise]);
}

function poolMax(input, { pool_size: size, strides, padding }) {
  const seen = new Set();
  return slide(input, size, strides, padding, input.maps, (from, to, cell, values) => {
    for (let map = 0; map < input.maps; map += 1) {
      const value = input.values[from + map];
      if (!seen.has(to) || value > values[to + map]) values[to + map] = value;
    }
    seen.add(to);
  });
}

function poolMean(input, { pool_size: size, strides, padding }) {
  const counts = new Map(); // pixels that "same" adds do not count
  const sums = slide(input, size, strides, padding, input.maps, (from, to, cell, values) => {
    for (let map = 0; map < input.maps; map += 1) values[to + map] += input.values[from + map];
    counts.set(to, (counts.get(to) ?? 0) + 1);
  });
  return change(sums, (value, place) => value / counts.get(place - (place % sums.maps)));
}

function meanOfMaps(input) {
  const output = empty(1, 1, input.maps);
  input.values.forEach((value, place) => { output.values[place % input.maps] += value; });
  return change(output, (sum) => sum / (input.rows * input.columns));
}

function dense(input, settings, [matrix, bias]) {
  const kernel = Object.assign(matrix, { shape: [1, 1, ...matrix.shape.slice(-2)] });
  return convolve(flatten(input), AT_ONE_PLACE, bias ? [kernel, bias] : [kernel]);
}

function flatten({ values }) {
  return { rows: 1, columns: 1, maps: values.length, values };
}

function softmax(input) {
  const powers = change(input, (value) => Math.exp(value - Math.max(...input.values)));
  const sum = powers.values.reduce((total, power) => total + power, 0);
  return change(powers, (power) => power / sum);
}

const change = (input, formula) => ({ ...input, values: input.values.map(formula) });
const shift = (input, bias) => change(input, (value, place) => value + bias[place % input.maps]);
const relu = (input) => change(input, (value) => Math.max(value, 0));
const ACTIVATIONS = { linear: (input) => input, relu, softmax };

const KINDS = {
  Rescaling: (input, { scale, offset }) => change(input, (value) => value * scale + offset),
  Conv2D: convolve,
  DepthwiseConv2D: convolveDepthwise,
  SeparableConv2D: convolveSeparable,
  BatchNormalization: (input, _, [scale, move]) =>
    change(input, (value, place) => value * scale[place % input.maps] + move[place % input.maps]),
  ReLU: relu,
  Activation: (input) => input, // its activation follows, as everywhere
  Softmax: softmax,
  MaxPooling2D: poolMax,
  AveragePooling2D: poolMean,
  GlobalAveragePooling2D: meanOfMaps,
  Flatten: flatten,
  Dense: dense,
};

/** Return what every layer gives for a picture; the last output's values are the probabilities. */
export function answer(network, picture) {
  const outputs = [picture];
  for (const layer of network) {
    const output = KINDS[layer.kind](outputs.at(-1), layer, layer.numbers);
    outputs.push(ACTIVATIONS[layer.activation ?? "linear"](output));
  }
  return outputs.slice(1);
}

/* ---- the network, out of the page's data ---- */

/** Return the number that 16 bits stand for: a sign, five bits of exponent, ten of fraction. */
export function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, (bits & 1023) / 1024];
  const size = exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction;
  return bits & 0x8000 ? -size : size;
}

/** Return the bytes of a text in base85: five letters for four bytes, the last ones perhaps cut off. */
function bytesOf(letters) {
  const values = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
  const cut = (5 - (letters.length % 5)) % 5;
  const padded = letters + "~".repeat(cut);
  const bytes = new DataView(new ArrayBuffer((padded.length / 5) * 4));
  for (let place = 0; place < padded.length; place += 5) {
    const five = [...padded.slice(place, place + 5)];
    bytes.setUint32((place / 5) * 4, five.reduce((sum, letter) => sum * 85 + values.indexOf(letter), 0));
  }
  return new Uint8Array(bytes.buffer, 0, bytes.byteLength - cut);
}

/** Return the layers with their weights, unpacked from the exporter's text. */
export async function unpack({ layers, weights }) {
  const stream = new Blob([bytesOf(weights)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = bytes.length / 2;
  const bits = (place) => bytes[place] | (bytes[count + place] << 8);
  const numbers = Float32Array.from({ length: count }, (_, place) => half(bits(place)));
  let used = 0;
  return layers.map((layer) => ({ ...layer, numbers: layer.weights.map((shape) => {
    const size = shape.reduce((product, side) => product * side, 1);
    used += size;
    return Object.assign(numbers.slice(used - size, used), { shape });
  }) }));
}

/* ---- MNIST's preparation ---- */

/**
 * Cut out the ink, scale it into a box of 20 x 20, lay it into 28 x 28 with its centre of mass in the
 * middle: the steps of lesson 4. `ink` has one map, 0 (paper) to 255. Returns the steps, or null without ink.
 */
export function prepare(ink) {
  const cut = cutOut(ink);
  if (!cut) return null;
  const factor = 20 / Math.max(cut.picture.rows, cut.picture.columns);
  const side = (length) => Math.max(1, toWhole(length * factor));
  const small = resize(cut.picture, side(cut.picture.rows), side(cut.picture.columns));
  const peak = Math.max(...small.values);
  const boxed = change(small, (value) => (value * 255) / peak);
  const middle = centreOfMass(boxed);
  const corner = (size, mean) => Math.min(Math.max(toWhole(14 - mean), 0), 28 - size);
  const [top, left] = [corner(boxed.rows, middle[0]), corner(boxed.columns, middle[1])];
  const centred = empty(28, 28, 1);
  boxed.values.forEach((value, place) => {
    const [row, column] = [Math.floor(place / boxed.columns), place % boxed.columns];
    centred.values[(top + row) * 28 + left + column] = toWhole(value);
  });
  return { ...cut, boxed, centred, top, left, middle: [top + middle[0], left + middle[1]] };
}

/** Return the smallest part that holds all ink above 40, and where it lies. */
function cutOut({ rows, columns, values }) {
  let [top, bottom, left, right] = [rows, -1, columns, -1];
  values.forEach((value, place) => {
    if (value <= 40) return;
    const [row, column] = [Math.floor(place / columns), place % columns];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  });
  if (bottom < 0) return null;
  const picture = empty(bottom - top + 1, right - left + 1, 1);
  for (let row = 0; row < picture.rows; row += 1) {
    const start = (top + row) * columns + left;
    picture.values.set(values.slice(start, start + picture.columns), row * picture.columns);
  }
  return { picture, frame: [top, left, bottom + 1, right + 1] };
}

/** Return row and column of the centre of mass, counted in pixels from 0. */
export function centreOfMass({ columns, values }) {
  let [sum, down, right] = [0, 0, 0];
  values.forEach((value, place) => {
    sum += value;
    down += value * Math.floor(place / columns);
    right += value * (place % columns);
  });
  return [down / sum, right / sum];
}

/** Return a picture in another size; each new pixel is a mean, weighted by distance (Pillow's BILINEAR). */
export function resize(picture, rows, columns) {
  const { values } = picture;
  const [across, along] = [weighting(picture.columns, columns), weighting(picture.rows, rows)];
  const narrow = Float32Array.from({ length: picture.rows * columns }, (_, place) => {
    const row = Math.floor(place / columns) * picture.columns;
    return across[place % columns].reduce((sum, [pixel, weight]) => sum + weight * values[row + pixel], 0);
  });
  const output = empty(rows, columns, 1);
  return change(output, (_, place) => along[Math.floor(place / columns)]
    .reduce((sum, [pixel, weight]) => sum + weight * narrow[pixel * columns + (place % columns)], 0));
}

/** Return for each new pixel along a side the old pixels that it is a mean of, and their weights. */
function weighting(from, to) {
  const step = from / to;
  const reach = Math.max(step, 1);
  return Array.from({ length: to }, (_, place) => {
    const middle = (place + 0.5) * step;
    const first = Math.max(Math.floor(middle - reach + 0.5), 0);
    const last = Math.min(Math.floor(middle + reach + 0.5), from);
    const pixels = Array.from({ length: last - first }, (_, number) => first + number);
    const weights = pixels.map((pixel) => Math.max(1 - Math.abs(pixel + 0.5 - middle) / reach, 0));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return pixels.map((pixel, number) => [pixel, weights[number] / sum]);
  });
}

/** Round as Python and NumPy do: a half goes to the even number. */
export function toWhole(value) {
  return Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value);
}
