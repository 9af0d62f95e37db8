"""Finding, downloading, verifying and describing pictures; no test leaves this machine."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_server import running_server, url_of_nobody
from PIL import Image

from helpers import CourseError, datasets

REAL_FOLDER = os.environ.get("COURSE_DATA_DIR", "")  # before the tests below take it away
FINDERS = (datasets.load_mnist, datasets.find_intel_scenes, datasets.find_car_plane)


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """A machine with an empty cache, no COURSE_DATA_DIR, and public sources where nobody listens."""
    for name in ("COURSE_DATA_DIR", "COURSE_DATA_SOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COURSE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    nobody = url_of_nobody()
    monkeypatch.setattr(datasets, "MNIST_URL", nobody + "mnist.npz")
    monkeypatch.setattr(datasets, "CAR_PLANE_URL", nobody)
    monkeypatch.setattr(datasets, "KAGGLE_URL", nobody)
    monkeypatch.setattr(datasets, "RETRIES", 1)
    monkeypatch.setattr(datasets, "_silent", {})
    monkeypatch.setattr(datasets, "_waited", 0.0)


@pytest.fixture
def server():
    with running_server() as running:
        yield running


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def data_dir(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "my data"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("COURSE_DATA_DIR", str(folder))
    return folder


def picture(path: Path, mode: str = "RGB", size: tuple[int, int] = (24, 20), form: str | None = None) -> Path:
    """A picture with something in it, of any mode and format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    noise = np.random.default_rng(len(path.name)).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).convert("L" if mode == "I;16" else mode).convert(mode).save(path, form)
    return path


