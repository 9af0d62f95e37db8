"""Lesson 7, your own pictures: the audit, bad folders, privacy, what is handed in, and `course predict`.

`make_submission` makes the two worked submissions of docs/assignment.md from the pictures of cars and planes.
"""

import base64
import re
import shutil
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from benchmarks.recipes import run_cells
from PIL import Image, ImageOps
from test_pictures import state_of

from course.cli import main
from helpers import COURSE_FOLDER, CourseError, own_pictures

LESSON = "07-your-own-pictures"
DRAWN = COURSE_FOLDER / "data" / "samples" / "car-plane" / "training_set"
SECRET = "at home, Zebra Street 4711"


def photograph(seed, side=120):
    """A smooth picture: light and dark patches of all sizes, as in photographs."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype("uint8")
    return Image.fromarray(small).resize((side * 4 // 3, side), Image.Resampling.BICUBIC)


def exif(orientation=1, place=False, second=None):
    data = Image.Exif()
    data[0x0112], data[0x010E] = orientation, SECRET
    if place:
        data.get_ifd(0x8825)[29] = SECRET
    if second is not None:
        data.get_ifd(0x8769)[0x9003] = f"2026:05:01 12:00:{second:02}"
    return data


def class_folder(folder, name, count=16, first=0):
    (folder / name).mkdir(parents=True)
    for seed in range(first, first + count):
        photograph(seed).save(folder / name / f"{seed:04}.jpg", quality=90, exif=exif())
    return folder / name


def make_submission(folder, source, faulty):
    """Copy class folders; a faulty submission gets every third picture again, and frames round one class."""
    for place in sorted(source.iterdir()):
        (folder / place.name).mkdir(parents=True)
        for number, path in enumerate(sorted(place.iterdir())):
            picture = Image.open(path).convert("RGB")
            if faulty and place.name == "planes":
                picture = ImageOps.expand(picture, max(picture.size) // 8, "white")
            picture.save(folder / place.name / f"{path.stem}.jpg", quality=90)
            if faulty and number % 3 == 0:
                smaller = picture.resize((200, 150), Image.Resampling.LANCZOS)
                smaller.save(folder / place.name / f"{path.stem} (copy).jpg", quality=60)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A folder with every fault planted that the audit looks for."""
    folder = tmp_path_factory.mktemp("own pictures é")
    many, few = class_folder(folder, "many cats", 40), class_folder(folder, "few dogs", 16, 100)
    (many / "damaged.jpg").write_bytes((many / "0000.jpg").read_bytes()[:2_000])
    (many / "notes.txt").write_text("no picture")
    (many / "telephone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    (many / "album").mkdir()
    side = photograph(1_000).transpose(Image.Transpose.ROTATE_90)
    side.save(many / "sideways.jpg", quality=95, exif=exif(orientation=6, place=True))
    photograph(1_001, 60).save(many / "small.jpg")
    photograph(1_002).convert("L").save(many / "grey.png")
    photograph(3).resize((100, 100), Image.Resampling.LANCZOS).save(many / "again.jpg", quality=50)
    photograph(4, 110).save(few / "a cat, too.jpg", quality=70)
    for second in (10, 17):
        photograph(1_100 + second).save(few / f"burst {second}.jpg", exif=exif(second=second))
    for name in ("__MACOSX", ".hidden"):
        (folder / name).mkdir()
    (folder / "readme.txt").write_text("")
    return folder


@pytest.fixture(scope="module")
def audited(faulty):
    before, pictures = state_of(faulty), own_pictures.audit(own_pictures.class_folders(faulty), most=60)
    assert state_of(faulty) == before, "nothing of the user's is changed"
    return pictures


@pytest.mark.fault
@pytest.mark.parametrize(
    ("looked_for", "found", "example"),
    [
        ("damaged", 2, "damaged.jpg cannot be read"),
        ("HEIC", 1, "telephone.heic is HEIC: export it as JPEG"),
        ("lying on its side", 1, "sideways.jpg"),
        ("holds the place", 1, "sideways.jpg"),
        ("fewer than 96 pixels", 1, "small.jpg"),
        ("grey", 1, "grey.png"),
        ("twice in a class", 1, "0003.jpg and again.jpg"),
        ("in two classes", 1, "a cat, too.jpg and 0004.jpg"),
        ("within 10 seconds", 1, "burst 10.jpg and burst 17.jpg"),
        ("less than half", 1, "few dogs: 19"),
        ("more files", 0, ""),
        ("neither a class nor a picture", 3, "__MACOSX"),
    ],
)
def test_the_audit_finds_each_planted_fault(audited, looked_for, found, example):
    (row,) = [row for what, row in audited.findings.iterrows() if looked_for in what]
    assert row["found"] == found and row["for example"].startswith(example)


def test_relatives_share_a_group_and_nobody_else_does(audited):
    number = dict(zip(audited.names, audited.groups, strict=True))
    assert number["0003.jpg"] == number["again.jpg"] and number["0004.jpg"] == number["a cat, too.jpg"]
    assert number["burst 10.jpg"] == number["burst 17.jpg"]
    assert audited.groups.max() + 1 == len(audited.names) - 3
    assert len(audited.labels) == 63 and audited.pictures.shape == (63, 160, 160, 3)


def test_a_large_photograph_is_read_and_of_a_large_class_only_as_many_as_are_wanted(tmp_path):
    for name, first in (("a", 0), ("b", 100)):
        class_folder(tmp_path, name, 18, first)
    photograph(500).resize((8_700, 5_800)).save(tmp_path / "a" / "0000 50 megapixels.jpg", quality=60)
    pictures = own_pictures.audit(own_pictures.class_folders(tmp_path), most=16)
    assert pictures.counts() == {"a": 16, "b": 16}
    assert pictures.plain["thousand pixels"].max() == pytest.approx(50_460)
    assert pictures.findings.loc["more files than are looked at", "found"] == 5


def names_of(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)


def one_picture_many_times(folder):
    for name in ("a", "b"):
        class_folder(folder, name)
    for path in (folder / "a").iterdir():
        path.write_bytes((folder / "a" / "0000.jpg").read_bytes())


def one_unreadable_class(folder):
    class_folder(folder, "good")
    names_of(folder, "bad ones")
    for number in range(20):
        (folder / "bad ones" / f"{number:02}.jpg").write_text("none")


@pytest.mark.fault
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (shutil.rmtree, "cannot be read .*check the path"),
        (lambda folder: (folder / "a.jpg").touch(), "has no folders: put the pictures of each class"),
        (lambda folder: names_of(folder, "cats", "__MACOSX"), "has one class only, 'cats': add a folder"),
        (lambda folder: names_of(folder, "all/cats", "all/dogs"), "one class only, 'all': name that one"),
        (lambda folder: names_of(folder, *map(str, range(11))), "has 11 folders: 2 to 10 classes"),
        (lambda folder: names_of(folder, "caf\u00e9", "cafe\u0301"), "two folders whose names look the same"),
        (lambda folder: names_of(folder, "a\nb", "c"), "class 'a\ufffdb' has only 0 pictures"),
        (lambda folder: [class_folder(folder, name, 14) for name in "ab"], "class 'a' has only 14 pictures"),
        (one_picture_many_times, "class 'a' has only 1 pictures or series that differ.*add at least 4"),
        (one_unreadable_class, r"'bad ones' has only 0 .*20 were left out; 00\.jpg is not a picture"),
    ],
)
def test_a_bad_folder_is_one_line_that_names_it(tmp_path, make, says):
    make(tmp_path)
    with pytest.raises(CourseError, match=says) as stopped:
        own_pictures.audit(own_pictures.class_folders(tmp_path))
    assert "\n" not in str(stopped.value)


