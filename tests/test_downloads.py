"""Downloads from a server on this machine: what arrives, what fails, and what is left behind."""

import errno
import hashlib
import io
import os
import re
import shutil
import sys
import threading
import time
import zipfile
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import requests
from test_datasets import digits, error_of, publish_digits, publish_vehicles, scenes

from helpers import datasets
from helpers.datasets import _download, car_plane, intel_scenes, mnist

pytestmark = pytest.mark.usefixtures("alone")


def files_in(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def public_mnist(server, monkeypatch):
    arrays = digits()
    publish_digits(monkeypatch, arrays)
    np.savez(packed := io.BytesIO(), **arrays)
    server.pages["/data/mnist.npz"] = packed.getvalue()
    monkeypatch.setattr(mnist, "URL", server.url + "data/mnist.npz")
    monkeypatch.setattr(mnist, "FILE_SHA256", hashlib.sha256(packed.getvalue()).hexdigest())
    return datasets.load_mnist, "/data/mnist.npz", "mnist", "11 MB"


@pytest.fixture
def public_vehicles(server, monkeypatch, tmp_path):
    for name in publish_vehicles(tmp_path / "published", monkeypatch):
        server.pages[f"/data/{name}"] = (tmp_path / "published" / name).read_bytes()
    monkeypatch.setattr(car_plane, "URL", server.url + "data/")
    return datasets.find_car_plane, "/data/val_set/cars/c.jpg", "car-plane", "16 MB"


@pytest.fixture
def public_scenes(server, monkeypatch, tmp_path):
    monkeypatch.setattr(intel_scenes, "URL", server.url + "data/archive")
    monkeypatch.setattr(intel_scenes, "PUBLISHED", {"train": 18, "test": 12})
    monkeypatch.setattr(intel_scenes, "MEGABYTES", 2)  # half as much again is what may come
    monkeypatch.setitem(sys.modules, "tensorflow", Mock())  # which takes seconds to import
    publish_scenes(server, tmp_path)
    return datasets.find_intel_scenes, "/data/archive", "intel-scenes", "2 MB"


def publish_scenes(server, tmp_path, change=lambda base: None):
    base = scenes(tmp_path / "archive")
    change(base)
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        for path in sorted(base.rglob("*.jpg")):
            archive.write(path, path.relative_to(base))
        archive.writestr("../../outside.txt", "x")
    shutil.rmtree(base)
    server.pages["/data/archive"] = packed.getvalue()


@pytest.fixture(params=["public_mnist", "public_vehicles", "public_scenes"])
def public(request):
    """One set on the server: (how it is found, one of its files, its folder in the cache, its size)."""
    return request.getfixturevalue(request.param)


def test_a_set_is_downloaded_once(public, server, cache, capfd, tmp_path):
    find, _, folder, size = public
    found = find("auto")
    said = capfd.readouterr()
    assert found.info.kind == "complete" and found.info.where == "the course's cache"
    assert said.out.index(size) < said.out.index("complete set") and "100%" in said.out
    assert said.err == "" and str(tmp_path) not in said.out
    assert [path.name for path in cache.iterdir()] == [folder]
    assert not (tmp_path / "outside.txt").exists() and not (cache / "outside.txt").exists()
    asked = len(server.asked)
    assert find("real").info.kind == "complete" and len(server.asked) == asked


def raising(monkeypatch, error):
    """Let every download break off with an error when its first piece is written."""
    monkeypatch.setattr(_download.tqdm, "update", Mock(side_effect=error))


def too_slow(monkeypatch, server, path):
    server.endless[path] = 0.01
    monkeypatch.setattr(_download, "SLOWEST", 1e9)


FAULTS = {
    "404": (lambda patch, server, path: server.status.update({path: 404}), "404 Client Error"),
    "cut": (lambda patch, server, path: server.cut.add(path), "was cut"),
    "another file": (
        lambda patch, server, path: server.pages.update({path: b"x"}),
        "wrong checksum|not the published set|not a zip file",
    ),
    "no end": (lambda patch, server, path: server.endless.update({path: 0}), "far more than it should"),
    "too slow": (too_slow, "too slowly"),
    "full disk": (
        lambda patch, server, path: raising(patch, OSError(errno.ENOSPC, "No space left")),
        "No space left.*free .* MB.*COURSE_CACHE_DIR",
    ),
    "read-only cache": (
        lambda patch, server, path: patch.setenv("COURSE_CACHE_DIR", f"{os.devnull}/cache"),
        "cache cannot be written.*COURSE_CACHE_DIR",
    ),
}


@pytest.mark.fault
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_download_is_one_line_and_leaves_nothing(fault, public, server, monkeypatch, cache):
    (find, path, *_), (make, words) = public, FAULTS[fault]
    make(monkeypatch, server, path)
    assert re.search(f"unavailable.*({words}).*COURSE_DATA_DIR", error_of(find, "real"))
    assert find("auto").info.kind == "sample"
    assert not cache.exists() or files_in(cache) == []


@pytest.mark.fault
@pytest.mark.parametrize(
    "fault", [(Path.unlink, "17 train"), (lambda path: os.truncate(path, 200), "street/2.jpg: ")]
)
def test_what_kaggle_sends_is_verified(fault, public_scenes, server, cache, tmp_path):
    (find, *_), (change, words) = public_scenes, fault
    publish_scenes(server, tmp_path, lambda base: change(max(base.rglob("*.jpg"))))
    line = error_of(find, "real")
    assert "not the published set: " in line and words in line and files_in(cache) == []


def test_a_redirect_is_followed_and_a_cut_connection_tried_again(public_mnist, server, monkeypatch):
    find, path, _, _ = public_mnist
    server.pages["/elsewhere"] = server.pages[path]
    server.status[path] = "/elsewhere"
    server.cut.add("/elsewhere")
    monkeypatch.setattr(_download, "RETRIES", 1)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: server.cut.clear())
    assert find("real").info.kind == "complete"
    assert server.asked.count(("GET", "/elsewhere")) == 2


