"""Weights for VGG16: found, downloaded and verified, or random and said so."""

import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from local_server import leave_alone, running_server, url_of_nobody
from test_datasets import error_of
from test_downloads import FAULTS, files_in

from helpers import COURSE_FOLDER, CourseError, datasets
from helpers.datasets import _weights


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    leave_alone(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def arrays():
    """Weights for VGG16 without its top, every number of them different from those of a fresh network."""
    rng = np.random.default_rng(16)
    channels = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    made = []
    for before, after in zip(channels[:-1], channels[1:], strict=True):
        made.append(0.02 * rng.standard_normal((3, 3, before, after), np.float32))
        made.append(0.5 + rng.random(after, np.float32))
    return made


def write_as_published(path, arrays):
    """Lay weights out as the public file has them, which Keras 1 wrote: one group a layer."""
    import h5py

    convolutions = iter(zip(arrays[::2], arrays[1::2], strict=True))
    with h5py.File(path, "w") as file:
        names = ["input_1"]
        file.create_group("input_1").attrs["weight_names"] = []
        for block, depth in enumerate((2, 2, 3, 3, 3), start=1):
            for name in [*(f"block{block}_conv{k}" for k in range(1, depth + 1)), f"block{block}_pool"]:
                names.append(name)
                group = file.create_group(name)
                group.attrs["weight_names"] = []
                if not name.endswith("pool"):
                    group[f"{name}_W_1:0"], group[f"{name}_b_1:0"] = next(convolutions)
                    group.attrs["weight_names"] = [f"{name}_W_1:0".encode(), f"{name}_b_1:0".encode()]
        file.attrs["layer_names"] = [name.encode() for name in names]


@pytest.fixture(scope="module")
def files(tmp_path_factory, arrays):
    """The same weights in two files: as published, and as Keras writes them today."""
    import keras

    folder = tmp_path_factory.mktemp("vgg16")
    write_as_published(folder / "old.h5", arrays)
    model = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    model.set_weights(arrays)
    model.save_weights(folder / "new.weights.h5")
    return folder


@pytest.fixture
def public(files, monkeypatch):
    content = (files / "old.h5").read_bytes()
    assert len(content) > 58_000_000
    with running_server() as server:
        server.pages[f"/models/{_weights.FILE}"] = content
        monkeypatch.setattr(_weights, "URL", f"{server.url}models/{_weights.FILE}")
        monkeypatch.setattr(_weights, "MD5", hashlib.md5(content).hexdigest())
        yield server


def loads(found, wanted):
    """Whether Keras, given what was found, ends up with just these weights."""
    import keras

    model = keras.applications.VGG16(weights=found.path, include_top=False, input_shape=(32, 32, 3))
    pairs = zip(model.get_weights(), wanted, strict=True)
    return all(np.array_equal(loaded, written) for loaded, written in pairs)


def test_keras_still_asks_for_the_file_we_know(monkeypatch):
    import keras

    monkeypatch.undo()
    source = inspect.getsource(sys.modules[keras.applications.VGG16.__module__])
    assert all(text in source for text in (_weights.FILE, _weights.MD5))
    assert sys.modules[keras.applications.VGG16.__module__].WEIGHTS_PATH_NO_TOP == _weights.URL


def test_weights_are_downloaded_once_to_where_keras_finds_them(public, arrays, capfd, tmp_path, monkeypatch):
    found = datasets.find_vgg16_weights()
    said = capfd.readouterr()
    assert found.kind == "imagenet" and loads(found, arrays)
    assert found.path == str(tmp_path / "keras" / "models" / _weights.FILE)
    assert "59 MB" in said.out and "100%" in said.out and found.note in said.out and "RANDOM" not in said.out
    assert said.err == "" and str(tmp_path) not in said.out
    asked = len(public.asked)
    for source in ("real", "sample"):
        assert datasets.find_vgg16_weights("imagenet", source).path == found.path
    assert len(public.asked) == asked
    assert {row.place: row.found for row in datasets.status("vgg16-weights")}["Keras's cache"] == "complete"
    # A copy in COURSE_DATA_DIR serves a class room without a network.
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "mine"))
    (tmp_path / "mine" / "vgg16").mkdir(parents=True)
    Path(found.path).rename(tmp_path / "mine" / "vgg16" / _weights.FILE)
    assert datasets.find_vgg16_weights("imagenet", "real").path.startswith(str(tmp_path / "mine"))


