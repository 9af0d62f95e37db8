import assert from "node:assert/strict";
import { test } from "node:test";
import { challengeSteps, count, keras, NEW, PRESETS, totals } from "../../helpers/labs/src/layer-calculator.numbers.mjs";

const total = (name) => totals(count(PRESETS[name].input, PRESETS[name].layers));

test("the four sources have the parameters that Keras counts", () => {
  assert.deepEqual(["lecture", "assignment", "intel", "vgg16"].map((name) => total(name).parameters),
    [607394, 542230, 135942, 14714688]);
  assert.equal(total("intel").trained, 135814);
  assert.equal(total("vgg16").field, 212);
});

test("a layer that does not fit is named, and those after it wait", () => {
  const faults = (...layers) => count([4, 4, 1], layers).map((one) => one.fault);
  assert.deepEqual(faults({ ...NEW.conv, size: 5 }, NEW.flatten), ["small", "before"]);
  assert.deepEqual(faults({ ...NEW.conv, size: 5, padding: "same" }, NEW.dense), [undefined, "dense"]);
  assert.deepEqual(faults(NEW.flatten, NEW.flatten), [undefined, "flattened"]);
  assert.deepEqual(faults(NEW.flatten, NEW.pool), [undefined, "flat"]);
});

test("the challenge can be met, and each of its conditions counts", () => {
  const conv = (filters, size) => ({ ...NEW.conv, filters, size });
  const layers = [conv(8, 5), NEW.pool, conv(16, 5), NEW.pool, conv(32, 4), NEW.flatten, NEW.dense];
  assert.deepEqual(challengeSteps([28, 28, 1], layers), { digits: true, small: true, sees: true });
  assert.equal(challengeSteps([28, 28, 3], layers).digits, false);
  assert.equal(challengeSteps([28, 28, 1], layers.with(4, conv(320, 4))).small, false);
  assert.equal(challengeSteps([28, 28, 1], layers.with(4, conv(32, 3))).sees, false);
});

test("the code for Keras names strides and padding only where they differ from its own", () => {
  const layers = [{ ...NEW.conv, stride: 2, padding: "same" }, NEW.pool];
  assert.match(keras([8, 8, 1], layers), /Conv2D\(16, 3, strides=2, padding="same"\),\n    layers.MaxPooling2D\(2\),/);
});
