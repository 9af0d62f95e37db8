"""Finding and describing the three sets, in whatever state a user's folder is."""

import hashlib
import io
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course.data import show_data
from helpers import CourseError, datasets
from helpers.datasets import car_plane, intel_scenes, mnist

pytestmark = pytest.mark.usefixtures("alone")

REAL_FOLDER = os.environ.get("COURSE_DATA_DIR", "")  # before the tests below take it away
FINDERS = (datasets.load_mnist, datasets.find_intel_scenes, datasets.find_car_plane)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that COURSE_DATA_DIR names; it may not be changed."""
    made = tmp_path / "my data"
    made.mkdir()
    monkeypatch.setenv("COURSE_DATA_DIR", str(made))
    return made


def error_of(call, *arguments) -> str:
    """The one line that a user's mistake is answered with."""
    with pytest.raises(CourseError) as error:
        call(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def picture(path, size=(24, 20)):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(path.name)).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


# --- data_source and the places


@pytest.mark.parametrize("find", FINDERS)
def test_sample_is_announced_loudly_and_never_named_complete(find, capsys):
    found = find("sample")
    said = capsys.readouterr().out
    assert found.info.kind == "sample" and found.info.where == "built-in sample"
    assert said == found.info.describe() + "\n"
    assert "BUILT-IN SAMPLE, not the real set" in said and "complete" not in said


@pytest.mark.parametrize("find", FINDERS)
def test_offline_auto_takes_the_sample_and_says_why_and_real_is_an_error(find, capsys, tmp_path):
    assert find().info.kind == "sample"
    first, second = capsys.readouterr().out.splitlines()
    assert "unavailable" in first and "127.0.0.1" in first and "COURSE_DATA_DIR" in first
    assert "BUILT-IN SAMPLE" in second and str(tmp_path) not in first + second
    assert "no answer from 127.0.0.1" in error_of(find, "real")


@pytest.mark.fault
def test_variable_changes_what_auto_means_and_an_explicit_parameter_wins(monkeypatch):
    assert datasets.source_in_use("auto") == "auto"
    for source in ("sample", "real"):
        monkeypatch.setenv("COURSE_DATA_SOURCE", source)
        assert datasets.source_in_use("auto") == source
    assert datasets.source_in_use("sample") == "sample"
    assert "data_source='reel'" in error_of(datasets.load_mnist, "reel")
    monkeypatch.setenv("COURSE_DATA_SOURCE", "smaple")
    assert "COURSE_DATA_SOURCE='smaple'" in error_of(datasets.find_car_plane)


@pytest.mark.fault
@pytest.mark.parametrize("find", FINDERS)
def test_data_dir_that_cannot_serve_is_an_error_or_is_said(find, folder, monkeypatch, capsys):
    assert "is empty" in error_of(find)
    (folder / "holiday.txt").write_text("x")
    assert find().info.kind == "sample"
    assert "not in COURSE_DATA_DIR" in capsys.readouterr().out
    for wrong in (folder / "nowhere", folder / "holiday.txt", "~nobody-of-this-name/pictures", "long" * 100):
        monkeypatch.setenv("COURSE_DATA_DIR", str(wrong))
        assert f"COURSE_DATA_DIR='{wrong}' cannot be read (" in error_of(find)


def test_status_tells_each_place_apart(folder):
    (folder / "mnist.npz").write_bytes(b"")
    scenes(folder / "intel-scenes")
    found = {name: {row.place: row for row in datasets.status(name)} for name in datasets.NAMES}
    data_dir = {name: found[name]["COURSE_DATA_DIR"].found for name in datasets.SETS}
    assert data_dir == {"mnist": "wrong", "intel-scenes": "partial", "car-plane": "missing"}
    for name, rows in found.items():
        assert rows["the course's cache"].found == "missing" and rows["built-in sample"].found == "sample"
        assert "MB" in rows["public source"].detail
        assert (name in datasets.SETS) or "RANDOM" in rows["built-in sample"].detail
    assert "'cifar'" in error_of(show_data, ["cifar"]) and "mnist" in error_of(show_data, ["cifar"])


# --- MNIST


def digits(train=30, test=20):
    rng = np.random.default_rng(7)
    return {
        "x_train": rng.integers(0, 256, (train, 28, 28), dtype=np.uint8),
        "y_train": rng.integers(0, 10, train, dtype=np.uint8),
        "x_test": rng.integers(0, 256, (test, 28, 28), dtype=np.uint8),
        "y_test": rng.integers(0, 10, test, dtype=np.uint8),
    }


def publish_digits(monkeypatch, arrays):
    monkeypatch.setattr(mnist, "PUBLISHED", {part: len(arrays[f"y_{part}"]) for part in ("train", "test")})
    together = b"".join(arrays[key].tobytes() for key in mnist.KEYS)
    monkeypatch.setattr(mnist, "ARRAYS_SHA256", hashlib.sha256(together).hexdigest())


