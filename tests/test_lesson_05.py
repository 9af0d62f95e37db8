"""Lesson 5: the stream, the split and the evaluation order, taken from the notebook's own cells."""

import hashlib
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

from helpers import evaluation, figures, published, training  # noqa: E402

STEM = "05-intel-scenes-cnn"
MODEL = published.MODELS_FOLDER / "intel-scenes.keras"
NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "05-intel-scenes-cnn.ipynb"
CLASSES = ["buildings", "forest", "glacier", "mountain", "sea", "street"]


def run_cells(*markers, **names):
    """Run the notebook's cells that hold the markers, in that order, and return their names."""
    cells = ["".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]]
    space = {"np": np, "tf": tf, "keras": keras, "Path": Path, "class_names": CLASSES, **names}
    space |= {"train_test_split": train_test_split, "evaluation": evaluation, "training": training}
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


# --- the better network ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recipe():
    """The names of the cells that define the better network and its training."""
    markers = (
        "def convolution_and_norm(", "def better_network(", "def training_view(", "def schedule(",
        "def one_hot(", "def compile_better(", "def in_use(", "def swap(", "def mean_loss(",
        "def choose_and_report(", "def multiplications(",
    )  # fmt: skip
    return run_cells(*markers, learning_rate=0.001)


@pytest.fixture(scope="module")
def better(recipe):
    training.set_seed(0)
    return recipe["in_use"](recipe["better_network"]())


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, size=(6, 150, 150, 3)).astype("float32")


def test_better_network_is_small_and_takes_raw_pictures(better, pictures):
    assert better.input_shape == (None, 150, 150, 3)
    assert better.output_shape == (None, 6)
    assert better.count_params() <= 500_000
    scaled = better.get_layer([layer.name for layer in better.layers if "rescaling" in layer.name][0])
    assert float(scaled(255.0)) == pytest.approx(1) and float(scaled(0.0)) == pytest.approx(-1)
    assert better.predict_on_batch(pictures).sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_better_network_is_a_small_file_that_anybody_can_load(better, recipe, pictures, tmp_path):
    recipe["compile_better"](better, steps=10)
    better.save(tmp_path / "trained.keras")
    loaded = keras.saving.load_model(tmp_path / "trained.keras", compile=False, safe_mode=True)
    loaded.save(tmp_path / "small.keras")
    assert (tmp_path / "small.keras").stat().st_size < 3_000_000
    again = keras.saving.load_model(tmp_path / "small.keras", safe_mode=True)
    assert np.array_equal(again.predict_on_batch(pictures), better.predict_on_batch(pictures))
    assert {type(layer).__module__.split(".")[0] for layer in again.layers} == {"keras"}


def test_trained_body_and_network_in_use_answer_alike(recipe, pictures):
    body = recipe["better_network"]()
    assert body.input_shape == (None, None, None, 3)
    small = tf.image.resize(pictures, (112, 112))
    used = recipe["in_use"](body).predict_on_batch(pictures)
    assert used == pytest.approx(body.predict_on_batch(small), abs=1e-3)


def test_every_piece_keeps_its_own_label(lesson):
    views = run_cells("def training_view(", "def pieces(", **lesson)["pieces"](
        lesson["paths"], lesson["labels"]
    )
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


def test_pieces_vary_in_place_and_size_and_half_are_mirrored(recipe, ramp):
    def view(*draw):
        piece, label = recipe["training_view"]((tf.constant(ramp), 3), tf.constant(draw, tf.int64))
        assert piece.shape == (96, 96, 3) and label == 3
        return piece.numpy()

    assert np.array_equal(view(1, 2), view(1, 2))
    views = [view(number, 7) for number in range(40)]
    mirrored = np.array([piece[0, 0, 0] > piece[0, -1, 0] for piece in views])
    assert 8 <= mirrored.sum() <= 32
    widths = np.array([np.ptp(piece[0, :, 0]) + 1 for piece in views]) / 150
    assert 0.65 < widths.min() < 0.85 and 0.9 < widths.max() <= 1  # root of 0.6 / 1.25 is 0.69
    # which side is cut must not tell whether the piece is mirrored
    left_edges = np.array([piece.min() for piece in views])
    assert 5 <= np.sum((left_edges > np.median(left_edges)) & mirrored) <= 15