@pytest.mark.fault
def test_ctrl_c_leaves_nothing_and_the_next_one_works(public, cache, monkeypatch):
    find = public[0]
    with monkeypatch.context() as patch:
        raising(patch, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            find("auto")
    assert files_in(cache) == []
    assert find("auto").info.kind == "complete"


@pytest.mark.fault
def test_what_a_killed_download_left_is_taken_away_after_a_day(public_mnist, cache):
    for name, age in (("old.part", 90_000), ("new.part", 0)):
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, times=(time.time() - age,) * 2)
    public_mnist[0]("real")
    assert sorted(path.name for path in cache.iterdir()) == ["mnist", "new.part"]


@pytest.mark.fault
def test_a_damaged_set_in_the_cache_is_replaced_or_used_where_nothing_answers(public, cache, server):
    find, path, folder, _ = public
    find("real")
    damaged = next(
        path for path in sorted((cache / folder).rglob("*")) if path.suffix in (".npz", ".jpg", ".JPG")
    )
    damaged.unlink() if folder == "intel-scenes" else damaged.write_bytes(b"half")
    content = server.pages.pop(path)
    assert find("auto").info.kind == ("sample" if folder == "mnist" else "partial")
    server.pages[path] = content
    assert find("real").info.kind == "complete"
    assert [path.name for path in cache.iterdir()] == [folder]


@pytest.mark.fault
def test_a_link_that_leads_nowhere_is_replaced(public, cache):
    find, _, folder, _ = public
    cache.mkdir()
    (cache / folder).symlink_to(cache / "an unplugged disk")
    assert find("real").info.kind == "complete"


@pytest.mark.fault
def test_two_downloads_at_once_leave_one_complete_set(public_vehicles, cache, monkeypatch):
    find, *_ = public_vehicles
    both, rename, placed = threading.Barrier(2, timeout=20), Path.rename, []

    def at_the_same_moment(path, target):
        into_place = Path(target) == cache / "car-plane"
        if into_place:
            both.wait()
        rename(path, target)
        placed.extend([path] * into_place)

    monkeypatch.setattr(Path, "rename", at_the_same_moment)
    found = []
    threads = [threading.Thread(target=lambda: found.append(find("real").info.kind)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["complete", "complete"] and len(placed) == 1
    assert [path.name for path in cache.iterdir()] == ["car-plane"]


@pytest.mark.fault
def test_silent_sources_cost_ten_seconds_together(public_mnist, server, monkeypatch):
    limits, head = [], requests.head

    def remembered(address, timeout):
        limits.append(timeout)
        return head(address, timeout=timeout)

    monkeypatch.setattr(requests, "head", remembered)
    monkeypatch.setattr(_download, "ANSWER_SECONDS", 0.7)  # a tenth of all
    monkeypatch.setattr(_download, "SHORT_SECONDS", 0.1)
    server.silent.set()
    for _ in range(4):
        assert public_mnist[0]("auto").info.kind == "sample"
    assert sum(limits) <= 1.01
    server.silent.clear()
    assert public_mnist[0]("real").info.kind == "complete" and limits[-1] == 0.7


@pytest.mark.fault
def test_fetch_brings_the_complete_set(public_mnist, tmp_path, monkeypatch, cache, server):
    (tmp_path / "mine").mkdir()
    np.savez(tmp_path / "mine" / "mnist.npz", **digits(5, 5))
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "mine"))
    assert datasets.fetch("mnist").kind == "complete"
    assert (cache / "mnist" / "mnist.npz").is_file() and files_in(tmp_path / "mine") == ["mnist.npz"]
    asked = len(server.asked)
    assert datasets.fetch("mnist").kind == "complete" and len(server.asked) == asked
    server.pages.clear()
    shutil.rmtree(cache)
    assert "MNIST digits are unavailable" in error_of(datasets.fetch, "mnist")
