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
FAULTS = {  # what is said, and the file of the imitation that has another name meanwhile
    "half a clone": ("exit status 1", "works", "broken"),
    "no network": ("exit status 128", "works", "offline"),
    "no git": ("'git'", "git", "away"),
    "no address": ("own repository", "works", "works"),
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


def test_the_course_is_fetched_once_and_a_broken_copy_is_cleared_away(colab, tmp_path):
    course, half = (tmp_path / f"image-classification-course{end}" for end in ("", ".part"))
    half.mkdir()
    (half / "left").touch()
    assert colab() == ["README.md"] and not half.exists()
    (course / "mine.txt").touch()
    assert sorted(colab()) == ["README.md", "mine.txt"]
    assert sys.path.count(str(course)) == 1
    assert len((tmp_path / "asked").read_text().splitlines()) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_is_one_line_and_the_next_run_is_whole(colab, tmp_path, fault):
    said, before, during = FAULTS[fault]
    (tmp_path / "works").touch()
    (tmp_path / before).rename(tmp_path / during)
    with pytest.raises(Exception, match=said) as stopped:
        colab("OWNER" if fault == "no address" else "someone")
    (line,) = stopped.value._render_traceback_()
    assert "\n" not in line
    asked = fault in ("half a clone", "no network")
    assert (tmp_path / "asked").exists() == asked, "git is asked only where it can help"
    (tmp_path / during).rename(tmp_path / before)
    assert colab() == ["README.md"]
    assert not list(tmp_path.glob("*.part"))
