"""The built-in samples: drawn by the project's own script, the same pixels each time, small in all."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import datasets

SAMPLES = datasets.SAMPLES_FOLDER


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def small(path: Path) -> np.ndarray:
    """What is left of a picture at 16 x 16: enough to tell two drawings apart."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB").resize((16, 16)), dtype=np.float64)


@pytest.fixture(scope="module")
def drawn_again(tmp_path_factory) -> Path:
    spec = importlib.util.spec_from_file_location("make_samples", datasets.DATA_FOLDER / "make_samples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("samples")
    assert module.draw_all(folder) == 271
    return folder


def test_drawing_again_gives_the_same_pixels(drawn_again):
    names = sorted(path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*") if path.is_file())
    again = sorted(
        path.relative_to(drawn_again).as_posix() for path in drawn_again.rglob("*") if path.is_file()
    )
    assert names == again
    different = [
        name
        for name in names
        if name.endswith(".png") and not np.array_equal(pixels(SAMPLES / name), pixels(drawn_again / name))
    ]
    assert different == []
    labels = "car-plane/test-labels.csv"
    assert (SAMPLES / labels).read_text() == (drawn_again / labels).read_text()


def test_samples_are_usable_and_few():
    scenes = datasets.find_intel_scenes("sample")
    assert scenes.info.counts == {"train": 144, "test": 48}
    vehicles = datasets.find_car_plane("sample")
    assert vehicles.info.counts == {"train": 48, "validation": 16, "test": 15}
    assert sorted(vehicles.test_labels.values()) == [0] * 9 + [1] * 6
    for folder, classes in (
        (scenes.train, scenes.class_names),
        (scenes.test, scenes.class_names),
        (vehicles.train, vehicles.class_names),
        (vehicles.validation, vehicles.class_names),
        (vehicles.test, ()),
    ):
        report = datasets.usable_pictures(folder, classes)
        assert report.folder == folder and report.problems == []
        assert len(set(report.counts.values())) == 1, "as many in each class"
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 2_500_000


def test_sizes():
    scenes = datasets.find_intel_scenes("sample")
    assert all(pixels(path).shape == (150, 150, 3) for path in scenes.train.rglob("*.png"))
    shapes = [pixels(path).shape for path in (SAMPLES / "car-plane").rglob("*.png")]
    assert all(64 <= side <= 300 for shape in shapes for side in shape[:2])
    assert len(set(shapes)) > 40


def test_no_two_samples_are_alike():
    """A test picture that is also a training picture would be no test."""
    for base in (SAMPLES / "intel-scenes", SAMPLES / "car-plane"):
        paths = sorted(base.rglob("*.png"))
        flat = np.stack([small(path).ravel() for path in paths])
        for k in range(len(paths)):
            distance = np.abs(flat - flat[k]).mean(axis=1)
            distance[k] = np.inf
            assert distance.min() > 1.0, (paths[k].name, paths[int(distance.argmin())].name)


def test_scene_classes_can_be_told_apart():
    """The nearest class mean at 16 x 16 pixels finds most test scenes: the classes look different."""
    found = datasets.find_intel_scenes("sample")
    means = [
        np.mean([small(p) for p in (found.train / name).iterdir()], axis=0) for name in found.class_names
    ]
    right = total = 0
    for number, name in enumerate(found.class_names):
        for path in (found.test / name).iterdir():
            right += int(np.argmin([np.abs(small(path) - mean).mean() for mean in means]) == number)
            total += 1
    assert total == 48 and right / total > 0.7, f"{right} of {total}"


def test_samples_are_committed():
    """No rule of .gitignore may hide a sample from those who clone the course."""
    names = [str(path) for path in SAMPLES.rglob("*") if path.is_file()]
    try:
        asked = subprocess.run(
            ["git", "check-ignore", "--stdin"],
            input="\n".join(names),
            capture_output=True,
            text=True,
            cwd=SAMPLES,
        )
    except FileNotFoundError:
        pytest.skip("git is not installed")
    if asked.returncode == 128:
        pytest.skip("not a git checkout")
    assert asked.stdout == ""
