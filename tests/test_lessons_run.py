"""The six lessons as programs: nbval on the samples, papermill on the samples and on the real pictures.

Learned metrics lie in bands, wide enough for another processor or library version; the same run
twice gives the same numbers to the last digit.
"""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NBVAL_CELL_SECONDS = 300
LESSON_SECONDS = 60  # the promise of the smoke profile, on two cores
LESSON_MB = 1500
DATA = os.environ.get("COURSE_DATA_DIR")

# What the smoke profile reaches. Wide bands: another processor or library version moves the learned
# numbers; a network that has stopped learning, or learns from its test pictures, leaves them.
SAMPLE_BANDS = {
    "lecture": {"test_accuracy": (0.80, 0.99), "test_loss": (0.05, 0.8)},
    "assignment": {"test_accuracy": (0.60, 0.95), "test_loss": (0.2, 1.4)},
    "compact": {"test_accuracy": (0.75, 0.995)},
    "source": {"test_accuracy": (0.10, 0.80)},
    "scratch": {"test_accuracy": (0.60, 1.0), "validation_accuracy": (0.60, 1.0)},
    "vgg16-frozen": {"validation_accuracy": (0.30, 1.0)},
    "better": {"test_accuracy": (0.60, 1.0), "validation_accuracy": (0.60, 1.0)},
    "scenes-base": {"test_accuracy": (0.70, 1.0), "test_loss": (0.0, 0.7)},
}
REAL_BANDS = {
    "lecture": {"test_accuracy": (0.88, 0.96), "test_loss": (0.12, 0.5)},
    "assignment": {"test_accuracy": (0.80, 0.95), "test_loss": (0.15, 0.8)},
    "compact": {"test_accuracy": (0.93, 0.995)},
    "source": {"test_accuracy": (0.10, 0.60)},
    "scratch": {"validation_accuracy": (0.45, 1.0)},
    "better": {"test_accuracy": (0.25, 0.85)},
    "scenes-base": {"validation_accuracy": (0.70, 1.0)},
}
PARAMETER_COUNTS = {
    "lecture": 607_394,
    "assignment": 542_230,
    "compact": 29_050,
    "source": 135_942,
    "better": 382_374,
    "scratch": 813_217,
    "vgg16-frozen": 14_977_089,
    "vgg16-fine-tuned": 14_977_089,
    "scenes-base": 479_777,
}


