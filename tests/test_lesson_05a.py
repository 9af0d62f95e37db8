"""Notebook 5a: worn copies, pieces, the network that looks both ways, and what was measured with them."""

import functools
import hashlib
import json

import numpy as np
import pytest
from benchmarks.recipes import run_cells
from PIL import Image

from helpers import published, training

STEM = "05a-a-better-scene-network"
CLASSES = ["buildings", "forest", "glacier", "mountain", "sea", "street"]
cells = functools.partial(run_cells, STEM)


@pytest.fixture(scope="module")
def lesson():
    """All that the recipe cells define."""
    return cells(seed=0, batch_size=8, learning_rate=0.001, class_names=CLASSES, kind="sample")


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (6, 150, 150, 3)).astype("float32")


@pytest.fixture(scope="module")
def body(lesson):
    training.set_seed(0)
    return lesson["better_body"]()


def test_kept_pictures_are_those_of_the_files_and_worn_copies_lack_detail(lesson, pictures, tmp_path):
    paths = [str(tmp_path / f"{number}.png") for number in range(6)]
    for path, picture in zip(paths, pictures, strict=True):
        Image.fromarray(picture.astype("uint8")).save(path)
    assert np.array_equal(lesson["kept"](paths, side=150), pictures)
    clean, worn = (np.asarray(lesson["kept"](paths, how), "float32") for how in (None, lesson["VARIED"]))
    assert clean.shape == worn.shape == (6, 112, 112, 3)
    assert worn.std() < 0.8 * clean.std() and worn.mean() == pytest.approx(clean.mean(), abs=4)


def test_pieces_keep_their_label_and_vary_in_place_and_half_are_mirrored(lesson):
    ramp = np.arange(112, dtype="uint8") + 100 * np.array([[0], [1]], "uint8")  # two pictures: 0.., 100..
    kept = np.tile(ramp[:, np.newaxis, :, np.newaxis], (40, 112, 1, 3))
    labels = np.tile([0, 1], 40)
    views, answers = zip(*lesson["pieces"](kept, None, labels, np.array([64, 96])), strict=True)
    assert {view.shape[1:] for view in views[:60]} == {(64, 64, 3)}
    assert {view.shape[1:] for view in views[60:]} == {(96, 96, 3)} and len(views) == 120
    left, right = (np.concatenate([view[:, 0, edge, 0] for view in views]) for edge in (0, -1))
    widths = (np.abs(right - left) + 1) / 112
    assert np.array_equal(np.minimum(left, right) >= 99.9, np.concatenate(answers)[:, 1] == 1)
    assert 0.4 < (left > right).mean() < 0.6, "half of the pieces are mirrored"
    assert 0.6 < widths.min() < 0.7 and widths.max() == pytest.approx(1, abs=0.01)


def test_pieces_repeat_with_a_seed_and_half_come_from_worn_copies(lesson):
    clean, worn = np.zeros((40, 112, 112, 3), "uint8"), np.full((40, 112, 112, 3), 200, "uint8")

    def colours(start):
        training.set_seed(0)
        stream = lesson["pieces"](clean, worn, np.zeros(40, int), np.array([64]), start)
        return [view[:, 0, 0, 0].tolist() for view, _ in stream.take(30).as_numpy_iterator()]

    assert colours(0) == colours(0) != colours(1)
    assert 0.35 < np.mean(colours(0)) / 200 < 0.65


def test_network_in_use_answers_for_a_picture_and_its_mirror_image_alike(lesson, body, pictures):
    used = lesson["in_use"](body)
    small = lesson["tf"].image.resize(pictures, (96, 96), antialias=True).numpy()
    both = [np.log(body.predict_on_batch(way)) for way in (small, small[:, :, ::-1])]
    mean = np.exp(sum(both) / 2)
    assert used.predict_on_batch(pictures) == pytest.approx(mean / mean.sum(axis=1, keepdims=True), abs=1e-4)
    assert not np.allclose(both[0], both[1], atol=1e-3), "a network that did not care would agree anyway"
    assert used.count_params() == body.count_params() <= 500_000


def test_grad_cam_weighs_the_maps_by_the_votes(lesson, body, pictures):
    space = cells("def grad_cam(", ours=lesson["in_use"](body))
    heat, maps = space["grad_cam"](pictures, np.arange(6)), np.asarray(space["last_maps"](pictures))
    kernel = np.asarray(space["votes"].kernel).T[:, np.newaxis, np.newaxis]
    assert heat.max() > 0 and np.allclose(np.maximum((kernel * maps).sum(-1), 0), 36 * heat, atol=1e-4)


def test_stored_results_are_of_the_recipe_and_reach_what_is_promised():
    stored = published.load_result("05a")
    assert stored["recipe"] == training.recipe_hash(STEM), (
        "the recipe has changed: run the full profile"
    )
    better = stored["runs"]["better"]
    clean, worn = (np.median([run[key] for run in better]) for key in ("test_accuracy", "worn_accuracy"))
    assert len(better) == 3 and clean >= 0.91 and clean - worn <= 0.015
    assert all(np.mean([flag == "1" for flag in run["right"]]) == run["test_accuracy"] for run in better)
    assert all(len(rows) == 3 for rows in stored["ladder"].values())


def test_committed_network_is_what_its_card_says(lesson):
    model = published.MODELS_FOLDER / "intel-scenes.keras"
    card = json.loads(model.with_suffix(".json").read_bytes())
    network = lesson["keras"].saving.load_model(model, safe_mode=True)
    assert card["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert card["class_names"] == CLASSES and card["lesson"] == STEM
    assert card["networks"]["better"]["parameter_count"] == network.count_params() <= 500_000
    assert network.input_shape == (None, 150, 150, 3) and model.stat().st_size < 3_000_000
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}
