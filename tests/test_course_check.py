"""`check` and `data`: is this machine ready, and which pictures are found where."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from course import check
from course.cli import main
from course.data import show_data
from helpers import CourseError
from helpers.datasets import Place

HERE = [
    Place("dots", "COURSE_DATA_DIR", "partial", "3 train"),
    Place("dots", "built-in sample", "sample", "2"),
]
AWAY = [Place("dots", "COURSE_DATA_DIR", "missing", ""), Place("dots", "public source", "not asked", "11 MB")]
WRONG = [Place("dots", "COURSE_DATA_DIR", "wrong", "lacks the class folder sea"), *AWAY[1:]]


def source(rows, fetch=lambda name: None):
    return SimpleNamespace(
        NAMES=("dots",), status=lambda name: rows, fetch=fetch, cache_folder=lambda: "cache"
    )


def test_python_is_compared_with_the_supported_versions():
    supported = ">=3.11,<3.14"
    assert check.check_python(supported, (3, 11, 0)).ready
    assert check.check_python(supported, (3, 13, 9)).ready
    assert not check.check_python(supported, (3, 14, 0)).ready
    old = check.check_python(supported, (3, 10, 12))
    assert not old.ready and old.text == "3.10.12 is not supported; install Python 3.11 to 3.13"


def test_packages_that_are_missing_or_too_old_are_named():
    found = check.check_packages(["numpy>=999", "no-such-package-here>=1", "pytest>=1"])
    assert not found.ready
    assert "numpy 2" in found.text and "is not >=999" in found.text
    assert "no-such-package-here is missing" in found.text and "pytest" not in found.text
    assert check.check_packages(["numpy>=1"]).text.startswith("all 1 (numpy ")


def test_memory_is_compared_with_what_is_needed():
    assert check.check_memory(2.1).ready
    little = check.check_memory(1.2)
    assert not little.ready and little.text.startswith("1.2 GB available, 2 GB needed")
    assert 0 < check.free_memory_gb() < 10_000


def test_missing_pictures_are_no_fault_and_wrong_ones_are():
    assert check.check_data(source(HERE)).text.startswith("dots partial")
    assert check.check_data(source(AWAY)).ready
    wrong = check.check_data(source(WRONG))
    assert not wrong.ready and wrong.text == "dots: lacks the class folder sea"


def test_a_wrong_data_folder_is_a_finding(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "nowhere"))
    found = check.check_data()
    assert not found.ready and "nowhere" in found.text


def test_the_kernel_is_this_python():
    assert check.check_kernel() == check.Finding("Kernel", True, "it starts, and it is this Python")


@pytest.mark.parametrize("ready", [True, False])
def test_check_says_in_a_few_lines_whether_the_machine_is_ready(monkeypatch, capsys, ready):
    monkeypatch.setattr(check, "check_kernel", lambda: check.Finding("Kernel", True, "fine"))
    monkeypatch.setattr(check, "check_data", lambda: check.Finding("Data", True, "fine"))
    monkeypatch.setattr(check, "free_memory_gb", lambda: 4.0 if ready else 0.5)
    assert main(["check"]) == (0 if ready else 1)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["Python", "Packages", "Memory", "Data", "Kernel"]
    assert lines[-1] == ("This machine is ready." if ready else "This machine is not ready: see above.")


def test_data_shows_each_place_and_says_samples_loudly(capsys):
    assert show_data(source=source(HERE)) == 0
    printed = capsys.readouterr().out
    assert "dots: partial, from COURSE_DATA_DIR" in printed
    assert "built-in sample  SAMPLE" in printed
    show_data(source=source(AWAY))
    assert "dots: not on this machine" in capsys.readouterr().out


def test_fetching_goes_on_after_a_set_that_cannot_be_had(capsys):
    def fetch(name):
        raise CourseError("no answer from example.org; check the network")

    assert show_data(["dots"], fetch=True, source=source(AWAY, fetch)) == 1
    captured = capsys.readouterr()
    assert captured.err == "course data: dots: no answer from example.org; check the network\n"
    assert "public source" in captured.out
    assert show_data(["dots"], fetch=True, source=source(HERE)) == 0


def test_an_unknown_set_lists_what_exists(capsys):
    assert main(["data", "mnits"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("course data: unknown set 'mnits' (did you mean 'mnist'?); there are: mnist, ")
    assert errors.count("\n") == 1


def test_data_of_the_course_itself(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    monkeypatch.setenv("COURSE_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert main(["data"]) == 0
    printed = capsys.readouterr().out
    for name in ("mnist", "intel-scenes", "car-plane", "vgg16-weights"):
        assert f"\n{name}: not on this machine" in printed


def test_help_comes_without_the_heavy_libraries():
    code = "import sys; from course.cli import build_parser; build_parser(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "papermill", "nbconvert", "nbformat", "tensorflow"} & set(loaded)
