"""A student's own pictures (lesson 7): a folder with a folder a class, audited, and what a run leaves behind.

Nothing in the student's folder is changed, and nothing of a file but its pixels goes into any result: no
place, no date, no other EXIF data.
"""

import base64
import contextlib
import datetime
import html
import io
import json
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import ExifTags, Image
from scipy.sparse.csgraph import connected_components

from helpers import COURSE_FOLDER, CourseError
from helpers.datasets._common import entries_of, path_of, plain, printable
from helpers.datasets._pictures import Unreadable, opened, read_picture, without_warnings
from helpers.files import write_text

MOST_CLASSES, FEWEST_PICTURES, FEWEST_GROUPS = 10, 15, 5
SMALL = 96  # pixels: a smaller picture is enlarged, and has little to show
# Nearly the same: by the line that notebook 6a draws, if grey copies of 16 x 16 pixels agree with it; or by
# these copies alone, because in an even sky the bits of the hash are chance.
SAME_BITS, SAME_LOOK, SAME_SURELY = 5, 0.9, 0.995
BURST = 10  # seconds: photographs of one series
MOST_THUMBNAILS = 24
PLAIN = ("brightness", "border brightness", "border red minus blue", "thousand pixels", "file size (kB)")
LABELS = "course.json"  # in the archive that a .keras file is; Keras itself does not read it


@dataclass(frozen=True, eq=False)
class OwnPictures:
    """Pictures of two to ten classes, ready for a network, and what an audit found.

    Attributes:
        class_names: names of the folders, sorted.
        names: file names, class by class.
        labels: numbers of the classes, shape (n,).
        pictures: uint8, shape (n, size, size, 3), RGB, 0 to 255, upright.
        plain: five numbers a picture (`PLAIN`) that say nothing of what is to be seen on it.
        groups: number of a picture's group, shape (n,); relatives (near-duplicates, a burst) share one.
        findings: what was looked for, how often it was found, an example, what to do; one row each.
    """

    class_names: tuple[str, ...]
    names: list[str]
    labels: np.ndarray
    pictures: np.ndarray
    plain: pd.DataFrame
    groups: np.ndarray
    findings: pd.DataFrame

    def info(self) -> SimpleNamespace:
        """What `Lesson.use_data` notes of them."""
        return SimpleNamespace(name="own-pictures", kind="own", counts={"train": len(self.labels)})

    def counts(self) -> dict[str, int]:
        """How many pictures of each class can be used."""
        return dict(zip(self.class_names, np.bincount(self.labels).tolist(), strict=True))


def class_folders(folder: Path | str) -> dict[str, Path]:
    """Return the class folders in a folder, by name; hidden ones and `__MACOSX` do not count.

    Raises CourseError, before any picture is opened, unless there are 2 to 10.
    """
    named = f"the folder of pictures {str(folder)!r}"
    found, _ = entries_of(folder, "the folder of pictures")
    folders = {unicodedata.normalize("NFC", printable(path.name)): path for path in found}
    if not found:
        raise CourseError(f"{named} has no folders: put the pictures of each class into a folder of its own.")
    if len(found) == 1:
        (name,), (inside, _) = folders, entries_of(found[0], "the folder of class")
        remedy = "name that one" if len(inside) > 1 else "add a folder for each other class"
        raise CourseError(f"{named} has one class only, {name!r}: {remedy}.")
    if len(found) > MOST_CLASSES:
        raise CourseError(f"{named} has {len(found):,} folders: 2 to {MOST_CLASSES} classes are possible.")
    if len(folders) < len(found):
        raise CourseError(f"{named} has two folders whose names look the same: rename one.")
    return folders


