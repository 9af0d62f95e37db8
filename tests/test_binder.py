"""Binder, as far as a machine without containers can tell: its environment, its copies, its one line."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from helpers import COURSE_FOLDER, training

PROJECT = tomllib.loads((COURSE_FOLDER / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_environment_is_a_plain_python_and_the_course_itself():
    environment = yaml.safe_load((COURSE_FOLDER / "environment.yml").read_text(encoding="utf-8"))
    python, pip, packages = environment["dependencies"]
    version = re.fullmatch(r"python=(3\.\d+)", python)[1]
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)
    assert (pip, packages) == ("pip", {"pip": ["--editable ."]})
    others = [name for name in ("requirements.txt", "Dockerfile", "binder", ".binder", "start", "apt.txt")]
    assert not [name for name in others if (COURSE_FOLDER / name).exists()], "Binder would take these instead"


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
    ("limit", "said"), [("2147483648", "Only 2 GB of memory, as on Binder"), ("8589934592", ""), ("", "")]
)
def test_where_memory_is_as_scarce_as_on_binder_the_first_import_says_what_helps(
    limit, said, monkeypatch, capsys
):
    monkeypatch.setenv("MEM_LIMIT", limit)
    monkeypatch.setenv("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "0")  # what the import sets ends with the test
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    with training.quiet_import():  # a lesson's own import
        monkeypatch.setitem(sys.modules, "tensorflow", types.ModuleType("tensorflow"))
    with training.quiet_import():  # the import of what checks its picture files
        pass
    printed = capsys.readouterr().out
    assert printed.startswith(said) and printed.count("shut down the other lessons' kernels") == bool(said)
