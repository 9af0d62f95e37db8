"""Class folders and a student's own photographs: whatever lies in a folder is used, or named."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image
from test_datasets import error_of, forbid

from helpers import COURSE_FOLDER, datasets
from helpers.datasets import _folders
from helpers.digits import read_digit

CLASSES = ("cars", "planes")
LEFT_OUT = "is not a picture that can be read here (save HEIC as JPEG), left out"
UPRIGHT = np.zeros((60, 90, 3), np.uint8)  # red left half, blue right half, a white top
UPRIGHT[:, :45], UPRIGHT[:, 45:], UPRIGHT[:20] = (200, 0, 0), (0, 0, 200), 255

TURNS = {6: Image.Transpose.ROTATE_90, 3: Image.Transpose.ROTATE_180, 5: Image.Transpose.TRANSPOSE}


def noise(height=20, width=24, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path, mode="RGB", pixels=None, **settings):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(noise() if pixels is None else pixels)
    picture.convert("L" if mode == "I;16" else mode).convert(mode).save(path, **settings)
    return path


def state_of(folder):
    return {
        path: (path.lstat().st_mtime_ns, path.is_file() and path.read_bytes()) for path in folder.rglob("*")
    }


@pytest.fixture(autouse=True)
def decoder(request, monkeypatch):
    """Stand in for TensorFlow's decoder, which takes seconds to import, where a test does not ask it."""
    if "kernel" not in request.keywords:
        monkeypatch.setitem(sys.modules, "tensorflow", Mock())


@pytest.fixture
def album(tmp_path):
    for name in CLASSES:
        for k in range(2):
            save(tmp_path / "album" / name / f"good {k}.jpg")
    return tmp_path / "album"


def write(content):
    return lambda path: path.write_bytes(content)


def a(mode="RGB", form=None, **settings):
    return lambda path: save(path, mode, format=form, **settings)


def wrong_checksum(path):
    content = bytearray(save(path).read_bytes())
    content[content.index(b"IDAT") + 20] ^= 255
    path.write_bytes(content)


# What people put into class folders; and what is said of it, nothing where it is simply used.
AWKWARD = {
    "cut.jpg": (lambda path: path.write_bytes(save(path).read_bytes()[:500]), "cannot be read ("),
    "text.jpg": (write(b"not a picture"), "is not a picture"),
    "good.jfif": (a(form="JPEG"), "is not a picture by its name"),
    "line.png": (a(pixels=noise(30, 1)), "has only 1 x 30 pixels"),
    "broken link.jpg": (lambda path: path.symlink_to("gone.jpg"), "is not a file"),
    "grey.jpg": (a("L"), "is grey, not RGB"),
    "print.jpg": (a("CMYK"), "is CMYK, not RGB"),
    "glass.png": (a("RGBA"), "is transparent, not RGB"),
    "palette.gif": (a("P"), "is palette, not RGB"),
    "web.png": (a(form="WEBP"), "is stored as WEBP"),
    "checksum.png": (wrong_checksum, "is damaged"),
    "k\udce4fer.jpg": (a(form="JPEG"), "has a name that is not UTF-8"),
    "really a png.jpg": (a(form="PNG"), ""),
    "blanks and u\u0308mlaut.jpg": (a(), ""),
    "motion.jpg": (lambda path: path.write_bytes(save(path).read_bytes() + b"\xff\xda a film"), ""),
}


@pytest.mark.kernel
@pytest.mark.fault
def test_an_awkward_folder_is_streamed_and_every_file_accounted_for(album):
    for name, (make, _) in AWKWARD.items():
        make(album / "cars" / name)
    (album / "__MACOSX").mkdir()
    before = state_of(album)
    report = datasets.usable_pictures(album, CLASSES)
    assert state_of(album) == before, "nothing of the user's is changed"
    said = dict(line.split(": ", 1) for line in report.problems)
    assert said.pop("__MACOSX") == "unexpected, ignored"
    wanted = {f"cars/{name}".replace("\udce4", "\ufffd"): words for name, (_, words) in AWKWARD.items()}
    wanted = {name: words for name, words in wanted.items() if words}
    assert set(said) == set(wanted)
    for name, words in wanted.items():
        assert said[name].startswith(words) and said[name].endswith(", left out"), f"{name}: {said[name]}"
    assert report.counts == {"cars": 2 + len(AWKWARD) - len(wanted), "planes": 2}

    import keras
    import tensorflow as tf

    options = {"class_names": CLASSES, "image_size": (8, 8), "verbose": False}
    loader = keras.utils.image_dataset_from_directory(report.folder, **options)
    assert sum(len(labels) for _, labels in loader) == sum(report.counts.values())
    for path in map(Path, loader.file_paths):  # TensorFlow shows the colours that Pillow shows
        pixels = tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False).numpy()
        with Image.open(path) as opened:
            assert abs(pixels.astype(int) - np.asarray(opened)).max() <= 4, path
    first, *_, last = lines = report.describe(most=3).splitlines()
    assert first.endswith(f"{len(report.problems)} problems") and last.endswith("more") and len(lines) == 5


