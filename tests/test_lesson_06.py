"""Lesson 6: fingerprints, groups, features, fine-tuning, rows without weights: the notebook's own cells."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from benchmarks.recipes import run_cells
from PIL import Image, ImageEnhance

from helpers import datasets, published, training

STEM = "06-vgg16-transfer-car-plane"
SIZE = 32  # the smallest picture that VGG16 takes: quick
DEFAULTS = {"seed": 0, "image_size": SIZE, "batch_size": 8, "at_a_time": 8, "epochs": 2, "kind": "sample"}
DATA = os.environ.get("COURSE_DATA_DIR")


def lesson(*markers, **names):
    """What the recipe cells define; then the cells that hold the markers are run."""
    space = run_cells(STEM, **DEFAULTS | {"vgg_name": "VGG16"} | names)
    return run_cells(STEM, *markers, **space) if markers else space


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
    space = lesson("def load_pictures(", class_names=["cars", "planes"])
    pictures, files = space["load_pictures"](tmp_path, SIZE, "uint8")
    assert [file.name for file in files] == ["a.png", "b.jpg"] * 2
    assert space["labels_of"](files).tolist() == [[0], [0], [1], [1]]
    own = [datasets.own_photographs(tmp_path / name, (SIZE, SIZE)).pictures for name in ("cars", "planes")]
    assert np.array_equal(pictures, np.concatenate(own))


@pytest.fixture(scope="module")
def bits(tmp_path_factory):
    """A function: the number of answers in which the fingerprints of two pictures differ."""
    difference_hash = lesson()["difference_hash"]

    def fingerprint(picture, ending="png", **options):
        path = tmp_path_factory.mktemp("hash") / f"picture.{ending}"
        picture.save(path, **options)
        found = difference_hash(path)
        assert found.shape == (64,) and found.dtype == bool
        return found

    return lambda one, other, **options: int((fingerprint(one) != fingerprint(other, **options)).sum())


@pytest.mark.parametrize("seed", range(5))
def test_a_photograph_keeps_its_fingerprint_and_another_has_another(bits, seed):
    picture = photograph(seed)
    assert bits(picture, picture) == 0
    assert bits(picture, picture.resize((120, 90), Image.Resampling.LANCZOS)) <= 3
    assert bits(picture, ImageEnhance.Brightness(picture).enhance(0.8)) <= 3
    assert bits(picture, picture.convert("L")) <= 1
    assert bits(picture, picture, ending="jpg", quality=40) <= 3
    assert bits(picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 10
    assert bits(picture, photograph(seed + 100)) > 10


def test_numbers_in_names_tell_of_a_series():
    names = ["plane-302044__340", "plane-302045__340", "plane-352713__340", "netherlands 3", "car-train-01"]
    found = lesson("same_series = ", files=[Path(f"{name}.jpg") for name in names])["same_series"]
    expected = np.zeros((5, 5), dtype=bool)
    expected[:2, :2] = expected[2, 2] = True  # a name without a number is not even in its own series
    assert np.array_equal(found, expected)


@pytest.mark.skipif(not DATA, reason="COURSE_DATA_DIR does not name the real pictures")
def test_the_near_duplicates_of_the_real_set():
    data = datasets.find_car_plane("real")
    if data.info.kind != "complete":
        pytest.skip("the car/plane set is not complete here")
    folders = (data.train, data.validation, data.test)
    names = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    difference_hash = lesson()["difference_hash"]
    bits = np.array([difference_hash(path) for path in names])
    distances = (bits[:, np.newaxis] != bits).sum(axis=2)
    same = lesson("same_photograph = ", distances=distances)["same_photograph"]
    pairs = zip(*np.nonzero(np.triu(same, 1)), strict=True)
    assert {frozenset((names[a].stem, names[b].stem)) for a, b in pairs} == {
        frozenset(("airplane-1554870__340", "airplane-1554870_960_720")),
        frozenset(("commercial-jet-2066172__340", "commercial-jetliner-3628141__340")),
        frozenset(("coupe-1374436__340", "coupe-1374441__340")),
    }
    # the line lies in a gap: a little higher or lower, it says the same
    for line in (4, 6, 7):
        assert np.array_equal(same, distances <= line)


@pytest.fixture
def folded():
    """Forty pictures, ten linked in chains: 0-1-2 within one class, 3-30 across, 12-13, 35-36-37."""
    same = np.eye(40, dtype=bool)
    for a, b in [(0, 1), (1, 2), (3, 30), (12, 13), (35, 36), (36, 37)]:
        same[a, b] = same[b, a] = True
    names = {"same_photograph": same, "same_series": np.zeros((40, 40), dtype=bool)}
    for part, each in (("train", 15), ("validation", 5)):
        names[f"x_{part}"] = np.zeros((2 * each, 1))
        names[f"y_{part}"] = np.repeat([0.0, 1.0], each)[:, None]
    return lesson("groups = connected_components", "def cross_validated(", "def on_features(", **names)


def test_near_duplicates_stay_in_one_fold_and_every_picture_is_asked_once(folded):
    assert len(set(folded["groups"])) == 34
    for cut in range(5):
        asked = [set(asked) for _, asked in folded["folds"](cut)]
        assert sorted(n for fold in asked for n in fold) == list(range(40))
        for linked in ({0, 1, 2}, {3, 30}, {12, 13}, {35, 36, 37}):
            assert sum(bool(linked & fold) for fold in asked) == 1, (cut, linked)
        assert not any(set(learnt) & set(out) for learnt, out in folded["folds"](cut))


def test_folds_are_the_same_in_every_run_and_differ_between_cuts(folded):
    first = [asked.tolist() for _, asked in folded["folds"](0)]
    np.random.seed(5)
    folded["seed"] = 9
    assert first == [asked.tolist() for _, asked in folded["folds"](0)]
    assert first != [asked.tolist() for _, asked in folded["folds"](1)]


def test_cross_validation_asks_only_about_what_was_not_learnt(folded):
    labels = folded["labels"]
    assert folded["cross_validated"](lambda learnt, asked: labels[asked]) == [1.0] * 5

    def by_heart(learnt, asked):
        known = dict(zip(learnt.tolist(), labels[learnt], strict=True))
        return np.array([known.get(n, 1 - labels[n]) for n in asked.tolist()])

    assert folded["cross_validated"](by_heart) == [0.0] * 5


def test_one_neuron_head_learns_and_does_not_see_the_held_out_fold(folded):
    random = np.random.default_rng(0)
    useful = random.normal(size=(40, 2, 2, 3)) + 2 * folded["labels"][:, None, None, None]
    useless = random.normal(size=(40, 2, 2, 300))
    assert np.mean(folded["cross_validated"](folded["on_features"](useful))) > 0.9
    assert np.mean(folded["cross_validated"](folded["on_features"](useless))) < 0.8


@pytest.fixture(scope="module")
def vgg():
    training.set_seed(0)
    x = np.random.default_rng(0).uniform(0, 255, (12, SIZE, SIZE, 3)).astype("float32")
    space = lesson(x=x, y=np.tile([[0.0], [1.0]], (6, 1)))
    vgg16 = space["keras"].applications.VGG16
    space["base"] = vgg16(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    space["base"].trainable = False
    space["features"] = space["vgg_features"](space["base"], x)
    space["middle"] = space["below_block_5"](space["base"]).predict(space["vgg_input"](x), verbose=0)
    return space


def test_head_on_cached_features_says_what_the_whole_network_says(vgg):
    head, keras = vgg["head_network"](vgg["features"]), vgg["keras"]
    head.compile("adam", "binary_crossentropy")
    head.fit(vgg["features"], vgg["y"], epochs=3, verbose=0)
    whole = keras.Sequential([keras.Input((SIZE, SIZE, 3)), vgg["base"], head])
    by_pictures = whole.predict(vgg["vgg_input"](vgg["x"]), batch_size=5, verbose=0)
    assert np.abs(by_pictures - head.predict(vgg["features"], verbose=0)).max() < 1e-4
    assert np.ptp(by_pictures) > 1e-3, "answers that are all alike would agree whatever was compared"


def test_preparing_leaves_the_pictures_as_they_were(vgg):
    before, prepared = vgg["x"].copy(), vgg["vgg_input"](vgg["x"])
    assert np.array_equal(vgg["x"], before)
    by_hand = before[..., ::-1] - np.array([103.939, 116.779, 123.68], dtype="float32")
    assert np.allclose(prepared, by_hand, atol=1e-3)


@pytest.mark.parametrize(("size", "most"), [(32, 32), (64, 32), (150, 5), (224, 2)])
def test_large_pictures_go_through_the_base_a_few_at_a_time(size, most):
    assert lesson("def vgg_features(", image_size=size, batch_size=32)["at_a_time"] == most
    assert lesson("def vgg_features(", image_size=size, batch_size=1)["at_a_time"] == 1


def test_fine_tuning_changes_block_5_and_nothing_below(vgg):
    base, head, middle = vgg["base"], vgg["head_network"](vgg["features"]), vgg["middle"]
    before, head_before = base.get_weights(), head.get_weights()
    # untrained, the two halves are the whole
    assert np.allclose(vgg["copy_of_block_5"](base).predict(middle, verbose=0), vgg["features"], atol=1e-5)
    tuned = vgg["fine_tuned"](base, head, middle, vgg["y"], 1).layers[0].get_weights()
    assert len(tuned) == 6
    for old, new in zip(before[-6:], tuned, strict=True):
        assert not np.array_equal(old, new)
        assert np.abs(old - new).max() < 1e-3, "steps of 0.00001 are small"
    assert all(np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(head_before, head.get_weights(), strict=True))


@pytest.mark.kernel
@pytest.mark.parametrize("what", ["from scratch", "fine-tuned"])
def test_every_fold_begins_with_the_same_untrained_network(vgg, what):
    names = {"x_train": vgg["x"][:8], "x_validation": vgg["x"][8:], "labels": vgg["y"].ravel()}
    space = lesson("def trained_anew(", **vgg | names)
    if what == "from scratch":
        answers = space["trained_anew"](True)
    else:
        answers = space["tuned_anew"](vgg["middle"], vgg["features"])
    learnt, asked = np.arange(8), np.arange(8, 12)
    first = answers(learnt, asked)
    assert not np.array_equal(first, answers(asked, asked))
    assert np.array_equal(first, answers(learnt, asked)), "whatever was trained between"


@pytest.fixture(scope="module")
def scenes_file(tmp_path_factory):
    """A tiny network with lesson 5's interface."""
    import keras

    layers = keras.layers
    entrance = keras.Input((150, 150, 3))
    x = layers.AveragePooling2D(2)(layers.Rescaling(1 / 255)(entrance))
    x = layers.Conv2D(4, 3, strides=11, activation="relu", kernel_initializer="ones", name="feature_maps")(x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    path = tmp_path_factory.mktemp("models") / "intel-scenes.keras"
    keras.Model(entrance, layers.Dense(6, activation="softmax")(x)).save(path)
    return path


def test_lesson_5_s_base_gives_the_means_of_four_quarters(scenes_file):
    space = lesson()
    scenes = space["scenes"] = space["scenes_network"](scenes_file)
    assert scenes.output.shape == (None, 2, 2, 4) and not scenes.trainable_weights
    dark_above = np.zeros((1, 64, 64, 3), dtype="float32")
    dark_above[:, 32:] = 255
    features = space["scenes_features"](dark_above)
    assert not np.allclose(features[0, 0], features[0, 1])
    assert np.allclose(features[0, :, 0], features[0, :, 1], atol=1e-5)


@pytest.mark.parametrize("fault", ["missing", "cut", "other"])
def test_without_lesson_5_s_network_one_line_says_so(scenes_file, tmp_path, capsys, fault):
    space, path = lesson(), tmp_path / "intel-scenes.keras"
    if fault == "cut":
        path.write_bytes(scenes_file.read_bytes()[:5000])
    if fault == "other":
        keras = space["keras"]
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]).save(path)
    assert space["scenes_network"](path) is None
    (said,) = capsys.readouterr().out.strip().splitlines()
    assert "UNAVAILABLE" in said and str(tmp_path) not in said