def test_sample_digits_look_like_mnist():
    found = datasets.load_mnist("sample")
    assert found.x_train.dtype == found.y_train.dtype == np.uint8
    assert found.info.counts == {"train": len(found.x_train), "test": len(found.x_test)}
    assert sum(found.info.counts.values()) == 1797 and found.x_test.shape[1:] == (28, 28)
    assert not found.x_train[:, :3].any() and 0.1 < (found.x_train > 0).mean() < 0.5
    assert np.bincount(found.y_test, minlength=10).min() > 0.09 * len(found.y_test)


def test_digits_are_partial_or_complete_by_their_arrays_however_they_were_packed(folder, monkeypatch, capsys):
    arrays = digits()
    np.savez_compressed(folder / "mnist.npz", **arrays | {"x_test": np.asfortranarray(arrays["x_test"])})
    before = (folder / "mnist.npz").stat().st_mtime_ns
    found = datasets.load_mnist("real")
    assert all(np.array_equal(getattr(found, key), array) for key, array in arrays.items())
    assert found.x_test.flags.c_contiguous and found.x_test.flags.writeable
    said = capsys.readouterr().out
    assert "PARTIAL" in said and "30 of 60,000 train" in said and str(folder) not in said
    assert (folder / "mnist.npz").stat().st_mtime_ns == before
    publish_digits(monkeypatch, arrays)
    assert datasets.load_mnist("real").info.kind == "complete"
    arrays["x_test"][3, 4, 5] ^= 1
    np.savez(folder / "mnist.npz", **arrays)
    assert "not the same" in datasets.load_mnist("real").info.describe()


def packed(**others):
    """The bytes of an .npz of digits, some of whose arrays are others, or left out."""
    arrays = {name: array for name, array in (digits() | others).items() if array is not None}
    np.savez_compressed(file := io.BytesIO(), **arrays)
    return file.getvalue()


GOOD = packed()
WRONG_DIGITS = {
    "cut": (GOOD[: len(GOOD) // 2], "zip"),
    "flipped byte": (GOOD[:5000] + bytes([GOOD[5000] ^ 255]) + GOOD[5001:], "CRC"),
    "floats": (packed(x_train=np.zeros((30, 28, 28), np.float32)), "x_train is float32"),
    "labels too few": (packed(y_train=np.zeros(9, np.uint8)), "y_train is uint8 of shape .9,"),
    "a label of ten": (packed(y_test=np.full(20, 10, np.uint8)), "label 10"),
    "objects": (packed(y_test=np.array([None] * 20)), "Object arrays cannot be loaded"),
    "an array too few": (packed(y_train=None), "y_train is not a file in the archive"),
}


@pytest.mark.fault
@pytest.mark.parametrize("what", WRONG_DIGITS)
def test_wrong_digits_in_the_users_folder_are_one_line(what, folder):
    content, words = WRONG_DIGITS[what]
    (folder / "mnist.npz").write_bytes(content)
    line = error_of(datasets.load_mnist)
    assert re.match(f"mnist.npz in COURSE_DATA_DIR cannot be used.*{words}.*replace it", line)


# --- Intel scenes


def scenes(base, doubled=True, train=3, test=2):
    for part, count in (("seg_train", train), ("seg_test", test)):
        inner = base / part / part if doubled else base / part
        for name in datasets.SCENE_CLASSES:
            for k in range(count):
                picture(inner / name / f"{k}.jpg")
    return base


@pytest.mark.parametrize("doubled", [True, False])
@pytest.mark.parametrize("below", ["intel-scenes", "."])
def test_scenes_in_either_layout_and_through_links(doubled, below, folder, tmp_path, monkeypatch):
    base = scenes(tmp_path / "mounted", doubled)
    (folder / below).mkdir(exist_ok=True)
    for part in ("seg_train", "seg_test"):
        (folder / below / part).symlink_to(base / part, target_is_directory=True)
    sea = next(base.glob("seg_train/**/sea"))
    (sea / "0.jpg").rename(sea / "0.JPG")
    (sea / "notes.txt").write_text("not a picture")
    (sea / "broken.jpg").symlink_to(sea / "gone.jpg")
    found = datasets.find_intel_scenes("real")
    assert found.info.kind == "partial" and found.info.counts == {"train": 18, "test": 12}
    assert sorted(path.name for path in found.train.iterdir()) == sorted(found.class_names)
    monkeypatch.setattr(intel_scenes, "PUBLISHED", {"train": 18, "test": 12})
    assert datasets.find_intel_scenes().info.kind == "complete"


def forbid(monkeypatch, named):
    """Let a folder of this name be one that may not be read; a test that runs as root may read all."""
    allowed = Path.iterdir

    def iterdir(self):
        if self.name == named:
            raise PermissionError(13, "Permission denied", str(self))
        return allowed(self)

    monkeypatch.setattr(Path, "iterdir", iterdir)


@pytest.mark.fault
def test_scenes_that_lack_a_folder_do_not_count_as_found(folder, monkeypatch):
    scenes(folder / "intel-scenes")
    with monkeypatch.context() as patch:
        forbid(patch, "sea")
        assert "sea cannot be read (Permission denied)" in error_of(datasets.find_intel_scenes, "real")
    for gone, words in (
        ("seg_test/seg_test/sea", "seg_test has no pictures of sea"),
        ("seg_test", "intel-scenes has no folder seg_test"),
    ):
        shutil.rmtree(folder / "intel-scenes" / gone)
        assert words in error_of(datasets.find_intel_scenes, "real")


# --- Cars and planes


def publish_vehicles(base, monkeypatch):
    """Draw a small set into a folder, and make it the published one."""
    names = ["training_set/cars/a 3.JPG", "training_set/planes/b.jpg", "val_set/cars/c.jpg"]
    names += ["val_set/planes/d.jpg", "test/one.jpg", "test/two.jpg"]
    sums = {name: hashlib.sha256(picture(base / name).read_bytes()).hexdigest() for name in names}
    sums_file, labels = base.with_suffix(".txt"), base.with_suffix(".csv")
    sums_file.write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()))
    labels.write_text("file,label,class\none.jpg,0,cars\ntwo.jpg,1,planes\n")
    monkeypatch.setattr(car_plane, "CHECKSUMS", sums_file)
    monkeypatch.setattr(car_plane, "LABELS", labels)
    monkeypatch.setattr(car_plane, "PUBLISHED", {"train": 2, "validation": 2, "test": 2})
    return names


