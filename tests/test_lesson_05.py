"""Lesson 5 and 5b: the stream, the split and the planted faults, from the notebooks' own cells."""

import functools

import numpy as np
import pytest
from benchmarks.recipes import run_cells
from PIL import Image

from helpers import evaluation, published, training

CLASSES = ["buildings", "forest", "glacier", "mountain", "sea", "street"]
cells = functools.partial(run_cells, "05-intel-scenes-cnn")
faults = functools.partial(run_cells, "05b-faults-that-raise-no-error")


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """Lesson 5's reading, and ten pictures a class, each as grey as its place in the list of all sixty."""
    folder = tmp_path_factory.mktemp("scenes")
    for number in range(60):
        place = folder / CLASSES[number // 10]
        place.mkdir(exist_ok=True)
        Image.new("RGB", (150, 150), (number, number, number)).save(place / f"{number % 10}.png")
    (folder / ".ipynb_checkpoints").mkdir()
    Image.new("RGB", (150, 150)).save(folder / ".ipynb_checkpoints" / "0.png")
    names = {"seed": 0, "batch_size": 7, "class_names": CLASSES}
    space = cells("def list_pictures(", "def read_picture(", "def stream(", **names)
    space["paths"], space["labels"] = space["list_pictures"](folder)
    return space


class Reader:
    """A stand-in for a network that "predicts" the grey value of each picture."""

    def predict_on_batch(self, pictures):
        return np.asarray(pictures)[:, 0, 0, 0]


def test_labels_and_predictions_belong_together_in_a_shuffled_stream(lesson):
    shuffled = lesson["stream"](lesson["paths"], lesson["labels"], shuffle=True)
    labels, grey = evaluation.predict_dataset(Reader(), shuffled)
    assert np.array_equal(labels, grey.astype(int) // 10)
    second, _ = evaluation.predict_dataset(Reader(), shuffled)
    assert not np.array_equal(labels, second), "another order in every epoch"
    assert sorted(grey) == list(range(60)), "all pictures of the classes, and none of a stray folder"
    labels, grey = evaluation.predict_dataset(Reader(), lesson["stream"](lesson["paths"], lesson["labels"]))
    assert np.array_equal(labels, lesson["labels"]) and np.array_equal(grey, np.arange(60))


def test_order_of_the_pictures_depends_on_the_seed_alone(lesson):
    def order(seed):
        training.set_seed(seed)
        stream = cells("def stream(", **lesson | {"seed": seed})["stream"]
        shuffled = stream(lesson["paths"], lesson["labels"], True)
        return evaluation.predict_dataset(Reader(), shuffled)[1].tolist()

    assert order(0) == order(0) != order(1)


def test_pictures_and_split_are_balanced_disjoint_and_the_same_for_every_seed(lesson):
    def split(seed):
        np.random.seed(seed)
        paths, labels = lesson["at_most"](lesson["paths"], lesson["labels"], 5)
        names = lesson | {"paths": paths, "labels": labels, "kind": "sample"}
        return cells("validation_labels = train_test_split(", **names)

    one, other = split(0), split(1)
    assert np.bincount(one["validation_labels"]).tolist() == [1] * 6
    assert np.bincount(one["train_labels"]).tolist() == [4] * 6
    assert not set(one["train_paths"]) & set(one["validation_paths"])
    assert one["train_paths"].tolist() == other["train_paths"].tolist()


# --- 5b --------------------------------------------------------------------------------------------


def test_turned_kernels_make_swapped_colours_right_again():
    pictures = np.random.default_rng(0).integers(0, 256, (12, 150, 150, 3)).astype("float32")
    network = published.load_network(published.MODELS_FOLDER / "intel-scenes.keras")

    def swap(batch):
        return batch[..., ::-1]

    def answers(fault, network=network):
        return network.predict_on_batch(fault(pictures))

    said = {"as they are": answers(lambda batch: batch)}
    turned = faults("turned = published.", said=said, answers=answers, tested="sample", swap=swap)["turned"]
    assert np.allclose(turned.predict_on_batch(swap(pictures)), said["as they are"], atol=1e-4)
    assert not np.allclose(turned.predict_on_batch(pictures), said["as they are"], atol=1e-2)


def test_choosing_an_epoch_by_luck_makes_its_number_too_good():
    generator = np.random.default_rng(0)
    equally_good = generator.random((15, 300)) < 0.8

    def optimism(table):
        return faults("def surplus(", answered=table, kind="sample")["points"]["all epochs"].mean()

    assert 1 < optimism(equally_good) < 10
    assert abs(optimism(equally_good[:1])) < 1  # nothing to choose


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore:Even though")
def test_the_watch_keeps_which_pictures_were_right_after_each_epoch(eager):
    generator = np.random.default_rng(0)
    x, y = generator.random((10, 3)).astype("float32"), generator.integers(0, 6, 10)
    batches = [(x[start : start + 4], y[start : start + 4]) for start in range(0, 10, 4)]
    space = faults("class Watch(", stream=lambda *_: batches, validation_paths=None, validation_labels=None)
    network = space["keras"].Sequential([space["keras"].layers.Dense(6, activation="softmax")])
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    watched = space["Watch"]()
    network.fit(x, y, epochs=3, callbacks=[watched], verbose=0)
    assert len(watched.right) == 3
    assert watched.right[-1].tolist() == (network.predict_on_batch(x).argmax(axis=1) == y).tolist()


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore:Even though")
def test_momentum_of_the_running_means_changes_no_training(lesson, eager):
    names = {"seed": 0, "kind": "sample", "epochs": 1, "batch_size": 8, "learning_rate": 0.01}
    names |= {"train_paths": lesson["paths"][::3], "train_labels": lesson["labels"][::3]}
    names |= {"validation_paths": lesson["paths"][::5], "validation_labels": lesson["labels"][::5]}
    space = faults("def read_picture(", "def source_network(", "def train(", class_names=CLASSES, **names)
    slow, quick = (space["train"]("test", momentum=momentum)[1] for momentum in (0.99, 0.5))
    assert slow["loss"] == quick["loss"] and slow["val_loss"] != quick["val_loss"]
