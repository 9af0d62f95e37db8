"""Running lessons: what a run leaves behind, what a failing lesson, a bad file or a signal leave of it."""

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest
from course_notebooks import PICTURE, network, write_lesson, write_profile

from course.lessons import Lesson
from course.results import COLUMNS, Outcome, csv_text, table_text
from course.run import run_course
from helpers import COURSE_FOLDER, CourseError

WHERE = """print(os.environ["COURSE_DATA_DIR"] == os.path.abspath("../pictures"), epochs, f"seed {seed}")
for step in range(3):
    print(f"\\rstep {step}", end="")
    time.sleep(0.05)
print()"""
USED = 'lesson.data["used"] = {"train": 600}'
VARIABLES = {**os.environ, "PYTHONPATH": str(COURSE_FOLDER)}
SCRIPT = """
import signal, sys
from pathlib import Path
from course import cli, run
# a shell that starts the tests in the background lets them ignore Ctrl-C; a user's terminal does not
signal.signal(signal.SIGINT, signal.default_int_handler)
base, original = Path(sys.argv[1]), run.run_course
places = {"notebooks": base / "notebooks", "output": base / "out"}
run.run_course = lambda **options: original(**options | places)
sys.exit(cli.main(["run"]))
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run of good, failing and damaged lessons: (exit status, printed text, folder of results)."""
    base = tmp_path_factory.mktemp("course")
    notebooks = base / "notebooks"
    write_lesson(notebooks, "01-pictures", PICTURE, WHERE)
    write_lesson(notebooks, "02-fails", "x = 1\n1 / 0", "print('never')")
    write_lesson(notebooks, "03-stops", 'raise CourseError("no pictures here: set COURSE_DATA_DIR")')
    second = 'lesson.record_network("missing", weights="unavailable", parameter_count=1)'
    write_lesson(notebooks, "04-network", network("sample"), second, USED)
    write_lesson(notebooks, "05-forgets", finish=False)
    (notebooks / "06-format.ipynb").write_text('{"nbformat": 3, "worksheets": []}', encoding="utf-8")
    (notebooks / "07-json.ipynb").write_bytes(b"\xff{")
    (notebooks / "08-cells.ipynb").write_text('{"nbformat": 4, "cells": [{"source": 3}]}', encoding="utf-8")
    write_lesson(notebooks, "09-page", 'display({"image/png": "x"}, raw=True, metadata={"image/png": 3})')
    write_profile(notebooks, "smoke", "01-pictures", "epochs: 1\n")
    (notebooks / "glossary.md").write_text("# Glossary\n\n## Feature map\n\nText.\n", encoding="utf-8")
    (base / "pictures" / "mnist").mkdir(parents=True)
    # A kernel `python3` of another Python in the user's own folder must not be the one that runs.
    kernel = base / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["no-such-python", "{connection_file}"], "display_name": "other", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(base)
        patch.setenv("JUPYTER_DATA_DIR", str(base / "jupyter"))
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
        patch.setenv("COURSE_DATA_DIR", "pictures")  # relative: must be made absolute
        patch.delenv("COURSE_DATA_SOURCE", raising=False)
        printed = []
        patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words))))
        before = dict(os.environ)
        status = run_course(profile="smoke", assignments=["seed=5"], notebooks=notebooks, runs=base / "runs")
        assert dict(os.environ) == before
    (folder,) = (base / "runs").iterdir()
    return status, "\n".join(printed), folder


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outputs_of(folder: Path, stem: str) -> list[dict]:
    cells = json.loads((folder / f"{stem}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def text_of(folder: Path, stem: str) -> str:
    return "".join("".join(output.get("text", [])) for output in outputs_of(folder, stem))


@pytest.mark.fault
@pytest.mark.kernel
def test_a_failing_lesson_or_a_damaged_file_is_reported_and_the_others_run(finished):
    status, printed, folder = finished
    states = [(row["lesson"][:2], row["status"]) for row in rows_of(folder)]
    good = [("01", "ok"), ("02", "failed"), ("03", "failed"), ("04", "ok"), ("04", "unavailable")]
    assert status == 1 and states == good + [(f"0{number}", "failed") for number in range(5, 10)]
    assert "cell 4 (`x = 1`): ZeroDivisionError: division by zero" in printed
    assert "`): no pictures here: set COURSE_DATA_DIR\n" in printed
    for said in ("lesson.finish()", "06-format.ipynb has notebook format 3, not 4", "07-json.ipynb is not"):
        assert said in printed
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "division by zero" in page and "Profile smoke: 9 of 9 lessons finished, 7 failed" in page


@pytest.mark.kernel
def test_the_tables_say_what_was_measured_on_what(finished):
    _, printed, folder = finished
    rows = rows_of(folder)
    assert tuple(rows[0]) == COLUMNS
    tiny = rows[3]
    assert (tiny["network"], tiny["weights"], tiny["data"]) == ("tiny", "random", "sample")
    assert (tiny["parameter_count"], tiny["test_accuracy"], tiny["macro_f1"]) == ("1234", "0.5", "")
    assert (rows[0]["changed"], tiny["changed"]) == ("epochs=1 seed=5", "seed=5")
    assert "BUILT-IN SAMPLES served as pictures in lesson 4" in printed
    assert "data: BUILT-IN SAMPLES, 600 of 60,000 train" in printed
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "600 of 60,000 train" in page and "epochs=1 seed=5" in page and "BUILT-IN SAMPLES" in page


@pytest.mark.kernel
def test_a_lesson_keeps_its_outputs_in_their_order_and_no_path(finished):
    _, _, folder = finished
    kinds = [output["output_type"] for output in outputs_of(folder, "01-pictures")]
    assert kinds == ["stream", "display_data", "stream", "stream", "stream"]
    text = text_of(folder, "01-pictures")
    # the data folder as an absolute path, epochs from the profile, seed from -p
    assert "True 1 seed 5" in text
    assert "step 2" in text and "step 1" not in text and "\r" not in text
    for path in folder.iterdir():
        content = path.read_text(encoding="utf-8")
        for place in (str(folder.parents[1]), str(Path.home()) + "/", sys.prefix):
            assert place not in content, f"{place} in {path.name}"
    notebook = json.loads((folder / "01-pictures.ipynb").read_text(encoding="utf-8"))
    assert "papermill" not in notebook["metadata"] and notebook["cells"][0]["metadata"] == {}
    source = (folder.parents[1] / "notebooks" / "01-pictures.ipynb").read_text(encoding="utf-8")
    assert all(not cell.get("outputs") for cell in json.loads(source)["cells"])


@pytest.mark.fault
@pytest.mark.kernel
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal to send to one process")
def test_ctrl_c_keeps_what_is_finished_and_ends_the_kernel(tmp_path):
    notebooks, out, temporary = tmp_path / "notebooks", tmp_path / "out", tmp_path / "temporary"
    temporary.mkdir()
    write_lesson(notebooks, "01-quick", "x = 1")
    write_lesson(notebooks, "02-long", f"open({str(tmp_path / 'started')!r}, 'w').close()\ntime.sleep(60)")
    write_lesson(notebooks, "03-never", "x = 1")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # The letters that a plain terminal lacks and folders left behind are watched as well.
    variables = VARIABLES | {"TMPDIR": str(temporary), "PYTHONIOENCODING": "ascii"}
    process = subprocess.Popen(command, env=variables, **streams)
    deadline = time.monotonic() + 600
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.1)
    with pytest.raises(CourseError, match="is not empty"):  # a second run at the same time
        run_course(notebooks=notebooks, output=out)
    kernels = psutil.Process(process.pid).children(recursive=True)
    assert kernels
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert errors.startswith("Stopped by Ctrl-C: 1 of 3 lessons finished, 0 failed")
    assert errors.count("\n") == 1
    assert [row["lesson"] for row in rows_of(out)] == ["01-quick"]
    assert "stopped before its end" in (out / "index.html").read_text(encoding="utf-8")
    assert not [path for path in out.iterdir() if path.name.startswith(("02", "."))]
    assert not list(temporary.iterdir())
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert not alive


@pytest.mark.fault
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal to send to one process")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_other_signals_end_a_run_as_ctrl_c_does(tmp_path, monkeypatch, capsys, name):
    write_lesson(tmp_path / "notebooks", "01-one", "x = 1")
    number = getattr(signal, name)
    before = signal.signal(number, signal.SIG_DFL)  # nohup ignores SIGHUP
    monkeypatch.setattr("course.run.run_lesson", lambda *_: signal.raise_signal(number))
    status = run_course(notebooks=tmp_path / "notebooks", output=tmp_path / "out")
    signal.signal(number, before)
    assert status == 128 + number
    assert capsys.readouterr().err.startswith(f"Stopped by {name}: 0 of 1 lessons finished")


@pytest.mark.fault
@pytest.mark.kernel
def test_a_hanging_cell_and_a_dead_kernel_end_their_lesson_only(tmp_path, capfd):
    notebooks = tmp_path / "notebooks"
    write_lesson(notebooks, "01-hangs", "time.sleep(60)")
    write_lesson(notebooks, "02-dies", "os._exit(1)")
    assert run_course(notebooks=notebooks, output=tmp_path / "out", cell_seconds=1) == 1
    printed = capfd.readouterr().out
    assert "cell 4 (`time.sleep(60)`): took longer than 1 s" in printed
    assert "cell 4 (`os._exit(1)`): its Python process died" in printed
    assert [row["status"] for row in rows_of(tmp_path / "out")] == ["failed", "failed"]


@pytest.mark.kernel
def test_an_explicit_parameter_wins_over_the_variable_and_outputs_can_be_stored(tmp_path, monkeypatch):
    notebooks = tmp_path / "notebooks"
    source = 'print("source", os.environ.get("COURSE_DATA_SOURCE"))'
    path = write_lesson(notebooks, "01-source", source, "1 + 1")
    before = json.loads(path.read_text(encoding="utf-8"))
    monkeypatch.setenv("COURSE_DATA_SOURCE", "sample")
    run_course(notebooks=notebooks, output=tmp_path / "a", assignments=["data_source=auto"])
    assert "source None" in text_of(tmp_path / "a", "01-source")
    on_samples = write_lesson(notebooks, "02-sample", network("sample"))
    unchanged = on_samples.read_bytes()
    run_course(notebooks=notebooks, output=tmp_path / "b", store=True)
    assert on_samples.read_bytes() == unchanged
    after = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in after["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1, 2, 3, 4, 5]
    assert code[3]["outputs"][0]["execution_count"] == 4
    assert "source sample" in text_of(notebooks, "01-source")
    for key in ("source", "metadata"):
        assert [cell[key] for cell in after["cells"]] == [cell[key] for cell in before["cells"]]


@pytest.mark.fault
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"data": "missing"}, "--data='missing' cannot be read"),
        ({"data": "~no-such-user/x"}, "--data=.* cannot be read"),
        ({"COURSE_DATA_DIR": "empty"}, "COURSE_DATA_DIR='empty' is empty"),
        ({"COURSE_DATA_SOURCE": "moon"}, "COURSE_DATA_SOURCE='moon'"),
        ({"output": Path("notebooks")}, "is not empty"),
        ({"output": Path("file/out")}, "cannot hold the results"),
        ({"store": True, "assignments": ["seed=1"]}, "--store"),
    ],
)
def test_a_wrong_request_starts_nothing(tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    write_lesson(tmp_path / "notebooks", "01-one", "x = 1")
    Path("empty").mkdir()
    Path("file").write_text("text", encoding="utf-8")
    for name in [name for name in options if name.isupper()]:
        monkeypatch.setenv(name, options[name])
    options = {name: value for name, value in options.items() if not name.isupper()}
    with pytest.raises(CourseError, match=said):
        run_course(**{"notebooks": tmp_path / "notebooks", "runs": tmp_path / "runs", **options})
    assert not (tmp_path / "runs").exists()


@pytest.mark.fault
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("redirection", ["<&- >&- 2>&-", ">/dev/full"])
def test_a_closed_or_full_stream_is_no_traceback(tmp_path, redirection):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01-broken.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "gone").mkdir()
    line = f"cd gone && rmdir ../gone && {sys.executable} {tmp_path}/script.py {tmp_path} {redirection}"
    command = ["bash", "-c", line]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=VARIABLES)
    assert result.stderr == "" and len(rows_of(tmp_path / "out")) == 1