@pytest.fixture
def vehicles(folder, monkeypatch):
    publish_vehicles(folder / "car-plane", monkeypatch)
    return folder / "car-plane"


def test_vehicles_are_complete_partial_or_not_here(vehicles):
    found = datasets.find_car_plane("real")
    assert found.info.kind == "complete" and found.test_labels == {"one.jpg": 0, "two.jpg": 1}
    assert found.info.counts == {"train": 2, "validation": 2, "test": 2}
    picture(vehicles / "val_set" / "cars" / "c.jpg", size=(9, 9))
    found = datasets.find_car_plane("real")
    assert found.info.kind == "partial" and "val_set/cars/c.jpg" in found.info.describe()
    (vehicles / "test" / "one.jpg").unlink()
    assert "1 of 2 test" in datasets.find_car_plane("real").info.describe()
    shutil.rmtree(vehicles / "val_set")
    assert "no folder val_set" in error_of(datasets.find_car_plane, "real")
    assert datasets.find_car_plane("auto").info.kind == "sample"


@pytest.mark.fault
@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"file;label\none.jpg;1\n", "'file' is wrong or missing"),
        (b"file,label\none.jpg,2\n", "'2' is wrong"),
        (b"file,label\nk\xe4fer.jpg,1\n", "codec can't decode"),
    ],
)
def test_labels_are_read_or_refused_in_one_line(table, words, vehicles):
    labels = vehicles / "test-labels.csv"
    labels.write_bytes(b"\xef\xbb\xbffile,label\none.jpg,1\n")  # as Excel saves it
    assert datasets.find_car_plane("real").test_labels == {"one.jpg": 1}
    labels.write_bytes(table)
    line = error_of(datasets.find_car_plane)
    assert "car-plane/test-labels.csv in COURSE_DATA_DIR" in line and words in line and "UTF-8" in line


def test_committed_checksums_and_labels_fit_each_other():
    names = list(car_plane.published_files())
    folders = Counter(name.rsplit("/", 1)[0] for name in names)
    for name in car_plane.CLASSES:
        assert (folders[f"training_set/{name}"], folders[f"val_set/{name}"]) == (80, 20)
    labels = car_plane.read_labels(car_plane.LABELS)
    assert {f"test/{name}" for name in labels} == {name for name in names if name.startswith("test/")}
    assert sorted(labels.values()) == [0] * 9 + [1] * 6


@pytest.mark.kernel
@pytest.mark.skipif(not REAL_FOLDER, reason="COURSE_DATA_DIR does not name the real pictures")
def test_the_real_pictures(monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", REAL_FOLDER)
    found = datasets.load_mnist("real")
    assert found.info.kind == "complete" and found.y_train[7777] == 8 and found.y_test[4444] == 9
    vehicles, real_scenes = datasets.find_car_plane("real"), datasets.find_intel_scenes("real")
    assert vehicles.info.kind == "complete" and len(vehicles.test_labels) == 15
    for a_set in (vehicles, real_scenes):
        report = datasets.usable_pictures(a_set.train, a_set.class_names)
        assert report.folder == a_set.train and report.problems == []
        assert sum(report.counts.values()) == a_set.info.counts["train"]


def test_pictures_left_aside_are_named_with_every_number():
    info = datasets.load_mnist("sample").info
    train = info.counts["train"]
    assert info.using(train=train + 1).label == "sample set"
    assert info.using(train=600, test=10**6).label == f"600 of {train:,} train, sample set"
    assert info.using(train=600).used == {"train": 600} and info.used == {}