def test_pieces_differ_between_epochs_and_seeds_but_not_between_runs(lesson, ramp):
    def epochs(start):
        training.set_seed(start)
        pieces = run_cells("def training_view(", "def pieces(", **lesson)["pieces"]
        stream = pieces(np.array([ramp] * 20), np.zeros(20, int)).take(3)  # the first of many rounds
        return [evaluation.predict_dataset(Reader(), stream)[1].round(3).tolist() for _ in range(2)]

    first = epochs(0)
    assert first[0] != first[1]
    assert first == epochs(0)
    assert first != epochs(1)


def test_learning_rate_climbs_and_falls_to_zero(recipe):
    rates = [float(recipe["schedule"](200)(step)) for step in range(201)]
    assert rates[0] == pytest.approx(rates[20] / 20)
    assert np.argmax(rates) == 20
    assert rates[-1] == pytest.approx(0, abs=1e-6)
    assert np.all(np.diff(rates[:20]) > 0) and np.all(np.diff(rates[21:]) < 0)
    for steps in (1, 2, 7):  # a very short training has a schedule, too
        assert max(float(recipe["schedule"](steps)(step)) for step in range(steps + 1)) > 0
        assert 0 <= recipe["adamw"](steps).ema_momentum <= 0.99


def test_weight_decay_spares_biases_and_normalisation(recipe, better):
    optimizer = recipe["adamw"](100)
    decayed = {weight.name for weight in better.trainable_weights if optimizer._use_weight_decay(weight)}
    assert decayed <= {"kernel", "depthwise_kernel", "pointwise_kernel"}
    assert "kernel" in decayed


def test_work_of_the_source_s_network_is_counted_right(recipe):
    network = run_cells("def source_network(")["source_network"]()
    counted = [recipe["multiplications"](layer) for layer in network.layers if layer.count_params()]
    first = 148 * 148 * (3 * 3 * 3) * 16
    second = 146 * 146 * (3 * 3 * 16) * 32
    assert counted[:2] == [first, second]
    assert counted[-3:] == [1600 * 64, 0, 64 * 6]


# --- what the lesson measures ----------------------------------------------------------------------


def test_swapping_red_and_blue_changes_no_shape_and_twice_nothing(recipe, pictures):
    labels = np.arange(6)
    swapped, same_labels = recipe["swap"](tf.constant(pictures), labels)
    assert swapped.shape == pictures.shape
    assert same_labels is labels
    assert np.array_equal(swapped[..., 0], pictures[..., 2])
    assert np.array_equal(recipe["swap"](swapped, labels)[0], pictures)


class Counted:
    """A validation set that knows how often it has been read."""

    def __init__(self, pictures, labels):
        self.pictures, self.labels, self.read = pictures, labels, 0

    def __iter__(self):
        self.read += 1
        for start in range(0, len(self.labels), 4):
            yield self.pictures[start : start + 4], self.labels[start : start + 4]


def test_validation_reads_its_pictures_once_an_epoch_and_keeps_which_were_right(recipe):
    generator = np.random.default_rng(0)
    x, y = generator.random((10, 3)).astype("float32"), generator.integers(0, 6, 10)
    validation = Counted(x, y)
    space = run_cells("class Validation(", np=np)
    watched = space["Validation"](validation)
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, activation="softmax")])
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = network.fit(x, y, epochs=3, callbacks=[watched], verbose=0).history
    assert validation.read == 3
    assert np.array(watched.right).shape == (3, 10)
    assert history["val_accuracy"] == [pytest.approx(right.mean()) for right in watched.right]
    loss, accuracy = network.evaluate(x, y, verbose=0)
    assert history["val_accuracy"][-1] == pytest.approx(accuracy)
    assert history["val_loss"][-1] == pytest.approx(loss, abs=1e-4)


