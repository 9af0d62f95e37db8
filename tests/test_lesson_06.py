"""Lesson 6: fingerprints, groups, features, fine-tuning, rows without weights: the notebook's own cells."""

import json
import math
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
pytest.importorskip("tensorflow")
from scipy.sparse.csgraph import connected_components
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import COURSE_FOLDER, datasets, evaluation, published, training

with training.quiet_import():
    import keras

STEM = "06-vgg16-transfer-car-plane"
SIZE = 32  # the smallest picture that VGG16 takes: quick
DATA = os.environ.get("COURSE_DATA_DIR")


def run_cells(*markers, **names):
    """Run the notebook's cells that hold the markers, in that order, and return their names."""
    notebook = json.loads((COURSE_FOLDER / "notebooks" / f"{STEM}.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    space = {
        "np": np, "pd": pd, "re": re, "math": math, "keras": keras, "Path": Path, "Image": Image,
        "training": training, "evaluation": evaluation, "connected_components": connected_components,
        "LogisticRegression": LogisticRegression, "StratifiedGroupKFold": StratifiedGroupKFold,
        "make_pipeline": make_pipeline, "StandardScaler": StandardScaler,
        "seed": 0, "image_size": SIZE, "batch_size": 8, "epochs": 2, "kind": "sample", **names,
    }  # fmt: skip
    for marker in markers:
        found = [cell for cell in cells if marker in cell]
        assert len(found) == 1, f"{len(found)} cells hold {marker!r}"
        exec(found[0], space)
    return space


def photograph(seed, side=200):
    """A smooth picture: light and dark patches of all sizes, as in photographs."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype("uint8")
    return Image.fromarray(small).resize((side * 4 // 3, side), Image.Resampling.BICUBIC)


def test_the_lesson_reads_photographs_as_it_reads_the_student_s_own(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    for seed, name in enumerate(("planes", "cars")):
        (tmp_path / name).mkdir()
        photograph(seed, side=900).save(tmp_path / name / "b.jpg", exif=turned)
        photograph(seed + 9).save(tmp_path / name / "a.png")
    space = run_cells("def load_pictures(", class_names=["cars", "planes"], datasets=datasets)
    pictures, files = space["load_pictures"](tmp_path, SIZE, "uint8")
    assert [file.name for file in files] == ["a.png", "b.jpg"] * 2
    assert space["labels_of"](files).tolist() == [[0], [0], [1], [1]]
    own = [datasets.own_photographs(tmp_path / name, (SIZE, SIZE)).pictures for name in ("cars", "planes")]
    assert np.array_equal(pictures, np.concatenate(own))


# --- fingerprints ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bits(tmp_path_factory):
    """A function: the number of answers in which the fingerprints of two pictures differ."""
    difference_hash = run_cells("def difference_hash(")["difference_hash"]
    folder = tmp_path_factory.mktemp("hash")

    def fingerprint(picture, **options):
        path = folder / f"picture.{options.pop('ending', 'png')}"
        picture.save(path, **options)
        found = difference_hash(path)
        assert found.shape == (64,)
        assert found.dtype == bool
        return found

    return lambda one, other, **options: int((fingerprint(one) != fingerprint(other, **options)).sum())


@pytest.mark.parametrize("seed", range(5))
def test_the_same_photograph_keeps_its_fingerprint(bits, seed):
    picture = photograph(seed)
    assert bits(picture, picture) == 0
    assert bits(picture, picture.resize((120, 90), Image.Resampling.LANCZOS)) <= 3
    assert bits(picture, ImageEnhance.Brightness(picture).enhance(0.8)) <= 3
    assert bits(picture, picture.convert("L")) <= 1
    assert bits(picture, picture, ending="jpg", quality=40) <= 3


@pytest.mark.parametrize("seed", range(5))
def test_another_photograph_has_another_fingerprint(bits, seed):
    picture = photograph(seed)
    assert bits(picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 10
    assert bits(picture, photograph(seed + 100)) > 10


def test_a_fingerprint_by_hand(bits, tmp_path):
    ramp = Image.fromarray(
        np.tile(np.arange(0, 252, 28, dtype="uint8"), (8, 1))
    )  # 8 rows, lighter and lighter
    path = tmp_path / "ramp.png"
    ramp.save(path)
    assert run_cells("def difference_hash(")["difference_hash"](path).all()
    assert bits(ramp, ramp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == 64


def test_numbers_in_names_tell_of_a_series():
    names = ["plane-302044__340", "plane-302045__340", "plane-352713__340", "netherlands 3", "car-train-01"]
    space = run_cells("same_series = ", files=[Path(f"{name}.jpg") for name in names])
    expected = np.zeros((5, 5), dtype=bool)
    expected[:2, :2] = expected[2, 2] = True  # a name without a number is not even in its own series
    assert np.array_equal(space["same_series"], expected)


@pytest.mark.skipif(not DATA, reason="COURSE_DATA_DIR does not name the real pictures")
def test_the_near_duplicates_of_the_real_set():
    data = datasets.find_car_plane("real")
    if data.info.kind != "complete":
        pytest.skip("the car/plane set is not complete here")
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    files = {
        part: sorted(path for path in folder.rglob("*") if path.is_file()) for part, folder in parts.items()
    }
    space = run_cells("def difference_hash(")
    bits = {path: space["difference_hash"](path) for paths in files.values() for path in paths}
    names = list(bits)
    distances = np.array([[int((bits[a] != bits[b]).sum()) for b in names] for a in names])
    same = run_cells("same_photograph = ", distances=distances)["same_photograph"]
    found = {
        frozenset((names[a].stem, names[b].stem)) for a, b in zip(*np.nonzero(np.triu(same, 1)), strict=True)
    }
    assert found == {
        frozenset(("airplane-1554870__340", "airplane-1554870_960_720")),
        frozenset(("commercial-jet-2066172__340", "commercial-jetliner-3628141__340")),
        frozenset(("coupe-1374436__340", "coupe-1374441__340")),
    }
    # the line lies in a gap: a little higher or lower, it says the same
    for line in (4, 6, 7):
        assert np.array_equal(same, distances <= line)


# --- groups and folds ------------------------------------------------------------------------------


@pytest.fixture
def folded():
    """Forty pictures, ten linked in chains: 0-1-2 within one class, 3-30 across, 12-13, 35-36-37."""
    same = np.eye(40, dtype=bool)
    for a, b in [(0, 1), (1, 2), (3, 30), (12, 13), (35, 36), (36, 37)]:
        same[a, b] = same[b, a] = True
    names = {"same_photograph": same, "same_series": np.zeros((40, 40), dtype=bool)}
    names |= {"x_train": np.zeros((30, 1)), "x_validation": np.zeros((10, 1))}
    names |= {
        "y_train": np.repeat([0.0, 1.0], 15)[:, None],
        "y_validation": np.repeat([0.0, 1.0], 5)[:, None],
    }
    return run_cells("groups = connected_components", "def cross_validated(", **names)


def test_linked_pictures_are_one_group_also_by_way_of_others(folded):
    groups = folded["groups"]
    assert len(set(groups)) == 34
    assert groups[0] == groups[1] == groups[2]
    assert groups[35] == groups[37]
    assert groups[3] == groups[30]
    assert groups[4] != groups[5]


def test_near_duplicates_stay_in_one_fold_and_every_picture_is_asked_once(folded):
    for cut in range(5):
        asked = [set(asked) for _, asked in folded["folds"](cut)]
        assert sorted(n for fold in asked for n in fold) == list(range(40))
        for linked in ({0, 1, 2}, {3, 30}, {12, 13}, {35, 36, 37}):
            assert sum(bool(linked & fold) for fold in asked) == 1, (cut, linked)
        for learnt, out in folded["folds"](cut):
            assert not set(learnt) & set(out)


def test_folds_are_the_same_in_every_run_and_differ_between_cuts(folded):
    first = [asked.tolist() for _, asked in folded["folds"](0)]
    np.random.seed(5)
    folded["seed"] = 9
    assert first == [asked.tolist() for _, asked in folded["folds"](0)]
    assert first != [asked.tolist() for _, asked in folded["folds"](1)]


def test_cross_validation_asks_only_about_what_was_not_learnt(folded):
    labels = folded["labels"]
    assert folded["cross_validated"](lambda learnt, asked: labels[asked]) == [1.0] * 5
    assert folded["cross_validated"](lambda learnt, asked: 1 - labels[asked]) == [0.0] * 5

    def by_heart(learnt, asked):
        known = dict(zip(learnt.tolist(), labels[learnt], strict=True))
        return np.array([known.get(n, 1 - labels[n]) for n in asked.tolist()])

    assert folded["cross_validated"](by_heart) == [0.0] * 5


def test_one_neuron_head_learns_and_does_not_see_the_held_out_fold(folded):
    space = run_cells("def on_features(", labels=folded["labels"])
    random = np.random.default_rng(0)
    useful = random.normal(size=(40, 2, 2, 3)) + 2 * folded["labels"][:, None, None, None]
    useless = random.normal(size=(40, 2, 2, 300))
    assert np.mean(folded["cross_validated"](space["on_features"](useful))) > 0.9
    assert np.mean(folded["cross_validated"](space["on_features"](useless))) < 0.8


# --- VGG16 -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vgg():
    training.set_seed(0)
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    base.trainable = False
    x = np.random.default_rng(0).uniform(0, 255, (12, SIZE, SIZE, 3)).astype("float32")
    y = np.tile([[0.0], [1.0]], (6, 1))
    cells = ["def vgg_input(", "def head_network(", "def vgg_features(", "def seconds_an_epoch("]
    return run_cells(*cells, "def copy_of_block_5(", "def fine_tuned(", base=base, x=x, y=y)


def test_head_on_cached_features_says_what_the_whole_network_says(vgg):
    features = vgg["vgg_features"](vgg["base"], vgg["x"])
    head = vgg["head_network"](features)
    head.compile("adam", "binary_crossentropy")
    head.fit(features, vgg["y"], epochs=3, verbose=0)
    whole = keras.Sequential([keras.Input((SIZE, SIZE, 3)), vgg["base"], head])
    by_pictures = whole.predict(vgg["vgg_input"](vgg["x"]), batch_size=5, verbose=0)
    assert np.abs(by_pictures - head.predict(features, verbose=0)).max() < 1e-4
    assert np.ptp(by_pictures) > 1e-3, "answers that are all alike would agree whatever was compared"


def test_preparing_leaves_the_pictures_as_they_were(vgg):
    before = vgg["x"].copy()
    prepared = vgg["vgg_input"](vgg["x"])
    assert np.array_equal(vgg["x"], before)
    assert prepared.min() < -50
    by_hand = before[..., ::-1] - np.array([103.939, 116.779, 123.68], dtype="float32")
    assert np.allclose(prepared, by_hand, atol=1e-3)


def test_large_pictures_go_through_the_base_a_few_at_a_time():
    sizes = {
        size: run_cells("def vgg_features(", image_size=size)["at_a_time"] for size in (32, 64, 150, 224)
    }
    assert sizes[32] == sizes[64] == 8  # never more than the batch
    assert run_cells("def vgg_features(", image_size=64, batch_size=32)["at_a_time"] == 32
    for size in (150, 224):
        pictures = run_cells("def vgg_features(", image_size=size, batch_size=32)["at_a_time"]
        assert 1 <= pictures <= 32 * 64**2 / size**2


def test_fine_tuning_changes_block_5_and_nothing_below(vgg):
    base, features = vgg["base"], vgg["vgg_features"](vgg["base"], vgg["x"])
    before = [array.copy() for array in base.get_weights()]
    head = vgg["head_network"](features)
    head_before = [array.copy() for array in head.get_weights()]
    lower = vgg["below_block_5"](base)
    middle = lower.predict(vgg["vgg_input"](vgg["x"]), verbose=0)
    # untrained, the two halves are the whole
    assert np.allclose(vgg["copy_of_block_5"](base).predict(middle, verbose=0), features, atol=1e-5)
    tuned = vgg["fine_tuned"](base, head, middle, vgg["y"], 1)
    after = tuned.layers[0].get_weights()
    assert len(after) == 6
    for old, new in zip(before[-6:], after, strict=True):
        assert not np.array_equal(old, new)
        assert np.abs(old - new).max() < 1e-3, "steps of 0.00001 are small"
    assert all(np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(head_before, head.get_weights(), strict=True))
    assert not lower.trainable_weights


def test_network_from_scratch_is_the_source_s():
    network = run_cells("def scratch_network(", image_size=64)["scratch_network"]()
    assert network.count_params() == 813_217


def test_an_epoch_has_as_many_steps_as_batches_and_thirty_are_too_many():
    x, y = np.zeros((160, 4, 4, 3), dtype="float32"), np.zeros((160, 1))
    space = run_cells("steps = math.ceil(", x_train=x, batch_size=32, my_guess=0)
    assert space["steps"] == 5
    names = {"x_train": x, "y_train": y, "batch_size": 32, "warnings": warnings}
    assert "ran out of data" in run_cells("steps_per_epoch=30", **names)["said"]


# --- lesson 5's base -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scenes_file(tmp_path_factory):
    """A tiny network with lesson 5's interface."""
    layers = keras.layers
    entrance = keras.Input((150, 150, 3))
    x = layers.AveragePooling2D(2)(layers.Rescaling(1 / 255)(entrance))
    x = layers.Conv2D(4, 3, strides=11, activation="relu", name="feature_maps")(x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    path = tmp_path_factory.mktemp("models") / "intel-scenes.keras"
    keras.Model(entrance, layers.Dense(6, activation="softmax")(x)).save(path)
    return path


def test_lesson_5_s_base_gives_the_means_of_four_quarters(scenes_file):
    space = run_cells("def scenes_network(")
    scenes = space["scenes_network"](scenes_file)
    assert scenes.output.shape == (None, 2, 2, 4)  # 7 x 7 maps
    assert not scenes.trainable_weights
    space = run_cells("def scenes_features(", scenes=scenes)
    dark_above = np.zeros((1, 64, 64, 3), dtype="float32")
    dark_above[:, 32:] = 255
    features = space["scenes_features"](dark_above)
    assert not np.allclose(features[0, 0], features[0, 1])
    assert np.allclose(features[0, :, 0], features[0, :, 1], atol=1e-5)


@pytest.mark.parametrize("fault", ["missing", "cut", "other"])
def test_without_lesson_5_s_network_one_line_says_so(scenes_file, tmp_path, capsys, fault):
    path = tmp_path / "intel-scenes.keras"
    if fault == "cut":
        content = scenes_file.read_bytes()
        path.write_bytes(content[: len(content) // 2])
    if fault == "other":
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]).save(path)
    assert run_cells("def scenes_network(")["scenes_network"](path) is None
    said = capsys.readouterr().out
    assert len(said.strip().splitlines()) == 1
    assert "UNAVAILABLE" in said
    assert str(tmp_path) not in said


# --- rows without weights --------------------------------------------------------------------------


def test_a_row_without_weights_holds_no_number():
    rows = {"measured": [0.9, 0.8, 0.85, 0.9, 0.9], "VGG16 with ImageNet weights": None}
    space = run_cells("def cross_table(", measured=rows, labels=np.zeros(4))
    table = space["cross_table"](rows, "complete")
    assert table.loc["measured", "accuracy, mean of 5 cuts"] == "87.0%"
    missing = " ".join(table.loc["VGG16 with ImageNet weights"])
    assert "unavailable" in missing
    assert not re.search(r"\d", missing)


class Found:
    """What `find_vgg16_weights` returns, as far as the name goes."""

    def __init__(self, kind):
        self.kind = kind


@pytest.mark.parametrize("kind", ["imagenet", "file", "random", "unavailable"])
def test_random_weights_are_always_called_random(kind):
    name = run_cells("vgg_name = {", found=Found(kind))["vgg_name"]
    assert ("RANDOM" in name) == (kind in ("random", "unavailable"))
    assert ("ImageNet" in name) == (kind == "imagenet")


@pytest.mark.parametrize("kind", ["imagenet", "file", "random", "unavailable"])
def test_table_of_bases_has_a_control_and_makes_nothing_up(kind):
    name = run_cells("vgg_name = {", found=Found(kind))["vgg_name"]
    tuned = f"{name}, block 5 fine-tuned"
    truth, answers = np.array([[0.0], [1.0]]), np.array([[0.2], [0.7]])
    had = ["from scratch", "VGG16 with RANDOM weights"] + (
        [name, tuned] if kind in ("imagenet", "file") else []
    )
    names = {
        "CONTROL": "VGG16 with RANDOM weights", "ENLARGED": "enlarged", "LARGE": "large", "TUNED": tuned,
        "vgg_name": name, "found": Found(kind), "my_base": "scratch", "y_validation": truth,
        "readers": {row: lambda small, large: answers for row in had},
        "x_validation": None, "large_validation": None,
    }  # fmt: skip
    rows = run_cells("def binary_cross_entropy(", "def score(", "wanted = [", **names)["rows"]
    assert len(rows) == 6
    for row, cells in rows.items():
        numbers = re.search(r"\d", " ".join(cells.values()))
        assert bool(numbers) == (row in had), row
    assert "VGG16 with RANDOM weights" in rows
    if kind in ("random", "unavailable"):
        assert rows["VGG16 with ImageNet weights"]["accuracy"] == "unavailable"


# --- what the test can prove -----------------------------------------------------------------------


def test_fifteen_pictures_hardly_tell_two_networks_apart():
    space = run_cells("def told_apart(")
    assert space["told_apart"](15) < 0.15
    assert space["told_apart"](space["enough"]) >= 0.8 > space["told_apart"](space["enough"] - 40)
    # the textbook's formula for two shares, 5% and 80%, gives about 241
    shares, middle = (0.93, 0.85), 0.89
    by_formula = (
        1.96 * math.sqrt(2 * middle * (1 - middle)) + 0.8416 * math.sqrt(sum(p * (1 - p) for p in shares))
    ) ** 2 / (shares[0] - shares[1]) ** 2
    assert abs(space["enough"] - by_formula) < 20


# --- stored results --------------------------------------------------------------------------------


def test_stored_result_belongs_to_the_present_recipe():
    stored = published.load_result("06")
    if stored is None:
        pytest.skip("the full profile has not been stored yet")
    assert stored["recipe"] == training.recipe_hash(STEM), (
        "recipe cells have changed: run the full profile again"
    )
    assert stored["data"]["kind"] == "complete"
    rows = stored["cross_validation"]
    assert all(cuts is None or len(cuts) == 5 for cuts in rows.values())
    had = {name: np.mean(cuts) for name, cuts in rows.items() if cuts}
    assert "VGG16 with RANDOM weights" in had, "the control"
    assert max(had.values()) >= 0.88
    assert had["from scratch, augmented"] > had["no base: about 16 x 16 pixels"]


# --- networks that are set back to their start -------------------------------------------------------


def test_every_fold_begins_with_the_same_untrained_network():
    x, y = (
        np.random.default_rng(0).uniform(0, 255, (24, SIZE, SIZE, 3)).astype("float32"),
        np.tile([0, 1], 12),
    )
    names = {"x_train": x[:16], "x_validation": x[16:], "labels": y, "at_a_time": 8}
    cells = ["def augmentation_layers(", "def scratch_network(", "def back_to_start(", "def trained_anew("]
    answers = run_cells(*cells, **names)["trained_anew"](True)
    learnt, asked = np.arange(16), np.arange(16, 24)
    first = answers(learnt, asked)
    answers(learnt, asked[:4])  # whatever is trained between
    assert np.array_equal(first, answers(learnt, asked))
    assert not np.array_equal(first, answers(asked, asked))


def test_fine_tuning_in_every_fold_begins_anew(vgg):
    features = vgg["vgg_features"](vgg["base"], vgg["x"])
    middle = vgg["below_block_5"](vgg["base"]).predict(vgg["vgg_input"](vgg["x"]), verbose=0)
    run_again = dict(vgg, labels=vgg["y"].ravel())
    answers = run_cells("def back_to_start(", "def tuned_anew(", **run_again)["tuned_anew"](middle, features)
    learnt, asked = np.arange(8), np.arange(8, 12)
    first = answers(learnt, asked)
    assert np.array_equal(first, answers(learnt, asked))
    assert not np.array_equal(first, answers(asked, asked))