@pytest.mark.fault
def test_results_lie_neither_beside_the_pictures_nor_among_other_files(tmp_path):
    inside = tmp_path / "pictures" / "results"
    with pytest.raises(CourseError, match="lies in the folder of the pictures"):
        own_pictures.results_folder(str(inside), pictures=str(tmp_path / "pictures"))
    assert not inside.exists()
    (tmp_path / "thesis.doc").write_text("")
    with pytest.raises(CourseError, match=r"holds 'thesis\.doc' already"):
        own_pictures.results_folder(str(tmp_path))
    for _ in ("made", "found again"):
        assert own_pictures.results_folder(str(tmp_path / "new")).name == "new"


def test_no_place_and_no_exif_data_reach_a_card_or_the_page(audited, tmp_path):
    shown = list(zip(audited.pictures[-24:], audited.names[-24:], strict=True))
    sections = {"Pictures": shown, "Audit": audited.findings, "Numbers": audited.plain, "Mine": ""}
    own_pictures.write_page(tmp_path / "index.html", "A <b>title", sections)
    own_pictures.write_card(tmp_path / "card.md", "A <b>title", sections)
    page, card = ((tmp_path / name).read_text(encoding="utf-8") for name in ("index.html", "card.md"))
    thumbnails = [base64.b64decode(one) for one in re.findall(r"base64,([^\"]+)", page)]
    assert len(thumbnails) == 24 and len(page) < 300_000
    for text in (page.encode(), card.encode(), *thumbnails):
        assert SECRET.encode() not in text and b"Exif" not in text and str(tmp_path).encode() not in text
    assert "<b>" not in page + card and "(Not written yet.)" in page and "(Not written yet.)" in card
    own_pictures.write_page(tmp_path / "index.html", "A title", sections, thumbnails=False)
    assert "<img" not in (tmp_path / "index.html").read_text(encoding="utf-8")


