"""Lesson 6 and its deeper notebook: features, folds, fine-tuning, as the notebooks' own cells do them."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.recipes import run_cells
from PIL import Image, ImageEnhance

from helpers import datasets, published, training

LESSON, DEEPER = "06-vgg16-transfer-car-plane", "06a-what-pretraining-brings"
SIZE = 32  # the smallest picture that VGG16 and MobileNet take: quick
RANDOM = datasets.FoundWeights(None, "random", "")
LABELS = np.tile([0, 1], 20)


def lesson(*markers, stem=LESSON, **names):
    """What the cells that hold the markers leave; without markers, what the recipe cells define."""
    defaults = {"seed": 0, "image_size": SIZE, "batch_size": 8, "at_a_time": 8, "cuts": 2, "found": RANDOM}
    return run_cells(stem, *markers, **defaults | names)


def deeper(*markers, **names):
    return lesson(*markers, stem=DEEPER, **{"labels": LABELS, "groups": np.arange(40)} | names)


def photograph(seed, side=200):
    """A smooth picture: light and dark patches of all sizes, as in photographs."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype("uint8")
    return Image.fromarray(small).resize((side * 4 // 3, side), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).uniform(0, 255, (8, SIZE, SIZE, 3)).astype("float32")


def test_preparing_leaves_the_pictures_as_they_were(pictures):
    before, space = pictures.copy(), lesson()
    by_hand = before[..., ::-1] - np.array([103.939, 116.779, 123.68], dtype="float32")
    assert np.allclose(space["vgg_input"](pictures), by_hand, atol=1e-3)
    assert np.allclose(space["mobilenet_input"](pictures), before / 127.5 - 1, atol=1e-5)
    assert np.array_equal(pictures, before)


def test_head_on_kept_features_says_what_base_and_head_together_say(pictures):
    space = lesson()
    keras = space["keras"]
    training.set_seed(0)
    base = space["mobilenet"](SIZE)
    features = space["mobilenet_features"](base, pictures)
    head = space["head_network"](features)
    together = keras.Sequential([base, keras.layers.GlobalAveragePooling2D(), head])
    said = together.predict(space["mobilenet_input"](pictures), verbose=0)
    assert np.abs(said - head.predict(features, verbose=0)).max() < 1e-4
    assert np.ptp(said) > 1e-3, "answers that are all alike would agree whatever was compared"


@pytest.mark.parametrize("seed", range(3))
def test_a_photograph_keeps_its_fingerprint_and_another_has_another(seed, tmp_path):
    difference_hash, picture = deeper()["difference_hash"], photograph(seed)

    def bits(other, **options):
        other.save(tmp_path / "other.jpg", quality=options.get("quality", 95))
        picture.save(tmp_path / "one.png")
        one, another = (difference_hash(tmp_path / name) for name in ("one.png", "other.jpg"))
        return int((one != another).sum())

    assert bits(picture, quality=40) <= 3
    assert bits(picture.resize((120, 90), Image.Resampling.LANCZOS)) <= 3
    assert bits(ImageEnhance.Brightness(picture).enhance(0.8)) <= 3
    assert bits(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 10
    assert bits(photograph(seed + 100)) > 10


def test_what_is_linked_by_fingerprint_or_by_number_is_one_group():
    names = ["plane-302044__340", "plane-302045__340", "car-train-01", "plane-302064", "netherlands 3"]
    distances = np.full((5, 5), 30)
    distances[2, 4] = distances[4, 2] = 5
    files = [Path(f"{name}.jpg") for name in names]
    groups = deeper("same_series = ", files=files, distances=distances)["groups"]
    assert groups.tolist() == [0, 0, 1, 0, 1]


def test_relatives_stay_in_one_fold_and_every_picture_is_asked_by_a_head_that_never_saw_it():
    groups = np.r_[0, 0, 0, np.arange(3, 40)]
    space = deeper(groups=groups)
    for cut in range(5):
        asked = [set(asked) for _, asked in space["folds"](cut).split(LABELS, LABELS, groups)]
        assert sorted(n for fold in asked for n in fold) == list(range(40))
        assert sum(bool({0, 1, 2} & fold) for fold in asked) == 1
    random = np.random.default_rng(0)
    useful = random.normal(size=(40, 12)) + 2 * LABELS[:, np.newaxis]
    by_heart = np.eye(40)  # tells every picture from every other, and nothing about a new one
    assert space["shares"]([space["judged"](space["answers"](useful, 0))])[0] > 0.9
    assert space["shares"]([space["judged"](space["answers"](by_heart, 0))])[0] < 0.7


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore:Even though")
def test_fine_tuning_moves_the_last_two_blocks_only_and_every_fold_begins_alike(eager):
    space = deeper()
    lower, upper = space["halves"](space["mobilenet"](SIZE, True))
    blocks = {f"conv_{kind}_{n}" for kind in ("dw", "pw") for n in (11, 12)}
    assert {weight.path.split("/")[0] for weight in upper.trainable_weights} == blocks
    assert not lower.trainable_weights
    middle = np.random.default_rng(0).uniform(0, 6, (40, *lower.output.shape[1:])).astype("float32")
    start, first = upper.get_weights(), space["tuned"](0, middle, upper, 1)
    assert all(np.array_equal(a, b) for a, b in zip(start, upper.get_weights(), strict=True))
    assert np.array_equal(first, space["tuned"](0, middle, upper, 1)), "whatever was trained between"
    fitted = space["one_neuron"]().fit(upper.predict(middle, verbose=0).mean(axis=(1, 2)), LABELS)
    space["tuning_network"](upper, fitted, 1e-5).fit(middle, LABELS, verbose=0)
    normal = [layer for layer in upper.layers if layer.name.endswith("_bn")]
    assert all((weight.numpy() == weight.numpy()[0]).all() for layer in normal for weight in layer.weights)
    assert not np.array_equal(start[0], upper.get_weights()[0]), "untrained, its means are all 0"


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore:Even though")
def test_what_takes_long_runs_on_the_sample(eager):
    names = "one_neuron judged mobilenet features pictures_of from_scratch halves tuning_network scene_files"
    cells = [f"def {name}(" for name in f"{names} through scene_network".split()]
    space = deeper(*cells, "def borrowed_scenes(", data_source="sample")
    space["SCENE_SIZE"] = SIZE
    row = space["borrowed_scenes"]()
    assert set(row["validation"]) == set(row["right"]) == {"frozen", "trained further"}
    assert len(row["right"]["frozen"]) == space["scenes"].info.counts["test"]
    space["pictures_of"] = lambda size: np.zeros((40, size, size, 3), "uint8")
    assert len(space["judged"](space["from_scratch"](0, SIZE, 1))["right"]) == 40


def test_stored_result_has_its_control():
    rows = published.load_result("06a")["rows"]
    share = {name: np.mean([cut["right"].count("1") / 200 for cut in row]) for name, row in rows.items()}
    assert share["MobileNet, ImageNet, 160 px"] >= 0.975
    assert all(0.75 < share[f"MobileNet, RANDOM, {size} px"] < 0.93 for size in (64, 160, 224)), "the control"
