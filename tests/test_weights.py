"""Weights of VGG16 and MobileNet: found, downloaded and verified, or random and said so."""

import inspect
import os
import re
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from local_server import alone, error_of, files_in, server  # noqa: F401
from test_datasets import REAL_FOLDER
from test_downloads import FAULTS

from helpers import datasets

NETWORKS = datasets.NETWORKS
KERNELS = "vgg16-block1_conv1-kernel.npy"


def base_of(network, size=64):
    """A fresh base, cut where lesson 6 cuts it."""
    import keras

    if network == "vgg16":
        return keras.applications.VGG16(weights=None, include_top=False, input_shape=(size, size, 3))
    whole = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(size, size, 3))
    return keras.Model(whole.input, whole.get_layer("conv_pw_12_relu").output)


def write_whole(path, model):
    """As the public files are laid out: one group a layer."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, model)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """For each network a base whose every number is different, its file and, for MobileNet, that of a part."""
    import keras

    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(16)
    whole = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(64, 64, 3))
    bases = {"vgg16": base_of("vgg16", 32)}
    bases["mobilenet"] = keras.Model(whole.input, whole.get_layer("conv_pw_12_relu").output)
    for network, model in (("vgg16", bases["vgg16"]), ("mobilenet", whole)):
        model.set_weights([rng.uniform(0.01, 0.1, array.shape) for array in model.get_weights()])
        write_whole(folder / NETWORKS[network].FOLDER, model)
    bases["mobilenet"].save_weights(folder / NETWORKS["mobilenet"].PART)
    return SimpleNamespace(folder=folder, bases=bases)


@pytest.fixture(params=NETWORKS)
def network(request):
    return request.param


@pytest.fixture
def published(network, trained, monkeypatch):
    """The network whose weights were published, and the file with them."""
    chosen = NETWORKS[network]
    path = trained.folder / chosen.FOLDER
    monkeypatch.setattr(chosen, "CHECKSUM", chosen.checksum(path))
    return path


@pytest.fixture
def public(network, published, server, monkeypatch):  # noqa: F811
    server.pages[f"/models/{published.name}"] = published.read_bytes()
    monkeypatch.setattr(NETWORKS[network], "URL", f"{server.url}models/{published.name}")
    return server


def loads(found, network, trained):
    """Whether a fresh base, given what was found, ends up with just these weights."""
    base = base_of(network)
    found.load_into(base)
    pairs = zip(base.get_weights(), trained.bases[network].get_weights(), strict=True)
    return all(np.array_equal(loaded, written) for loaded, written in pairs)


def state_of(network, place):
    return {row.place: row.found for row in datasets.status(NETWORKS[network].NAME)}[place]


def test_keras_still_asks_for_the_files_we_know(monkeypatch):
    import keras

    monkeypatch.undo()
    vgg16 = sys.modules[keras.applications.VGG16.__module__]
    assert vgg16.WEIGHTS_PATH_NO_TOP == NETWORKS["vgg16"].URL
    assert NETWORKS["vgg16"].CHECKSUM in inspect.getsource(vgg16)
    mobilenet = sys.modules[keras.applications.MobileNet.__module__]
    assert NETWORKS["mobilenet"].URL.startswith(mobilenet.BASE_WEIGHT_PATH)
    assert '"mobilenet_%s_%d_tf_no_top.h5"' in inspect.getsource(mobilenet)


def test_weights_are_downloaded_once_and_found_in_every_place(
    network, public, published, trained, capfd, tmp_path, monkeypatch
):
    found = datasets.find_weights(network)
    said = capfd.readouterr()
    assert found.kind == "imagenet" and loads(found, network, trained)
    assert files_in(tmp_path) == [f"cache/{NETWORKS[network].NAME}/{published.name}"]
    assert f"{NETWORKS[network].MEGABYTES} MB" in said.out and "100%" in said.out
    assert found.note in said.out and "learnt on ImageNet" in found.note and "RANDOM" not in said.out
    assert said.err == "" and str(tmp_path) not in said.out
    asked = len(public.asked)
    for source in ("real", "sample"):
        assert datasets.find_weights(network, "imagenet", source).path == found.path
    assert state_of(network, "the course's cache") == "complete"
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "mine"))
    for place in ("mine/weights", "mine", "mine/vgg16", "keras/models"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / "notes.txt").write_text("x")
        found = datasets.find_weights(network, "imagenet", "real")
        found.path.rename(tmp_path / place / published.name)
        moved = datasets.find_weights(network, "imagenet", "real")
        assert moved.path.parent == tmp_path / place
    assert len(public.asked) == asked


@pytest.mark.fault
@pytest.mark.parametrize("fault", ["404", "cut", "another file", "full disk", "read-only cache", "no end"])
def test_weights_that_are_unavailable_are_random_and_said_so(
    fault, network, public, published, monkeypatch, capsys, tmp_path
):
    make, words = FAULTS[fault]
    make(monkeypatch, public, f"/models/{published.name}")
    line = error_of(datasets.find_weights, network, "imagenet", "real")
    for part in ("weights are unavailable", "weights='random'", "COURSE_DATA_DIR", published.name):
        assert part in line
    assert re.search(words, line)
    found = datasets.find_weights(network, "imagenet", "auto")
    said = capsys.readouterr().out
    assert found.path is None and found.kind == "random" and "RANDOM" in found.note and found.note in said
    assert "unavailable" in said and files_in(tmp_path) == [], "a wrong file does not stay"


def empty(path, trained):
    path.write_bytes(b"")


def text(path, trained):
    path.write_bytes(b"something else")


def cut(path, trained):
    path.write_bytes((trained.folder / path.name).read_bytes()[:-70_000])


def other_network(path, trained):
    other = "mobilenet" if "vgg16" in path.name else "vgg16"
    shutil.copyfile(trained.folder / NETWORKS[other].FOLDER, path)


def one_number(path, trained):
    import h5py

    shutil.copyfile(trained.folder / path.name, path)
    with h5py.File(path, "a") as file:
        layer = file["block1_conv1" if "vgg16" in path.name else "conv1"]
        layer[layer.attrs["weight_names"][0]][0, 0, 0, 0] += 1


WRONG = [(make, "keras/models") for make in (empty, text, cut, other_network, one_number)]
WRONG += [(one_number, "cache/weights"), (cut, "mine/weights"), (empty, "mine/vgg16")]


@pytest.mark.fault
@pytest.mark.parametrize(("make", "place"), WRONG)
def test_a_wrong_file_is_never_trusted(
    make, place, network, public, published, trained, capsys, tmp_path, monkeypatch
):
    (tmp_path / place).mkdir(parents=True)
    make(tmp_path / place / published.name, trained)
    if place.startswith("mine"):
        monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "mine"))
    where = {"keras": "Keras's cache", "cache": "the course's cache"}.get(place[:5], "COURSE_DATA_DIR")
    assert state_of(network, where) == "wrong"
    assert datasets.find_weights(network, "imagenet", "sample").kind == "random" and public.asked == []
    assert f"{where}: {published.name} is damaged, or another file" in capsys.readouterr().out
    found = datasets.find_weights(network, "imagenet", "real")
    assert found.kind == "imagenet" and found.path.parent.parent == tmp_path / "cache"


def test_mobilenets_part_serves_as_well_as_the_whole_file(trained, tmp_path, monkeypatch):
    chosen = NETWORKS["mobilenet"]
    monkeypatch.setattr(chosen, "CHECKSUM", chosen.checksum(trained.folder / chosen.FOLDER))
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "mine"))
    (tmp_path / "mine" / "weights").mkdir(parents=True)
    pictures = np.random.default_rng(3).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    answers = []
    for name in (chosen.PART, chosen.FOLDER):
        for old in (tmp_path / "mine" / "weights").iterdir():
            old.unlink()
        shutil.copyfile(trained.folder / name, tmp_path / "mine" / "weights" / name)
        base = base_of("mobilenet")
        datasets.find_weights("mobilenet", "imagenet", "real").load_into(base)
        answers.append(base.predict(pictures, verbose=0))
    assert np.array_equal(*answers)
    assert np.array_equal(answers[0], trained.bases["mobilenet"].predict(pictures, verbose=0))


def test_random_weights_leave_a_network_as_it_is(network, capsys):
    base = base_of(network)
    before = base.get_weights()
    found = datasets.find_weights(network, "random", "real")
    found.load_into(base)
    assert found.path is None and found.kind == "random" and "RANDOM, nothing learnt yet" in found.note
    assert found.note in capsys.readouterr().out
    assert all(np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True))


@pytest.mark.fault
def test_mistakes_are_one_line(trained, tmp_path, monkeypatch):
    import keras

    for arguments, words in (
        (("vgg19",), "network='vgg19' is not known: choose vgg16 or mobilenet"),
        (("vgg16", "own.h5"), "weights='own.h5' is not known: choose imagenet or random"),
        (("vgg16", "imagenet", "reel"), "data_source='reel' is not known"),
    ):
        assert words in error_of(datasets.find_weights, *arguments)
    small = NETWORKS["mobilenet"]
    found = datasets.FoundWeights(trained.folder / small.PART, "imagenet", "")
    for other, layer in (("vgg16", "block1_conv1"), ("another shape", "conv1")):
        if other == "vgg16":
            base = base_of("vgg16", 32)
        else:
            base = keras.Sequential([keras.Input((9, 9, 1)), keras.layers.Conv2D(32, 3, name="conv1")])
        assert f"has no weights for the layer {layer!r}" in error_of(found.load_into, base)


# --- the first kernels of VGG16


@pytest.mark.fault
def test_first_kernels_are_found_verified_or_not_there(trained, tmp_path, monkeypatch):
    assert datasets.vgg16_first_kernels() is None
    place = tmp_path / "mine" / "weights"
    place.mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "mine"))
    vgg16 = NETWORKS["vgg16"]
    shutil.copyfile(trained.folder / vgg16.FOLDER, place / vgg16.FOLDER)
    monkeypatch.setattr(vgg16, "CHECKSUM", vgg16.checksum(place / vgg16.FOLDER))
    from_whole = datasets.vgg16_first_kernels()
    assert np.array_equal(from_whole, trained.bases["vgg16"].get_layer("block1_conv1").kernel.numpy())
    np.save(place / KERNELS, np.zeros((3, 3, 3, 64), np.float32))
    for content in ((place / KERNELS).read_bytes(), b"", b"x" * 7000):
        (place / KERNELS).write_bytes(content)
        line = error_of(datasets.vgg16_first_kernels)
        assert f"{KERNELS} in COURSE_DATA_DIR cannot be used (" in line and "replace it" in line
    np.save(place / KERNELS, np.array([{}] * 1728), allow_pickle=True)
    assert "Object arrays cannot be loaded" in error_of(datasets.vgg16_first_kernels)


@pytest.mark.skipif(not REAL_FOLDER, reason="COURSE_DATA_DIR does not name the real weights")
def test_the_real_weights(monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", REAL_FOLDER)
    kernels = datasets.vgg16_first_kernels()
    assert kernels.shape == (3, 3, 3, 64) and kernels.dtype == np.float32
    found = datasets.find_weights("mobilenet", "imagenet", "real")
    base = base_of("mobilenet", 96)
    found.load_into(base)
    reference = base_of("mobilenet", 96)
    reference.load_weights(os.path.join(REAL_FOLDER, "weights", NETWORKS["mobilenet"].PART))
    pairs = zip(base.get_weights(), reference.get_weights(), strict=True)
    assert all(np.array_equal(loaded, theirs) for loaded, theirs in pairs)
