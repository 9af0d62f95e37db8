"""The cell that fetches the course on Colab, in an imitation: another folder, and a script for git."""

import json
import re
import sys
import types
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
CELLS = {
    path.name: "".join(cell["source"])
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    if "colab" in cell["metadata"].get("tags", [])
}
FAULTS = {
    "half a clone": "exit status 1",
    "no network": "exit status 128",
    "no git": "'git'",
    "no address": "own repository",
}
GIT = """#!/bin/sh
echo "$*" >> {place}/asked
test ! -e {place}/offline || exit 128
for to; do :; done
/bin/mkdir "$to" && test ! -e {place}/broken && : > "$to/README.md"
"""


@pytest.fixture
def colab(tmp_path, monkeypatch):
    """A function that runs the cell and returns the course's files; the file `broken` stops git half-way."""
    (tmp_path / "git").write_text(GIT.format(place=tmp_path))
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr(sys, "path", sys.path.copy())

    def run(owner="someone"):
        cell = next(iter(CELLS.values())).replace('"/content/', f'"{tmp_path}/')
        exec(re.sub(r"github\.com/[\w-]+/", f"github.com/{owner}/", cell), {})
        return [path.name for path in (tmp_path / "image-classification-course").iterdir()]

    return run


def test_every_notebook_has_the_same_cell():
    assert len(CELLS) >= 3
    assert len(set(CELLS.values())) == 1, list(CELLS)


def test_the_course_is_fetched_once_and_found(colab, tmp_path):
    assert colab() == colab() == ["README.md"]
    assert sys.path.count(str(tmp_path / "image-classification-course")) == 1
    assert len((tmp_path / "asked").read_text().splitlines()) == 1


def test_a_copy_that_is_there_is_used_as_it_is_and_a_broken_one_is_cleared_away(colab, tmp_path):
    half = tmp_path / "image-classification-course.part"
    half.mkdir()
    (half / "left").touch()
    assert colab() == ["README.md"] and not half.exists()
    (tmp_path / "image-classification-course" / "mine.txt").touch()
    assert sorted(colab()) == ["README.md", "mine.txt"]
    assert len((tmp_path / "asked").read_text().splitlines()) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_is_one_line_and_the_next_run_is_whole(colab, tmp_path, fault):
    if fault == "half a clone":
        (tmp_path / "broken").touch()
    if fault == "no network":
        (tmp_path / "offline").touch()
    if fault == "no git":
        (tmp_path / "git").rename(tmp_path / "nothing")
    with pytest.raises(Exception, match=FAULTS[fault]) as stopped:
        colab("OWNER" if fault == "no address" else "someone")
    (line,) = stopped.value._render_traceback_()
    assert "\n" not in line
    asked = fault in ("half a clone", "no network")
    assert (tmp_path / "asked").exists() == asked, "git is asked only where it can help"
    for trouble in ("broken", "offline"):
        (tmp_path / trouble).unlink(missing_ok=True)
    if fault == "no git":
        (tmp_path / "nothing").rename(tmp_path / "git")
    assert colab() == ["README.md"]
    assert not list(tmp_path.glob("*.part"))
