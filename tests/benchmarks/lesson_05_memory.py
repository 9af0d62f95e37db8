"""Lesson 5's memory with the complete number of pictures: 14,034 to train with and 3,000 to test.

    COURSE_DATA_DIR=... python tests/benchmarks/lesson_05_memory.py

Makes a folder with as many files in each class as the published set has, links to the pictures that are
there (each is in it several times), and runs the whole lesson on all of them through
`python -m course run`, for one epoch and with no limit of memory named. Takes about five minutes on two
quiet cores. Exits 1 above the bound, 2 when the lesson could not be run.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from recipes import judged

from helpers import COURSE_FOLDER, datasets

STEM = "05-intel-scenes-cnn"
MOST_MB = 1_350
COUNTS = {  # of the published set, class by class
    "seg_train": (2191, 2271, 2404, 2512, 2274, 2382),
    "seg_test": (437, 474, 553, 525, 510, 501),
}


def make_complete_set(folder: Path) -> None:
    """Fill a folder with links, laid out and counted as the published set."""
    found = datasets.find_intel_scenes()
    for (part, counts), there in zip(COUNTS.items(), (found.train, found.test), strict=True):
        for name, count in zip(found.class_names, counts, strict=True):
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
        command = [sys.executable, "-m", "course", "run", "--lesson", STEM[:2], "--output", str(run)]
        command += ["-p", "epochs=1", "-p", "images_per_class=100000", "--data", str(data)]
        command += ["-p", "data_source=real"]
        unlimited = {name: value for name, value in os.environ.items() if name != "MEM_LIMIT"}
        if subprocess.run(command, cwd=COURSE_FOLDER, env=unlimited, check=False).returncode:
            return 2  # the run has said why
        metrics = json.loads((run / f"{STEM}.json").read_text(encoding="utf-8"))
    peak, counts = metrics["peak_rss_mb"], metrics["data"]["counts"]
    if metrics["data"]["kind"] != "complete":
        print(f"the lesson took this for another set: {metrics['data']}")
        return 2
    return judged(peak < MOST_MB, f"ratio={peak / MOST_MB:.3f} of {MOST_MB:,} MB with {counts}")


if __name__ == "__main__":
    sys.exit(main())
