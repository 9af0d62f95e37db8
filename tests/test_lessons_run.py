"""The lessons as programs: each by `course run` on samples, those that train on real pictures, one by nbval.

What one run can show, no second one repeats: a kernel start takes seconds and a training half a minute.
"""

import csv
import json
import os
import re
import subprocess
import sys
from unittest import mock

import nbformat
import pytest
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from course.cli import main
from course.lessons import find_lessons, read_profile
from helpers import COURSE_FOLDER, published

LESSONS = {lesson.stem.partition("-")[0]: lesson for lesson in find_lessons()}
DATA = os.environ.get("COURSE_DATA_DIR")
REPEATED = "04"  # by nbval as well, with the same profile: the same numbers
WITHOUT_PICTURES = ("01a", "02", "02a", "02b", "03", "03a")
LESSON_MB = 1500


def published_network(name, network):
    """Return what is kept of a network that the course brings along."""
    card = (published.MODELS_FOLDER / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(card)["networks"][network]


COMPACT = published_network("mnist-compact", "compact")["test_accuracy"]
SCENES = published_network("intel-scenes", "better")["parameter_count"]

# Lowest accuracy and highest loss that a band may begin or end with: guessing among ten, six and two
# classes is right in 0.1, 0.17 and 0.5 of all cases and has a loss of 2.3, 1.79 and 0.69.
LEARNT = {"04": (0.3, 2.0), "05": (0.35, 1.6), "06": (0.62, 0.6), "07": (0.5, 0.9)}

# What the smoke profile reaches. Wide bands: another processor or library version moves the learned
# numbers; a network that has stopped learning, or learns from its test pictures, leaves them. No bands for
# two networks: VGG16 with random weights, and the source's on real scenes, which needs more steps.
BANDS = {
    ("04", "sample"): {
        "lecture": {"test_accuracy": (0.80, 0.99), "test_loss": (0.05, 0.8)},
        "assignment": {"test_accuracy": (0.60, 0.95), "test_loss": (0.2, 1.4)},
        "compact": {"test_accuracy": (0.75, 0.995)},
    },
    ("04a", "sample"): {"compact": {"test_accuracy": (0.75, 0.995), "test_loss": (0.01, 0.9)}},
    ("04", "real"): {
        "lecture": {"test_accuracy": (0.88, 0.96), "test_loss": (0.12, 0.5)},
        "assignment": {"test_accuracy": (0.80, 0.95), "test_loss": (0.15, 0.8)},
        "compact": {"test_accuracy": (COMPACT - 3e-4, COMPACT + 3e-4)},  # brought along, measured again
    },
    ("05", "sample"): {
        "source": {"validation_accuracy": (0.36, 1.0), "test_accuracy": (0.40, 1.0), "test_loss": (0.0, 1.6)},
        "better": {"test_accuracy": (0.40, 1.0)},
    },
    ("05", "real"): {"better": {"test_accuracy": (0.80, 0.99), "test_loss": (0.1, 0.7)}},
    ("05a", "sample"): {
        "better": {"validation_accuracy": (0.55, 1.0), "test_accuracy": (0.55, 1.0), "test_loss": (0.0, 1.2)},
    },
    ("05b", "sample"): {
        "scaled": {"validation_accuracy": (0.36, 1.0)},
        "better": {"test_accuracy": (0.40, 1.0)},
    },
    ("05b", "real"): {"better": {"test_accuracy": (0.80, 0.99)}},
    ("06", "sample"): {
        "scratch": {"validation_accuracy": (0.62, 1.0), "test_accuracy": (0.73, 1.0), "test_loss": (0, 0.5)},
    },
    ("06", "real"): {
        "scratch": {"validation_accuracy": (0.70, 1.0), "test_loss": (0.0, 0.5)},
        "mobilenet-frozen": {"validation_accuracy": (0.85, 1.0), "test_accuracy": (0.80, 1.0)},
    },
    ("06a", "sample"): {
        "mobilenet-frozen": {"validation_accuracy": (0.75, 1.0)},
        "mobilenet-fine-tuned": {"validation_accuracy": (0.75, 1.0)},
    },
    ("07", "sample"): {
        "scratch": {"validation_accuracy": (0.5, 0.98)},
        "scenes": {"validation_accuracy": (0.85, 1.0)},
    },
    ("07", "real"): {
        "scenes": {"validation_accuracy": (0.6, 1.0)},
        "mobilenet": {"validation_accuracy": (0.6, 1.0)},
    },
}
PAIRED = ("04", "04a", "05", "06")  # say of each test picture whether a network was right
RUNS = [*((lesson, "sample") for lesson in LESSONS), *(run for run in BANDS if run[1] == "real")]
PARAMETER_COUNTS = {
    "04": {"lecture": 607_394, "assignment": 542_230, "compact": 29_050},
    "04a": {"compact": 29_050},
    "05": {"source": 135_942, "better": SCENES},
    "05a": {"source": 135_942, "better": 382_374},
    "05b": {"source": 135_942, "scaled": 135_942, "better": SCENES},
    "06": {"scratch": 813_217, "mobilenet-frozen": 2_163_905, "vgg16-frozen": 14_716_737},
    "06a": {"mobilenet-frozen": 2_163_905, "mobilenet-fine-tuned": 2_163_905},
    "07": {"scratch": 23_779, "scenes": SCENES - 3 * 307, "mobilenet": 2_165_955},  # a head of three, not six
}


def environment(source, folder):
    """Return what a lesson needs to find the pictures that it is meant to find, and no others."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COURSE_")}
    kept |= {"COURSE_DATA_SOURCE": source, "COURSE_CACHE_DIR": str(folder / "cache")}
    return kept | ({"COURSE_DATA_DIR": DATA} if source == "real" else {})


def networks_by_nbval(lesson, folder):
    """Run a lesson with its smoke profile by nbval; return what it measured."""
    path, metrics = LESSONS[lesson].path, folder / "metrics.json"
    values = read_profile(LESSONS[lesson], "smoke") | {"metrics_path": str(metrics)}
    kernel = {"kernel_name": "python3", "language": "python"}
    nbformat.write(parameterize_notebook(load_notebook_node(str(path)), values, **kernel), folder / path.name)
    kept = environment("sample", folder)
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, [str(COURSE_FOLDER), kept.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", path.name]
    command += ["--nbval-cell-timeout=300", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-4000:] + done.stderr[-2000:]
    return json.loads(metrics.read_text(encoding="utf-8"))["networks"]


def without_seconds(networks):
    return {name: network | {"train_seconds": None} for name, network in networks.items()}


class Run:
    """One finished `course run --profile smoke` of one lesson, and what it left behind."""

    def __init__(self, lesson, source, folder, capsys):
        self.folder, self.stem = folder / "run", LESSONS[lesson].stem
        with mock.patch.dict(os.environ, environment(source, folder), clear=True):
            status = main(["run", "--profile", "smoke", "--lesson", lesson, "--output", str(self.folder)])
        self.printed = "".join(capsys.readouterr())
        assert status == 0, self.printed[-3000:]
        self.rows = list(csv.DictReader((self.folder / "results.csv").open(encoding="utf-8")))

    def text(self, ending):
        return (self.folder / f"{self.stem}.{ending}").read_text(encoding="utf-8")

    def outputs(self):
        """Return all that the cells printed and showed, without the cells themselves."""
        found = [one for cell in json.loads(self.text("ipynb"))["cells"] for one in cell.get("outputs", ())]
        labs = [one for one in found if "[Lab: " in str(one.get("data", {}).get("text/plain"))]
        return json.dumps([one for one in found if one not in labs])

    def networks(self):
        return json.loads(self.text("json"))["networks"]


def check_metrics(run, lesson, source):
    measured = {row["network"]: row for row in run.rows}
    assert set(measured) == set(PARAMETER_COUNTS[lesson])
    for network, row in measured.items():
        if row["status"] == "ok":
            assert int(row["parameter_count"]) == PARAMETER_COUNTS[lesson][network], network
    for network, bands in BANDS.get((lesson, source), {}).items():
        for metric, (low, high) in bands.items():
            value = float(measured[network][metric])
            assert low <= value <= high, f"{network}: {metric}={value} is not in {low}..{high}"
    rights = {name: row for name, row in run.networks().items() if "right" in row}
    assert bool(rights) == (lesson in PAIRED), "runs of a sweep cannot be compared picture by picture"
    for name, row in rights.items():
        assert row["right"].count("1") / len(row["right"]) == pytest.approx(row["test_accuracy"]), name


def fixed_outputs(path):
    """Return what the cells tagged nbval-check-output show, each as its texts by their kind."""
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        if "nbval-check-output" in cell.metadata.get("tags", ()):
            shown = found[cell.source] = {}
            for output in cell.outputs:
                for kind, text in output.get("data", {output.get("name"): output.get("text")}).items():
                    if not kind.startswith("image/"):
                        shown[kind] = shown.get(kind, "") + text
    return found


def check_pages(run):
    pictures = re.findall(r"<img\b[^>]*>", run.text("html"))
    assert pictures, "no picture at all"
    for picture in pictures:
        assert re.search(r'\balt="[^"]{5,}"', picture), f"{picture[:80]} has no alt"
    for path in [*run.folder.glob("*.html"), *run.folder.glob("*.ipynb")]:
        assert str(COURSE_FOLDER) not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize(("lesson", "source"), BANDS)
def test_every_band_excludes_a_network_that_learnt_nothing(lesson, source):
    lowest_accuracy, highest_loss = LEARNT[lesson[:2]]
    for network, bands in BANDS[lesson, source].items():
        for metric, (low, high) in bands.items():
            assert high <= highest_loss if metric == "test_loss" else low >= lowest_accuracy, network


@pytest.mark.kernel
@pytest.mark.parametrize(("lesson", "source"), RUNS)
def test_the_smoke_profile_runs_within_its_bands_and_leaves_readable_pages(lesson, source, tmp_path, capsys):
    if source == "real" and not DATA:
        pytest.skip("COURSE_DATA_DIR does not name the real pictures")
    run = Run(lesson, source, tmp_path, capsys)
    assert {(row["lesson"], row["profile"]) for row in run.rows} == {(LESSONS[lesson].stem, "smoke")}
    assert {row["status"] for row in run.rows} <= {"ok", "unavailable"}
    assert max(float(row["peak_rss_mb"]) for row in run.rows) < LESSON_MB
    check_pages(run)
    on_samples = source == "sample" and lesson not in WITHOUT_PICTURES
    assert {row["data"] == "sample" for row in run.rows} == {on_samples}
    assert ("BUILT-IN SAMPLE" in run.printed.upper()) == on_samples
    if source == "sample":
        assert fixed_outputs(run.folder / f"{run.stem}.ipynb") == fixed_outputs(LESSONS[lesson].path)
    if lesson in PARAMETER_COUNTS:
        check_metrics(run, lesson, source)
    if lesson in ("04", "05", "06", "07"):
        named = len(re.findall(r"\bsample\b", run.outputs()))
        assert named >= 10 if source == "sample" else named == 0, "what cells print names their pictures"
    if (lesson, source) == (REPEATED, "sample"):
        again = without_seconds(networks_by_nbval(lesson, tmp_path))
        assert again == without_seconds(run.networks()), "the same seed gives the same numbers"