@without_warnings()
def audit(folders: Mapping[str, Path], size: int = 160, most: int = 100) -> OwnPictures:
    """Read the pictures of each class, stretched to `size` x `size` pixels, and look for faults.

    A photograph is decoded at a fraction of its size where its format allows. Of a class with more than
    `most` pictures, so many are taken, spread evenly over the sorted names.

    Raises CourseError when a class has fewer than 15 pictures that can be used, or so many relatives among
    them that fewer than 5 groups are left: five folds need one each.
    """
    seen, names, labels = [], [], []
    found: dict[str, list[str]] = {key: [] for key in WHAT_TO_DO}
    beside = sorted(next(iter(folders.values())).parent.glob("[!.]*"))
    found["others"] = [_name(path) for path in beside if path not in folders.values()]
    for label, (class_name, folder) in enumerate(folders.items()):
        left_out = []
        for path in _some(folder, most, found):
            print(f"\r{len(seen) + 1:,} pictures looked at", end="", flush=True)
            try:
                seen.append(_look(path, size))
            except Unreadable as reason:
                left_out.append(f"{_name(path)} {reason}")
                found["HEIC" if "is HEIC" in left_out[-1] else "unreadable"].append(left_out[-1])
                continue
            names.append(_name(path))
            labels.append(label)
            for note in seen[-1].notes:
                found[note].append(names[-1])
        if (usable := labels.count(label)) < FEWEST_PICTURES:
            why = f" ({len(left_out):,} were left out; {left_out[0]})" if left_out else ""
            what = f"class {class_name!r} has only {usable} pictures that can be used{why}"
            raise CourseError(f"{what}: {FEWEST_PICTURES} at least are needed.")
    print()
    pictures, numbers, _, bits, looks, times = map(np.array, zip(*seen, strict=True))
    alike = looks @ looks.T
    same = (bits @ bits.T >= 64 - 2 * SAME_BITS) & (alike >= SAME_LOOK) | (alike >= SAME_SURELY)
    burst = np.abs(np.subtract.outer(times, times)) <= BURST
    groups, of_one = connected_components(same | burst, directed=False)[1], np.equal.outer(labels, labels)
    for key, linked in (("twice", same & of_one), ("two classes", same & ~of_one), ("burst", burst & ~same)):
        found[key] = [f"{names[a]} and {names[b]}" for a, b in np.argwhere(np.triu(linked, 1))]
    counts = np.bincount(labels)
    found["unequal"] = [
        f"{name}: {n}" for name, n in zip(folders, counts, strict=True) if 2 * n < counts.max()
    ]
    for label, name in enumerate(folders):
        if (several := len(set(groups[np.array(labels) == label]))) < FEWEST_GROUPS:
            what = f"class {name!r} has only {several} pictures or series that differ, the rest are relatives"
            raise CourseError(f"{what}: add at least {FEWEST_GROUPS - several} of other things or places.")
    table = [(what, len(found[key]), next(iter(found[key]), ""), remedy)
             for key, (what, remedy) in WHAT_TO_DO.items()]  # fmt: skip
    columns = ["looked for", "found", "for example", "what to do"]
    findings = pd.DataFrame(table, columns=columns).set_index("looked for")
    plain_numbers = pd.DataFrame(numbers, columns=PLAIN)
    return OwnPictures(tuple(folders), names, np.array(labels), pictures, plain_numbers, groups, findings)


def _name(path: Path) -> str:
    return printable(path.name)


def _some(folder: Path, most: int, found: dict[str, list[str]]) -> list[Path]:
    """Return at most so many files of a class, evenly spread; note what else there is."""
    folders, files = entries_of(folder, "the folder of a class")
    found["others"] += [f"folder {_name(entry)}" for entry in folders]
    chosen = np.unique(np.linspace(0, len(files) - 1, min(most, len(files))).round().astype(int))
    found["too many"] += [_name(files[n]) for n in sorted({*range(len(files))} - {*chosen.tolist()})]
    return [files[n] for n in chosen]


class _Seen(NamedTuple):
    picture: np.ndarray
    numbers: list[float]  # as PLAIN
    notes: set[str]  # keys of WHAT_TO_DO
    bits: np.ndarray  # the difference hash of notebook 6a: 64 numbers, 1 or -1
    look: np.ndarray  # a grey copy of 16 x 16 pixels: mean 0, length 1
    time: float  # when it was taken, in seconds; nan where the file does not say


