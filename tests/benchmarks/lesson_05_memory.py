"""Lesson 5's memory with the complete number of pictures: 14,034 to train with and 3,000 to test.

    COURSE_DATA_DIR=... python tests/benchmarks/lesson_05_memory.py

Makes a folder with as many files in each class as the published set has, links to the pictures that are to
be had (each stands in it several times), and runs the whole lesson on all of them through
`python -m course run`, one epoch for each network. Memory does not depend on what the pictures show.
Takes about five minutes on two quiet cores. Exits 1 above the bound, 2 when the lesson could not be run.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from helpers import datasets

ROOT = Path(__file__).resolve().parents[2]
STEM = "05-intel-scenes-cnn"
MOST_MB = 1_500
COUNTS = {  # of the published set
    "seg_train": dict(zip(datasets.SCENE_CLASSES, (2191, 2271, 2404, 2512, 2274, 2382), strict=True)),
    "seg_test": dict(zip(datasets.SCENE_CLASSES, (437, 474, 553, 525, 510, 501), strict=True)),
}


def make_complete_set(folder: Path) -> None:
    """Fill a folder with links, laid out and counted as the published set."""
    found = datasets.find_intel_scenes()
    for part, there in (("seg_train", found.train), ("seg_test", found.test)):
        for name, count in COUNTS[part].items():
            pictures = sorted(path for path in (there / name).iterdir() if path.is_file())
            target = folder / "intel-scenes" / part / part / name
            target.mkdir(parents=True)
            for number, picture in zip(range(count), itertools.cycle(pictures), strict=False):
                (target / f"{number}{picture.suffix}").symlink_to(picture.resolve())


def main() -> int:
    """Run the lesson, read its metrics and judge."""
    with tempfile.TemporaryDirectory() as temporary:
        data, run = Path(temporary) / "data", Path(temporary) / "run"
        make_complete_set(data)
        command = [sys.executable, "-m", "course", "run", "--lesson", "05", "--data", str(data)]
        parameters = {"epochs": 1, "better_epochs": 1, "images_per_class": 100_000, "data_source": "real"}
        for name, value in parameters.items():
            command += ["-p", f"{name}={value}"]
        start = time.perf_counter()
        environment = {name: value for name, value in os.environ.items() if name != "COURSE_DATA_SOURCE"}
        done = subprocess.run([*command, "--output", str(run)], cwd=ROOT, env=environment, check=False)
        seconds = time.perf_counter() - start
        if done.returncode:
            print(f"the lesson could not be run (exit status {done.returncode})")
            return 2
        metrics = json.loads((run / f"{STEM}.json").read_text(encoding="utf-8"))
    if metrics["data"]["kind"] != "complete":
        print(f"the lesson took this for another set: {metrics['data']}")
        return 2
    peak = metrics["peak_rss_mb"]
    reached, counts = peak < MOST_MB, metrics["data"]["counts"]
    print(
        f"ratio={peak / MOST_MB:.3f} of {MOST_MB:,} MB (peak {peak:,.0f} MB with "
        f"{counts['train']:,} + {counts['test']:,} pictures, {seconds:.0f} s; "
        f"{'below the bound' if reached else 'ABOVE THE BOUND'})"
    )
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
