"""A student's own photographs: any folder, any picture, and what cannot be read is named."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import CourseError, datasets

RIGHT_WAY_UP = np.zeros((60, 90, 3), np.uint8)  # red left half, blue right half, a white top
RIGHT_WAY_UP[:, :45] = (200, 0, 0)
RIGHT_WAY_UP[:, 45:] = (0, 0, 200)
RIGHT_WAY_UP[:20] = 255


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "my photographs"
    made.mkdir()
    return made


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path, pixels=None, mode="RGB", **settings):
    Image.fromarray(noise(40, 50) if pixels is None else pixels).convert(mode).save(path, **settings)
    return path


def read_one(folder, **settings):
    found = datasets.own_photographs(folder, **settings)
    assert len(found.names) == 1
    return found.pictures[0], found.problems


def files_in(folder):
    return {
        p.name: (p.stat().st_size, p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(folder.iterdir())
    }


def error_of(folder, **settings):
    with pytest.raises(CourseError) as error:
        datasets.own_photographs(folder, **settings)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_names_pictures_and_counts_are_sorted_and_of_one_size(folder):
    for name, grey in (("b.png", 20), ("a.JPG", 120), ("Ca 3.jpeg", 220)):
        save(folder / name, np.full((33, 77, 3), grey, np.uint8))
    before = files_in(folder)
    found = datasets.own_photographs(str(folder), size=(30, 40))
    assert found.names == ["Ca 3.jpeg", "a.JPG", "b.png"]
    assert found.pictures.shape == (3, 30, 40, 3) and found.pictures.dtype == np.uint8
    assert [int(np.rint(picture.mean())) for picture in found.pictures] == [220, 120, 20]
    assert found.problems == []
    assert found.describe() == "3 of your own photographs; 0 problems"
    assert files_in(folder) == before
    assert datasets.own_photographs(folder).pictures.shape == (3, 150, 150, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("scale", [1, 20])  # the larger one is decoded at a fraction of its size
def test_photographs_are_turned_upright(folder, orientation, scale):
    upright = Image.fromarray(np.kron(RIGHT_WAY_UP, np.ones((scale, scale, 1), np.uint8)))
    turn_back = {  # what the camera stored, so that its EXIF orientation leads back to upright
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(turn_back[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(folder / "turned.jpg", exif=exif, quality=95, subsampling=0)
    pixels, problems = read_one(folder, size=(60, 90))
    assert problems == []
    assert abs(pixels.astype(int) - RIGHT_WAY_UP).mean() < 4


def test_damaged_exif_does_not_spoil_the_photograph(folder):
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 3, "hello"
    # Pillow cannot write a position in text back, and raises when it has turned the picture.
    broken = exif.tobytes().replace(b"\x01\x0e\x00\x02", b"\x01\x1f\x00\x02")
    save(folder / "a.jpg", RIGHT_WAY_UP[::-1, ::-1], exif=broken, quality=95)
    save(folder / "b.jpg", RIGHT_WAY_UP, exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage", quality=95)
    found = datasets.own_photographs(folder, size=(60, 90))
    assert found.names == ["a.jpg", "b.jpg"] and found.problems == []
    assert (abs(found.pictures.astype(int) - RIGHT_WAY_UP).mean(axis=(1, 2, 3)) < 4).all()


def test_small_pictures_come_out_as_tf_image_resize_makes_them(folder):
    import tensorflow as tf

    pixels = noise(37, 61)
    save(folder / "small.png", pixels)
    theirs = tf.image.resize(pixels, (150, 130)).numpy()
    assert abs(read_one(folder, size=(150, 130))[0] - theirs).max() <= 1


def test_same_size_is_unchanged(folder):
    pixels = noise(150, 150)
    save(folder / "same.png", pixels)
    assert np.array_equal(read_one(folder)[0], pixels)


def test_large_pictures_are_averaged_and_not_picked_from(folder):
    import tensorflow as tf

    pixels = noise(900, 700)
    save(folder / "large.png", pixels)
    smooth = tf.image.resize(pixels, (50, 60), antialias=True).numpy()
    picked = tf.image.resize(pixels, (50, 60)).numpy()
    ours = read_one(folder, size=(50, 60))[0]
    assert abs(ours - smooth).max() <= 1.5
    assert ours.std() < picked.std() / 4
    # a large JPEG is decoded small at once: nearly the same picture
    (folder / "large.png").unlink()
    save(folder / "large.jpg", pixels, quality=98, subsampling=0)
    assert abs(read_one(folder, size=(50, 60))[0] - smooth).mean() < 3


@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [
        ("grey.jpg", "L", "is grey, not RGB, converted"),
        ("print.jpg", "CMYK", "is CMYK, not RGB, converted"),
        ("palette.gif", "P", "is palette, not RGB, converted"),
        ("ink.png", "1", "is black and white, not RGB, converted"),
        ("glass.png", "LA", "is transparent, not RGB, converted"),
    ],
)
def test_other_colours_become_rgb_and_are_named(folder, name, mode, said):
    grey = np.full((40, 50, 3), 255, np.uint8)
    grey[:20] = 0
    save(folder / name, grey, mode)
    pixels, problems = read_one(folder, size=(40, 50))
    assert problems == [f"{name}: {said}"]
    assert pixels[:15].max() < 40 and pixels[25:].min() > 215


def test_sixteen_bits_are_scaled_and_not_clipped(folder):
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(folder / "deep.png")
    pixels, problems = read_one(folder)
    assert problems == ["deep.png: is grey, not RGB, converted"]
    assert np.unique(pixels).tolist() == [155]


def test_transparent_parts_lie_on_white_and_their_hidden_colour_does_not_shine_through(folder):
    clear = np.zeros((40, 40, 4), np.uint8)
    clear[..., 0] = 255  # red, but wholly transparent ...
    clear[:20] = (10, 20, 30, 255)  # ... below an opaque half
    Image.fromarray(clear).save(folder / "clear.png")
    pixels, problems = read_one(folder, size=(20, 20))
    assert problems == ["clear.png: is transparent, not RGB, converted"]
    assert pixels[0, 0].tolist() == [10, 20, 30] and pixels[-1, -1].tolist() == [255, 255, 255]
    assert (pixels[..., 0] <= pixels[..., 1]).all(), "no red seam"


def test_what_is_no_photograph_is_left_out_and_named(folder):
    whole = save(folder / "good.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "letter.jpg").write_text("no picture")
    (folder / "notes.txt").write_text("no picture")
    (folder / "film.mp4").write_bytes(b"film")
    save(folder / "dot.png", noise(1, 1))
    (folder / "holiday").mkdir()
    save(folder / "holiday" / "more.jpg")
    for hidden in (".DS_Store", "._good.jpg", "Thumbs.db", "desktop.ini"):
        (folder / hidden).write_bytes(b"x")
    save(folder / ".hidden.jpg")
    found = datasets.own_photographs(folder)
    assert found.names == ["good.jpg"]
    said = "\n".join(found.problems)
    for line in (
        "cut.jpg: is cut short or damaged",
        "empty.jpg: is no picture that can be read here, left out",
        "phone.HEIC: is a HEIC photograph, which cannot be read here: save it as JPEG, left out",
        "letter.jpg: is no picture",
        "notes.txt: is no picture",
        "film.mp4: is a film, left out",
        "dot.png: is only 1x1 pixels, left out",
        "holiday: is a folder, ignored",
    ):
        assert line in said
    assert len(found.problems) == 8, "hidden files are not worth a line"
    assert str(folder) not in said
    assert found.describe(most=3).splitlines() == [
        "1 of your own photographs; 8 problems",
        *(f"  {line}" for line in found.problems[:3]),
        "  ... and 5 more",
    ]


def test_the_content_counts_and_not_the_name(folder):
    pixels = noise(30, 30)
    save(folder / "really a png.jpg", pixels, format="PNG")
    save(folder / "web.webp", pixels, lossless=True)
    save(folder / "no ending", pixels, format="TIFF")
    found = datasets.own_photographs(folder, size=(30, 30))
    assert len(found.names) == 3 and found.problems == []
    assert all(np.array_equal(picture, pixels) for picture in found.pictures)


def test_what_a_camera_hangs_behind_the_picture_does_no_harm(folder):
    path = save(folder / "motion.jpg")
    path.write_bytes(path.read_bytes() + b"\xff\xda a short film" * 5)
    assert read_one(folder)[1] == []


def test_links_and_pipes(folder, tmp_path):
    save(tmp_path / "elsewhere.png", noise(5, 5))
    try:
        (folder / "a link.png").symlink_to(tmp_path / "elsewhere.png")
        (folder / "broken.png").symlink_to(tmp_path / "gone.png")
        os.mkfifo(folder / "pipe.jpg")
    except (OSError, AttributeError):
        pytest.skip("no links or pipes here")
    found = datasets.own_photographs(folder)
    assert found.names == ["a link.png"]
    assert found.problems == ["broken.png: is no file, left out", "pipe.jpg: is no file, left out"]


def test_huge_pictures_are_not_decoded(folder, monkeypatch):
    save(folder / "a good one.png")
    monkeypatch.setattr(datasets, "MOST_MEGAPIXELS", 0.01)
    monkeypatch.setattr(datasets, "MOST_MEGAPIXELS_JPEG", 0.02)
    save(folder / "huge.png", noise(101, 100))
    save(folder / "large but scalable.jpg", noise(101, 100))
    save(folder / "progressive.jpg", noise(101, 100), progressive=True)
    save(folder / "too large.jpg", noise(201, 100))
    found = datasets.own_photographs(folder)
    assert found.names == ["a good one.png", "large but scalable.jpg"]
    assert [line.partition(":")[0] for line in found.problems] == [
        "huge.png",
        "progressive.jpg",
        "too large.jpg",
    ]
    assert "100 x 101 pixels, too large to decode safely, left out" in found.problems[0]


def test_decompression_bomb_is_named_and_nothing_is_said_on_stderr(folder, monkeypatch, capfd, recwarn):
    save(folder / "a.png", noise(10, 10))
    save(folder / "bomb.png", noise(60, 60))
    save(folder / "nearly.png", noise(40, 40))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1_000)  # an error from 2,000, a warning from 1,000
    found = datasets.own_photographs(folder)
    assert found.names == ["a.png", "nearly.png"]
    assert found.problems == ["bomb.png: is too large to decode safely, left out"]
    assert capfd.readouterr().err == "" and not recwarn.list


def test_at_most_so_many(folder, monkeypatch):
    monkeypatch.setattr(datasets, "MOST_PHOTOGRAPHS", 3)
    for number in range(3):
        save(folder / f"{number}.png")
    assert datasets.own_photographs(folder).problems == []
    save(folder / "3.png")
    save(folder / "4.png")
    found = datasets.own_photographs(folder)
    assert found.names == ["0.png", "1.png", "2.png"]
    assert found.problems == ["3.png and all after it (2): left out, 3 are the most"]


def test_mistakes_are_one_line_with_the_remedy(folder, tmp_path, monkeypatch):
    assert re.search("nowhere' does not exist: check the path\\.$", error_of(tmp_path / "nowhere"))
    assert re.search("has no photograph that can be used, it is empty: put JPEG", error_of(folder))
    file = save(folder / "a.png")
    assert re.search("is a file: name the folder", error_of(file))
    file.unlink()
    (folder / "b.heic").write_bytes(b"x")
    (folder / "c.txt").write_bytes(b"x")
    assert re.search(r"\(b.heic: is a HEIC.*; and 1 more\): put JPEG or PNG files into it", error_of(folder))
    for blank in ("", "  "):
        assert "give its path" in error_of(blank)
    assert "does not exist" in error_of("~nobody-of-this-name/pictures")
    monkeypatch.chdir(folder)
    assert error_of("my cars").endswith(
        "'my cars' does not exist: check the path, which starts in the folder 'my photographs'."
    )


def test_home_folder_may_be_a_tilde(folder, monkeypatch):
    save(folder / "a.png")
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert datasets.own_photographs(Path("~") / folder.name).names == ["a.png"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not bind this user")
def test_rights(folder):
    save(folder / "a.png")
    locked = save(folder / "locked.png")
    locked.chmod(0)
    assert "locked.png: cannot be read (Permission denied)" in datasets.own_photographs(folder).problems[0]
    folder.chmod(0)
    try:
        assert "cannot be read (Permission denied)" in error_of(folder)
    finally:
        folder.chmod(0o755)
