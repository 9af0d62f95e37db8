// The numbers of lesson 3: four pictures with two features each, two votes for X, softmax, cross-entropy,
// slopes and steps. Nothing here touches the page.

export const PICTURES = [[1.0, 0.5], [0.9, 1.0], [0.6, 0.2], [0.5, 0.6]]; // line and cross of each picture
export const LABELS = ["X", "X", "O", "O"];
export const VOTES_FOR_O = [1.0, -1.0]; // they stay as they are
export const START = [1.0, 1.0]; // the votes for X of line and cross
export const STEPS = 40; // a run, as in the lesson
export const ARRIVED = 0.001; // above the floor: the lesson's race counts the same

/** Return the share that softmax gives to X. */
export function shareOfX(votes, picture) {
  const forX = picture[0] * votes[0] + picture[1] * votes[1];
  const forO = picture[0] * VOTES_FOR_O[0] + picture[1] * VOTES_FOR_O[1];
  const largest = Math.max(forX, forO); // taken away first: e^1000 is too large for the computer
  const [powerX, powerO] = [Math.exp(forX - largest), Math.exp(forO - largest)];
  return powerX / (powerX + powerO);
}

/** Return -ln of the share of the true class, of one picture. */
export function lossOf(votes, number) {
  const share = shareOfX(votes, PICTURES[number]);
  return -Math.log(Math.max(LABELS[number] === "X" ? share : 1 - share, 1e-300));
}

/** Return the mean loss of the four pictures. */
export function lossAt(votes) {
  return PICTURES.reduce((sum, _, number) => sum + lossOf(votes, number), 0) / PICTURES.length;
}

/** Return each picture's slopes, (p - y) * x, for the two votes for X. */
export function pulls(votes) {
  return PICTURES.map((picture, number) => {
    const wrong = shareOfX(votes, picture) - (LABELS[number] === "X" ? 1 : 0);
    return picture.map((feature) => wrong * feature);
  });
}

/** Return the slopes of the mean loss: the mean of the pictures' slopes. */
export function slopesAt(votes) {
  const all = pulls(votes);
  return [0, 1].map((vote) => all.reduce((sum, pull) => sum + pull[vote], 0) / all.length);
}

/**
 * Take one step: momentum times the last change, minus rate times slope. With `one` true only the cross's
 * vote moves. Returns the new votes and the change that led there.
 */
export function step({ votes, change }, rate, momentum, one) {
  const slopes = slopesAt(votes);
  const next = change.map((last, vote) => (one && vote === 0 ? 0 : momentum * last - rate * slopes[vote]));
  return { votes: votes.map((value, vote) => value + next[vote]), change: next };
}

/** Return the places before the first step and after each of `count` steps. */
export function walk(rate, momentum = 0, one = false, count = STEPS, start = START) {
  const path = [{ votes: start, change: [0, 0] }];
  while (path.length <= count) path.push(step(path.at(-1), rate, momentum, one));
  return path.map((place) => place.votes);
}

/** Return the floor of the valley, found as in the lesson: 3,000 steps at rate 5. */
export function findFloor(one) {
  return walk(5, 0, one, 3000).at(-1);
}

/**
 * Judge a path: how many steps go uphill, how many turn back on the step before (they jump across the
 * valley), and from which step on it stays within ARRIVED of the floor (-1: it does not).
 */
export function judge(path, floorLoss) {
  const losses = path.map(lossAt);
  const uphill = losses.filter((loss, number) => number && loss - losses[number - 1] > 1e-12).length;
  const moves = path.slice(1).map((votes, number) => votes.map((vote, which) => vote - path[number][which]));
  const back = moves.filter(([line, cross], number) => {
    const [lastLine, lastCross] = moves[number - 1] ?? [0, 0];
    return line * lastLine + cross * lastCross < -1e-12;
  }).length;
  let arrived = losses.length;
  while (arrived && losses[arrived - 1] - floorLoss < ARRIVED) arrived -= 1;
  return { uphill, back, arrived: arrived < losses.length ? arrived : -1 };
}

/**
 * Try the rates 0.1, 0.2, ... 25 without momentum: from which one on the walk turns back, which is the
 * largest that arrives, and at which step the quickest of them does.
 */
export function survey(one) {
  const floorLoss = lossAt(findFloor(one));
  const rates = Array.from({ length: 250 }, (_, number) => (number + 1) / 10);
  const runs = rates.map((rate) => ({ rate, ...judge(walk(rate, 0, one), floorLoss) }));
  const arrived = runs.filter((run) => run.arrived >= 0);
  return {
    bounces: runs.find((run) => run.back > 0).rate,
    largest: arrived.at(-1).rate,
    quickest: Math.min(...arrived.map((run) => run.arrived)),
  };
}

/** Return segments [[x, y], [x, y]], in cells, where heights[row][column] cross a level. */
export function contour(heights, level) {
  const segments = [];
  for (let row = 0; row + 1 < heights.length; row += 1) {
    for (let column = 0; column + 1 < heights[0].length; column += 1) {
      const corners = [[0, 0], [1, 0], [1, 1], [0, 1]].map(([right, down]) => [column + right, row + down]);
      const crossings = corners.flatMap(([x, y], side) => {
        const [nextX, nextY] = corners[(side + 1) % 4];
        const [here, there] = [heights[y][x] - level, heights[nextY][nextX] - level];
        const part = here / (here - there);
        return here < 0 !== there < 0 ? [[x + part * (nextX - x), y + part * (nextY - y)]] : [];
      });
      for (let pair = 0; pair < crossings.length; pair += 2) segments.push(crossings.slice(pair, pair + 2));
    }
  }
  return segments;
}
