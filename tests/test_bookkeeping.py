"""A lesson's parameters, its clock and the file with its numbers."""

import json
import os
import subprocess
import sys
import types
from functools import partial
from unittest.mock import Mock

import numpy as np
import pytest

from helpers import CourseError, bookkeeping, files

STEM = "04-mnist-digits-cnn"
WHOLE, NUMBER, SWITCH, WORDS, TEXT = (1, 1_000), (0.0, 100.0), (False, True), ("imagenet", "random"), "a file"


@pytest.mark.parametrize(
    ("value", "rule"),
    [(1, WHOLE), (1_000, WHOLE), (0.001, NUMBER), (100, NUMBER), (True, SWITCH), ("random", WORDS)],
)
def test_allowed_values_pass(value, rule):
    bookkeeping.check_parameter("epochs", value, rule)


@pytest.mark.fault
@pytest.mark.parametrize(
    ("value", "rule", "allowed"),
    [
        (0, WHOLE, "a whole number from 1 to 1,000"),
        (2.0, WHOLE, "a whole number"),
        (True, WHOLE, "a whole number"),
        (0, NUMBER, "a number above 0 and at most 100"),
        (100.1, NUMBER, "at most 100"),
        (float("nan"), NUMBER, "above 0"),
        (1, SWITCH, "one of False, True"),
        ("vgg", WORDS, 'one of "imagenet", "random"'),
        (3, TEXT, "text: a file"),
    ],
)
def test_wrong_values_are_named_with_what_is_allowed(value, rule, allowed):
    said = rf"^epochs={value!r} is not allowed: epochs must be .*{allowed}.*$"
    with pytest.raises(CourseError, match=said):
        bookkeeping.check_parameter("epochs", value, rule)


def test_an_authors_mistakes_are_refused():
    with pytest.raises(TypeError, match="no rule for epochs"):
        bookkeeping.start_lesson(STEM, epochs=3)
    record = partial(bookkeeping.start_lesson(STEM).record_network, "a", weights="random", parameter_count=1)
    with pytest.raises(TypeError, match="acuracy"):
        record(acuracy=1.0)
    for right in (0.5, [1, 0], [[True, False]]):
        with pytest.raises(TypeError, match=r"^right= is \S+ of shape .+ for each test picture, \(n,\)$"):
            record(right=right)


def test_error_shows_as_one_line_in_a_notebook():
    assert CourseError("a thing: a remedy")._render_traceback_() == ["CourseError: a thing: a remedy"]


@pytest.mark.fault
def test_a_name_that_papermill_injected_and_the_lesson_lacks_stops_it(monkeypatch):
    shell = types.SimpleNamespace(user_ns={"In": ["", "epochs = 3", "# Parameters\nepoch = 3\n"]})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    rules = {"epochs": WHOLE}
    with pytest.raises(CourseError, match="unknown parameter 'epoch'; lesson 04.* has: epochs$"):
        bookkeeping.start_lesson(STEM, rules=rules, epochs=3)
    shell.user_ns["In"][-1] = "# Parameters\nepochs = 3\n"
    assert bookkeeping.start_lesson(STEM, rules=rules, epochs=3).parameters == {"epochs": 3}


def test_metrics_file_holds_the_schema(tmp_path, capsys):
    path = tmp_path / "04.json"
    lesson = bookkeeping.start_lesson(STEM, seed=3, metrics_path=str(path))
    lesson.use_data(types.SimpleNamespace(name="MNIST", kind="sample", counts={"training": 5}))
    metrics = {"test_accuracy": np.float32(0.5), "test_loss": np.nan}
    right = np.arange(7) % 3 == 1
    lesson.record_network("lecture", weights="random", parameter_count=np.int64(12), right=right, **metrics)
    lesson.finish()
    content = json.loads(path.read_text())
    row = content["networks"]["lecture"]
    seconds, memory, versions = (content.pop(key) for key in ("seconds", "peak_rss_mb", "versions"))
    assert content == {
        "lesson": STEM,
        "parameters": {"seed": 3, "metrics_path": str(path)},
        "data": {"name": "MNIST", "kind": "sample", "counts": {"training": 5}},
        "networks": {"lecture": row},
    }
    measured = {"test_accuracy": 0.5, "test_loss": None, "right": "0100100"}
    assert row == {"weights": "random", "parameter_count": 12} | measured
    assert versions["numpy"] == np.__version__ and seconds >= 0 and memory > 20
    assert [item.name for item in tmp_path.iterdir()] == ["04.json"]
    assert sys.platform == "win32" or path.stat().st_mode & 0o444 == 0o444, "only its owner can read it"
    assert "MB of memory" in capsys.readouterr().out


@pytest.mark.fault
@pytest.mark.parametrize(
    ("place", "reason"),
    [("none/04.json", "No such"), (".", "not a regular file"), ("/dev/null", "not a regular")],
)
def test_metrics_path_that_cannot_be_written_fails_at_the_start(place, reason, tmp_path):
    with pytest.raises(CourseError, match=rf"^metrics_path=.* cannot be written \(.*{reason}.*\): choose"):
        bookkeeping.start_lesson(STEM, metrics_path=str(tmp_path / place))


@pytest.mark.fault
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_links_and_pipes_are_never_replaced_by_a_file(tmp_path):
    target = tmp_path / "theirs.txt"
    target.write_text("theirs")
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(target)
    os.mkfifo(pipe)
    for path in (link, pipe):
        with pytest.raises(CourseError, match="not a regular file"):
            files.write_json(path, {})
    assert link.is_symlink() and pipe.is_fifo() and target.read_text() == "theirs"


@pytest.mark.fault
def test_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "04.json"
    files.write_json(path, {"old": 1})
    full = Mock(side_effect=OSError(28, "No space left on device"))
    monkeypatch.setattr(files.Path, "replace", full)
    with pytest.raises(CourseError, match="No space left on device"):
        files.write_json(path, {"new": 2})
    assert json.loads(path.read_text()) == {"old": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["04.json"]


def test_a_lessons_memory_is_its_own_and_not_that_of_the_process_that_started_it():
    held = np.ones(50_000_000)  # 400 MB
    line = "from helpers.bookkeeping import peak_memory_mb; print(peak_memory_mb())"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert 10 < float(done.stdout) < held.nbytes / 1e6 / 2
