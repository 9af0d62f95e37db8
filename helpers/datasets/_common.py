"""What all data sets share: how they are described, where they are looked for, and names of files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import platformdirs

from helpers import COURSE_FOLDER, CourseError, printable

DATA_FOLDER = COURSE_FOLDER / "data"
SAMPLES_FOLDER = DATA_FOLDER / "samples"
IN_DATA_DIR = "COURSE_DATA_DIR"
IN_CACHE = "the course's cache"
IN_SAMPLE = "built-in sample"
PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")  # those that Keras's folder reader lists


class NotHere(CourseError):
    """A place does not hold the set; the text says what is there instead, if anything is."""


@dataclass(frozen=True)
class DatasetInfo:
    """Which pictures a lesson works on.

    ``counts``, ``published`` and ``used`` are numbers of pictures in each part, ``{"train": 60000, ...}``:
    here, in the published set, and, where a lesson takes fewer than there are, in the lesson. ``where`` is
    never a path; ``note`` says what is different from the published set.
    """

    name: str
    title: str
    counts: dict[str, int]
    published: dict[str, int]
    where: str
    note: str = ""
    used: dict[str, int] = field(default_factory=dict)

    def using(self, **counts: int) -> "DatasetInfo":
        """The same pictures, of which a lesson takes at most so many of each part."""
        return replace(self, used={part: n for part, n in counts.items() if n < self.counts[part]})

    @property
    def kind(self) -> str:
        """``"complete"``, ``"partial"`` (real pictures, but not the published set) or ``"sample"``."""
        if self.where == IN_SAMPLE:
            return "sample"
        return "complete" if self.counts == self.published and not self.note else "partial"

    @property
    def label(self) -> str:
        """What stands beside every number: ``"complete set"``, ``"600 of 60,000 train, complete set"``."""
        fewer = (f"{n:,} of {self.counts[part]:,} {part}, " for part, n in self.used.items())
        return f"{''.join(fewer)}{self.kind} set"

    def describe(self) -> str:
        """One line that says what these pictures are; a sample is never mistaken for the real set."""
        if self.kind == "sample":
            line = f"BUILT-IN SAMPLE, not the real set: {self.title}, {self.in_words()}"
        elif self.kind == "complete":
            line = f"{self.title}, complete set from {self.where}: {self.in_words()}"
        else:
            parts = (f"{n:,} of {self.published[part]:,} {part}" for part, n in self.counts.items())
            line = f"{self.title}, PARTIAL set from {self.where}: {' + '.join(parts)}"
        return f"Pictures: {line} ({self.note})." if self.note else f"Pictures: {line}."

    def in_words(self) -> str:
        """The number of pictures in each part, as ``"160 train + 40 validation + 15 test"``."""
        return " + ".join(f"{n:,} {part}" for part, n in self.counts.items())


@dataclass(frozen=True)
class ImageFolders:
    """A set in folders: ``train``, ``test`` and perhaps ``validation``, with a folder a class in each.

    Where the test pictures lie in one folder without classes, ``test_labels`` maps their file names to the
    numbers of their classes, in the order of the names.
    """

    train: Path
    test: Path
    class_names: tuple[str, ...]
    info: DatasetInfo
    validation: Path | None = None
    test_labels: dict[str, int] = field(default_factory=dict)


def source_in_use(data_source: str) -> str:
    """What ``data_source`` means here: ``"auto"`` becomes the value of ``COURSE_DATA_SOURCE``."""
    which, source = "data_source", data_source
    if source == "auto":
        which, source = "COURSE_DATA_SOURCE", os.environ.get("COURSE_DATA_SOURCE", "").strip() or "auto"
    if source not in ("auto", "real", "sample"):
        raise CourseError(f"{which}={source!r} is not known: choose auto, real or sample.")
    return source


def local_places() -> list[tuple[str, Path]]:
    """The local places to look at, in order, as (name to print, folder)."""
    named = os.environ.get("COURSE_DATA_DIR", "").strip()
    if not named:
        return [(IN_CACHE, cache_folder())]
    return [(IN_DATA_DIR, data_folder(named)), (IN_CACHE, cache_folder())]


def data_folder(named: str, where: str = IN_DATA_DIR) -> Path:
    """The folder of pictures that the user has named; raises CourseError where it is empty or no folder."""
    try:
        wrong = "" if named and any(path_of(named).iterdir()) else "is empty"
    except OSError as error:
        wrong = f"cannot be read ({plain(error)})"
    if wrong:
        raise CourseError(f"{where}={named!r} {wrong}: correct it, or leave it out to download.")
    return path_of(named)


def cache_folder() -> Path:
    """The folder in which downloads are kept (it need not exist yet)."""
    named = os.environ.get("COURSE_CACHE_DIR", "").strip()
    return path_of(named or platformdirs.user_cache_path("image-classification-course"))


def base_of(folder: Path, name: str, parts: Sequence[str]) -> Path:
    """The folder with the parts of a set, ``folder/name`` or ``folder``; raises NotHere if one is missing."""
    base = folder / name if (folder / name).is_dir() else folder
    if missing := [part for part in parts if not (base / part).is_dir()]:
        nothing = base == folder and len(missing) == len(parts)
        raise NotHere("" if nothing else f"{name} has no folder {missing[0]}")
    return base


def count_classes(folder: Path, class_names: Sequence[str]) -> int:
    """Count the pictures in the class folders by their names; raises NotHere for a class without any."""
    counts = {name: len(pictures_in(folder / name)) for name in class_names}
    if not all(counts.values()):
        raise NotHere(f"{folder.name} has no pictures of {min(counts, key=counts.get)}")
    return sum(counts.values())


def pictures_in(folder: Path) -> list[Path]:
    """The files of a folder, if there is one, that are pictures by their names; sorted."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else ()
    return [path for path in paths if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()]


def entries_of(folder: str | Path, what: str) -> tuple[list[Path], list[Path]]:
    """The folders and the files in a folder that the user has named, both sorted; hidden ones do not count.

    Raises CourseError, beginning with ``what``, for one that cannot be read.
    """
    place, folders, files = path_of(folder), [], []
    try:
        for path in sorted(place.iterdir()):
            if not path.name.startswith((".", "__MACOSX")):
                (folders if path.is_dir() else files).append(path)
    except (OSError, ValueError) as error:
        start = "" if place.is_absolute() else f", which starts in the folder {Path.cwd().name!r}"
        named = f"{what} {str(folder)!r} cannot be read ({plain(error)})"
        raise CourseError(f"{named}: check the path{start}.") from None
    return folders, files


def path_of(named: str | Path) -> Path:
    """The path that a user wrote, with ``~`` expanded where there is such a user."""
    return Path(os.path.expanduser(named))  # noqa: PTH111  Path.expanduser raises for nobody's name


def plain(error: object) -> str:
    """The first line of what an error says, without its number."""
    text = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
    return printable(text.splitlines()[0].rstrip("."))
