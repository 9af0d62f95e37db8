"""The six lessons as programs: nbval on the samples, `course run` on the samples and on the real pictures.

One test is one lesson on one kind of pictures, with all that its run can show: a kernel start takes seconds,
and two workers share the tests out.
"""

import csv
import json
import os
import re
import subprocess
import sys

import pytest

from helpers import COURSE_FOLDER

STEMS = {
    path.stem.partition("-")[0]: path.stem for path in sorted((COURSE_FOLDER / "notebooks").glob("*.ipynb"))
}
DATA = os.environ.get("COURSE_DATA_DIR")
ON_PICTURES = ("01", "04", "05", "06")  # lessons 2 and 3 use no data set: on real pictures, nothing is new
RUNS = [(lesson, "sample") for lesson in reversed(STEMS)] + [(lesson, "real") for lesson in ON_PICTURES]
NBVAL_CELL_SECONDS = 300
LESSON_MB = 1500

# Lowest accuracy and highest loss that a band may begin or end with: guessing among ten, six and two
# classes is right in 0.1, 0.17 and 0.5 of all cases and has a loss of 2.3, 1.79 and 0.69.
LEARNT = {"04": (0.3, 2.0), "05": (0.35, 1.6), "05a": (0.35, 1.6), "05b": (0.35, 1.6), "06": (0.62, 0.6)}

# What the smoke profile reaches. Wide bands: another processor or library version moves the learned
# numbers; a network that has stopped learning, or learns from its test pictures, leaves them. No bands for
# two networks: VGG16 with random weights, and the source's on real scenes, which needs more steps.
BANDS = {
    ("04", "sample"): {
        "lecture": {"test_accuracy": (0.80, 0.99), "test_loss": (0.05, 0.8)},
        "assignment": {"test_accuracy": (0.60, 0.95), "test_loss": (0.2, 1.4)},
        "compact": {"test_accuracy": (0.75, 0.995)},
    },
    ("04", "real"): {
        "lecture": {"test_accuracy": (0.88, 0.96), "test_loss": (0.12, 0.5)},
        "assignment": {"test_accuracy": (0.80, 0.95), "test_loss": (0.15, 0.8)},
        "compact": {"test_accuracy": (0.93, 0.995)},
    },
    ("05", "sample"): {
        "source": {"validation_accuracy": (0.36, 1.0), "test_accuracy": (0.40, 1.0), "test_loss": (0.0, 1.6)},
        "better": {"test_accuracy": (0.40, 1.0)},
    },
    ("05", "real"): {"better": {"test_accuracy": (0.80, 0.99), "test_loss": (0.1, 0.7)}},
    ("05a", "sample"): {
        "source": {"test_accuracy": (0.36, 1.0)},
        "better": {"validation_accuracy": (0.55, 1.0), "test_accuracy": (0.55, 1.0), "test_loss": (0.0, 1.2)},
    },
    ("05b", "sample"): {
        "scaled": {"validation_accuracy": (0.36, 1.0)},
        "better": {"test_accuracy": (0.40, 1.0)},
    },
    ("05b", "real"): {"better": {"test_accuracy": (0.80, 0.99)}},
    ("06", "sample"): {
        "scratch": {
            "validation_accuracy": (0.62, 1.0),
            "test_accuracy": (0.73, 1.0),
            "test_loss": (0.0, 0.5),
        },
        "scenes-base": {"validation_accuracy": (0.74, 1.0), "test_loss": (0.0, 0.4)},
    },
    ("06", "real"): {
        "scratch": {"validation_accuracy": (0.70, 1.0), "test_loss": (0.0, 0.5)},
        "scenes-base": {"validation_accuracy": (0.75, 1.0), "test_loss": (0.0, 0.4)},
    },
}
CARD = COURSE_FOLDER / "data" / "models" / "intel-scenes.json"
SCENES = json.loads(CARD.read_text(encoding="utf-8"))["networks"]["better"]["parameter_count"]
VGG16 = {"vgg16-frozen": 14_977_089, "vgg16-fine-tuned": 14_977_089}
PARAMETER_COUNTS = {
    "04": {"lecture": 607_394, "assignment": 542_230, "compact": 29_050},
    "05": {"source": 135_942, "better": SCENES},
    "05a": {"source": 135_942, "better": 382_374},
    "05b": {"source": 135_942, "scaled": 135_942, "better": SCENES},
    "06": {"scratch": 813_217, "scenes-base": 479_777, **VGG16},
}