def environment(source, tmp_folder):
    """Return the environment of a run that finds only what it is meant to find."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COURSE_")}
    kept |= {"COURSE_DATA_SOURCE": source, "COURSE_CACHE_DIR": str(tmp_folder / "cache")}
    if source == "real":
        kept["COURSE_DATA_DIR"] = DATA
    return kept


class Run:
    """One finished `python -m course run`: what it printed and what it left behind."""

    def __init__(self, source, folder, *arguments):
        self.folder = folder / "run"
        command = [sys.executable, "-m", "course", "run", "--profile", "smoke", "--output", str(self.folder)]
        result = subprocess.run(
            [*command, *arguments],
            cwd=ROOT,
            env=environment(source, folder),
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        self.status, self.printed = result.returncode, result.stdout + result.stderr
        with (self.folder / "results.csv").open(encoding="utf-8") as file:
            self.rows = list(csv.DictReader(file))

    def metrics(self, stem):
        return json.loads((self.folder / f"{stem}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory):
    return Run("sample", tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def real_run(tmp_path_factory):
    if not DATA:
        pytest.skip("COURSE_DATA_DIR does not name the real pictures")
    return Run("real", tmp_path_factory.mktemp("real"))


# --- nbval: the notebooks as they are, with their defaults, on the samples --------------------------


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem[:2])
def test_nbval_runs_the_lesson_and_its_fixed_outputs_agree(path, tmp_path):
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env"),
            *(f"--nbval-cell-timeout={NBVAL_CELL_SECONDS}", "-q", "-p", "no:cacheprovider", str(path)),
        ],
        cwd=ROOT,
        env=environment("sample", tmp_path),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    assert re.search(r"\d+ passed", result.stdout)


# --- papermill: the smoke profile -------------------------------------------------------------------


def check_run(run, kind):
    assert run.status == 0, run.printed[-3000:]
    assert {row["lesson"] for row in run.rows} == {path.stem for path in NOTEBOOKS}
    for row in run.rows:
        assert row["status"] in ("ok", "unavailable"), row
        assert row["profile"] == "smoke"
        assert float(row["lesson_seconds"]) < 3 * LESSON_SECONDS, row  # a busy machine may be slower
        assert float(row["peak_rss_mb"]) < LESSON_MB, row
        if row["lesson"][:2] in ("04", "05", "06"):
            assert row["data"] in kind, row


def check_bands(run, bands):
    measured = {row["network"]: row for row in run.rows if row["network"]}
    assert set(measured) == set(PARAMETER_COUNTS)
    for network, row in measured.items():
        if row["status"] != "unavailable":
            assert int(row["parameter_count"]) == PARAMETER_COUNTS[network], network
    for network, band in bands.items():
        for metric, (low, high) in band.items():
            value = float(measured[network][metric])
            assert low <= value <= high, f"{network}: {metric}={value} is not in {low}..{high}"


def test_smoke_profile_on_the_samples(sample_run):
    check_run(sample_run, ("sample",))
    assert "BUILT-IN SAMPLE" in sample_run.printed.upper()


def test_metrics_on_the_samples_lie_in_their_bands(sample_run):
    check_bands(sample_run, SAMPLE_BANDS)


def test_every_picture_of_every_page_has_its_text_alternative(sample_run):
    for path in NOTEBOOKS:
        page = (sample_run.folder / f"{path.stem}.html").read_text(encoding="utf-8")
        pictures = re.findall(r"<img\b[^>]*>", page)
        assert pictures, f"{path.stem}: no picture at all"
        for picture in pictures:
            assert re.search(r'\balt="[^"]{5,}"', picture), f"{path.stem}: {picture[:80]} has no alt"


def test_pages_and_notebooks_name_no_folder_of_the_machine(sample_run):
    for path in [*sample_run.folder.glob("*.html"), *sample_run.folder.glob("*.ipynb")]:
        assert str(ROOT) not in path.read_text(encoding="utf-8"), path.name


def test_sample_numbers_carry_their_mark_in_the_notebook(sample_run):
    for path in NOTEBOOKS[3:]:
        text = (sample_run.folder / path.name).read_text(encoding="utf-8")
        assert "sample" in text.lower(), path.stem


def without_times(metrics):
    networks = {
        name: {key: value for key, value in network.items() if key != "train_seconds"}
        for name, network in metrics["networks"].items()
    }
    return metrics["data"], networks


def test_same_seed_gives_the_same_numbers_to_the_last_digit(sample_run, tmp_path):
    again = Run("sample", tmp_path, "--lesson", "04", "05", "06")
    assert again.status == 0, again.printed[-3000:]
    for path in NOTEBOOKS[3:]:
        first, second = sample_run.metrics(path.stem), again.metrics(path.stem)
        assert first["networks"], path.stem
        assert without_times(first) == without_times(second)


def test_smoke_profile_on_the_real_pictures(real_run):
    check_run(real_run, ("complete", "partial"))
    assert "BUILT-IN SAMPLE" not in real_run.printed.upper()


def test_metrics_on_the_real_pictures_lie_in_their_bands(real_run):
    check_bands(real_run, REAL_BANDS)


# --- a user's mistake ------------------------------------------------------------------------------


def course(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "-m", "course", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--profile", "smoke", "--lesson", "04", "-p", "epoch=1"],
            ["epoch", "epochs", "compact_epochs", "training_pictures"],
        ),
        (["--lesson", "04", "-p", "epochs=0"], ["epochs=0", "whole number from 1"]),
        (["--lesson", "04", "-p", "epochs=many"], ["epochs", "many"]),
        (["--lesson", "06", "-p", "image_size=-64"], ["image_size=-64"]),
        (["--lesson", "9"], ["9", "01-how-a-computer-reads-an-image"]),
        (["--profile", "quick"], ["quick", "smoke", "class", "full"]),
        (["--data", "no/such/folder"], ["no/such/folder"]),
    ],
)
def test_mistake_is_one_line_that_names_it(arguments, words):
    result = course("run", *arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr
