"""Lesson 5: the stream, the split and the evaluation order, taken from the notebook's own cells."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

from helpers import evaluation, training  # noqa: E402

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "05-intel-scenes-cnn.ipynb"
CLASSES = ["buildings", "forest", "glacier", "mountain", "sea", "street"]


def run_cells(*markers, **names):
    """Run the notebook's cells that hold the markers, in that order, and return their names."""
    cells = ["".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]]
    space = {"np": np, "tf": tf, "keras": keras, "Path": Path, "class_names": CLASSES, **names}
    space["train_test_split"] = train_test_split
    for marker in markers:
        found = [cell for cell in cells if marker in cell]
        assert len(found) == 1, f"{len(found)} cells hold {marker!r}"
        exec(found[0], space)
    return space


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Ten pictures a class; the grey value of a picture is its position in the list of all sixty."""
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
    space = run_cells(
        "def list_pictures(", "def at_most(", "def read_picture(", "def stream(", seed=0, batch_size=7
    )
    _, space["paths"], space["labels"] = space["list_pictures"](folder)
    return space


class Reader:
    """A stand-in for a network that "predicts" the grey value of each picture."""

    def predict_on_batch(self, pictures):
        return np.asarray(pictures)[:, 0, 0, 0]


def test_labels_follow_the_class_folder_and_stray_folders_are_ignored(lesson):
    assert len(lesson["paths"]) == 60
    for path, label in zip(lesson["paths"], lesson["labels"], strict=True):
        assert Path(path).parent.name == CLASSES[label]


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
    assert np.array_equal(grey, np.arange(60))


def test_the_same_seed_shuffles_alike_and_another_does_not(lesson):
    def order(seed):
        lesson["seed"] = seed
        stream = lesson["stream"](lesson["paths"], lesson["labels"], shuffle=True)
        return evaluation.predict_dataset(Reader(), stream)[1].tolist()

    first = order(0)
    assert first == order(0)
    assert first != order(1)


def test_the_split_is_stratified_disjoint_and_the_same_for_every_seed(lesson):
    def split(seed):
        np.random.seed(seed)
        space = dict(lesson, seed=seed)
        return run_cells("train_paths, validation_paths, train_labels", **space)

    one, other = split(0), split(1)
    assert np.bincount(one["validation_labels"]).tolist() == [2] * 6
    assert not set(one["train_paths"]) & set(one["validation_paths"])
    assert set(one["train_paths"]) | set(one["validation_paths"]) == set(lesson["paths"])
    assert one["validation_paths"].tolist() == other["validation_paths"].tolist()
    assert one["train_paths"].tolist() == other["train_paths"].tolist()


def test_limiting_the_pictures_keeps_so_many_of_each_class(lesson):
    paths, labels = lesson["at_most"](lesson["paths"], lesson["labels"], 3)
    assert np.bincount(labels).tolist() == [3] * 6
    assert all(Path(path).parent.name == CLASSES[label] for path, label in zip(paths, labels, strict=True))


def test_the_network_is_the_source_s():
    network = run_cells("def source_network(")["source_network"]()
    assert network.input_shape == (None, 150, 150, 3)
    assert network.count_params() == 135_942
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == 135_814


def test_what_tensorflow_writes_while_it_is_imported_is_not_shown(capfd):
    with training.quiet_import():
        os.write(2, b"no graphics card\n")
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"
    with pytest.raises(ImportError), training.quiet_import():
        import no_such_module  # noqa: F401
    os.write(2, b"after an error\n")
    assert capfd.readouterr().err == "after an error\n"