@pytest.mark.fault
def test_a_full_disk_is_one_line_and_the_table_is_printed(tmp_path, capsys, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01-\x1b[31mred.ipynb").write_text("{", encoding="utf-8")
    full = Mock(side_effect=OSError(28, "No space left on device"))
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    assert run_course(notebooks=tmp_path / "notebooks", output=tmp_path / "out") == 1
    captured = capsys.readouterr()
    assert "No space left on device" in captured.err and captured.err.count("\n") == 1
    assert "is not a readable notebook" in captured.out and "\x1b" not in captured.out


def test_random_weights_that_nobody_asked_for_are_said_loudly():
    networks = {"scratch": {"weights": "random"}, "mobilenet-frozen": {"weights": "random"}}
    networks["vgg16-frozen"] = {"weights": "random", "parameter_count": 5}
    metrics = {"parameters": {"weights": "imagenet"}, "data": {"kind": "complete"}, "networks": networks}
    outcome = Outcome(Lesson(Path("06-vgg.ipynb"), "VGG"), "class", 1.0, metrics=metrics)
    said = "RANDOM WEIGHTS stood in for the trained ones in lesson 6 (mobilenet-frozen, vgg16-frozen)"
    assert said in table_text([outcome])
    metrics["parameters"] = {"weights": "random"}
    assert "RANDOM" not in table_text([outcome])


def test_a_measured_zero_is_kept_and_a_missing_number_is_empty():
    networks = {"a": {"weights": "course", "parameter_count": 3, "test_loss": 0.0, "test_accuracy": None}}
    lesson = Lesson(Path("04-x.ipynb"), "X, y")
    text = csv_text([Outcome(lesson, "full", 2.0, metrics={"networks": networks})])
    (row,) = csv.DictReader(text.splitlines())
    assert (row["test_loss"], row["test_accuracy"], row["title"]) == ("0.0", "", "X, y")
