"""Lesson 5: the stream, the split, the better network and its training, from the notebook's own cells."""

import functools
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.recipes import run_cells
from PIL import Image

from helpers import evaluation, published, training

STEM = "05-intel-scenes-cnn"
CLASSES = ["buildings", "forest", "glacier", "mountain", "sea", "street"]
cells = functools.partial(run_cells, STEM)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten pictures a class, each as grey as its position in the list of all sixty."""
    folder = tmp_path_factory.mktemp("scenes")
    for label, name in enumerate(CLASSES):
        (folder / name).mkdir()
        for number in range(10):
            picture = np.full((150, 150, 3), 10 * label + number, dtype="uint8")
            Image.fromarray(picture).save(folder / name / f"{number}.png")
    (folder / ".ipynb_checkpoints").mkdir()
    Image.new("RGB", (150, 150)).save(folder / ".ipynb_checkpoints" / "0.png")
    return folder


@pytest.fixture(scope="module")
def lesson(folder):
    """All that the recipe cells define, and the sixty pictures."""
    space = cells(seed=0, batch_size=7, learning_rate=0.001, class_names=CLASSES, kind="sample")
    space = cells("def list_pictures(", "def choose_and_report(", **space)
    _, space["paths"], space["labels"] = space["list_pictures"](folder)
    return space


class Reader:
    """A stand-in for a network that "predicts" the grey value of each picture."""

    def predict_on_batch(self, pictures):
        return np.asarray(pictures)[:, 0, 0, 0]


def test_labels_and_predictions_belong_together_in_a_shuffled_stream(lesson):
    shuffled = lesson["stream"](lesson["paths"], lesson["labels"], shuffle=True)
    labels, grey = evaluation.predict_dataset(Reader(), shuffled)
    assert np.array_equal(labels, grey.astype(int) // 10)
    # two passes, as `predict` and then a second reading of the labels would make, do not agree
    second, _ = evaluation.predict_dataset(Reader(), shuffled)
    assert not np.array_equal(labels, second)
    assert sorted(grey) == list(range(60))


def test_an_unshuffled_stream_keeps_the_order_of_the_files(lesson):
    labels, grey = evaluation.predict_dataset(Reader(), lesson["stream"](lesson["paths"], lesson["labels"]))
    assert np.array_equal(labels, lesson["labels"])
    assert np.array_equal(grey, np.arange(60)), "a stray folder's pictures are not among them"
    assert [Path(path).parent.name for path in lesson["paths"]] == list(np.array(CLASSES)[labels])


def test_the_split_is_stratified_disjoint_and_the_same_for_every_seed(lesson):
    def split(seed):
        np.random.seed(seed)
        return cells("train_paths, validation_paths, train_labels", **lesson | {"seed": seed})

    one, other = split(0), split(1)
    assert np.bincount(one["validation_labels"]).tolist() == [2] * 6
    assert not set(one["train_paths"]) & set(one["validation_paths"])
    assert set(one["train_paths"]) | set(one["validation_paths"]) == set(lesson["paths"])
    for part in ("train_paths", "validation_paths"):
        assert one[part].tolist() == other[part].tolist()


def test_limiting_the_pictures_keeps_so_many_of_each_class(lesson):
    paths, labels = lesson["at_most"](lesson["paths"], lesson["labels"], 3)
    assert np.bincount(labels).tolist() == [3] * 6
    assert all(Path(path).parent.name == CLASSES[label] for path, label in zip(paths, labels, strict=True))


@pytest.fixture(scope="module")
def better(lesson):
    training.set_seed(0)
    return lesson["in_use"](lesson["better_network"]())


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, size=(6, 150, 150, 3)).astype("float32")


def test_trained_body_and_network_in_use_answer_alike(lesson, pictures):
    body = lesson["better_network"]()
    small = lesson["tf"].image.resize(pictures, (112, 112))
    used = lesson["in_use"](body).predict_on_batch(pictures)
    assert used == pytest.approx(body.predict_on_batch(small), abs=1e-3)
    assert used.shape == (6, 6) and used.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert np.ptp(used, axis=0).max() > 1e-2, "answers that are all alike would agree whatever was compared"


def test_every_piece_keeps_its_own_label(lesson):
    views = lesson["pieces"](lesson["paths"], lesson["labels"])
    assert len(views) == 8 * 9  # so small a set is gone over several times an epoch; 60 are 9 batches of 7
    labels, grey = evaluation.predict_dataset(Reader(), views)
    assert np.array_equal(labels, np.rint(grey).astype(int) // 10)
    assert np.bincount(labels).tolist() == [80] * 6


@pytest.fixture(scope="module")
def ramp(tmp_path_factory):
    """The path of a picture that is 0 at its left edge and 149 at its right one."""
    path = tmp_path_factory.mktemp("ramp") / "ramp.png"
    Image.fromarray(np.tile(np.arange(150, dtype="uint8")[:, np.newaxis], (150, 1, 3))).save(path)
    return str(path)


def test_pieces_vary_in_place_and_size_and_half_are_mirrored(lesson, ramp):
    def view(*draw):
        constant = lesson["tf"].constant
        piece, label = lesson["training_view"]((constant(ramp), 3), constant(draw, "int64"))
        assert piece.shape == (96, 96, 3) and label == 3
        return piece.numpy()

    assert np.array_equal(view(1, 2), view(1, 2))
    views = [view(number, 7) for number in range(200)]
    mirrored = np.array([piece[0, 0, 0] > piece[0, -1, 0] for piece in views])
    assert 70 <= mirrored.sum() <= 130
    widths = np.array([np.ptp(piece[0, :, 0]) + 1 for piece in views]) / 150
    assert 0.65 < widths.min() < 0.85 and 0.9 < widths.max() <= 1  # root of 0.6 / 1.25 is 0.69
    # which side is cut must not tell whether the piece is mirrored
    assert abs(np.corrcoef([piece.min() for piece in views], mirrored)[0, 1]) < 0.2


@pytest.mark.parametrize("what", ["stream", "pieces"])
def test_order_and_pieces_differ_between_epochs_and_seeds_but_not_between_runs(lesson, ramp, what):
    def epochs(seed):
        training.set_seed(seed)
        show = cells("def read_picture(", f"def {what}(", **lesson | {"seed": seed})[what]
        options = {"shuffle": True} if what == "stream" else {}
        files = lesson["paths"] if what == "stream" else np.array([ramp] * 20)
        stream = show(files, np.zeros(len(files), int), **options).take(3)
        return [evaluation.predict_dataset(Reader(), stream)[1].round(3).tolist() for _ in range(2)]

    first = epochs(0)
    assert first[0] != first[1]
    assert first == epochs(0)
    assert first != epochs(1)


def test_learning_rate_climbs_and_falls_to_zero(lesson):
    rates = [float(lesson["schedule"](200)(step)) for step in range(201)]
    assert rates[0] == pytest.approx(rates[20] / 20)
    assert np.argmax(rates) == 20
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    for steps in (1, 2, 7):  # a very short training has a schedule as well
        assert max(float(lesson["schedule"](steps)(step)) for step in range(steps + 1)) > 0


def test_weight_decay_spares_biases_and_normalisation(lesson, better):
    before = [weight.numpy() for weight in better.trainable_weights]
    nothing_to_learn = [np.zeros_like(array) for array in before]
    lesson["adamw"](2).apply(nothing_to_learn, better.trainable_weights)
    decayed = set()
    for weight, old in zip(better.trainable_weights, before, strict=True):
        decayed |= set() if np.array_equal(weight.numpy(), old) else {weight.name}
        weight.assign(old)
    assert decayed == {"kernel", "depthwise_kernel", "pointwise_kernel"}


class Counted(list):
    """A validation set that knows how often it has been read."""

    read = 0

    def __iter__(self):
        self.read += 1
        return super().__iter__()


def test_validation_reads_its_pictures_once_an_epoch_and_keeps_which_were_right(lesson):
    generator, keras = np.random.default_rng(0), lesson["keras"]
    x, y = generator.random((10, 3)).astype("float32"), generator.integers(0, 6, 10)
    validation = Counted((x[start : start + 4], y[start : start + 4]) for start in range(0, 10, 4))
    watched = lesson["Validation"](validation)
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, activation="softmax")])
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = network.fit(x, y, epochs=3, callbacks=[watched], verbose=0).history
    assert validation.read == 3
    assert history["val_accuracy"] == [pytest.approx(right.mean()) for right in watched.right]
    loss, accuracy = network.evaluate(x, y, verbose=0)
    assert history["val_accuracy"][-1] == pytest.approx(accuracy)
    assert history["val_loss"][-1] == pytest.approx(loss, abs=1e-4)


def test_choosing_an_epoch_by_luck_makes_its_number_too_good(lesson):
    generator = np.random.default_rng(0)
    equally_good = generator.random((15, 300)) < 0.8

    def surplus(right):
        halvings = np.array([lesson["choose_and_report"](right, generator) for _ in range(400)])
        return (halvings[:, 0] - halvings[:, 1]).mean()

    assert 1 < surplus(equally_good) < 10
    assert abs(surplus(equally_good[:1])) < 1  # nothing to choose


def test_grad_cam_is_cam_up_to_the_number_of_places(better, pictures):
    space = cells("def grad_cam(", networks={"better": better})
    classes = np.arange(6)
    heat = space["grad_cam"](pictures, classes)
    maps = np.asarray(space["last_maps"](pictures, training=False))
    weights = np.asarray(better.layers[-1].kernel)[:, classes].T
    cam = np.maximum((weights[:, np.newaxis, np.newaxis] * maps).sum(axis=-1), 0)
    assert heat.shape == maps.shape[:3]
    assert cam.max() > 0
    assert np.allclose(cam, heat * maps.shape[1] * maps.shape[2], atol=1e-4)
    assert not np.allclose(heat, space["grad_cam"](pictures, classes[::-1]))


def test_stored_results_are_of_the_recipe_and_reach_what_the_lesson_promises():
    stored = published.load_result("05")
    recipe = training.recipe_hash(STEM)
    assert stored["recipe"] == recipe, "the recipe cells have changed: run the full profile again"
    (source,), better = stored["runs"]["source"], stored["runs"]["better"]
    assert (source["parameter_count"], source["epochs"]) == (135_942, 30)
    assert len(better) == 3
    assert sorted(run["test_accuracy"] for run in better)[1] >= 0.88
    assert all(run["parameter_count"] <= 500_000 for run in better)
    assert set(stored["faults"]) == {"raw", "scaled", "trained on RGB", "trained on BGR"}


def test_committed_network_is_what_its_card_says(lesson):
    model = published.MODELS_FOLDER / "intel-scenes.keras"
    card = json.loads(model.with_suffix(".json").read_bytes())
    network = lesson["keras"].saving.load_model(model, safe_mode=True)
    assert card["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert card["class_names"] == CLASSES
    assert card["data"]["kind"] in ("partial", "complete")
    assert card["networks"]["better"]["parameter_count"] == network.count_params() <= 500_000
    assert network.input_shape == (None, 150, 150, 3)
    assert model.stat().st_size < 3_000_000
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}
