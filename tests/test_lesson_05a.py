"""Notebook 5a: worn copies, pieces, the network that looks both ways, and what was measured with them."""

import functools
import json

import numpy as np
import pytest
from benchmarks.recipes import run_cells

from helpers import COURSE_FOLDER, published, training

STEM = "05a-a-better-scene-network"
CLASSES = ["buildings", "forest", "glacier", "mountain", "sea", "street"]
PICTURES = np.random.default_rng(0).integers(0, 256, (6, 150, 150, 3)).astype("float32")
cells = functools.partial(run_cells, STEM)


@pytest.fixture(scope="module")
def lesson():
    """All that the recipe cells define, and a network with random weights."""
    space = cells(seed=0, batch_size=8, learning_rate=0.001, class_names=CLASSES, kind="sample")
    training.set_seed(0)
    return space | {"body": space["better_body"]()}


def test_pieces_keep_their_label_vary_in_place_and_size_and_half_are_mirrored(lesson):
    ramp = np.arange(112, dtype="uint8") + np.array([[0], [120]], "uint8")  # two pictures: 0.., 120..
    kept, labels = np.tile(ramp[:, np.newaxis, :, np.newaxis], (40, 112, 1, 3)), np.tile([0, 1], 40)
    stream = lesson["pieces"](kept, None, labels, [64, 96], patches=False)
    views, answers = zip(*stream, strict=True)
    assert [view.shape[1] for view in views] == [64] * 60 + [96] * 60
    near, far = (np.concatenate([view[:, 1, column, 0] for view in views]) for column in (1, -2))
    assert np.array_equal((near > 115) & (far > 115), np.concatenate(answers)[:, 1] == 1)
    assert 0.4 < (near > far).mean() < 0.6, "half of the pieces are mirrored"
    widths = np.abs(near - far) / 112
    assert 0.55 < widths.min() < 0.7 and 0.94 < widths.max() < 1


def test_pieces_repeat_with_their_seed_and_half_come_from_worn_copies(lesson):
    clean, worn = np.zeros((40, 112, 112, 3), "uint8"), np.full((40, 112, 112, 3), 200, "uint8")

    def colours(start):
        stream = lesson["pieces"](clean, worn, np.zeros(40, int), [64], start)
        return [view[:, 9, 9, 0].tolist() for view, _ in stream.take(30).as_numpy_iterator()]

    assert colours(0) == colours(0) != colours(1)
    assert 0.35 < np.mean(colours(0)) / 200 < 0.65


def test_a_patch_shares_the_label_by_its_area(lesson):
    pictures, votes = np.ones((2, 20, 20, 3), "float32"), np.eye(2, 6, dtype="float32")
    pictures[1] = 0
    mixed = [lesson["patched"](pictures, votes, np.array([draw, 1])) for draw in range(40)]
    shares = [float(np.mean(picture[0])) for picture, _ in mixed]
    assert [float(label[0, 0]) for _, label in mixed] == pytest.approx(shares)
    assert 10 < sum(share == 1 for share in shares) < 30 and len(set(shares)) > 10


def test_network_in_use_answers_for_a_picture_and_its_mirror_image_alike_and_bodies_vote_together(lesson):
    training.set_seed(1)
    bodies = [lesson["body"], lesson["better_body"](maps=lesson["NARROW"])]
    small = lesson["tf"].image.resize(PICTURES, (96, 96), antialias=True)
    votes = [[np.log(body.predict_on_batch(way)) for way in (small, small[:, :, ::-1])] for body in bodies]
    assert not np.allclose(*votes[0], atol=1e-3), "a network that did not care would agree anyway"
    for number in (1, 2):
        used, mean = lesson["in_use"](*bodies[:number]), np.exp(np.mean(votes[:number], axis=(0, 1)))
        wanted = mean / mean.sum(axis=1, keepdims=True)
        assert used.predict_on_batch(PICTURES) == pytest.approx(wanted, abs=1e-4)


def test_stored_results_reach_what_is_promised():
    better = published.load_result("05a")["runs"]["better"]
    clean, worn = (np.median([run[key] for run in better]) for key in ("test_accuracy", "worn_accuracy"))
    assert clean >= 0.90 and clean - worn <= 0.015
    assert all(run["right"].count("1") / run["pictures"] == run["test_accuracy"] for run in better)


def test_the_table_of_trials_shows_the_stored_numbers():
    notebook = json.loads((COURSE_FOLDER / "notebooks" / f"{STEM}.ipynb").read_text(encoding="utf-8"))
    texts = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    lines = next(text for text in texts if "stem and stages | parameters" in text).splitlines()
    shown = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")][2:]
    trials = published.load_result("05a")["earlier"]["trials"]
    rows = next(rows for name, rows in trials.items() if name.startswith("75 epochs on 2,700"))
    assert shown == [
        [name, f"{row['parameters']:,}", f"{100 * row['clean']:.1f}", f"{100 * row['recompressed']:.1f}"]
        for name, row in rows.items()
    ]
