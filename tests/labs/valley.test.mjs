import assert from "node:assert/strict";
import { test } from "node:test";
import * as valley from "../../helpers/labs/src/valley.numbers.mjs";

const near = (found, wanted, room) => assert.ok(Math.abs(found - wanted) < room, `${found}, not ${wanted}`);

test("the slopes are those that nudging gives", () => {
  for (const votes of [[1, 1], [-3, 2.5], [8, -8]]) {
    const slopes = valley.slopesAt(votes);
    for (const which of [0, 1]) {
      const aside = (nudge) => valley.lossAt(votes.map((vote, number) => (number === which ? vote + nudge : vote)));
      near(slopes[which], (aside(1e-5) - aside(-1e-5)) / 2e-5, 1e-8);
    }
  }
});

test("where only the cross's vote may move, the line's stays, and the floor has no slope", () => {
  const path = valley.walk(15, 0.5, true);
  assert.equal(path.length, 41);
  assert.ok(path.every(([line]) => line === 1));
  near(valley.slopesAt(valley.findFloor(true))[1], 0, 1e-9);
  for (const slope of valley.slopesAt(valley.findFloor(false))) near(slope, 0, 1e-9);
});

test("the largest rate that arrives is 9, and 9.1 climbs out", () => {
  assert.deepEqual(valley.survey(false), { bounces: 5.6, largest: 9, quickest: 11 });
  const floorLoss = valley.lossAt(valley.findFloor(false));
  const judged = (rate) => valley.judge(valley.walk(rate), floorLoss);
  assert.deepEqual(judged(5), { uphill: 0, back: 0, arrived: 17 });
  assert.equal(judged(9).uphill, 0);
  assert.ok(judged(9).arrived >= 0 && judged(9.1).arrived === -1 && judged(9.1).uphill > 0);
  assert.equal(judged(0.2).arrived, -1);
});

test("a contour lies where the heights have its level", () => {
  const heights = Array.from({ length: 9 }, (_, y) => Array.from({ length: 9 }, (_, x) => Math.hypot(x - 4, y - 4)));
  const ends = valley.contour(heights, 2.5).flat();
  assert.ok(ends.length > 20);
  for (const [x, y] of ends) near(Math.hypot(x - 4, y - 4), 2.5, 0.15);
  assert.deepEqual(valley.contour(heights, 20), []);
});