# --- the two worked submissions -------------------------------------------------------------------


@pytest.mark.parametrize("faulty_one", [False, True], ids=["good", "faulty"])
def test_what_each_worked_submission_shows_its_grader(tmp_path, capsys, faulty_one):
    make_submission(tmp_path / "pictures", DRAWN, faulty_one)
    mine = own_pictures.audit(own_pictures.class_folders(tmp_path / "pictures"), 96)
    names = {"mine": mine, "labels": mine.labels, "groups": mine.groups, "seed": 0, "label": "a test"}
    space = run_cells(LESSON, "FOLDS = ", "def cross_validated(", **names)
    leaks = [int(count) for count in re.findall(r"(\d+) pictures leak", capsys.readouterr().out)]
    copies = mine.findings.loc["nearly the same picture twice in a class", "found"]
    the_frame_alone = space["right"]["cheating tree"].mean()
    card = model_card(tmp_path, "scenes" if faulty_one else "mobilenet")
    if faulty_one:
        assert leaks[0] == 0 and leaks[1] >= 16 and copies >= 16 and the_frame_alone > 0.95
        assert "AFTER its accuracy had been seen" in card
    else:
        assert leaks == [0, 0] and copies == 0 and the_frame_alone < 0.85
        assert "before any accuracy was seen" in card


def test_no_copy_of_a_picture_is_learnt_while_the_picture_is_asked():
    labels = np.tile([0, 1], 20)
    names = {"mine": SimpleNamespace(plain=pd.DataFrame(np.zeros((40, 5)))), "labels": labels, "seed": 0}
    space = run_cells(
        LESSON, "FOLDS = ", "def cross_validated(", groups=np.arange(40), label="a test", **names
    )
    by_heart = np.tile(np.eye(40), (2, 1))  # tells a picture and its copy from all others, and nothing else
    said = space["cross_validated"](space["LogisticRegression"](C=100), by_heart)
    assert said.shape == (40, 2) and np.mean(said.argmax(axis=1) == labels) < 0.7


def model_card(folder, kept_base):
    """Write the model card as the notebook's own cell does; what does not matter here is nothing."""
    names = dict.fromkeys(["lines", "compared", "my_words"], {}) | {"kept_base": kept_base, "folder": folder}
    names |= dict.fromkeys(["name", "credit", "image_size", "seed"], "") | {"base": "mobilenet"}
    names |= {"network": SimpleNamespace(count_params=lambda: 5), "class_names": [*"ab"], "matrix": np.eye(2)}
    names["shown_as"] = {"mobilenet": "MobileNet", "scenes": "lesson 5's base"}
    run_cells(LESSON, "model_card = {", augmentation="none", **names)
    return (folder / "model-card.md").read_text(encoding="utf-8")


# --- the networks of the notebook's own cells -----------------------------------------------------


@pytest.fixture(scope="module")
def cells(keras):
    names = {"image_size": 64, "seed": 0, "weights": "random", "data_source": "sample"}
    names |= {"class_names": ["a", "b"], "layers": keras.layers}
    return run_cells(LESSON, "def scratch(", "def scenes(", "def with_head(", "def grad_cam(", **names)


@pytest.mark.kernel
@pytest.mark.parametrize("base", ["scratch", "scenes", "mobilenet"])
def test_each_network_can_be_handed_in_and_asked(cells, base, tmp_path, capsys):
    network, picture = cells["with_head"](cells["bases"][base]), next(DRAWN.rglob("*.png"))
    own_pictures.save_network(network, tmp_path / "network.keras", ["a", "b"])
    assert main(["predict", str(tmp_path / "network.keras"), str(picture)]) == 0
    values = np.asarray(Image.open(picture).convert("RGB").resize((64, 64), Image.Resampling.BILINEAR))
    shares = network.predict(values[np.newaxis], verbose=0)[0]
    assert [float(word) for word in capsys.readouterr().out.split()[-3:-1]] == pytest.approx(
        shares, abs=0.002
    )


