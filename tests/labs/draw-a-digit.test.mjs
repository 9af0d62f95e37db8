import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, centreOfMass, half, prepare, resize, toWhole } from "../../helpers/labs/src/draw-a-digit.numbers.mjs";

const picture = (rows, columns, paint) => ({
  rows, columns, maps: 1,
  values: Float32Array.from({ length: rows * columns }, (_, place) => paint(Math.floor(place / columns), place % columns)),
});

test("sixteen bits are a sign, an exponent and a fraction", () => {
  const known = { 0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125, 0x0001: 2 ** -24, 0x7bff: 65504, 0x8000: -0 };
  for (const [bits, value] of Object.entries(known)) assert.equal(half(Number(bits)), value);
});

test("halves are rounded to the even number, as Python and NumPy do", () => {
  assert.deepEqual([0.5, 1.5, 2.5, 4.5, 2.4, 2.6, -1.5].map(toWhole), [0, 2, 2, 4, 2, 3, -2]);
});

test("a bar anywhere ends 20 pixels long with its centre of mass in the middle", () => {
  for (const [top, left] of [[0, 0], [100, 200], [180, 30]]) {
    const inBar = (row, column) => row >= top && row < top + 100 && column >= left && column < left + 20;
    const { boxed, centred, frame } = prepare(picture(280, 280, (row, column) => (inBar(row, column) ? 255 : 0)));
    assert.deepEqual([boxed.rows, boxed.columns, frame], [20, 4, [top, left, top + 100, left + 20]]);
    for (const middle of centreOfMass(centred)) assert.ok(Math.abs(middle - 14) <= 0.5);
    assert.equal(Math.max(...centred.values), 255);
  }
  assert.equal(prepare(picture(280, 280, () => 0)), null);
});

test("a picture keeps its brightness when it is made smaller, and itself at its own size", () => {
  const slope = picture(12, 8, (row, column) => 10 * row + column);
  assert.deepEqual(resize(slope, 12, 8), slope);
  const mean = ({ values }) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(mean(resize(slope, 6, 4)) - mean(slope)) < 0.01);
});

test("the largest of each window is kept, also where all are below 0", () => {
  const layer = { kind: "MaxPooling2D", pool_size: [2, 2], strides: [2, 2], padding: "same" };
  const [{ rows, columns, values }] = answer([layer], picture(3, 3, (row, column) => -1 - row - column));
  assert.deepEqual([rows, columns, [...values]], [2, 2, [-1, -3, -3, -5]]);
});