@pytest.mark.parametrize("kind", ["imagenet", "file", "random", "unavailable"])
def test_table_of_bases_has_a_control_and_makes_nothing_up(kind):
    found = datasets.FoundWeights(None, kind, "")
    name = lesson("vgg_name = {", found=found)["vgg_name"]
    assert ("RANDOM" in name) == (kind in ("random", "unavailable"))
    assert ("ImageNet" in name) == (kind == "imagenet")
    tuned, truth = f"{name}, block 5 fine-tuned", np.array([[0.0], [1.0]])
    had = {"from scratch", "VGG16 with RANDOM weights"}
    had |= {name, tuned} if kind in ("imagenet", "file") else set()
    names = {
        "CONTROL": "VGG16 with RANDOM weights", "ENLARGED": "enlarged", "LARGE": "large", "TUNED": tuned,
        "vgg_name": name, "found": found, "my_base": "scratch", "y_validation": truth,
        "readers": {row: lambda small, large: np.array([[0.2], [0.7]]) for row in had},
        "x_validation": None, "large_validation": None,
    }  # fmt: skip
    rows = lesson("def binary_cross_entropy(", "def score(", "wanted = [", **names)["rows"]
    assert len(rows) == 6 and had <= set(rows)
    for row, words in rows.items():
        assert bool(re.search(r"\d", " ".join(words.values()))) == (row in had), row


def test_stored_result_is_of_the_recipe_and_has_its_control():
    stored = published.load_result("06")
    assert stored["recipe"] == training.recipe_hash(STEM), "run the full profile again"
    had = {name: np.mean(cuts) for name, cuts in stored["cross_validation"].items() if cuts}
    assert "VGG16 with RANDOM weights" in had, "the control"
    assert max(had.values()) >= 0.88
    assert had["from scratch, augmented"] > had["no base: about 16 x 16 pixels"]
