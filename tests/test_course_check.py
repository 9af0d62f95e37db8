"""`check` and `data`: is this machine ready, and which pictures are found where."""

from types import SimpleNamespace
from unittest.mock import Mock

import psutil
import pytest

from course import check
from course.cli import main
from course.data import show_data
from helpers import CourseError
from helpers.datasets import Place

SAMPLE = Place("dots", "built-in sample", "sample", "2")
HERE = [Place("dots", "COURSE_DATA_DIR", "partial", "3 train"), SAMPLE]
AWAY = [Place("dots", "COURSE_DATA_DIR", "missing", ""), Place("dots", "public source", "not asked", "11 MB")]
WRONG = [Place("dots", "COURSE_DATA_DIR", "wrong", "lacks the class folder sea\x1b[2J"), *AWAY[1:]]
READY = "[project]\nrequires-python = '>=3.11,<3.14'\ndependencies = ['pytest>=1', 'typing_extensions']\n"


def source(rows, fetch=lambda name: None):
    return SimpleNamespace(NAMES=("dots",), status=lambda _: rows, fetch=fetch, cache_folder=lambda: "cache")


@pytest.mark.fault
def test_an_old_or_too_new_python_and_missing_packages_are_named():
    supported = ">=3.11,<3.14"
    assert check.check_python(supported, (3, 11, 0))[0] and check.check_python(supported, (3, 13, 9))[0]
    assert not check.check_python(supported, (3, 14, 0))[0]
    old = (False, "3.10.12 is not supported; install Python 3.11 to 3.13")
    assert check.check_python(supported, (3, 10, 12)) == old
    ready, text = check.check_packages(["numpy>=2", "no-such-package-here>=1", "scikit_learn>=1"])
    assert not ready and text.startswith("missing: no-such-package-here; run `python -m pip")
    assert check.check_packages(["numpy>=2", "scikit_learn>=1"]) == (True, "all 2")


@pytest.mark.fault
def test_missing_pictures_are_fine_and_wrong_ones_are_not(monkeypatch, tmp_path):
    assert check.check_data(source(HERE))[1].startswith("dots partial")
    assert check.check_data(source(AWAY))[0]
    ready, text = check.check_data(source(WRONG))
    assert not ready and text.startswith("dots: lacks the class folder sea")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "nowhere"))
    ready, text = check.check_data()
    assert not ready and "nowhere" in text


@pytest.mark.kernel
def test_the_kernel_is_this_python():
    assert check.check_kernel() == (True, "it starts, and it is this Python")


@pytest.mark.parametrize("gigabytes", [4.0, 0.5])
def test_check_says_in_a_few_lines_whether_the_machine_is_ready(monkeypatch, capsys, tmp_path, gigabytes):
    monkeypatch.setattr(check, "check_kernel", lambda: (True, "fine"))
    monkeypatch.setattr(check, "check_data", lambda: (True, "fine\x1b[31m"))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=gigabytes * 1e9))
    (tmp_path / "pyproject.toml").write_text(READY, encoding="utf-8")
    assert check.check_machine(tmp_path) == (0 if gigabytes > 1 else 1)
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["Python", "Packages", "Memory", "Data", "Kernel"]
    assert ("This machine is ready." in lines) == (gigabytes > 1) and "\x1b" not in printed


@pytest.mark.fault
@pytest.mark.parametrize("content", [b"[project", b"\xff", b"[project]\ndependencies = 3\n", None])
def test_a_damaged_pyproject_is_one_line(tmp_path, content):
    if content is not None:
        (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(CourseError, match=r"^pyproject.toml cannot be read \(.*\); restore it from git$"):
        check.check_machine(tmp_path)


def test_data_shows_each_place_and_says_samples_loudly(capsys):
    assert show_data(source=source(HERE)) == 0
    printed = capsys.readouterr().out
    assert "dots: partial, from COURSE_DATA_DIR" in printed and "built-in sample  SAMPLE" in printed
    show_data(source=source(AWAY))
    assert "dots: not on this machine" in capsys.readouterr().out


@pytest.mark.fault
def test_fetching_goes_on_after_a_set_that_is_unavailable(capsys):
    fetch = Mock(side_effect=CourseError("no answer from example.org; check the network"))
    assert show_data(["dots"], fetch=True, source=source(AWAY, fetch)) == 1
    captured = capsys.readouterr()
    assert captured.err == "course data: dots: no answer from example.org; check the network\n"
    assert "public source" in captured.out
    assert show_data(["dots"], fetch=True, source=source(HERE)) == 0


@pytest.mark.fault
def test_an_unknown_set_and_a_user_without_a_home_are_one_line(monkeypatch, capsys):
    assert main(["data", "mnits"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("course data: unknown set 'mnits' (did you mean 'mnist'?); there are: mnist, ")
    assert errors.count("\n") == 1
    no_home = RuntimeError("Could not determine home directory.")
    monkeypatch.setattr("course.data.show_data", Mock(side_effect=no_home))
    assert main(["data"]) == 2
    assert capsys.readouterr().err.endswith("(set HOME to a folder of yours)\n")


def test_data_of_the_course_itself(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    monkeypatch.setenv("COURSE_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert main(["data"]) == 0
    printed = capsys.readouterr().out
    for name in ("mnist", "car-plane", "vgg16-weights"):
        assert f"\n{name}: not on this machine" in printed