def python(arguments, source, folder):
    """Run `python -m ...`, which finds only the pictures that it is meant to find."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COURSE_")}
    kept |= {"COURSE_DATA_SOURCE": source, "COURSE_CACHE_DIR": str(folder / "cache")}
    kept |= {"COURSE_DATA_DIR": DATA} if source == "real" else {}
    how = {"cwd": COURSE_FOLDER, "capture_output": True, "text": True, "timeout": 900, "check": False}
    return subprocess.run([sys.executable, "-m", *arguments], env=kept, **how)


class Run:
    """One finished `course run --profile smoke` of one lesson, and what it left behind."""

    def __init__(self, lesson, source, folder, *arguments):
        self.folder, self.stem = folder / "run", STEMS[lesson]
        command = ["course", "run", "--profile", "smoke", "--lesson", lesson, "--output", str(self.folder)]
        done = python([*command, *arguments], source, folder)
        self.printed = done.stdout + done.stderr
        assert done.returncode == 0, self.printed[-3000:]
        self.rows = list(csv.DictReader((self.folder / "results.csv").open(encoding="utf-8")))
        print(f"lesson {lesson} on {source} pictures: {self.rows[0]['lesson_seconds']} s")

    def text(self, ending):
        return (self.folder / f"{self.stem}.{ending}").read_text(encoding="utf-8")

    def outputs(self):
        """Return all that the cells printed and showed, without the cells themselves."""
        return json.dumps([cell.get("outputs") for cell in json.loads(self.text("ipynb"))["cells"]])

    def networks(self):
        """Return the metrics of each network, without its seconds."""
        networks = json.loads(self.text("json"))["networks"]
        return {name: network | {"train_seconds": None} for name, network in networks.items()}


def check_metrics(run, lesson, source):
    measured = {row["network"]: row for row in run.rows}
    assert set(measured) == set(PARAMETER_COUNTS[lesson])
    for network, row in measured.items():
        if row["status"] == "ok":
            assert int(row["parameter_count"]) == PARAMETER_COUNTS[lesson][network], network
    for network, bands in BANDS[lesson, source].items():
        for metric, (low, high) in bands.items():
            value = float(measured[network][metric])
            assert low <= value <= high, f"{network}: {metric}={value} is not in {low}..{high}"


def check_pages(run):
    pictures = re.findall(r"<img\b[^>]*>", run.text("html"))
    assert pictures, "no picture at all"
    for picture in pictures:
        assert re.search(r'\balt="[^"]{5,}"', picture), f"{picture[:80]} has no alt"
    for path in [*run.folder.glob("*.html"), *run.folder.glob("*.ipynb")]:
        assert str(COURSE_FOLDER) not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize(("lesson", "source"), BANDS)
def test_every_band_excludes_a_network_that_learnt_nothing(lesson, source):
    lowest_accuracy, highest_loss = LEARNT[lesson]
    for network, bands in BANDS[lesson, source].items():
        for metric, (low, high) in bands.items():
            assert high <= highest_loss if metric == "test_loss" else low >= lowest_accuracy, network


@pytest.mark.kernel
@pytest.mark.parametrize("lesson", [*reversed(STEMS)])
def test_nbval_runs_the_lesson_and_its_fixed_outputs_agree(lesson, tmp_path):
    command = ["pytest", "--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={NBVAL_CELL_SECONDS}"]
    command += ["-q", "-p", "no:cacheprovider", f"notebooks/{STEMS[lesson]}.ipynb"]
    done = python(command, "sample", tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"\d+ passed", done.stdout)


@pytest.mark.kernel
@pytest.mark.parametrize(("lesson", "source"), RUNS)
def test_smoke_profile_trains_within_bands_leaves_readable_pages_and_repeats(lesson, source, tmp_path):
    if source == "real" and not DATA:
        pytest.skip("COURSE_DATA_DIR does not name the real pictures")
    run = Run(lesson, source, tmp_path)
    assert {(row["lesson"], row["profile"]) for row in run.rows} == {(STEMS[lesson], "smoke")}
    assert {row["status"] for row in run.rows} <= {"ok", "unavailable"}
    assert max(float(row["peak_rss_mb"]) for row in run.rows) < LESSON_MB
    check_pages(run)
    if lesson in ON_PICTURES:
        assert {row["data"] == "sample" for row in run.rows} == {source == "sample"}
        assert ("BUILT-IN SAMPLE" in run.printed.upper()) == (source == "sample")
    if lesson in PARAMETER_COUNTS:
        check_metrics(run, lesson, source)
        named = len(re.findall(r"\bsample\b", run.outputs()))
        assert named >= 10 if source == "sample" else named == 0, "what cells print names their pictures"
        if source == "sample":
            again = Run(lesson, source, tmp_path / "again")
            assert again.networks() == run.networks(), (
                "the same seed gives the same numbers, to the last digit"
            )


@pytest.mark.kernel
def test_lesson_6_takes_a_weights_file(tmp_path):
    import keras

    file = tmp_path / "own.weights.h5"
    keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3)).save_weights(file)
    run = Run("06", "sample", tmp_path, "-p", "epochs=1", "-p", f"weights={file}")
    assert {run.networks()[name]["weights"] for name in VGG16} == {"file"}
    said = run.outputs()
    assert "VGG16 weights: from the file own.weights.h5." in said
    assert "What is borrowed in this run: VGG16 with loaded weights" in said
    assert "VGG16 with RANDOM weights" in said, "the control, a row of its own"
    assert "RANDOM" not in said.replace("VGG16 with RANDOM weights", "")
    assert "UNAVAILABLE: VGG16" not in said and str(tmp_path) not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--lesson 04 -p epoch=1", ["epoch", "epochs", "compact_epochs", "training_pictures"]),
        ("--lesson 04 -p epochs=0", ["epochs=0", "whole number from 1"]),
        ("--lesson 06 -p image_size=-64", ["image_size=-64"]),
        ("--lesson 9", ["9", "01-how-a-computer-reads-an-image"]),
    ],
)
def test_mistake_is_one_line_that_names_it(arguments, words, tmp_path):
    done = python(["course", "run", *arguments.split()], "sample", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
