"""Weights of VGG16 and MobileNet: found, downloaded and verified, or random and said so."""

import inspect
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_datasets import REAL_FOLDER, error_of
from test_downloads import FAULTS, files_in

from helpers import datasets

pytestmark = [pytest.mark.usefixtures("alone"), pytest.mark.kernel]
VGG16, MOBILENET = datasets.NETWORKS.values()
KERNELS = "vgg16-block1_conv1-kernel.npy"


def base_of(network, size=32):
    """A fresh base, cut where lesson 6 cuts it, and the whole network."""
    import keras

    options = {"weights": None, "include_top": False, "input_shape": (size, size, 3)}
    if network == "vgg16":
        return (keras.applications.VGG16(**options),) * 2
    whole = keras.applications.MobileNet(**options)
    return keras.Model(whole.input, whole.get_layer("conv_pw_12_relu").output), whole


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with weights of both networks, laid out as published, and the bases that have them."""
    import h5py
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    folder, bases, rng = tmp_path_factory.mktemp("trained"), {}, np.random.default_rng(16)
    for network, published in datasets.NETWORKS.items():
        bases[network], whole = base_of(network)
        whole.set_weights([rng.uniform(0.01, 0.1, array.shape) for array in whole.get_weights()])
        with h5py.File(folder / published.FOLDER, "w") as file:
            save_weights_to_hdf5_group(file, whole)
    bases["mobilenet"].save_weights(folder / MOBILENET.PART)
    return SimpleNamespace(folder=folder, bases=bases)


@pytest.fixture(params=datasets.NETWORKS)
def network(request):
    return request.param


@pytest.fixture
def public(network, trained, server, monkeypatch):
    """A server with the weights that are the published ones; found: what to say, and the file."""
    chosen = datasets.NETWORKS[network]
    server.file = trained.folder / chosen.FOLDER
    server.pages[f"/models/{chosen.FOLDER}"] = server.file.read_bytes()
    monkeypatch.setattr(chosen, "CHECKSUM", chosen.checksum(server.file))
    monkeypatch.setattr(chosen, "URL", f"{server.url}models/{chosen.FOLDER}")
    return server


def loads(found, network, trained):
    """Whether a fresh base, given what was found, ends up with just these weights."""
    base, _ = base_of(network, 64)
    found.load_into(base)
    return all(map(np.array_equal, base.get_weights(), trained.bases[network].get_weights()))


def test_keras_still_asks_for_the_files_we_know(monkeypatch):
    import keras

    monkeypatch.undo()
    vgg16 = sys.modules[keras.applications.VGG16.__module__]
    mobilenet = sys.modules[keras.applications.MobileNet.__module__]
    assert vgg16.WEIGHTS_PATH_NO_TOP == VGG16.URL and VGG16.CHECKSUM in inspect.getsource(vgg16)
    assert mobilenet.BASE_WEIGHT_PATH + MOBILENET.FOLDER == MOBILENET.URL
    assert '"mobilenet_%s_%d_tf_no_top.h5"' in inspect.getsource(mobilenet)


def test_weights_are_downloaded_once_and_found_anywhere(
    network, public, trained, capfd, tmp_path, monkeypatch
):
    found = datasets.find_weights(network)
    said = capfd.readouterr()
    assert found.kind == "imagenet" and loads(found, network, trained)
    assert files_in(tmp_path) == [f"cache/{network}-weights/{public.file.name}"]
    assert " MB" in said.out and "100%" in said.out and "RANDOM" not in said.out
    assert found.note in said.out and said.err == "" and str(tmp_path) not in said.out
    asked = len(public.asked)
    assert datasets.find_weights(network, "imagenet", "sample").path == found.path
    assert "complete" in [row.found for row in datasets.status(f"{network}-weights")]
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    for place in ("mine/weights", "mine", "mine/vgg16", "keras/models"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        found.path.rename(tmp_path / place / public.file.name)
        found = datasets.find_weights(network, "imagenet", "real")
        assert found.path.parent == tmp_path / place
    assert len(public.asked) == asked


@pytest.mark.fault
@pytest.mark.parametrize("fault", ["404", "another file"])
def test_weights_that_are_unavailable_are_random_and_said_so(
    fault, network, public, monkeypatch, capsys, tmp_path
):
    make, words = FAULTS[fault]
    make(monkeypatch, public, f"/models/{public.file.name}")
    line = error_of(datasets.find_weights, network, "imagenet", "real")
    assert re.search(f"weights are unavailable.*({words}).*{public.file.name}.*weights='random'", line)
    found = datasets.find_weights(network, "imagenet", "auto")
    said = capsys.readouterr().out
    assert found.path is None and found.kind == "random" and "RANDOM" in found.note and found.note in said
    assert "unavailable" in said and files_in(tmp_path) == [], "a wrong file does not stay"
    assert datasets.find_weights(network, "random", "real") == found


def with_a_hole(content):
    return content[:1_000_000] + bytes(10_000) + content[1_010_000:]


WRONG = {
    "text": ("Keras's cache", "keras/models", lambda content: b"something else"),
    "cut": ("COURSE_DATA_DIR", "mine/weights", lambda content: content[:-70_000]),
    "a hole": ("the course's cache", "cache/weights", with_a_hole),
}


@pytest.mark.fault
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_file_is_never_trusted(what, network, public, capsys, tmp_path, monkeypatch):
    (where, place, change), name = WRONG[what], public.file.name
    (tmp_path / place).mkdir(parents=True)
    wrong = tmp_path / place / name
    wrong.write_bytes(change(public.file.read_bytes()))
    if where == "COURSE_DATA_DIR":
        monkeypatch.setenv(where, str(tmp_path / "mine"))
    assert [row.found for row in datasets.status(f"{network}-weights") if row.place == where] == ["wrong"]
    assert datasets.find_weights(network, "imagenet", "sample").kind == "random" and public.asked == []
    assert f"{where}: {name} is damaged, or another file" in capsys.readouterr().out
    found = datasets.find_weights(network, "imagenet", "real")
    assert found.kind == "imagenet" and found.path != wrong and wrong.is_file()


def test_mobilenets_part_serves_as_well_as_the_whole_file(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(MOBILENET, "CHECKSUM", MOBILENET.checksum(trained.folder / MOBILENET.FOLDER))
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    shutil.copyfile(trained.folder / MOBILENET.PART, tmp_path / MOBILENET.PART)
    assert loads(datasets.find_weights("mobilenet", "imagenet", "real"), "mobilenet", trained)


@pytest.mark.fault
def test_wrong_words_are_one_line():
    line = "network='vgg19' is not known: choose vgg16 or mobilenet."
    assert error_of(datasets.find_weights, "vgg19") == line
    line = "weights='own.h5' is not known: choose imagenet or random."
    assert error_of(datasets.find_weights, "vgg16", "own.h5") == line


@pytest.mark.fault
@pytest.mark.parametrize(("channels", "layer"), [(3, "block1_conv1"), (1, "conv1")])
def test_weights_that_do_not_fit_the_network_are_one_line(channels, layer, trained):
    import keras

    network = keras.Sequential([keras.Input((9, 9, channels)), keras.layers.Conv2D(32, 3, name=layer)])
    found = datasets.FoundWeights(trained.folder / MOBILENET.PART, "imagenet", "")
    assert f"has no weights for the layer {layer!r}" in error_of(found.load_into, network)


@pytest.mark.fault
def test_first_kernels_are_found_verified_or_not_there(trained, tmp_path, monkeypatch):
    assert datasets.vgg16_first_kernels() is None
    place = tmp_path / "mine" / "weights"
    place.mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "mine"))
    shutil.copyfile(trained.folder / VGG16.FOLDER, place / VGG16.FOLDER)
    monkeypatch.setattr(VGG16, "CHECKSUM", VGG16.checksum(place / VGG16.FOLDER))
    first = trained.bases["vgg16"].get_layer("block1_conv1").kernel.numpy()
    assert np.array_equal(datasets.vgg16_first_kernels(), first)
    np.save(place / KERNELS, np.zeros((3, 3, 3, 64), np.float32))
    line = error_of(datasets.vgg16_first_kernels)
    assert line == f"COURSE_DATA_DIR: {KERNELS} is damaged, or another file: replace it."


@pytest.mark.skipif(not REAL_FOLDER, reason="COURSE_DATA_DIR does not name the real weights")
def test_the_real_weights(monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", REAL_FOLDER)
    kernels = datasets.vgg16_first_kernels()
    assert kernels.shape == (3, 3, 3, 64) and kernels.dtype == np.float32
    base, _ = base_of("mobilenet", 96)
    datasets.find_weights("mobilenet", "imagenet", "real").load_into(base)
    reference, _ = base_of("mobilenet", 64)
    reference.load_weights(Path(REAL_FOLDER, "weights", MOBILENET.PART))
    assert all(map(np.array_equal, base.get_weights(), reference.get_weights()))