def test_choosing_an_epoch_by_luck_makes_its_number_too_good(recipe):
    generator = np.random.default_rng(0)
    equally_good = generator.random((15, 300)) < 0.8

    def surplus(right):
        halvings = np.array([recipe["choose_and_report"](right, generator) for _ in range(400)])
        return (halvings[:, 0] - halvings[:, 1]).mean()

    assert 1 < surplus(equally_good) < 10
    assert abs(surplus(equally_good[:1])) < 1  # nothing to choose
    assert surplus(np.repeat(equally_good[:1], 15, axis=0)) == pytest.approx(0, abs=1)


def test_grad_cam_is_cam_up_to_the_number_of_places(better, pictures):
    space = run_cells("def grad_cam(", networks={"better": better})
    classes = np.array([0, 1, 2, 3, 4, 5])
    heat = space["grad_cam"](pictures, classes)
    maps = np.asarray(space["last_maps"](pictures, training=False))
    weights = np.asarray(better.layers[-1].kernel)[:, classes].T
    cam = np.maximum((weights[:, np.newaxis, np.newaxis] * maps).sum(axis=-1), 0)
    assert heat.shape == maps.shape[:3]
    assert cam.max() > 0
    assert np.allclose(cam, heat * maps.shape[1] * maps.shape[2], atol=1e-4)
    assert not np.allclose(heat, space["grad_cam"](pictures, classes[::-1]))


def test_heat_is_laid_over_the_place_it_belongs_to():
    coarse = np.zeros((5, 5))
    coarse[1, 3] = 2
    smooth = figures._stretched(coarse, (150, 100))
    assert smooth.shape == (150, 100)
    row, column = np.unravel_index(smooth.argmax(), smooth.shape)
    assert row // 30 == 1 and column // 20 == 3
    assert figures._stretched(np.full((1, 1), 3.0), (4, 6)).tolist() == [[3.0] * 6] * 4
    with pytest.raises(ValueError, match="13 pictures"):
        figures.where_it_looks([0] * 13, [0] * 13, [""] * 13, alt="a", caption="b")


# --- what the full profile left behind --------------------------------------------------------------


def test_stored_results_belong_to_the_recipe_in_the_notebook():
    stored = published.load_result("05")
    assert stored["recipe"] == training.recipe_hash(STEM), (
        "the recipe cells have changed: run the full profile again"
    )
    assert stored["data"]["kind"] in ("partial", "complete")


def test_stored_results_reach_what_the_lesson_promises():
    stored = published.load_result("05")
    (source,), better = stored["runs"]["source"], stored["runs"]["better"]
    assert (source["parameter_count"], source["epochs"]) == (135_942, 30)
    assert len(better) == 3
    assert sorted(run["test_accuracy"] for run in better)[1] >= 0.88
    assert all(run["parameter_count"] <= 500_000 for run in better)
    seconds = [row["seconds"] for row in stored["ablation"].values()]
    assert len(seconds) == 7 and min(seconds) > 0
    assert set(stored["faults"]) == {"raw", "scaled", "trained on RGB", "trained on BGR"}


def test_committed_network_is_what_its_card_says():
    card = json.loads(MODEL.with_suffix(".json").read_text(encoding="utf-8"))
    network = keras.saving.load_model(MODEL, safe_mode=True)
    assert card["sha256"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert card["class_names"] == CLASSES
    assert card["data"]["kind"] in ("partial", "complete")
    assert card["networks"]["better"]["parameter_count"] == network.count_params() <= 500_000
    assert network.input_shape == (None, 150, 150, 3)
    assert MODEL.stat().st_size < 3_000_000
    assert {type(layer).__module__.split(".")[0] for layer in network.layers} == {"keras"}


def test_what_tensorflow_writes_while_it_is_imported_is_not_shown(capfd):
    with training.quiet_import():
        os.write(2, b"no graphics card\n")
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "afterwards\n"
    with pytest.raises(ImportError), training.quiet_import():
        import no_such_module  # noqa: F401
    os.write(2, b"after an error\n")
    assert capfd.readouterr().err == "after an error\n"
