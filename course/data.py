"""`python -m course data`: which pictures are found where, and fetching them."""

import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from course import say
from course.lessons import unknown
from helpers import CourseError, datasets

NOT_HERE = "not on this machine: a lesson downloads it, or uses the stand-in when it is unavailable"


def show_data(names: Sequence[str] = (), *, fetch: bool = False, source: ModuleType = datasets) -> int:
    """Print what is found of each set in each place; with `fetch`, bring it into the cache first.

    No names mean all sets. Returns the exit status, 1 when a set could not be fetched. Raises
    CourseError for an unknown set, and for a COURSE_DATA_DIR that does not exist or is empty.
    """
    for name in names:
        if name not in source.NAMES:
            raise unknown("set", name, source.NAMES)
    chosen = list(dict.fromkeys(names)) or list(source.NAMES)
    missed = 0
    for name in chosen if fetch else ():
        try:
            source.fetch(name)
        except CourseError as error:
            missed = 1
            say(f"course data: {name}: {error}", error=True)
    given = os.environ.get("COURSE_DATA_DIR", "").strip()
    say(f"COURSE_DATA_DIR:    {Path(given).expanduser().absolute() if given else 'not set'}")
    say(f"the course's cache: {source.cache_folder()}")
    for name in chosen:
        rows = source.status(name)
        here = in_use(rows)
        say(f"\n{name}: " + (f"{here.found}, from {here.place}" if here else NOT_HERE))
        width = max(len(row.place) for row in rows)
        for row in rows:
            found = "SAMPLE" if row.found == "sample" else row.found
            say(f"  {row.place:<{width}}  {found:<9}  {row.detail}".rstrip())
    return missed


def in_use(rows: Sequence[datasets.Place]) -> datasets.Place | None:
    """Return the place whose real pictures a lesson would take, or None when there are none here."""
    return next((row for row in rows if row.found in ("complete", "partial")), None)