def test_private_copies_end_with_the_process(album):
    save(album / "cars" / "grey.jpg", "L")
    code = """import sys; from unittest.mock import Mock
sys.modules["tensorflow"] = Mock()
from helpers.datasets import usable_pictures; print(usable_pictures(sys.argv[1], ()).folder)"""
    done = subprocess.run([sys.executable, "-c", code, album / "cars"], capture_output=True, text=True)
    assert "course-pictures" in done.stdout and not Path(done.stdout.strip()).exists()


@pytest.mark.fault
@pytest.mark.parametrize("wrong", [(tempfile, "mkdtemp"), (shutil, "copyfile")])
def test_a_full_temporary_disk_is_one_line_and_nothing_is_lost(wrong, album, monkeypatch):
    save(album / "cars" / "grey.jpg", "L")
    before = state_of(album)
    monkeypatch.setattr(*wrong, Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    line = error_of(datasets.usable_pictures, album, CLASSES)
    assert line.startswith("the temporary folder cannot be written (No space left on device): free some")
    assert state_of(album) == before


def test_clean_folder_is_returned_itself(album):
    report = datasets.usable_pictures(album, CLASSES)
    assert (report.folder, report.problems, report.counts) == (album, [], {"cars": 2, "planes": 2})
    assert datasets.usable_pictures(album / "cars", ()).counts == {"pictures": 2}


@pytest.mark.fault
def test_missing_empty_and_unreadable_classes_are_errors(album, monkeypatch):
    classes = (*CLASSES, "boats")
    assert "folder 'boats' cannot be read" in error_of(datasets.usable_pictures, album, classes)
    (album / "boats").mkdir()
    (album / "boats" / "text.jpg").write_bytes(b"not a picture")
    assert "no usable picture of class 'boats'" in error_of(datasets.usable_pictures, album, classes)
    assert "'nowhere' cannot be read" in error_of(datasets.usable_pictures, album / "nowhere", CLASSES)
    forbid(monkeypatch, "planes")
    line = error_of(datasets.usable_pictures, album, CLASSES)
    assert line == "the folder 'planes' cannot be read (Permission denied): check the path."


@pytest.mark.fault
def test_no_picture_starts_another_program(album, monkeypatch):
    """Pillow hands PostScript to Ghostscript, whatever the file is called."""
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("started"))
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n%%EOF\n"
    (album / "cars" / "holiday.jpg").write_bytes(eps)
    assert "cars/holiday.jpg: is not a picture" in datasets.usable_pictures(album, CLASSES).problems[0]
    assert "holiday.jpg: is not a picture" in datasets.own_photographs(album / "cars").problems[0]
    assert "is not a picture" in error_of(read_digit, album / "cars" / "holiday.jpg")
    modules = (COURSE_FOLDER / "helpers").rglob("*.py")
    assert [path.name for path in modules if "Image.open(" in path.read_text()] == ["_pictures.py"]


@pytest.mark.fault
def test_huge_pictures_are_never_decoded(album, monkeypatch, capfd, recwarn):
    Image.new("1", (13_300, 13_300)).save(album / "cars" / "huge.png")
    Image.new("1", (20_000, 20_000)).save(album / "cars" / "bomb.png")
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    bomb, huge = datasets.usable_pictures(album, CLASSES).problems
    assert bomb.startswith("cars/bomb.png: cannot be read (Image size (400000000 pixels) exceeds")
    assert huge == "cars/huge.png: has 13,300 x 13,300 pixels, too large to decode safely, left out"
    assert capfd.readouterr().err == "" and not recwarn.list


# --- a student's own photographs


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my photographs").mkdir()
    return tmp_path / "my photographs"


def read_one(folder, size=(60, 90)):
    (picture,) = datasets.own_photographs(folder, size).pictures
    return picture.astype(int)


