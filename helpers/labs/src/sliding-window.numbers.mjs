// The numbers of lesson 2: sliding, ReLU, pooling, twelve features and their votes. Tables are arrays of rows.

const rows = (drawn) => drawn.split(" ").map((row) => [...row].map((mark) => (mark === "#" ? 1 : -1)));

/** The lecture's X and the O that lesson 2 draws: 9x9 numbers, light is 1 and dark is -1. */
export const LETTERS = {
  X: rows("......... .#.....#. ..#...#.. ...#.#... ....#.... ...#.#... ..#...#.. .#.....#. ........."),
  O: rows("......... ...###... ..#...#.. .#.....#. .#.....#. .#.....#. ..#...#.. ...###... ........."),
};
export const KERNELS = {
  falling: [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]],
  cross: [[1, -1, 1], [-1, 1, -1], [1, -1, 1]],
  rising: [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]],
  edges: [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
  blur: [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
};
export const SEARCHED = ["falling", "cross", "rising"]; // by the lesson's network

export const map = (table, change) => table.map((row) => row.map(change));
const table = (height, width, entry) =>
  Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => entry(row, column)));

/** In how many places a kernel fits along a side. */
export function outputSize(side, kernel, { stride = 1, padding = 0, dilation = 1 } = {}) {
  return Math.floor((side + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/** The numbers that the kernel meets in one place; outside the picture they are 0. */
export function windowAt(picture, kernel, row, column, { stride = 1, padding = 0, dilation = 1 } = {}) {
  const at = (place, step) => place * stride - padding + step * dilation;
  const value = (r, c) => picture[at(row, r)]?.[at(column, c)] ?? 0;
  return table(kernel.length, kernel[0].length, value);
}

export const products = (one, other) => one.map((row, r) => row.map((value, c) => value * other[r][c]));
export const sum = (values) => values.flat().reduce((total, value) => total + value, 0);

/** The sum of products in every place, as `correlate2d` of the course gives it. */
export function correlate(picture, kernel, settings) {
  const height = outputSize(picture.length, kernel.length, settings);
  const width = outputSize(picture[0].length, kernel[0].length, settings);
  return table(height, width, (r, c) => sum(products(windowAt(picture, kernel, r, c, settings), kernel)));
}

export const relu = (values) => map(values, (value) => Math.max(0, value));

/** The largest number of each 2x2 window; at the right and lower edge a window may be smaller. */
export function maxPool(values) {
  const [height, width] = [values.length, values[0].length].map((side) => Math.ceil(side / 2));
  const cut = (r, c) => values.slice(2 * r, 2 * r + 2).map((row) => row.slice(2 * c, 2 * c + 2));
  return table(height, width, (r, c) => Math.max(...cut(r, c).flat()));
}

/** What becomes of a 9x9 picture under one kernel: mean scores, then ReLU and pooled, then pooled again. */
export function stages(picture, kernel) {
  const scores = map(correlate(picture, kernel), (value) => value / 9);
  const pooled = maxPool(relu(scores));
  return [scores, pooled, maxPool(pooled)];
}

/** The twelve numbers of a 9x9 picture. */
export const features = (picture) => SEARCHED.flatMap((name) => stages(picture, KERNELS[name])[2].flat());

const moved = (picture, down, right) => table(9, 9, (r, c) => picture[r - down]?.[c - right] ?? -1);

/** The lesson's votes: by how much nine X's lead over nine O's, and the other way round, number by number. */
function shapeVotes() {
  const mean = (letter) => {
    const near = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => features(moved(letter, down, right))));
    return near[0].map((_, n) => near.reduce((total, one) => total + one[n], 0) / near.length);
  };
  const [meanX, meanO] = [mean(LETTERS.X), mean(LETTERS.O)];
  const share = (one, other) => {
    const leads = one.map((value, n) => Math.max(0, value - other[n]));
    return leads.map((lead) => lead / sum(leads));
  };
  return { X: share(meanX, meanO), O: share(meanO, meanX) };
}
export const VOTES = shapeVotes();

/** The totals for X and for O, and the answer. */
export function vote(picture) {
  const twelve = features(picture);
  const total = (votes) => votes.reduce((all, weight, n) => all + weight * twelve[n], 0);
  const [X, O] = [total(VOTES.X), total(VOTES.O)];
  return { X, O, answer: X > O ? "X" : "O" };
}

/** How many pixels of two pictures differ. */
export const changes = (one, other) => one.flat().filter((value, n) => value !== other.flat()[n]).length;

/** The fewest changed pixels that fool the network: all sets of up to three were tried (tests/benchmarks). */
export const FEWEST = { X: 4, O: 4 };
