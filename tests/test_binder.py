"""Binder, as far as a machine without containers can tell: its environment, its copies, its one line."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from helpers import COURSE_FOLDER, bookkeeping

PROJECT = tomllib.loads((COURSE_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_environment_is_a_plain_python_and_the_course_itself():
    environment = yaml.safe_load((COURSE_FOLDER / "environment.yml").read_text(encoding="utf-8"))
    python, pip, packages = environment["dependencies"]
    version = re.fullmatch(r"python=(3\.\d+)", python)[1]
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)
    assert (pip, packages) == ("pip", {"pip": ["--editable ."]})
    others = [name for name in ("requirements.txt", "Dockerfile", "binder", ".binder", "start", "apt.txt")]
    assert not [name for name in others if (COURSE_FOLDER / name).exists()], "Binder would take these instead"


def test_what_the_course_asks_for_is_what_is_installed():
    for requirement in map(Requirement, PROJECT["dependencies"]):
        version = importlib.metadata.version(requirement.name)
        assert requirement.specifier.contains(version), f"{requirement}: {version}"


def test_after_the_build_every_launch_button_has_its_copy(tmp_path):
    for name in ("course", "helpers", "notebooks"):
        shutil.copytree(COURSE_FOLDER / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(tmp_path)}
    command = ["bash", str(COURSE_FOLDER / "postBuild")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    texts = [COURSE_FOLDER / "README.md", *(COURSE_FOLDER / "notebooks").glob("*.ipynb")]
    opened = {
        name
        for text in texts
        for name in re.findall(r"\?urlpath=lab/tree/([\w./-]+)", text.read_text(encoding="utf-8"))
    }
    assert len(opened) > 10 and not [name for name in opened if not (tmp_path / name).exists()]


@pytest.mark.parametrize(
    ("lesson", "host", "lines"), [("05", "mybinder.org", 1), ("05", "", 0), ("02", "x", 0)]
)
def test_lessons_that_train_begin_with_one_line_on_binder_only(lesson, host, lines, monkeypatch, capsys):
    monkeypatch.setenv("BINDER_LAUNCH_HOST", host)
    bookkeeping.start_lesson(f"{lesson}-a-lesson", seed=0)
    assert capsys.readouterr().out.count("shut down the other lessons' kernels") == lines
