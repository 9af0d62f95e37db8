"""How fast helpers.convolution.correlate2d is, beside SciPy and beside lesson 2's plain loop.

Run from the checkout: ``python tests/benchmarks/lesson_02.py`` (about 10 seconds). The picture is
grey, 512x512, the kernel 3x3. The bound: at most SciPy's time, and at most a hundredth of the
loop's. The last line's ratio is the smaller of the two margins; below 1 the exit status is 1.
"""

import statistics
import sys
import time

import numpy as np
from recipes import judged
from scipy.signal import correlate2d as scipy_correlate2d

from helpers.convolution import correlate2d

SIDE, LOOP_FACTOR, ROUNDS, LOOP_ROUNDS = 512, 100, 31, 3


def plain_loop(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Lesson 2's first version: one window after another."""
    rows, columns = kernel.shape
    result = np.zeros((image.shape[0] - rows + 1, image.shape[1] - columns + 1))
    for row, column in np.ndindex(result.shape):
        result[row, column] = (image[row : row + rows, column : column + columns] * kernel).sum()
    return result


def main() -> int:
    """Measure, print and judge."""
    rng = np.random.default_rng(0)
    image, kernel = rng.uniform(0, 255, (SIDE, SIDE)), rng.normal(size=(3, 3))
    calls = {
        "helpers.convolution": lambda: correlate2d(image, kernel),
        "scipy.signal": lambda: scipy_correlate2d(image, kernel, mode="valid"),
        "plain loop": lambda: plain_loop(image, kernel),
    }
    first, *others = (call() for call in calls.values())  # also the warm-up, which is not timed
    np.testing.assert_allclose(others, [first, first], atol=1e-9)

    times: dict[str, list[float]] = {name: [] for name in calls}
    for round_number in range(ROUNDS):  # in turns, so that a busy moment hits all alike
        for name, call in calls.items():
            if name != "plain loop" or round_number < LOOP_ROUNDS:
                start = time.perf_counter()
                call()
                times[name].append(1000 * (time.perf_counter() - start))
    for name, values in times.items():
        print(f"{name:20} median {statistics.median(values):9.3f} ms, best {min(values):9.3f} ms")
    ours, theirs, loop = map(statistics.median, times.values())
    ratio = min(theirs / ours, loop / (LOOP_FACTOR * ours))
    line = f"ratio={ratio:.3f} ({theirs / ours:.2f} times faster than scipy.signal, at least 1 is asked; "
    return judged(ratio >= 1, line + f"{loop / ours:.0f} times faster than the loop, {LOOP_FACTOR} is asked)")


if __name__ == "__main__":
    sys.exit(main())