@pytest.mark.kernel
def test_the_short_way_to_grad_cam_gives_what_the_slopes_give(cells, keras):
    import tensorflow as tf

    network = cells["with_head"](cells["bases"]["scratch"])
    patches = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 3)).astype("float32")
    pictures = np.kron(patches, np.ones((1, 16, 16, 1), "float32"))
    pool, head = network.layers[-2:]
    maps = keras.Model(network.inputs, pool.input)(pictures)
    mean, side = np.mean(maps, axis=(0, 1, 2)), np.random.default_rng(1).normal(size=maps.shape[-1])
    side -= side @ mean / (mean @ mean) * mean  # some places speak for a class, some against it
    head.set_weights([np.stack([side, -side], axis=1), np.zeros(2)])
    with tf.GradientTape() as tape:
        tape.watch(maps)
        votes = pool(maps) @ head.kernel + head.bias
        best = tf.reduce_max(votes, axis=1)
    weights = tf.reduce_mean(tape.gradient(best, maps), axis=(1, 2), keepdims=True)
    by_slopes = tf.reduce_sum(weights * maps, axis=-1).numpy()
    named, heat = cells["grad_cam"](network, pictures)
    assert named.tolist() == votes.numpy().argmax(axis=1).tolist()
    places = heat.shape[1] * heat.shape[2]
    assert by_slopes.min() < 0 < by_slopes.max()
    assert heat == pytest.approx(places * np.maximum(by_slopes, 0), abs=1e-4)


# --- course predict -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def network_file(keras, tmp_path_factory):
    """A network that says how red a picture is, and how blue."""
    mean, head = keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, activation="softmax")
    network = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 255), mean, head])
    head.set_weights([np.array([[9.0, 0], [0, 0], [0, 9]]), np.zeros(2)])
    path = tmp_path_factory.mktemp("network") / "network.keras"
    own_pictures.save_network(network, path, ["red één", "blue"])
    return path


@pytest.mark.kernel
def test_predict_answers_for_what_it_can_read_and_names_the_rest(network_file, tmp_path, capsys):
    for colour in ("red", "blue"):
        Image.new("RGB", (50, 40), colour).save(tmp_path / f"{colour}.png")
    (tmp_path / "broken.jpg").write_text("none")
    files = [str(tmp_path / name) for name in ("red.png", "broken.jpg", "missing.png", "blue.png")]
    assert main(["predict", str(network_file), *files]) == 1
    told = capsys.readouterr()
    rows = [line.split() for line in told.out.splitlines()]
    assert rows[0] == ["picture", "red", "één", "blue", "answer"]
    assert [(row[0], row[3:]) for row in rows[1:]] == [("red.png", ["red", "één"]), ("blue.png", ["blue"])]
    assert float(rows[1][1]) > 0.99 and len(told.err.splitlines()) == 2
    assert "broken.jpg is not a picture" in told.err and "missing.png is not a file" in told.err
    scenes = COURSE_FOLDER / "data" / "models" / "intel-scenes.keras"
    assert main(["predict", str(scenes), files[0]]) == 0 and "buildings" in capsys.readouterr().out


@pytest.mark.kernel
@pytest.mark.fault
def test_predict_refuses_what_is_no_network_of_the_course_or_runs_code(keras, network_file, tmp_path, capsys):
    shape, spy = keras.Input((32, 32, 3)), keras.layers.Lambda(lambda x: print("code has run") or x)
    harmful, plain = (
        keras.Sequential([shape, layer]) for layer in (spy, keras.layers.GlobalAveragePooling2D())
    )
    own_pictures.save_network(harmful, tmp_path / "harmful.keras", ["a", "b"])
    own_pictures.save_network(plain, tmp_path / "other.keras", ["a", "b"])
    plain.save(tmp_path / "unnamed.keras")
    (tmp_path / "cut.keras").write_bytes(network_file.read_bytes()[:3_000])
    with zipfile.ZipFile(network_file) as whole, zipfile.ZipFile(tmp_path / "empty.keras", "w") as part:
        for name in ("config.json", own_pictures.LABELS):
            part.writestr(name, whole.read(name))
    capsys.readouterr()  # what the layer printed while it was made
    for name, says in {
        "harmful": "holds 'Lambda', which no network of the course does",
        "other": "does not answer for colour pictures with 2 classes",
        "unnamed": "is not a network of the course",
        "cut": "is not a network of the course",
        "empty": "cannot be loaded",
        "missing": "there is no file",
    }.items():
        assert main(["predict", str(tmp_path / f"{name}.keras"), str(next(DRAWN.rglob("*.png")))]) == 2, name
        told = capsys.readouterr()
        assert says in told.err and len(told.err.splitlines()) == 1 and not told.out
