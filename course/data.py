"""`python -m course data`: which pictures are found where, and fetching them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from course.lessons import did_you_mean
from helpers import CourseError, datasets
from helpers.training import quiet_import

NOT_HERE = "not on this machine: a lesson downloads it, or uses the stand-in when it cannot be had"
VGG16 = "vgg16-weights"
_FOUND = ("complete", "partial")


def show_data(names: Sequence[str] = (), *, fetch: bool = False, source: ModuleType = datasets) -> int:
    """Print what is found of each set in each place; with `fetch`, bring it into the cache first.

    Args:
        names: the sets to show (`mnist`, ...); all when empty.
        fetch: download what is not there in full.
        source: the module that finds the sets, `helpers.datasets`.

    Returns:
        The exit status: 1 when a set could not be fetched.

    Raises:
        CourseError: an unknown set, or a COURSE_DATA_DIR that does not exist or is empty.
    """
    for name in names:
        if name not in source.NAMES:
            known = ", ".join(source.NAMES)
            raise CourseError(f"unknown set {name!r}{did_you_mean(name, source.NAMES)}; there are: {known}")
    chosen = list(dict.fromkeys(names)) or list(source.NAMES)
    missed = 0
    if fetch:
        for name in chosen:
            try:
                if name == VGG16 and not in_use(source.status(name)):
                    with quiet_import():  # Keras fetches them, and TensorFlow has much to say
                        importlib.import_module("keras")
                source.fetch(name)
            except CourseError as error:
                missed += 1
                print(f"course data: {name}: {error}", file=sys.stderr)
        print()
    _print_places(source)
    for name in chosen:
        rows = source.status(name)
        here = in_use(rows)
        print(f"\n{name}: " + (f"{here.found}, from {here.place}" if here else NOT_HERE))
        width = max(len(row.place) for row in rows)
        for row in rows:
            found = "SAMPLE" if row.found == "sample" else row.found
            print(f"  {row.place:<{width}}  {found:<9}  {row.detail}".rstrip())
    return 1 if missed else 0


def _print_places(source: ModuleType) -> None:
    """Say which folders stand behind the names in the table."""
    given = os.environ.get("COURSE_DATA_DIR", "").strip()
    print(f"COURSE_DATA_DIR:    {Path(given).expanduser().absolute() if given else 'not set'}")
    print(f"the course's cache: {source.cache_folder()}")


def in_use(rows: Sequence[datasets.Place]) -> datasets.Place | None:
    """Return the place whose real pictures a lesson would take, or None when there are none here."""
    return next((row for row in rows if row.found in _FOUND), None)
