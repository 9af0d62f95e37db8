"""What the lessons reached is kept, and a value that leaves the band of its own history is an error."""

import json

import numpy as np
import pytest

from course.cli import main
from course.history import COLUMNS, band, keep_history, read_rows
from course.lessons import NOTEBOOKS, read_lesson
from course.results import Outcome, csv_text
from helpers import COURSE_FOLDER, CourseError, published

STORED = COURSE_FOLDER / "data" / "results" / "history.csv"
(DIGITS,) = NOTEBOOKS.glob("04-*.ipynb")


def run_folder(tmp_path, *, accuracy=0.98, kind="complete", error="", changed=(), day="2026-12-07"):
    """Write what a full run of lesson 4 leaves, with one network; return its results.csv."""
    lesson = read_lesson(DIGITS)
    network = {"weights": "random", "parameter_count": 9, "test_accuracy": accuracy, "test_loss": 0.1}
    metrics = {
        "networks": {"one, of two": network, "gone": {"weights": "unavailable", "parameter_count": 3}},
        "data": {"kind": kind, "counts": {"train": 60_000, "test": 10_000}, "used": {"train": 500}},
        "versions": {"tensorflow": "2.99.0", "keras": "3.99.0"},
    }
    folder = tmp_path / f"{day}T03-17-00"
    folder.mkdir()
    (folder / f"{lesson.stem}.json").write_text(json.dumps(metrics))
    outcome = Outcome(lesson, "full", 9.0, error, metrics, dict(changed))
    (folder / "results.csv").write_text(csv_text([outcome]))
    return folder / "results.csv"


def test_a_run_on_real_pictures_adds_a_row_for_each_measured_network_once(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_SHA", "0123456789abcdef")
    path, results = tmp_path / "history.csv", run_folder(tmp_path)
    assert keep_history([results, results], path=path) == 0
    (row,) = read_rows(path, COLUMNS)
    assert ",".join(row.values()) == (
        f"2026-12-07,0123456,{DIGITS.stem},one, of two,random,full,complete,10000,2.99.0,3.99.0,"
        "test_accuracy,0.980000"
    )
    keep_history([results], path=path)
    assert len(read_rows(path, COLUMNS)) == 1
    assert capsys.readouterr().out.endswith("0 row(s) added\n")


@pytest.mark.parametrize(
    "run",
    [{"kind": "sample"}, {"changed": {"epochs": 1}}, {"error": "cell 7: stopped"}],
    ids=lambda run: list(run)[0],
)
def test_what_says_nothing_about_the_course_is_left_out(tmp_path, run):
    path = tmp_path / "history.csv"
    keep_history([run_folder(tmp_path, **run)], path=path)
    assert not path.exists()


def weeks(tmp_path, *values):
    """Keep a history of one network, a week a value; return its path."""
    path = tmp_path / "history.csv"
    for number, value in enumerate(values):
        keep_history([run_folder(tmp_path, accuracy=value, day=f"2026-12-{number + 1:02d}")], path=path)
    return path


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ((0.980, 0.981, 0.979, 0.980), 0),
        ((0.980, 0.981, 0.979, 0.970), 1),  # fewer right: seven times what chance allows
        ((0.980, 0.981, 0.979, 0.990), 1),  # more right: the lesson's words are no longer true
        ((0.980, 0.981, 0.500), 0),  # two earlier values are no history
        ((0.980, 0.981, 0.979, 0.500, 0.980), 0),  # one bad week, over
        ((0.980, 0.981, 0.979, 0.500, 0.970), 1),  # and it has not widened the band
        ((0.970, 0.990, 0.975, 0.985, 0.965), 0),  # these runs have always differed so much
    ],
)
def test_a_newest_value_outside_its_band_is_an_error(tmp_path, capsys, values, status):
    assert keep_history(check=True, path=weeks(tmp_path, *values)) == status
    said = capsys.readouterr()
    if status:
        assert f"{DIGITS.stem} one, of two random full complete test_accuracy: {values[-1]:.4f}" in said.err
        assert "TensorFlow 2.99.0, Keras 3.99.0" in said.err
    else:
        assert "no newest value is outside" in said.out


def test_one_more_mistake_in_fifteen_pictures_is_no_alarm():
    low, high = band([1.0, 1.0, 1.0, 14 / 15], 15)
    assert low < 13 / 15 and high >= 1


def test_chance_alone_gives_an_alarm_in_fewer_than_two_of_a_hundred_weeks():
    draw = np.random.default_rng(0).binomial(2158, 0.84, (2000, 9)) / 2158
    alarms = [not low <= last <= high for *before, last in draw for low, high in [band(before, 2158)]]
    assert 0 < np.mean(alarms) < 0.02


def test_the_stored_history_is_what_the_full_runs_measured_and_inside_its_bands():
    rows = read_rows(STORED, COLUMNS)
    assert len(rows) >= 14 and all(0 < float(row["value"]) <= 1 for row in rows)
    runs = published.load_result("04a")["recipes"]
    first = {row["network"]: float(row["value"]) for row in rows if row["lesson"].startswith("04a")}
    for network, kept in runs.items():
        assert first[network] == pytest.approx(np.median([run["test_accuracy"] for run in kept]))
    assert main(["history", "--check"]) == 0


@pytest.mark.fault
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read (FileNotFoundError): name a results.csv"),
        (b"a,b\n1,2\n", "lacks the column 'lesson': it is not the table of a run"),
        (b"\xff\xfe\x00", "cannot be read (UnicodeDecodeError)"),
    ],
)
def test_a_table_that_is_no_results_is_one_line(tmp_path, content, says):
    path = tmp_path / "results.csv"
    if content:
        path.write_bytes(content)
    with pytest.raises(CourseError) as caught:
        keep_history([path], path=tmp_path / "history.csv")
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.fault
def test_a_run_without_its_json_is_one_line(tmp_path):
    results = run_folder(tmp_path)
    (results.parent / f"{DIGITS.stem}.json").unlink()
    with pytest.raises(CourseError, match=rf"lacks a readable {DIGITS.stem}\.json of this run"):
        keep_history([results], path=tmp_path / "history.csv")
    assert not (tmp_path / "history.csv").exists()
