import assert from "node:assert/strict";
import { test } from "node:test";
import * as lab from "../../helpers/labs/src/sliding-window.numbers.mjs";

const { LETTERS, KERNELS, FEWEST } = lab;
const changed = (letter, ...pixels) => LETTERS[letter].map((row, r) =>
  row.map((value, c) => (pixels.includes(9 * r + c) ? -value : value)));

test("the first score of the X is that of the slides", () => {
  const seen = lab.windowAt(LETTERS.X, KERNELS.falling, 0, 0);
  assert.deepEqual(seen, [[-1, -1, -1], [-1, 1, -1], [-1, -1, 1]]);
  assert.equal(lab.sum(lab.products(seen, KERNELS.falling)), 7);
});

test("padding, stride and dilation decide where the window lies", () => {
  const seen = lab.windowAt([[1, 2], [3, 4]], KERNELS.blur, 0, 0, { stride: 1, padding: 1, dilation: 1 });
  assert.deepEqual(seen, [[0, 0, 0], [0, 1, 2], [0, 3, 4]]);
  assert.equal(lab.outputSize(9, 3, { stride: 2, padding: 2, dilation: 3 }), 4);
});

test("a last incomplete window is pooled with what it holds", () => {
  assert.deepEqual(lab.maxPool([[1, 2, -3], [0, 1, -4], [-5, -6, -7]]), [[2, -3], [-5, -7]]);
});

test("four changed pixels fool the network, either way, and three of these do not", () => {
  const pixels = { X: [30, 44, 50, 52], O: [10, 30, 40, 50] };
  for (const [letter, fooled] of [["X", "O"], ["O", "X"]]) {
    assert.equal(lab.vote(LETTERS[letter]).answer, letter);
    assert.equal(lab.vote(changed(letter, ...pixels[letter])).answer, fooled);
    assert.equal(lab.vote(changed(letter, ...pixels[letter].slice(1))).answer, letter);
    assert.equal(lab.changes(changed(letter, ...pixels[letter]), LETTERS[letter]), FEWEST[letter]);
  }
});