@pytest.mark.fault
@pytest.mark.parametrize("fault", ["404", "cut", "another file", "full disk", "no folder", "nobody"])
def test_weights_that_are_unavailable_are_random_and_said_so(fault, public, monkeypatch, capsys, tmp_path):
    path, words = f"/models/{_weights.FILE}", ""
    if fault == "nobody":
        monkeypatch.setattr(_weights, "URL", url_of_nobody() + _weights.FILE)
    elif fault == "no folder":
        monkeypatch.setenv("KERAS_HOME", f"{os.devnull}/keras")
    else:
        FAULTS[fault][0](monkeypatch, public, path)
        words = FAULTS[fault][1].replace("COURSE_CACHE_DIR", "KERAS_HOME")
    with pytest.raises(CourseError, match=f"ImageNet weights are unavailable.*({words}).*weights='random'"):
        datasets.find_vgg16_weights("imagenet", "real")
    found = datasets.find_vgg16_weights("imagenet", "auto")
    assert found.path is None and found.kind == "random"
    assert "RANDOM, not ImageNet's" in found.note and found.note in capsys.readouterr().out
    assert files_in(tmp_path) == [], "a wrong file does not stay"


@pytest.mark.fault
@pytest.mark.parametrize("content", [b"", b"something else"])
def test_a_wrong_file_in_keras_cache_is_never_trusted_and_is_replaced(content, public, arrays, tmp_path):
    cached = tmp_path / "keras" / "models" / _weights.FILE
    cached.parent.mkdir(parents=True)
    cached.write_bytes(content)
    assert {row.place: row.found for row in datasets.status("vgg16-weights")}["Keras's cache"] == "wrong"
    assert datasets.find_vgg16_weights("imagenet", "sample").kind == "random" and public.asked == []
    assert loads(datasets.find_vgg16_weights("imagenet", "real"), arrays)


def test_random_and_own_weights(files, arrays, monkeypatch):
    random = datasets.find_vgg16_weights("random", "real")
    assert random.path is None and not loads(random, arrays)
    monkeypatch.setenv("HOME", str(files))
    monkeypatch.setenv("USERPROFILE", str(files))
    for name in ("~/old.h5", str(files / "new.weights.h5")):
        found = datasets.find_vgg16_weights(name)
        assert found.kind == "file" and Path(name).name in found.note and str(files) not in found.note
        assert "RANDOM" not in found.note and loads(found, arrays)


@pytest.mark.fault
def test_wrong_own_weights_are_one_line(files, tmp_path):
    import h5py
    import keras

    (tmp_path / "folder.h5").mkdir()
    (tmp_path / "a.txt").write_text("x")
    names = [str(tmp_path / name) for name in ("no.weights.h5", "folder.h5", "a.txt", "long" * 100 + ".h5")]
    for name in (*names, "~nobody-of-this-name/a.h5"):
        assert "neither 'imagenet', 'random' nor a file" in error_of(datasets.find_vgg16_weights, name)

    whole = (files / "new.weights.h5").read_bytes()
    (tmp_path / "cut.weights.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.h5").write_bytes(b"no weights")
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(tmp_path / "other.weights.h5")
    shutil.copyfile(files / "new.weights.h5", tmp_path / "lacks.weights.h5")
    with h5py.File(tmp_path / "lacks.weights.h5", "a") as file:
        del file["layers/conv2d_5"]
    for name, change in (("fewer.h5", [0, *range(2, 19)]), ("swapped.h5", [0, 17, *range(2, 17), 1, 18])):
        shutil.copyfile(files / "old.h5", tmp_path / name)
        with h5py.File(tmp_path / name, "a") as file:
            file.attrs["layer_names"] = file.attrs["layer_names"][change]
    for name in ("cut.weights", "text", "other.weights", "lacks.weights", "fewer", "swapped"):
        line = error_of(datasets.find_vgg16_weights, str(tmp_path / f"{name}.h5"))
        assert "does not hold VGG16 without its top" in line


@pytest.mark.kernel
def test_lesson_6_takes_a_weights_file(files, tmp_path):
    """The whole way: the lesson's parameter, the file as published, the metrics and what the pages say."""
    chosen = ["--profile", "smoke", "--lesson", "06", "-p", "epochs=1", "-p"]
    chosen += [f"weights={files / 'old.h5'}", "--output", str(tmp_path / "run")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COURSE_DATA")}
    done = subprocess.run(
        [sys.executable, "-m", "course", "run", *chosen],
        cwd=COURSE_FOLDER,
        env={**kept, "COURSE_DATA_SOURCE": "sample"},
        capture_output=True,
        text=True,
        timeout=900,  # a busy machine
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    stem = "06-vgg16-transfer-car-plane"
    metrics = json.loads((tmp_path / "run" / f"{stem}.json").read_text(encoding="utf-8"))
    for network in ("vgg16-frozen", "vgg16-fine-tuned"):
        assert metrics["networks"][network]["weights"] == "file"
    page = (tmp_path / "run" / f"{stem}.ipynb").read_text(encoding="utf-8")
    assert "VGG16 weights: from the file old.h5." in page and "VGG16 with loaded weights" in page
    assert "UNAVAILABLE: VGG16" not in page