def files_in(folder: Path) -> dict[str, tuple[int, float]]:
    """Every file below a folder, with its size and the time of its last change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime)
        for path in folder.rglob("*")
        if path.is_file()
    }


def one_line(error: pytest.ExceptionInfo) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


# ---------------------------------------------------------------------------------------------------
# data_source and the places


@pytest.mark.parametrize("find", FINDERS)
def test_sample_is_announced_loudly_and_never_named_complete(find, capsys):
    found = find("sample")
    said = capsys.readouterr().out
    assert found.info.kind == "sample" and found.info.where == "built-in sample"
    assert said == found.info.describe() + "\n"
    assert "BUILT-IN SAMPLE, not the real set" in said
    assert "complete" not in said


@pytest.mark.parametrize("find", FINDERS)
def test_offline_auto_takes_the_sample_at_once_and_says_why(find, capsys, tmp_path):
    started = time.monotonic()
    assert find().info.kind == "sample"
    assert time.monotonic() - started < 5
    first, second = capsys.readouterr().out.splitlines()
    assert "cannot be had" in first and "127.0.0.1" in first and "COURSE_DATA_DIR" in first
    assert "BUILT-IN SAMPLE" in second
    assert str(tmp_path) not in first + second


@pytest.mark.parametrize("find", FINDERS)
def test_offline_real_is_a_clear_error(find):
    with pytest.raises(
        CourseError, match="cannot be had.*no answer from 127.0.0.1.*COURSE_DATA_DIR"
    ) as error:
        find("real")
    one_line(error)


def test_variable_changes_what_auto_means_and_an_explicit_parameter_wins(monkeypatch):
    assert datasets.source_in_use("auto") == "auto"
    monkeypatch.setenv("COURSE_DATA_SOURCE", "sample")
    assert datasets.source_in_use("auto") == "sample"
    assert datasets.source_in_use("real") == "real"
    monkeypatch.setenv("COURSE_DATA_SOURCE", "real")
    with pytest.raises(CourseError):
        datasets.load_mnist()
    assert datasets.load_mnist("sample").info.kind == "sample"


def test_unknown_sources_are_named(monkeypatch):
    with pytest.raises(CourseError, match="data_source='reel'.*auto, real or sample"):
        datasets.load_mnist("reel")
    monkeypatch.setenv("COURSE_DATA_SOURCE", "smaple")
    with pytest.raises(CourseError, match="COURSE_DATA_SOURCE='smaple'"):
        datasets.find_car_plane()


@pytest.mark.parametrize("find", FINDERS)
def test_data_dir_that_is_missing_empty_or_no_folder_is_an_error(find, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(CourseError, match="COURSE_DATA_DIR=.*nowhere.*does not exist"):
        find()
    folder = data_dir(tmp_path, monkeypatch)
    with pytest.raises(CourseError, match="COURSE_DATA_DIR=.*is empty"):
        find()
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(CourseError, match="is no folder"):
        find()
    assert not list(folder.iterdir())


@pytest.mark.parametrize("find", FINDERS)
def test_data_dir_without_this_set_counts_as_not_found_there(find, tmp_path, monkeypatch, capsys):
    (data_dir(tmp_path, monkeypatch) / "holiday.txt").write_text("x")
    assert find().info.kind == "sample"
    assert "not in COURSE_DATA_DIR" in capsys.readouterr().out


# ---------------------------------------------------------------------------------------------------
# MNIST


def digits(train: int = 30, test: int = 20) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {
        "x_train": rng.integers(0, 256, (train, 28, 28), dtype=np.uint8),
        "y_train": rng.integers(0, 10, train, dtype=np.uint8),
        "x_test": rng.integers(0, 256, (test, 28, 28), dtype=np.uint8),
        "y_test": rng.integers(0, 10, test, dtype=np.uint8),
    }


def write_digits(folder: Path, **arrays: np.ndarray) -> Path:
    path = folder / "mnist" / "mnist.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, **arrays)
    return path


def test_sample_digits_look_like_mnist():
    found = datasets.load_mnist("sample")
    assert found.x_train.dtype == found.y_train.dtype == np.uint8
    assert found.x_train.shape[1:] == found.x_test.shape[1:] == (28, 28)
    assert len(found.x_train) + len(found.x_test) == 1797
    assert found.info.counts == {"train": len(found.x_train), "test": len(found.x_test)}
    assert found.x_train.min() == 0 and found.x_train.max() > 240
    # Paper all around, ink in the middle, and as in MNIST about a fifth of it.
    assert not found.x_train[:, :3].any() and not found.x_train[:, :, :3].any()
    assert 0.1 < (found.x_train > 0).mean() < 0.5
    for labels in (found.y_train, found.y_test):
        assert np.bincount(labels, minlength=10).min() > 0.09 * len(labels)
    again = datasets.load_mnist("sample")
    assert np.array_equal(found.x_train, again.x_train) and np.array_equal(found.y_test, again.y_test)


def test_well_formed_smaller_file_is_partial(tmp_path, monkeypatch, capsys):
    folder = data_dir(tmp_path, monkeypatch)
    arrays = digits()
    write_digits(folder, **arrays)
    before = files_in(folder)
    found = datasets.load_mnist("real")
    assert found.info.kind == "partial"
    assert np.array_equal(found.x_train, arrays["x_train"]) and np.array_equal(found.y_test, arrays["y_test"])
    said = capsys.readouterr().out
    assert "PARTIAL" in said and "30 of 60,000 train" in said and "COURSE_DATA_DIR" in said
    assert str(tmp_path) not in said
    assert files_in(folder) == before


def test_complete_by_its_arrays_however_the_file_was_packed(tmp_path, monkeypatch):
    folder = data_dir(tmp_path, monkeypatch)
    arrays = digits()
    monkeypatch.setattr(
        datasets,
        "MNIST_ARRAY_SHA256",
        {k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in arrays.items()},
    )
    np.savez(folder / "mnist.npz", **arrays)  # beside, not below; not compressed
    assert datasets.load_mnist("real").info.kind == "complete"
    arrays["x_test"][3, 4, 5] ^= 1
    monkeypatch.setitem(datasets.FULL_COUNTS, "mnist", {"train": 30, "test": 20})
    np.savez(folder / "mnist.npz", **arrays)
    found = datasets.load_mnist("real")
    assert found.info.kind == "partial" and "not the same" in found.info.describe()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"y_test": None}, "y_test"),
        ({"x_train": np.zeros((30, 28, 28), np.float32)}, "x_train.*float32"),
        ({"x_train": np.zeros((30, 784), np.uint8)}, "x_train"),
        ({"x_test": np.zeros((20, 28, 27), np.uint8)}, "x_test"),
        ({"y_train": np.zeros(29, np.uint8)}, "y_train"),
        ({"y_train": np.zeros((30, 10), np.uint8)}, "y_train"),
        ({"y_test": np.full(20, 10, np.uint8)}, "y_test.*10"),
        ({"y_test": np.array([None] * 20)}, "mnist.npz"),
        ({"x_train": np.zeros((0, 28, 28), np.uint8), "y_train": np.zeros(0, np.uint8)}, "x_train"),
    ],
)
def test_wrong_arrays_are_named_whatever_the_source(change, named, tmp_path, monkeypatch):
    folder = data_dir(tmp_path, monkeypatch)
    write_digits(folder, **{key: value for key, value in {**digits(), **change}.items() if value is not None})
    for source in ("auto", "real"):
        with pytest.raises(CourseError, match=named) as error:
            datasets.load_mnist(source)
        assert "COURSE_DATA_DIR" in one_line(error)


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.98])
def test_cut_or_empty_file_is_named(keep, tmp_path, monkeypatch):
    path = write_digits(data_dir(tmp_path, monkeypatch), **digits())
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(CourseError, match="mnist.npz in COURSE_DATA_DIR.*cut short"):
        datasets.load_mnist()


@pytest.fixture
def public_mnist(server, monkeypatch):
    """A public source with a small set of digits whose checksums are the known ones."""
    arrays = digits()
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    server.pages["/tf/mnist.npz"] = packed.getvalue()
    monkeypatch.setattr(datasets, "MNIST_URL", server.url + "tf/mnist.npz")
    monkeypatch.setattr(datasets, "MNIST_FILE_SHA256", hashlib.sha256(packed.getvalue()).hexdigest())
    monkeypatch.setattr(
        datasets,
        "MNIST_ARRAY_SHA256",
        {k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in arrays.items()},
    )
    return arrays


@pytest.mark.parametrize("source", ["auto", "real"])
def test_download_right_file(source, public_mnist, server, capfd, cache, tmp_path):
    found = datasets.load_mnist(source)
    said = capfd.readouterr()
    assert found.info.kind == "complete" and found.info.where == "the course's cache"
    assert np.array_equal(found.x_test, public_mnist["x_test"])
    assert said.out.index("11 MB") < said.out.index("100%") < said.out.index("complete set")
    assert said.err == "" and str(tmp_path) not in said.out
    assert list(files_in(cache)) == [str(Path("mnist/mnist.npz"))]
    asked = len(server.asked)
    assert datasets.load_mnist(source).info.kind == "complete"
    assert len(server.asked) == asked, "the second time nothing is asked"


def spoil(how: str, path: str, server, monkeypatch) -> str:
    """Make a download fail; return words that the message must hold."""
    if how == "wrong checksum":
        server.pages[path] = b"something else"
        return "wrong checksum"
    if how == "cut":
        server.cut.add(path)
        return "was cut|wrong checksum"
    if how == "404":
        del server.pages[path]
        return "404 for " + path.rsplit("/", 1)[1]
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if how == "disk full":

        def write(self, url, output_file, pooch, check_only=False):
            Path(output_file).write_bytes(b"half")
            raise full

        monkeypatch.setattr("pooch.HTTPDownloader.__call__", write)
        return "disk is full.*COURSE_CACHE_DIR"
    raise ValueError(how)


FAILURES = ("wrong checksum", "cut", "404", "disk full")


@pytest.mark.parametrize("how", FAILURES)
def test_download_that_fails_leaves_nothing_and_says_what_to_do(
    how, public_mnist, server, monkeypatch, cache, capsys, tmp_path
):
    words = spoil(how, "/tf/mnist.npz", server, monkeypatch)
    with pytest.raises(CourseError, match=words) as error:
        datasets.load_mnist("real")
    assert "COURSE_" in one_line(error) and str(tmp_path) not in str(error.value)
    assert files_in(tmp_path) == {}
    assert datasets.load_mnist("auto").info.kind == "sample"
    assert "BUILT-IN SAMPLE" in capsys.readouterr().out
    assert files_in(tmp_path) == {}


def test_cut_connection_is_tried_again(public_mnist, server, monkeypatch):
    server.cut.add("/tf/mnist.npz")
    import pooch.core

    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: server.cut.clear())
    assert datasets.load_mnist("real").info.kind == "complete"
    assert server.got().count("/tf/mnist.npz") == 2


def test_ctrl_c_in_a_download_leaves_nothing_and_the_next_one_works(public_mnist, monkeypatch, tmp_path):
    def interrupted(self, url, output_file, pooch, check_only=False):
        Path(output_file).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pooch.HTTPDownloader.__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            datasets.load_mnist("auto")
    assert files_in(tmp_path) == {}
    assert datasets.load_mnist("auto").info.kind == "complete"


def test_damaged_cache_is_replaced(public_mnist, cache):
    datasets.load_mnist("real")
    (cache / "mnist" / "mnist.npz").write_bytes(b"half")
    assert datasets.load_mnist("real").info.kind == "complete"


def test_silent_source_costs_its_time_once(public_mnist, server, monkeypatch):
    server.silent.set()
    monkeypatch.setattr(datasets, "ANSWER_SECONDS", 1.0)
    started = time.monotonic()
    assert datasets.load_mnist().info.kind == "sample"
    first = time.monotonic() - started
    started = time.monotonic()
    assert datasets.load_mnist().info.kind == "sample"
    second = time.monotonic() - started
    assert 0.9 < first < 3 and second < 0.5
    # A patient caller asks again: the cable may be back in.
    server.silent.clear()
    assert datasets.load_mnist("real").info.kind == "complete"


def test_all_sources_together_keep_within_ten_seconds(monkeypatch):
    waited = []

    def never(address, host, limit):
        waited.append(limit)
        time.sleep(limit + 0.2)

    monkeypatch.setattr(datasets, "_head", never)
    monkeypatch.setattr(datasets, "ANSWER_SECONDS", 1.5)
    for find in FINDERS:
        assert find().info.kind == "sample"
    assert waited == [1.5, 1.0, 1.0]
    monkeypatch.undo()
    assert datasets.ANSWER_SECONDS + 2 * 1.0 <= 10


def test_unwritable_cache_names_the_remedy(public_mnist, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("COURSE_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(CourseError, match="cache cannot be written.*COURSE_CACHE_DIR"):
        datasets.load_mnist("real")
    assert datasets.load_mnist("auto").info.kind == "sample"


# ---------------------------------------------------------------------------------------------------
# Intel scenes


def scenes(base: Path, *, doubled: bool = True, train: int = 3, test: int = 2) -> Path:
    for part, count in (("seg_train", train), ("seg_test", test)):
        inner = base / part / part if doubled else base / part
        for name in datasets.SCENE_CLASSES:
            for k in range(count):
                picture(inner / name / f"{k}.jpg")
    return base


@pytest.mark.parametrize("doubled", [True, False])
@pytest.mark.parametrize("below", ["intel-scenes", "."])
def test_scenes_in_either_layout(doubled, below, tmp_path, monkeypatch, capsys):
    base = scenes(data_dir(tmp_path, monkeypatch) / below, doubled=doubled)
    before = files_in(base)
    found = datasets.find_intel_scenes("real")
    assert found.info.kind == "partial" and found.info.counts == {"train": 18, "test": 12}
    assert found.class_names == ("buildings", "forest", "glacier", "mountain", "sea", "street")
    assert sorted(path.name for path in found.train.iterdir()) == sorted(found.class_names)
    assert "18 of 14,034 train" in capsys.readouterr().out
    assert files_in(base) == before


def test_scenes_complete_by_their_counts(tmp_path, monkeypatch):
    scenes(data_dir(tmp_path, monkeypatch) / "intel-scenes")
    monkeypatch.setitem(datasets.FULL_COUNTS, "intel-scenes", {"train": 18, "test": 12})
    assert datasets.find_intel_scenes().info.kind == "complete"


def test_stray_folders_are_reported_and_ignored(tmp_path, monkeypatch, capsys):
    base = scenes(data_dir(tmp_path, monkeypatch) / "intel-scenes")
    picture(base / "seg_train" / "seg_train" / "__MACOSX" / "1.jpg")
    (base / "seg_test" / "seg_test" / ".ipynb_checkpoints").mkdir()
    found = datasets.find_intel_scenes("real")
    assert found.info.counts == {"train": 18, "test": 12}
    said = capsys.readouterr().out
    assert "__MACOSX" in said and ".ipynb_checkpoints" in said


@pytest.mark.parametrize("what", ["missing", "renamed", "empty", "part"])
def test_wrong_classes_do_not_count_as_found(what, tmp_path, monkeypatch, capsys):
    base = scenes(data_dir(tmp_path, monkeypatch) / "intel-scenes")
    sea = base / "seg_test" / "seg_test" / "sea"
    if what == "missing":
        shutil.rmtree(sea)
    elif what == "renamed":
        sea.rename(sea.with_name("ocean"))
    elif what == "empty":
        for path in sea.iterdir():
            path.rename(path.with_suffix(".txt"))
    else:
        shutil.rmtree(base / "seg_test")
    named = {
        "missing": "lacks.*sea",
        "renamed": "lacks.*sea.*ocean",
        "empty": "no pictures in sea",
        "part": "seg_test",
    }
    with pytest.raises(CourseError, match=named[what]) as error:
        datasets.find_intel_scenes("real")
    one_line(error)
    assert datasets.find_intel_scenes("auto").info.kind == "sample"
    said = capsys.readouterr().out
    assert "COURSE_DATA_DIR: intel-scenes" in said and "BUILT-IN SAMPLE" in said


def test_scenes_whose_files_are_awkward_are_found_and_counted_by_their_names(tmp_path, monkeypatch):
    base = scenes(data_dir(tmp_path, monkeypatch) / "intel-scenes")
    sea = base / "seg_train" / "seg_train" / "sea"
    (sea / "0.jpg").rename(sea / "0.JPG")
    (sea / "1.jpg").write_text("no picture: it is named when it is looked at")
    (sea / "notes.txt").write_text("no picture by its name")
    (sea / "folder.jpg").mkdir()
    found = datasets.find_intel_scenes("real")
    assert found.info.counts == {"train": 18, "test": 12}
    report = datasets.usable_pictures(found.train, found.class_names)
    assert report.counts["sea"] == 2
    assert sorted(line.split(":")[0] for line in report.problems) == [
        *("sea/1.jpg", "sea/folder.jpg", "sea/notes.txt"),
    ]


def test_scenes_may_be_links(tmp_path, monkeypatch):
    """As Colab and Kaggle mount them, and as a benchmark with 14,034 files makes them."""
    base = scenes(tmp_path / "mounted")
    linked = data_dir(tmp_path, monkeypatch) / "intel-scenes"
    linked.symlink_to(base, target_is_directory=True)
    sea = base / "seg_train" / "seg_train" / "sea"
    (sea / "another.jpg").symlink_to(sea / "0.jpg")
    (sea / "broken.jpg").symlink_to(sea / "gone.jpg")
    found = datasets.find_intel_scenes("real")
    assert found.info.counts == {"train": 19, "test": 12}
    report = datasets.usable_pictures(found.train, found.class_names)
    assert report.counts["sea"] == 4 and report.problems == ["sea/broken.jpg: is no file, left out"]


@pytest.fixture
def kaggle(server, monkeypatch, tmp_path):
    """Kaggle as its own client sees it, with a small archive; returns a function that changes the archive."""
    pytest.importorskip("kagglehub")
    from kagglesdk import kaggle_env

    for name in [name for name in os.environ if name.startswith("KAGGLE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "no credentials"))
    monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, server.url.rstrip("/"))
    monkeypatch.setattr(datasets, "KAGGLE_URL", server.url)
    monkeypatch.setitem(datasets.FULL_COUNTS, "intel-scenes", {"train": 18, "test": 12})
    service = "/v1/datasets.DatasetApiService/"
    server.pages[service + "GetDataset"] = json.dumps({"currentVersionNumber": 2}).encode()

    def publish(change=lambda base: None) -> None:
        base = scenes(tmp_path / "published")
        change(base)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path in sorted(base.rglob("*.jpg")):
                archive.write(path, path.relative_to(base))
        shutil.rmtree(base)
        server.pages[service + "DownloadDataset"] = packed.getvalue()

    publish()
    return publish


def test_scenes_through_kagglehub(kaggle, server, capfd, cache, tmp_path):
    found = datasets.find_intel_scenes()
    said = capfd.readouterr()
    assert found.info.kind == "complete" and found.info.where == "the course's cache"
    assert "360 MB" in said.out and said.err == ""
    assert str(tmp_path) not in said.out
    assert {path.name for path in cache.iterdir()} == {"intel-scenes"}
    asked = len(server.asked)
    assert datasets.find_intel_scenes("real").info.kind == "complete"
    assert len(server.asked) == asked


def test_scenes_from_kaggle_are_verified(kaggle, cache):
    def too_few(base):
        next(base.rglob("*.jpg")).unlink()

    def damaged(base):
        path = sorted(base.rglob("*.jpg"))[-1]
        path.write_bytes(path.read_bytes()[:200])

    for change, words in ((too_few, "not the published set.*pictures"), (damaged, "cut short")):
        kaggle(change)
        with pytest.raises(CourseError, match=words) as error:
            datasets.find_intel_scenes("real")
        one_line(error)
        assert files_in(cache) == {}
    kaggle()
    assert datasets.find_intel_scenes("real").info.kind == "complete"


@pytest.mark.parametrize("how", ["cut", "404", "disk full"])
def test_scenes_download_that_fails(how, kaggle, server, monkeypatch, cache):
    path = "/v1/datasets.DatasetApiService/DownloadDataset"
    words = "127.0.0.1"
    if how == "cut":
        server.cut.add(path)
        words = "was cut"
    elif how == "404":
        del server.pages[path]
    else:
        import kagglehub

        def full(handle):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(kagglehub, "dataset_download", full)
        words = "disk is full"
    with pytest.raises(CourseError, match=words) as error:
        datasets.find_intel_scenes("real")
    one_line(error)
    assert not (cache / "intel-scenes").exists()
    assert datasets.find_intel_scenes("auto").info.kind == "sample"
    assert "KAGGLEHUB_CACHE" not in os.environ


# ---------------------------------------------------------------------------------------------------
# Cars and planes


def vehicles(base: Path) -> dict[str, str]:
    """A small set with awkward names; returns relative name -> SHA-256."""
    names = [
        "training_set/cars/netherlands 3.JPG",
        "training_set/cars/a.jpg",
        "training_set/planes/b.jpg",
        "val_set/cars/c.jpg",
        "val_set/planes/united arab emirates 9.jpg",
        "test/one.jpg",
        "test/two.jpg",
    ]
    return {name: hashlib.sha256(picture(base / name).read_bytes()).hexdigest() for name in names}


@pytest.fixture
def small_set(tmp_path, monkeypatch):
    """The published set is a small one; returns its folder."""
    base = tmp_path / "published" / "car-plane"
    checksums = vehicles(base)
    listed = tmp_path / "sums.txt"
    listed.write_text("".join(f"{digest}  {name}\n" for name, digest in checksums.items()))
    labels = tmp_path / "labels.csv"
    labels.write_text("file,label,class\none.jpg,0,cars\ntwo.jpg,1,planes\n")
    monkeypatch.setattr(datasets, "CAR_PLANE_CHECKSUMS", listed)
    monkeypatch.setattr(datasets, "CAR_PLANE_LABELS", labels)
    monkeypatch.setitem(datasets.FULL_COUNTS, "car-plane", {"train": 3, "validation": 2, "test": 2})
    return base


@pytest.fixture
def public_vehicles(small_set, server, monkeypatch, tmp_path):
    for name in datasets._car_plane_checksums():
        server.pages[f"/repo/data/{name}"] = (small_set / name).read_bytes()
    monkeypatch.setattr(datasets, "CAR_PLANE_URL", server.url + "repo/data/")
    shutil.rmtree(tmp_path / "published")
    return server


def test_vehicles_in_data_dir(small_set, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(small_set.parent))
    before = files_in(small_set)
    found = datasets.find_car_plane("real")
    assert found.info.kind == "complete"
    assert found.class_names == ("cars", "planes")
    assert found.test_labels == {"one.jpg": 0, "two.jpg": 1}
    assert found.info.counts == {"train": 3, "validation": 2, "test": 2}
    assert (found.train / "cars" / "netherlands 3.JPG").is_file()
    assert str(tmp_path) not in capsys.readouterr().out
    assert files_in(small_set) == before


def test_vehicles_that_differ_or_lack_some_are_partial(small_set, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(small_set.parent))
    picture(small_set / "test" / "three.jpg")
    found = datasets.find_car_plane("real")
    assert "three.jpg" in found.info.note and found.info.counts["test"] == 2
    (small_set / "test" / "three.jpg").unlink()
    picture(small_set / "val_set" / "cars" / "c.jpg", size=(9, 9))
    found = datasets.find_car_plane("real")
    assert found.info.kind == "partial" and "val_set/cars/c.jpg" in found.info.describe()
    (small_set / "training_set" / "cars" / "a.jpg").unlink()
    found = datasets.find_car_plane("real")
    assert found.info.kind == "partial" and "2 of 3 train" in found.info.describe()


@pytest.mark.parametrize("gone", ["val_set", "test", "training_set/planes"])
def test_vehicles_without_a_folder_do_not_count_as_found(gone, small_set, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(small_set.parent))
    shutil.rmtree(small_set / gone)
    with pytest.raises(CourseError, match=gone.rsplit("/", 1)[-1]):
        datasets.find_car_plane("real")
    assert datasets.find_car_plane("auto").info.kind == "sample"


def test_vehicles_download_with_blanks_in_names(public_vehicles, capfd, cache):
    found = datasets.find_car_plane()
    said = capfd.readouterr()
    assert found.info.kind == "complete" and found.info.where == "the course's cache"
    assert said.out.index("16 MB") < said.out.index("7/7") and said.err == ""
    assert {path.name for path in cache.iterdir()} == {"car-plane"}
    asked = len(public_vehicles.asked)
    assert datasets.find_car_plane("real").info.kind == "complete"
    assert len(public_vehicles.asked) == asked


@pytest.mark.parametrize("how", FAILURES)
def test_vehicles_download_goes_on_where_it_stopped(how, public_vehicles, cache):
    server, path = public_vehicles, "/repo/data/val_set/cars/c.jpg"
    content = server.pages[path]
    with pytest.MonkeyPatch.context() as patch:
        words = spoil(how, path, server, patch)
        with pytest.raises(CourseError, match=words) as error:
            datasets.find_car_plane("real")
    one_line(error)
    assert not (cache / "car-plane").exists()
    there = {str(Path(name).relative_to("car-plane.part")) for name in files_in(cache)}
    assert there <= {str(Path(name)) for name in datasets._car_plane_checksums()}, "no half file stays"
    server.pages[path] = content
    server.cut.clear()
    server.asked.clear()
    assert datasets.find_car_plane("real").info.kind == "complete"
    assert not any(f"/repo/data/{Path(name).as_posix()}" in server.got() for name in there)
    assert path in server.got()


def test_ctrl_c_between_two_vehicles(public_vehicles, cache):
    import pooch

    plain = pooch.HTTPDownloader.__call__

    def interrupted(self, url, output_file, pooch, check_only=False):
        if url.endswith("/c.jpg"):
            raise KeyboardInterrupt
        return plain(self, url, output_file, pooch, check_only)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pooch.HTTPDownloader.__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            datasets.find_car_plane("auto")
    assert not (cache / "car-plane").exists()
    assert datasets.find_car_plane("auto").info.kind == "complete"


def test_committed_checksums_and_labels_fit_each_other():
    checksums = datasets._car_plane_checksums()
    folders = [name.rsplit("/", 1)[0] for name in checksums]
    wanted = {
        "training_set/cars": 80,
        "training_set/planes": 80,
        "val_set/cars": 20,
        "val_set/planes": 20,
        "test": 15,
    }
    assert {folder: folders.count(folder) for folder in folders} == wanted
    assert all(len(digest) == 64 and set(digest) <= set("0123456789abcdef") for digest in checksums.values())
    labels = datasets._read_labels(datasets.CAR_PLANE_LABELS)
    assert sorted(f"test/{name}" for name in labels) == sorted(n for n in checksums if n.startswith("test/"))
    assert sorted(labels.values()) == [0] * 9 + [1] * 6
    with datasets.CAR_PLANE_LABELS.open(encoding="utf-8", newline="") as table:
        assert all(
            row["class"] == datasets.CAR_PLANE_CLASSES[int(row["label"])] for row in csv.DictReader(table)
        )


@pytest.mark.skipif(not REAL_FOLDER, reason="COURSE_DATA_DIR does not name the real pictures")
def test_the_real_pictures(monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", REAL_FOLDER)
    mnist = datasets.load_mnist("real")
    assert mnist.info.kind == "complete" and mnist.y_train[7777] == 8 and mnist.y_test[4444] == 9
    found = datasets.find_car_plane("real")
    assert found.info.kind == "complete" and len(found.test_labels) == 15
    assert datasets.usable_pictures(found.train, found.class_names).problems == []
    scenes_found = datasets.find_intel_scenes("real")
    assert scenes_found.info.kind in ("complete", "partial")
    started = time.monotonic()
    report = datasets.usable_pictures(scenes_found.train, scenes_found.class_names)
    assert report.folder == scenes_found.train and report.problems == []
    assert time.monotonic() - started < 30
    assert sum(report.counts.values()) == scenes_found.info.counts["train"]


# ---------------------------------------------------------------------------------------------------
# Usable pictures

CLASSES = ("cars", "planes")


@pytest.fixture
def album(tmp_path):
    for name in CLASSES:
        for k in range(2):
            picture(tmp_path / "album" / name / f"good {k}.jpg")
    return tmp_path / "album"


def test_clean_folder_is_returned_itself(album):
    report = datasets.usable_pictures(album, CLASSES)
    assert report.folder == album and report.problems == []
    assert report.counts == {"cars": 2, "planes": 2}
    assert datasets.usable_pictures(album / "cars", ()).counts == {"pictures": 2}


def test_messy_folder_is_cleaned_elsewhere_and_kept_as_it_is(album):
    whole = (album / "cars" / "good 0.jpg").read_bytes()
    (album / "cars" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (album / "cars" / "end.jpg").write_bytes(whole[:-2])
    (album / "cars" / "empty.jpg").write_bytes(b"")
    (album / "cars" / "text.png").write_text("no picture")
    (album / "cars" / "notes.txt").write_text("no picture")
    picture(album / "cars" / "dot.png", size=(1, 1))
    picture(album / "planes" / "grey.jpg", "L")
    picture(album / "planes" / "print.jpg", "CMYK")
    picture(album / "planes" / "glass.png", "RGBA")
    picture(album / "planes" / "palette.gif", "P")
    picture(album / "planes" / "deep.png", "I;16")
    picture(album / "planes" / "web.jpg", form="WEBP")
    picture(album / "planes" / ".ipynb_checkpoints" / "good 0-checkpoint.jpg")
    picture(album / "__MACOSX" / "x.jpg")
    before = files_in(album)

    report = datasets.usable_pictures(album, CLASSES)

    assert files_in(album) == before
    assert report.folder != album
    assert report.counts == {"cars": 2, "planes": 8}
    assert len(report.problems) == 14
    said = "\n".join(report.problems)
    for line in (
        "cars/cut.jpg: is cut short",
        "cars/end.jpg: is cut short",
        "cars/empty.jpg: is empty, left out",
        "cars/text.png: is no picture, left out",
        "cars/notes.txt: is no picture by its name",
        "cars/dot.png: is only 1x1 pixels",
        "planes/grey.jpg: is grey, not RGB, converted",
        "planes/print.jpg: is CMYK",
        "planes/glass.png: is transparent",
        "planes/palette.gif: is palette",
        "planes/deep.png: is grey",
        "planes/web.jpg: is stored as WEBP",
        "planes/.ipynb_checkpoints: unexpected folder, ignored",
        "__MACOSX: unexpected folder, ignored",
    ):
        assert line in said
    assert "14 problems" in report.describe() and "and 4 more" in report.describe()

    kept = sorted(path for path in report.folder.rglob("*") if path.is_file())
    assert len(kept) == 10
    for path in kept:
        with Image.open(path) as opened:
            assert opened.mode == "RGB" and opened.format in ("JPEG", "PNG")
    links = [path for path in kept if path.name.startswith("good")]
    assert len(links) == 4 and all(path.read_bytes() for path in links)

    left_out = datasets.usable_pictures(album, CLASSES, not_rgb="skip")
    assert left_out.counts == {"cars": 2, "planes": 2}
    with pytest.raises(CourseError, match="cars/cut.jpg is cut short"):
        datasets.usable_pictures(album, CLASSES, unusable="error")
    assert files_in(album) == before


def test_keras_streams_the_cleaned_folder(album):
    whole = (album / "cars" / "good 0.jpg").read_bytes()
    (album / "cars" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    picture(album / "planes" / "glass.png", "RGBA")
    picture(album / "__MACOSX" / "x.jpg")
    report = datasets.usable_pictures(album, CLASSES)
    import keras

    stream = keras.utils.image_dataset_from_directory(
        report.folder, class_names=list(CLASSES), image_size=(8, 8), shuffle=False, verbose=False
    )
    labels = np.concatenate([np.asarray(y) for _, y in stream])
    assert labels.tolist() == [0, 0, 1, 1, 1]


# What people put into class folders, and what becomes of it: kept, converted or left out (and the words).
AWKWARD = {
    "cut.jpg": "is cut short",
    "renamed text.jpg": "is no picture, left out",
    "notes.txt": "is no picture by its name, left out",
    "nothing.png": "is empty, left out",
    "dot.png": "is only 1x1 pixels, left out",
    "dot.jpg": "is only 1x1 pixels, left out",
    "line.png": "is only 1x30 pixels, left out",
    "._good 0.jpg": "is no picture, left out",
    "broken link.jpg": "is no file, left out",
    "grey.jpg": "is grey, not RGB, converted to RGB",
    "print.jpg": "is CMYK, not RGB, converted to RGB",
    "glass.png": "is transparent, not RGB, converted to RGB",
    "smoke.png": "is transparent, not RGB, converted to RGB",
    "palette.png": "is palette, not RGB, converted to RGB",
    "film.gif": "is palette, not RGB, converted to RGB",
    "deep.png": "is grey, not RGB, converted to RGB",
    "a tiff.jpg": "is stored as TIFF, converted to RGB",
    "a web picture.png": "is stored as WEBP, converted to RGB",
    "really a png.jpg": "",
    "really a jpeg.png": "",
    "CAPITALS.JPG": "",
    "Mixed.JpEg": "",
    "progressive.jpg": "",
    "blanks and u\u0308mlaut.jpg": "",
    "motion.jpg": "",
    ".hidden.jpg": "",
}


def awkward_class(folder: Path) -> None:
    whole = picture(folder / "good 0.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "renamed text.jpg").write_text("no picture")
    (folder / "notes.txt").write_text("no picture")
    (folder / "nothing.png").write_bytes(b"")
    (folder / "._good 0.jpg").write_bytes(b"\0\5\x16\7 Mac OS X")
    (folder / "broken link.jpg").symlink_to(folder / "gone.jpg")
    (folder / "motion.jpg").write_bytes(whole + b"\xff\xda a short film")
    for name, mode, size, form in (
        ("dot.png", "RGB", (1, 1), None),
        ("dot.jpg", "RGB", (1, 1), None),
        ("line.png", "RGB", (1, 30), None),
        ("grey.jpg", "L", (24, 20), None),
        ("print.jpg", "CMYK", (24, 20), None),
        ("glass.png", "RGBA", (24, 20), None),
        ("smoke.png", "LA", (24, 20), None),
        ("palette.png", "P", (24, 20), None),
        ("film.gif", "P", (24, 20), None),
        ("deep.png", "I;16", (24, 20), None),
        ("a tiff.jpg", "RGB", (24, 20), "TIFF"),
        ("a web picture.png", "RGB", (24, 20), "WEBP"),
        ("really a png.jpg", "RGB", (24, 20), "PNG"),
        ("really a jpeg.png", "RGB", (24, 20), "JPEG"),
        ("CAPITALS.JPG", "RGB", (24, 20), None),
        ("Mixed.JpEg", "RGB", (24, 20), "JPEG"),
        ("blanks and u\u0308mlaut.jpg", "RGB", (24, 20), None),
        (".hidden.jpg", "RGB", (24, 20), None),
    ):
        picture(folder / name, mode, size, form)
    with Image.open(folder / "good 0.jpg") as good:
        good.save(folder / "progressive.jpg", progressive=True)


def test_lesson_5_streams_all_that_is_left_of_an_awkward_folder(tmp_path):
    """The way of lesson 5: usable_pictures, Keras lists the files, TensorFlow decodes and resizes them."""
    album = tmp_path / "scenes"
    awkward_class(album / "glacier")
    picture(album / "sea" / "1.jpg")
    picture(album / "ocean" / "1.jpg")  # an extra folder
    before = files_in(album)
    report = datasets.usable_pictures(album, ("glacier", "sea"))
    assert files_in(album) == before

    said = dict(line.split(": ", 1) for line in report.problems)
    assert said.pop("ocean") == "unexpected folder, ignored"
    wanted = {f"glacier/{name}": words for name, words in AWKWARD.items() if words}
    assert set(said) == set(wanted)
    for name, words in wanted.items():
        assert said[name].startswith(words), name
    left_out = sum("left out" in words for words in said.values())
    assert report.counts == {"glacier": 1 + len(AWKWARD) - left_out, "sea": 1}

    import keras
    import tensorflow as tf

    loader = keras.utils.image_dataset_from_directory(
        report.folder, class_names=["glacier", "sea"], image_size=(150, 150), shuffle=False, verbose=False
    )
    assert len(loader.file_paths) == sum(report.counts.values())
    for path in loader.file_paths:
        pixels = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        assert pixels.shape == (20, 24, 3) and pixels.dtype == tf.uint8, path
        assert tf.image.resize(pixels, (150, 150)).shape == (150, 150, 3)
        with Image.open(path) as opened:  # in the same colours as the original
            shown = np.asarray(opened.convert("RGB"))
        assert abs(pixels.numpy().astype(int) - shown).max() <= 4, path
    assert sum(len(labels) for _, labels in loader) == len(loader.file_paths)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(album):
    os.mkfifo(album / "cars" / "pipe.jpg")
    report = datasets.usable_pictures(album, CLASSES)
    assert report.problems == ["cars/pipe.jpg: is no file, left out"]
    assert report.counts == {"cars": 2, "planes": 2}


def test_a_file_in_the_place_of_a_class_folder(album):
    (album / "boats").write_text("no folder")
    with pytest.raises(CourseError, match="album has no class folder boats: add it or check the path"):
        datasets.usable_pictures(album, (*CLASSES, "boats"))
    assert datasets.usable_pictures(album, CLASSES).problems == ["boats: unexpected file, ignored"]


def test_colours_survive_the_conversion(tmp_path):
    folder = tmp_path / "album"
    folder.mkdir()
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    clear.putpixel((0, 0), (10, 20, 30, 255))
    clear.save(folder / "clear.png")
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(folder / "deep.png")
    report = datasets.usable_pictures(folder, ())
    values = np.asarray(Image.open(report.folder / "clear.png.png"))
    assert values[0, 0].tolist() == [10, 20, 30] and values[2, 2].tolist() == [255, 255, 255]
    assert np.asarray(Image.open(report.folder / "deep.png.png"))[0, 0].tolist() == [155, 155, 155]


def test_same_stem_does_not_collide(tmp_path):
    for suffix in (".jpg", ".png", ".bmp"):
        picture(tmp_path / "album" / f"a{suffix}", "L")
    assert datasets.usable_pictures(tmp_path / "album", ()).counts == {"pictures": 3}
    report = datasets.usable_pictures(tmp_path / "album", ())
    assert len(list(report.folder.iterdir())) == 3


def test_missing_and_empty_classes_are_errors(album):
    with pytest.raises(CourseError, match="no class folder boats"):
        datasets.usable_pictures(album, (*CLASSES, "boats"))
    (album / "boats").mkdir()
    with pytest.raises(CourseError, match="no usable picture of class 'boats'"):
        datasets.usable_pictures(album, (*CLASSES, "boats"))
    picture(album / "boats" / "grey.jpg", "L")
    with pytest.raises(CourseError, match="'boats'"):
        datasets.usable_pictures(album, (*CLASSES, "boats"), not_rgb="skip")
    with pytest.raises(CourseError, match="'nowhere' does not exist"):
        datasets.usable_pictures(album / "nowhere", CLASSES)
    with pytest.raises(CourseError, match="unusable='drop'"):
        datasets.usable_pictures(album, CLASSES, unusable="drop")
    with pytest.raises(CourseError, match="not_rgb=''"):
        datasets.usable_pictures(album, CLASSES, not_rgb="")


def test_copies_where_links_are_forbidden(album, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError("not allowed")

    (album / "cars" / "empty.jpg").write_bytes(b"")
    monkeypatch.setattr(os, "symlink", refuse)
    monkeypatch.setattr(os, "link", refuse)
    report = datasets.usable_pictures(album, CLASSES)
    kept = [path for path in report.folder.rglob("*") if path.is_file()]
    assert len(kept) == 4 and not any(path.is_symlink() for path in kept)


def test_private_folder_vanishes_with_the_process(album):
    (album / "cars" / "empty.jpg").write_bytes(b"")
    code = (
        "import sys; from helpers import datasets;"
        "r = datasets.usable_pictures(sys.argv[1], ('cars', 'planes')); print(r.folder, r.folder.is_dir())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(album)], capture_output=True, text=True, check=True
    )
    folder, was_there = done.stdout.strip().rsplit(" ", 1)
    assert was_there == "True" and not Path(folder).exists()


def encoded(form: str) -> bytes:
    packed = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(packed, form, **({"progressive": True} if form == "JPEG" else {}))
    return packed.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_picture_cut_anywhere_is_never_called_good(form, share, tmp_path_factory):
    whole = encoded(form)
    path = tmp_path_factory.getbasetemp() / f"cut.{form.lower()}"
    path.write_bytes(whole)
    assert datasets._look_at(path)[0] == "good"
    path.write_bytes(whole[: int(share * len(whole))])
    assert datasets._look_at(path)[0] == "unusable"


@pytest.mark.parametrize("settings", [{}, {"progressive": True}, {"restart_marker_blocks": 1}])
def test_the_end_of_a_jpeg_is_its_own_and_not_that_of_its_thumbnail(settings):
    """Older Pillows forgive a missing end; what hangs behind the end may hold any bytes."""

    def jpeg(width: int, height: int, **more: object) -> bytes:
        packed = io.BytesIO()
        noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(noise).save(packed, "JPEG", quality=95, **more)
        return packed.getvalue()

    whole = jpeg(40, 30, exif=b"Exif\0\0" + jpeg(16, 12), **settings)
    assert whole.count(b"\xff\xd9") == 2
    for behind in (b"", b"\xff\xda", b"\xff\xd8\xff\xe1\0\x08 a film"):
        assert datasets._has_its_end(whole + behind, "JPEG")
    for length in range(2, len(whole)):
        assert not datasets._has_its_end(whole[:length], "JPEG"), length


def test_a_jpeg_without_its_end_is_found_even_where_pillow_forgives_it(tmp_path):
    path = tmp_path / "cut.jpg"
    for size in range(8, 80, 3):
        smooth = np.zeros((size, size + 5, 3), np.uint8)
        smooth[..., 0] = np.linspace(0, 255, size + 5).astype(np.uint8)
        Image.fromarray(smooth).save(path)
        assert datasets._look_at(path)[0] == "good"
        path.write_bytes(path.read_bytes()[:-2])
        assert datasets._look_at(path)[0] == "unusable", size


# ---------------------------------------------------------------------------------------------------
# status and fetch


def test_status_tells_each_place_apart(tmp_path, monkeypatch):
    folder = data_dir(tmp_path, monkeypatch)
    write_digits(folder, **digits())
    scenes(folder / "intel-scenes")
    shutil.rmtree(folder / "intel-scenes" / "seg_test" / "seg_test" / "sea")
    found = {name: {row.place: row for row in datasets.status(name)} for name in datasets.NAMES}
    assert found["mnist"]["COURSE_DATA_DIR"].found == "partial"
    assert found["intel-scenes"]["COURSE_DATA_DIR"].found == "wrong"
    assert "sea" in found["intel-scenes"]["COURSE_DATA_DIR"].detail
    assert found["car-plane"]["COURSE_DATA_DIR"].found == "missing"
    for name in datasets.SETS:
        assert found[name]["the course's cache"].found == "missing"
        assert found[name]["built-in sample"].found == "sample"
        assert "MB" in found[name]["public source"].detail
    assert found["vgg16-weights"]["Keras's cache"].found == "missing"
    write_digits(folder, **{**digits(), "y_test": np.zeros(3, np.uint8)})
    assert {row.place: row.found for row in datasets.status("mnist")}["COURSE_DATA_DIR"] == "wrong"


@pytest.mark.parametrize("what", [datasets.status, datasets.fetch])
def test_unknown_set_is_named(what):
    with pytest.raises(CourseError, match="'cifar'.*mnist, intel-scenes, car-plane, vgg16-weights"):
        what("cifar")


def test_fetch_brings_the_complete_set_even_beside_a_partial_one(
    public_mnist, tmp_path, monkeypatch, cache, server
):
    folder = data_dir(tmp_path, monkeypatch)
    write_digits(folder, **digits(5, 5))
    assert datasets.fetch("mnist").kind == "complete"
    assert (cache / "mnist" / "mnist.npz").is_file()
    asked = len(server.asked)
    datasets.fetch("mnist")
    assert len(server.asked) == asked


def test_fetch_offline_is_a_clear_error():
    with pytest.raises(CourseError, match="MNIST digits cannot be fetched.*no answer") as error:
        datasets.fetch("mnist")
    one_line(error)


# ---------------------------------------------------------------------------------------------------
# VGG16 weights


@pytest.fixture(scope="module")
def vgg16_arrays():
    """Weights for VGG16 without its top, every number of them different from those of a fresh network."""
    rng = np.random.default_rng(16)
    channels = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    arrays = []
    for before, after in zip(channels[:-1], channels[1:], strict=True):
        arrays.append(0.02 * rng.standard_normal((3, 3, before, after), np.float32))
        arrays.append(0.5 + rng.random(after, np.float32))
    assert sum(array.size for array in arrays) == 14_714_688
    return arrays


def write_as_published(path: Path, arrays: list[np.ndarray]) -> None:
    """Lay weights out as the public file has them, which Keras 1 wrote.

    The root names the layers and nothing else (no Keras version, no backend); each layer is a group that
    names its arrays, ``block1_conv1_W_1:0`` and ``block1_conv1_b_1:0``; poolings have a group without arrays.
    """
    import h5py

    convolutions = iter(zip(arrays[::2], arrays[1::2], strict=True))
    with h5py.File(path, "w") as file:
        names = ["input_1"]
        file.create_group("input_1").attrs["weight_names"] = []
        for block, depth in enumerate((2, 2, 3, 3, 3), start=1):
            for name in [*(f"block{block}_conv{k}" for k in range(1, depth + 1)), f"block{block}_pool"]:
                names.append(name)
                group = file.create_group(name)
                if name.endswith("pool"):
                    group.attrs["weight_names"] = []
                    continue
                kernel, bias = next(convolutions)
                group[f"{name}_W_1:0"], group[f"{name}_b_1:0"] = kernel, bias
                group.attrs["weight_names"] = [f"{name}_W_1:0".encode(), f"{name}_b_1:0".encode()]
        file.attrs["layer_names"] = [name.encode() for name in names]


@pytest.fixture(scope="module")
def vgg16_files(tmp_path_factory, vgg16_arrays):
    """The same weights in two files: as published, and as Keras writes them today."""
    import keras

    folder = tmp_path_factory.mktemp("vgg16")
    write_as_published(folder / "old.h5", vgg16_arrays)
    model = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    assert model.count_params() == 14_714_688
    model.set_weights(vgg16_arrays)
    model.save_weights(folder / "new.weights.h5")
    return folder


@pytest.fixture
def public_weights(vgg16_files, server, monkeypatch):
    content = (vgg16_files / "old.h5").read_bytes()
    assert len(content) > 58_000_000
    server.pages[f"/models/{datasets.VGG16_FILE}"] = content
    monkeypatch.setattr(
        datasets._vgg16_module(), "WEIGHTS_PATH_NO_TOP", f"{server.url}models/{datasets.VGG16_FILE}"
    )
    monkeypatch.setattr(datasets, "VGG16_MD5", hashlib.md5(content).hexdigest())
    return server


def loads(found: datasets.FoundWeights, wanted: list[np.ndarray]) -> bool:
    """Whether Keras, given what was found, ends up with just these weights."""
    import keras

    model = keras.applications.VGG16(weights=found.path, include_top=False, input_shape=(32, 32, 3))
    pairs = zip(model.get_weights(), wanted, strict=True)
    return all(np.array_equal(loaded, written) for loaded, written in pairs)


def test_keras_still_asks_for_the_file_we_know():
    import inspect

    module = datasets._vgg16_module()
    assert module.WEIGHTS_PATH_NO_TOP.endswith("/" + datasets.VGG16_FILE)
    assert datasets.VGG16_MD5 in inspect.getsource(module) and datasets.VGG16_FILE in inspect.getsource(
        module
    )


def test_weights_right_file(public_weights, vgg16_arrays, capsys, tmp_path, monkeypatch):
    found = datasets.find_vgg16_weights()
    said = capsys.readouterr().out
    assert found.kind == "imagenet" and loads(found, vgg16_arrays)
    assert "RANDOM" not in said
    assert "59 MB" in said and found.note in said and str(tmp_path) not in found.note
    asked = len(public_weights.asked)
    assert datasets.find_vgg16_weights("imagenet", "real").path == found.path
    assert datasets.find_vgg16_weights("imagenet", "sample").path == found.path
    assert len(public_weights.asked) == asked
    assert {row.place: row.found for row in datasets.status("vgg16-weights")}["Keras's cache"] == "complete"
    # A copy in COURSE_DATA_DIR serves a class room without a network.
    folder = data_dir(tmp_path, monkeypatch)
    (folder / "vgg16").mkdir()
    Path(found.path).rename(folder / "vgg16" / datasets.VGG16_FILE)
    assert datasets.find_vgg16_weights("imagenet", "real").path.startswith(str(folder))


@pytest.mark.parametrize("how", ["wrong checksum", "cut", "404", "nobody", "disk full", "no folder"])
def test_weights_that_cannot_be_had(how, public_weights, monkeypatch, capsys, tmp_path):
    path = f"/models/{datasets.VGG16_FILE}"
    if how == "nobody":
        address = url_of_nobody() + datasets.VGG16_FILE
        monkeypatch.setattr(datasets._vgg16_module(), "WEIGHTS_PATH_NO_TOP", address)
        words = "no answer"
    elif how == "disk full":
        import keras

        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(keras.utils, "get_file", full)
        words = "cache cannot be written.*KERAS_HOME"
    elif how == "no folder":
        monkeypatch.setenv("KERAS_HOME", f"{os.devnull}/keras")
        words = "cache cannot be written.*KERAS_HOME"
    else:
        words = spoil(how, path, public_weights, monkeypatch)
        if how == "cut":
            words = "failed: .*incomplete"
    with pytest.raises(CourseError, match=words) as error:
        datasets.find_vgg16_weights("imagenet", "real")
    assert "weights='random'" in one_line(error)
    assert files_in(tmp_path) == {}, "a wrong file does not stay"
    found = datasets.find_vgg16_weights("imagenet", "auto")
    assert found.path is None and found.kind == "random"
    assert "RANDOM, not ImageNet's" in found.note and found.note in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"something else", "half"])
def test_a_wrong_file_in_keras_cache_is_never_trusted(
    content, public_weights, vgg16_arrays, vgg16_files, tmp_path, monkeypatch
):
    """As a kernel that was killed in the middle of a download leaves it."""
    cached = tmp_path / "keras" / "models" / datasets.VGG16_FILE
    cached.parent.mkdir(parents=True)
    whole = (vgg16_files / "old.h5").read_bytes()
    cached.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    assert {row.place: row.found for row in datasets.status("vgg16-weights")}["Keras's cache"] == "wrong"
    assert datasets.find_vgg16_weights("imagenet", "sample").kind == "random"
    with monkeypatch.context() as offline:
        address = url_of_nobody() + datasets.VGG16_FILE
        offline.setattr(datasets._vgg16_module(), "WEIGHTS_PATH_NO_TOP", address)
        assert datasets.find_vgg16_weights("imagenet", "auto").kind == "random"
        with pytest.raises(CourseError, match="no answer from 127.0.0.1.*put vgg16_weights"):
            datasets.find_vgg16_weights("imagenet", "real")
    found = datasets.find_vgg16_weights("imagenet", "real")
    assert found.kind == "imagenet" and loads(found, vgg16_arrays)
    assert cached.read_bytes() == whole


def test_weights_that_come_at_the_second_try(public_weights, vgg16_arrays, monkeypatch):
    public_weights.cut.add(f"/models/{datasets.VGG16_FILE}")
    monkeypatch.setattr(datasets.time, "sleep", lambda seconds: seconds and public_weights.cut.clear())
    assert loads(datasets.find_vgg16_weights("imagenet", "real"), vgg16_arrays)
    assert len(public_weights.got()) == 2


def test_ctrl_c_while_the_weights_come_leaves_nothing(public_weights, vgg16_arrays, tmp_path):
    import keras

    file_utils = sys.modules[keras.utils.get_file.__module__]

    def interrupted(address, target, *_: object) -> None:
        Path(target).write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_utils, "urlretrieve", interrupted)
        with pytest.raises(KeyboardInterrupt):
            datasets.find_vgg16_weights("imagenet", "auto")
    assert files_in(tmp_path) == {}
    assert loads(datasets.find_vgg16_weights("imagenet", "auto"), vgg16_arrays)


def test_silent_source_of_weights_costs_its_time_once(public_weights, monkeypatch, capsys):
    public_weights.silent.set()
    monkeypatch.setattr(datasets, "ANSWER_SECONDS", 1.0)
    started = time.monotonic()
    assert datasets.find_vgg16_weights().kind == "random"
    assert datasets.find_vgg16_weights().kind == "random"
    assert 0.9 < time.monotonic() - started < 3
    assert "no answer from 127.0.0.1" in capsys.readouterr().out


def test_sample_downloads_no_weights(public_weights, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_SOURCE", "sample")
    assert datasets.find_vgg16_weights().kind == "random"
    assert public_weights.asked == []


def test_random_and_own_weights(vgg16_files, vgg16_arrays):
    random = datasets.find_vgg16_weights("random", "real")
    assert random.path is None and not loads(random, vgg16_arrays)
    for name in ("old.h5", "new.weights.h5"):
        found = datasets.find_vgg16_weights(str(vgg16_files / name))
        assert found.kind == "file" and name in found.note and str(vgg16_files) not in found.note
        assert "RANDOM" not in found.note
        assert loads(found, vgg16_arrays)


def test_wrong_own_weights_are_named(vgg16_files, tmp_path):
    with pytest.raises(CourseError, match="neither 'imagenet', 'random' nor a file"):
        datasets.find_vgg16_weights(str(tmp_path / "no.weights.h5"))
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(CourseError, match="folder.h5.*neither 'imagenet', 'random' nor a file"):
        datasets.find_vgg16_weights(str(tmp_path / "folder.h5"))
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(CourseError, match="must end in"):
        datasets.find_vgg16_weights(str(tmp_path / "a.txt"))
    whole = (vgg16_files / "new.weights.h5").read_bytes()
    for name, content in (("cut.weights.h5", whole[: len(whole) // 2]), ("text.h5", b"no weights")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CourseError, match="does not hold the weights of VGG16") as error:
            datasets.find_vgg16_weights(str(tmp_path / name))
        one_line(error)
    import h5py
    import keras

    def spoilt(name: str, source: str, change) -> str:
        shutil.copyfile(vgg16_files / source, tmp_path / name)
        with h5py.File(tmp_path / name, "a") as file:
            change(file)
        return str(tmp_path / name)

    def lack_a_layer(file) -> None:
        del file["layers/conv2d_5"]

    def layers_of(file) -> list[bytes]:
        return [name if isinstance(name, bytes) else name.encode() for name in file.attrs["layer_names"]]

    def lack_an_old_layer(file) -> None:
        file.attrs["layer_names"] = [name for name in layers_of(file) if name != b"block3_conv1"]

    def swap_two_layers(file) -> None:
        names = layers_of(file)
        names[1], names[-2] = names[-2], names[1]
        file.attrs["layer_names"] = names

    def have_a_top(file) -> None:
        file.create_group("predictions")["predictions_W_1:0"] = np.zeros((4096, 10), np.float32)
        file["predictions"].attrs["weight_names"] = [b"predictions_W_1:0"]
        file.attrs["layer_names"] = [*layers_of(file), b"predictions"]

    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    for name in (
        spoilt("lacks.weights.h5", "new.weights.h5", lack_a_layer),
        spoilt("lacks.h5", "old.h5", lack_an_old_layer),
        spoilt("swapped.h5", "old.h5", swap_two_layers),
        spoilt("top.h5", "old.h5", have_a_top),
        str(tmp_path / "other.weights.h5"),
    ):
        with pytest.raises(CourseError, match="does not hold the weights of VGG16.*replace it") as error:
            datasets.find_vgg16_weights(name)
        one_line(error)


def text_outputs(notebook: Path) -> str:
    """All that an executed notebook printed or showed as text."""
    lines: list[str] = []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            shown = {kind: text for kind, text in output.get("data", {}).items() if kind.startswith("text/")}
            lines += ["".join(text) for text in (output.get("text", ""), *shown.values())]
    return "\n".join(lines)


def test_lesson_6_takes_a_weights_file(vgg16_files, tmp_path):
    """The whole way: the lesson's parameter, the file as published, the metrics and what the pages say."""
    command = [sys.executable, "-m", "course", "run", "--profile", "smoke", "--lesson", "06"]
    command += [
        "--output",
        str(tmp_path / "run"),
        "-p",
        "epochs=1",
        "-p",
        f"weights={vgg16_files / 'old.h5'}",
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COURSE_DATA")}
    done = subprocess.run(
        command,
        cwd=Path(__file__).resolve().parent.parent,
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
        assert 0 <= metrics["networks"][network]["test_accuracy"] <= 1
    said = text_outputs(tmp_path / "run" / f"{stem}.ipynb")
    assert "VGG16 weights: from the file old.h5." in said
    assert "What is borrowed in this run: VGG16 with loaded weights" in said
    # Random weights are the control, a row of its own, and nothing else.
    assert "VGG16 with RANDOM weights" in said
    assert "RANDOM" not in said.replace("VGG16 with RANDOM weights", "")
    assert "UNAVAILABLE: VGG16" not in said
    assert str(vgg16_files) not in said
