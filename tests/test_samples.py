"""The built-in samples: drawn by the project's own script, the same pixels each time, small in all."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import pdist

from helpers import datasets

SAMPLES = datasets.SAMPLES_FOLDER
FILES = sorted(path for path in SAMPLES.rglob("*") if path.is_file())
PICTURES = [path for path in FILES if path.suffix == ".png"]
SCENES, VEHICLES = SAMPLES / "intel-scenes", SAMPLES / "car-plane"


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_drawing_again_gives_the_same_pixels(tmp_path):
    draw_all = runpy.run_path(str(datasets.SAMPLES_FOLDER.parent / "make_samples.py"))["draw_all"]
    assert draw_all(tmp_path) == len(PICTURES) == 271
    names = [path.relative_to(SAMPLES) for path in PICTURES]
    assert names == [path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*.png"))]
    assert [n for n in names if not np.array_equal(pixels(SAMPLES / n), pixels(tmp_path / n))] == []
    labels = "car-plane/test-labels.csv"
    assert (SAMPLES / labels).read_bytes() == (tmp_path / labels).read_bytes()


def test_samples_are_balanced_and_small():
    scenes, vehicles = datasets.find_intel_scenes("sample"), datasets.find_car_plane("sample")
    assert scenes.info.counts == {"train": 144, "test": 48}
    assert vehicles.info.counts == {"train": 48, "validation": 16, "test": 15}
    assert sorted(vehicles.test_labels.values()) == [0] * 9 + [1] * 6
    for folder in (scenes.train, scenes.test, vehicles.train, vehicles.validation):
        assert len({len(list(inner.iterdir())) for inner in folder.iterdir()}) == 1
    assert sum(path.stat().st_size for path in FILES) < 2_500_000
    assert all(pixels(path).shape == (150, 150, 3) for path in SCENES.rglob("*.png"))
    shapes = [pixels(path).shape for path in VEHICLES.rglob("*.png")]
    assert all(64 <= side <= 300 for shape in shapes for side in shape[:2]) and len(set(shapes)) > 40


@pytest.mark.parametrize("base", [SCENES, VEHICLES], ids=lambda base: base.name)
def test_no_two_samples_are_alike(base):
    """A test picture that is also a training picture would be no test; 16 x 16 pixels tell drawings apart."""
    small = [Image.open(path).convert("RGB").resize((16, 16)) for path in base.rglob("*.png")]
    flat = np.stack([np.asarray(picture, dtype=float).ravel() for picture in small])
    assert pdist(flat, "cityblock").min() / flat.shape[1] > 5.0