def test_photographs_are_named_sorted_and_of_one_size(folder, monkeypatch):
    for name, grey in (("b.png", 20), ("a.JPG", 120), ("Ca 3.webp", 220)):
        save(folder / name, pixels=np.full((33, 77, 3), grey, np.uint8))
    for hidden in (".DS_Store", "._a.jpg"):
        (folder / hidden).write_bytes(b"x")
    before = state_of(folder)
    found = datasets.own_photographs(str(folder), size=(30, 40))
    assert found.names == ["Ca 3.webp", "a.JPG", "b.png"] and found.problems == []
    assert found.pictures.shape == (3, 30, 40, 3) and found.pictures.dtype == np.uint8
    assert [int(np.rint(picture.mean())) for picture in found.pictures] == [220, 120, 20]
    assert found.describe() == "3 of your own photographs; 0 problems" and state_of(folder) == before
    monkeypatch.setattr(_folders, "MOST_PHOTOGRAPHS", 2)
    assert datasets.own_photographs(folder).problems == ["b.png and all after it: left out, 2 are the most"]
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert len(datasets.own_photographs("~/my photographs").names) == 2


@pytest.mark.fault
@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("scale", [1, 20])  # the larger one is decoded at a fraction of its size
def test_photographs_are_turned_upright(folder, orientation, scale):
    upright = Image.fromarray(np.kron(UPRIGHT, np.ones((scale, scale, 1), np.uint8)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright.transpose(TURNS[orientation]).save(folder / "a.jpg", exif=exif, quality=95, subsampling=0)
    assert abs(read_one(folder) - UPRIGHT).mean() < 4
    damaged = b"Exif\0\0II*\0\xff\xff\xff\xff garbage"  # does not spoil the photograph
    save(folder / "a.jpg", pixels=UPRIGHT, exif=damaged, quality=95)
    assert abs(read_one(folder) - UPRIGHT).mean() < 4


@pytest.mark.kernel
def test_photographs_come_out_as_tensorflow_resizes_them(folder):
    import tensorflow as tf

    for pixels, size in ((noise(37, 61), (150, 130)), (noise(900, 700), (50, 60)), (noise(60, 90), (60, 90))):
        save(folder / "a.png", pixels=pixels)
        theirs = tf.image.resize(pixels, size, antialias=True).numpy()
        assert abs(read_one(folder, size) - theirs).max() <= 1.5


def test_depth_and_transparency_are_kept_in_mind(folder):
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(folder / "deep.png")
    clear = np.zeros((40, 40, 4), np.uint8)
    clear[..., 0] = 255  # red, but wholly transparent ...
    clear[:20] = (10, 20, 30, 255)  # ... below an opaque half
    Image.fromarray(clear).save(folder / "clear.png")
    glass, deep = datasets.own_photographs(folder, (20, 20)).pictures
    assert np.unique(deep).tolist() == [155]
    assert glass[0, 0].tolist() == [10, 20, 30] and glass[-1, -1].tolist() == [255, 255, 255]
    assert (glass[..., 0] <= glass[..., 1]).all(), "no red seam"


@pytest.mark.fault
def test_what_is_not_a_photograph_is_left_out_and_named(folder):
    save(folder / "good.jpg")
    (folder / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "new\nline \x1b[31m.jpg").write_text("not a picture")
    os.mkfifo(folder / "pipe.jpg")
    Image.new("1", (6500, 6500)).save(folder / "wide.png")
    save(folder / "old.jpg", "L")
    found = datasets.own_photographs(folder)
    assert found.names == ["good.jpg", "old.jpg"]
    assert found.problems == [
        f"new\ufffdline \ufffd[31m.jpg: {LEFT_OUT}",
        "old.jpg: is grey, not RGB, converted",
        f"phone.HEIC: {LEFT_OUT}",
        "pipe.jpg: is not a file, left out",
        "wide.png: has 6,500 x 6,500 pixels, too large to decode safely, left out",
    ]


@pytest.mark.fault
def test_mistakes_are_one_line_with_the_remedy(folder, tmp_path, monkeypatch):
    (folder / "a.txt").write_bytes(b"x")
    monkeypatch.chdir(folder)
    starts = "check the path, which starts in the folder 'my photographs'."
    for named, words in (
        (tmp_path / "nowhere", "nowhere' cannot be read (No such file or directory): check the path."),
        (folder / "a.txt", "cannot be read (Not a directory)"),
        ("~nobody-of-this-name/pictures", "cannot be read (No such"),
        ("long" * 100, "cannot be read (File name too long)"),
        ("my cars", f"cannot be read (No such file or directory): {starts}"),
        (folder, f"(a.txt: {LEFT_OUT}; 1 problem"),
    ):
        assert words in error_of(datasets.own_photographs, named)
    (folder / "a.txt").unlink()
    assert "(it is empty): put JPEG" in error_of(datasets.own_photographs, folder)