def _look(path: Path, size: int) -> _Seen:
    notes, time = set(), np.nan
    try:
        with opened(path, scaled=True) as picture, contextlib.suppress(Exception):  # damaged EXIF data
            pixels = picture.size
            exif = picture.getexif()
            notes |= {"turned"} if exif.get(ExifTags.Base.Orientation, 1) in range(2, 9) else set()
            notes |= {"place"} if ExifTags.IFD.GPSInfo in exif else set()
            taken = exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal]
            time = datetime.datetime.strptime(taken, "%Y:%m:%d %H:%M:%S").timestamp()
        whole, colours = read_picture(path, (size, size))
    except Unreadable:
        with contextlib.suppress(OSError):
            if path.is_file() and path.open("rb").read(12)[4:10] in (b"ftyphe", b"ftypmi"):
                raise Unreadable("is HEIC: export it as JPEG") from None
        raise
    notes |= ({"small"} if min(pixels) < SMALL else set()) | ({"colours"} if colours else set())
    values, rim = np.asarray(whole, dtype=float), max(1, size // 10)
    border = np.ones((size, size), dtype=bool)
    border[rim:-rim, rim:-rim] = False
    outside = values[border].mean(axis=0)
    numbers = [values.mean(), outside.mean(), outside[0] - outside[2]]
    numbers += [pixels[0] * pixels[1] / 1e3, path.stat().st_size / 1e3]
    grey = whole.convert("L")
    small = np.asarray(grey.resize((9, 8), Image.Resampling.LANCZOS), dtype=int)
    bits = np.where(small[:, 1:] > small[:, :-1], 1.0, -1.0).ravel()
    look = np.asarray(grey.resize((16, 16), Image.Resampling.BOX), dtype=float).ravel()
    look -= look.mean()
    return _Seen(np.asarray(whole), numbers, notes, bits, look / max(np.linalg.norm(look), 1e-6), time)


WHAT_TO_DO = {
    "unreadable": ("damaged, or not a picture", "left out; take it out of the folder"),
    "HEIC": ("HEIC, a phone's own format", "left out; export it as JPEG"),
    "turned": ("lying on its side in the file (EXIF)", "turned upright here; other programs may not"),
    "place": ("holds the place where it was taken", "not copied here; remove it before you share it"),
    "small": (f"fewer than {SMALL} pixels wide or high", "used, enlarged; take a larger one"),
    "colours": ("grey, transparent, not RGB", "converted; harmful if all are of one class"),
    "twice": ("nearly the same picture twice in a class", "kept in one fold; counts for less than two"),
    "two classes": ("nearly the same picture in two classes", "kept in one fold; decide, and take one out"),
    "burst": (f"taken within {BURST} seconds of another", "kept in one fold; counts for less than two"),
    "unequal": ("a class less than half of the largest", "add pictures; compare with the majority"),
    "too many": ("more files than are looked at", "left out; raise most_a_class"),
    "others": ("neither a class nor a picture", "ignored"),
}


def results_folder(named: str, metrics_path: str = "", pictures: str = "") -> Path:
    """Make the folder for what a run leaves behind, and return it.

    That is `named`; else, in `course run`, a folder beside the metrics; else `my-results/<time>`. Raises
    CourseError when it cannot be written, lies in the folder of the pictures, or holds something else.
    """
    time = datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    beside = Path(metrics_path).with_suffix("") if metrics_path else COURSE_FOLDER / "my-results" / time
    folder = path_of(named) if named else beside
    if pictures and folder.resolve().is_relative_to(path_of(pictures).resolve()):
        raise CourseError(f"results={named!r} lies in the folder of the pictures: name a folder elsewhere.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strange = [path.name for path in folder.iterdir() if path.name not in RESULTS]
    except OSError as error:
        raise CourseError(f"results={named!r} cannot be written ({plain(error)}): name another.") from None
    if strange:
        raise CourseError(f"results={named!r} holds {strange[0]!r} already: name a new folder.")
    return folder


RESULTS = ("network.keras", "data-card.md", "model-card.md", "index.html")


def save_network(network: Any, path: Path, class_names: Iterable[str]) -> None:
    """Save a network as a `.keras` file that holds the names of its classes, in the order of its outputs."""
    network.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(LABELS, json.dumps({"class_names": [*class_names]}, ensure_ascii=False))


def class_names_of(path: Path) -> list[str]:
    """Return the class names in a network's file, or in the `.json` beside one of `data/models`.

    Raises CourseError when there are none.
    """
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        with zipfile.ZipFile(path) as archive:
            text = archive.read(LABELS) if LABELS in archive.namelist() else None
        names = json.loads(text or path.with_suffix(".json").read_text(encoding="utf-8"))["class_names"]
        return [str(name) for name in names]
    raise CourseError(f"{path.name} is not a network of the course: save one with lesson 7.")


NOT_WRITTEN = "(Not written yet.)"
Sections = Mapping[str, Any]  # heading -> a text, a table, or pictures: a list of (array, words)


def write_card(path: Path, title: str, sections: Sections) -> None:
    """Write texts and tables, by their headings, as Markdown; pictures are left out."""
    parts = [f"# {_escaped(title)}"]
    for heading, content in sections.items():
        if isinstance(content, pd.DataFrame):
            content = _with_names(content)
            rows = [content.columns, ["---"] * content.shape[1], *content.itertuples(index=False)]
            content = "\n".join(f"| {' | '.join(map(_escaped, row))} |" for row in rows)
        if isinstance(content, str):
            parts.append(f"## {heading}\n\n{content.strip() or NOT_WRITTEN}")
    write_text(path, "\n\n".join(parts) + "\n")


def _with_names(table: pd.DataFrame) -> pd.DataFrame:
    return table.reset_index() if table.index.name else table


def _escaped(value: Any) -> str:
    return "".join(f"\\{letter}" if letter in r"\|`*_<>[]" else letter for letter in str(value))


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem }} .wide {{ overflow-x: auto }}
table {{ border-collapse: collapse }} td, th {{ padding: .2rem .7rem .2rem 0; text-align: left }}
tr {{ border-bottom: 1px solid #8888 }} pre {{ white-space: pre-wrap; font: inherit }}
.pictures {{ display: flex; flex-wrap: wrap; gap: 1rem }} figure {{ margin: 0; width: 10rem }}
img {{ width: 100% }} figcaption {{ font-size: .85rem; overflow-wrap: anywhere; white-space: pre-line }}
</style></head><body><h1>{title}</h1>
{body}<p>With thumbnails = False, the lesson writes this page without a picture.</p></body></html>
"""


def write_page(path: Path, title: str, sections: Sections, thumbnails: bool = True) -> None:
    """Write one HTML page that needs nothing else; `thumbnails=False` leaves every picture out.

    Raises ValueError for more than 24 pictures.
    """
    shown = [one for content in sections.values() if isinstance(content, list) for one in content]
    if len(shown) > MOST_THUMBNAILS:
        raise ValueError(f"{len(shown)} pictures: a page shows at most {MOST_THUMBNAILS}")
    parts = []
    for heading, content in sections.items():
        if isinstance(content, pd.DataFrame):
            content = f'<div class="wide">{_with_names(content).to_html(index=False, border=0)}</div>'
        elif isinstance(content, str):
            content = f"<pre>{html.escape(content.strip() or NOT_WRITTEN)}</pre>"
        elif thumbnails:
            content = f'<div class="pictures">{"".join(_figure(*one) for one in content)}</div>'
        else:
            content = "<p>Left out: thumbnails is False.</p>"
        parts.append(f"<h2>{html.escape(heading)}</h2>\n{content}\n")
    write_text(path, PAGE.format(title=html.escape(title), body="".join(parts)))


def _figure(picture: np.ndarray, words: str) -> str:
    """Draw an array anew as a small JPEG: nothing of the file that it came from can be in it."""
    content, text = io.BytesIO(), html.escape(words)
    Image.fromarray(np.asarray(picture, dtype=np.uint8)).save(content, "JPEG", quality=80)
    source = base64.b64encode(content.getvalue()).decode("ascii")
    image = f'<img src="data:image/jpeg;base64,{source}" alt="{text}">'
    return f"<figure>{image}<figcaption>{text}</figcaption></figure>"
