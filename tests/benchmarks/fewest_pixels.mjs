// Lab 1: how many sets of up to four pixels fool the network? Run: node tests/benchmarks/fewest_pixels.mjs [most]
// Up to three (the default) take some two minutes and print only zeros; a set of four is in tests/labs/.
import { LETTERS, vote } from "../../helpers/labs/src/sliding-window.numbers.mjs";

const most = Number(process.argv[2] ?? 3);
for (const [letter, drawn] of Object.entries(LETTERS)) {
  const picture = drawn.map((row) => [...row]);
  const turn = (pixel) => { picture[Math.floor(pixel / 9)][pixel % 9] *= -1; };
  const fooled = (pixels, first = 0) => {
    if (pixels === 0) return Number(vote(picture).answer !== letter);
    let sets = 0;
    for (let pixel = first; pixel < 81; pixel++) {
      turn(pixel);
      sets += fooled(pixels - 1, pixel + 1);
      turn(pixel);
    }
    return sets;
  };
  for (let pixels = 0; pixels <= most; pixels++) console.log(`${letter}: ${fooled(pixels)} sets of ${pixels} pixels`);
}
