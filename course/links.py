"""`python -m course links`: cost cards, launch badges and navigation, written by one idempotent command."""

from __future__ import annotations

import csv
import datetime
import json
import math
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course.lessons import DEFAULT_PROFILE, ROOT, Lesson, find_lessons
from course.results import write_text
from helpers import CourseError, datasets

BRANCH = "main"
BINDER_BADGE = "https://mybinder.org/badge_logo.svg"
COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
NBVIEWER_BADGE = "https://raw.githubusercontent.com/jupyter/design/main/logos/Badges/nbviewer_badge.svg"
# What a lesson downloads is seen from the finders it calls.
_FINDERS = {
    "load_mnist(": "mnist",
    "find_intel_scenes(": "intel-scenes",
    "find_car_plane(": "car-plane",
    "find_vgg16_weights(": "vgg16-weights",
}
_VGG16_MEGABYTES = 59  # Keras says it, not helpers.datasets.SETS
# Files beside the notebooks and the README in which the address stands.
_ADDRESS_FILES = ("pyproject.toml", "CITATION.cff", "environment.yml", "README.md")


def update_links(
    *, repository: str | None = None, results: Path | None = None, check: bool = False, root: Path = ROOT
) -> int:
    """Write the generated parts of notebooks and README; the second time nothing changes.

    Args:
        repository: `OWNER/REPO` of the course from now on; pyproject.toml says it otherwise.
        results: a results.csv of the class profile on real pictures, whose costs are kept in
            `data/results/costs.json`; that file says them otherwise.
        check: change nothing, only say what is stale.
        root: the checkout.

    Returns:
        The exit status: 1 when `check` found something stale.

    Raises:
        CourseError: a file or marker is missing, or `results` holds nothing to use.
    """
    changes = plan_changes(repository=repository, results=results, root=root)
    names = [path.relative_to(root).as_posix() for path in changes]
    if check:
        if names:
            print(f"Stale: {', '.join(names)}; run `python -m course links`")
        return 1 if names else 0
    for path, text in changes.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    print(f"Wrote {', '.join(names)}" if names else "Nothing to change.")
    return 0


def plan_changes(
    *, repository: str | None = None, results: Path | None = None, root: Path = ROOT
) -> dict[Path, str]:
    """Return the new text of each file that `update_links` would change."""
    old_slug = read_slug(root)
    slug = old_slug if repository is None else parse_slug(repository)
    lessons = find_lessons(root / "notebooks")
    costs_path = root / "data" / "results" / "costs.json"
    costs = read_costs(costs_path)
    texts: dict[Path, str] = {}
    if results is not None:
        costs = costs | measured_costs(results)
        texts[costs_path] = json.dumps(costs, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if slug != old_slug:
        for path in _files_with_address(root):
            texts[path] = _with_slug(_read(path), old_slug, slug)
    readme = root / "README.md"
    text = texts.get(readme, _read(readme))
    text = replace_block(text, "lessons", lessons_table(lessons, costs, slug), "README.md")
    if "<!-- course:badges -->" in text:
        text = replace_block(text, "badges", course_badges(slug), "README.md")
    texts[readme] = text
    for index, lesson in enumerate(lessons):
        texts[lesson.path] = notebook_text(lessons, index, costs, slug)
    return {path: text for path, text in texts.items() if not path.exists() or _read(path) != text}


# --- the address --------------------------------------------------------------------------------


def parse_slug(text: str) -> str:
    """Return `OWNER/REPO` from that or from a GitHub address. Raises CourseError for anything else."""
    slug = text.strip().removeprefix("https://github.com/").removesuffix("/").removesuffix(".git")
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*/[\w.-]+", slug):
        raise CourseError(f"--repository {text!r} is not OWNER/REPO; write for example octocat/my-course")
    return slug


def read_slug(root: Path) -> str:
    """Return `OWNER/REPO` from `[project.urls] Repository` in pyproject.toml."""
    project = tomllib.loads(_read(root / "pyproject.toml"))["project"]
    address = project.get("urls", {}).get("Repository")
    if not address:
        raise CourseError("pyproject.toml has no [project.urls] Repository; add the course's address there")
    return parse_slug(address)


def _files_with_address(root: Path) -> list[Path]:
    folder = root / ".github"
    found = [root / name for name in _ADDRESS_FILES]
    found += sorted(path for path in folder.rglob("*") if path.suffix in (".md", ".yml", ".yaml"))
    return [path for path in found if path.is_file()]


def _with_slug(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w-])", lambda _: new, text)


# --- the costs ----------------------------------------------------------------------------------


def read_costs(path: Path) -> dict[str, dict[str, Any]]:
    """Return the measured costs by lesson; empty when none are stored."""
    if not path.exists():
        return {}
    try:
        return json.loads(_read(path))
    except ValueError:
        raise CourseError(f"data/results/{path.name} is no JSON; restore it from git") from None


def measured_costs(results: Path) -> dict[str, dict[str, Any]]:
    """Take each lesson's seconds and memory from a results.csv.

    Only lessons that ran well in the class profile count, and not on samples: those cost less.

    Raises:
        CourseError: no such file, not a results.csv, or nothing in it that counts.
    """
    try:
        with results.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        day = datetime.date.fromtimestamp(results.stat().st_mtime).isoformat()
    except OSError as error:
        raise CourseError(f"--results {str(results)!r} cannot be read ({error.strerror})") from None
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        try:
            usable = (
                row["profile"] == DEFAULT_PROFILE and row["status"] != "failed" and row["data"] != "sample"
            )
            if usable and row["peak_rss_mb"]:
                found[row["lesson"]] = {
                    "seconds": float(row["lesson_seconds"]),
                    "peak_rss_mb": float(row["peak_rss_mb"]),
                    "data": row["data"],
                    "cores": _cores(),
                    "measured": day,
                }
        except (KeyError, TypeError, ValueError):
            raise CourseError(f"--results {str(results)!r} is no results.csv of a run") from None
    if not found:
        raise CourseError(f"--results {str(results)!r} holds no lesson of the class profile on real pictures")
    return found


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def download_megabytes(lesson: Lesson) -> int:
    """Return how much a lesson downloads when nothing is on the machine yet, in MB."""
    code = _code(lesson)
    names = [name for finder, name in _FINDERS.items() if finder in code]
    sizes = {name: the_set.megabytes for name, the_set in datasets.SETS.items()}
    return sum(sizes.get(name, _VGG16_MEGABYTES) for name in names)


def _code(lesson: Lesson) -> str:
    cells = json.loads(_read(lesson.path))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def _cost_words(lesson: Lesson, costs: Mapping[str, Mapping[str, Any]]) -> tuple[str, str, str]:
    """Return time, memory and download in words; time and memory are rounded up."""
    size = download_megabytes(lesson)
    download = f"{size:,} MB" if size else "none"
    cost = costs.get(lesson.stem)
    if cost is None:
        return "not measured yet", "not measured yet", download
    seconds, gigabytes = cost["seconds"], cost["peak_rss_mb"] / 1000
    minutes = math.ceil(seconds / 60)
    time = f"{math.ceil(seconds / 10) * 10} s" if seconds <= 60 else f"{minutes} min"
    return time, f"{math.ceil(gigabytes * 10) / 10:.1f} GB", download


# --- texts --------------------------------------------------------------------------------------


def _heading(lesson: Lesson) -> str:
    return f"{int(lesson.number)}. {lesson.title}"


def _image_link(alt: str, badge: str, address: str) -> str:
    return f"[![{alt}]({badge})]({address})"


def lesson_badges(lesson: Lesson, slug: str, *, nbviewer: bool = True) -> str:
    """Return the launch badges of one lesson as Markdown."""
    path = f"notebooks/{lesson.path.name}"
    where = f"lesson {int(lesson.number)}"
    badges = [
        _image_link(
            f"Open {where} in Binder",
            BINDER_BADGE,
            f"https://mybinder.org/v2/gh/{slug}/{BRANCH}?urlpath=lab/tree/{path}",
        ),
        _image_link(
            f"Open {where} in Colab",
            COLAB_BADGE,
            f"https://colab.research.google.com/github/{slug}/blob/{BRANCH}/{path}",
        ),
    ]
    if nbviewer:
        address = f"https://nbviewer.org/github/{slug}/blob/{BRANCH}/{path}"
        badges.append(_image_link(f"Read {where} on nbviewer", NBVIEWER_BADGE, address))
    return " ".join(badges)


def course_badges(slug: str) -> str:
    """Return the launch badges of the whole course as Markdown."""
    binder = f"https://mybinder.org/v2/gh/{slug}/{BRANCH}?urlpath=lab/tree/notebooks"
    colab = f"https://colab.research.google.com/github/{slug}"
    return " ".join(
        [
            _image_link("Open the course in Binder", BINDER_BADGE, binder),
            _image_link("Open the course in Colab", COLAB_BADGE, colab),
        ]
    )


def lesson_block(
    lessons: Sequence[Lesson], index: int, costs: Mapping[str, Mapping[str, Any]], slug: str
) -> str:
    """Return what stands between the markers of a lesson's first cell."""
    lesson = lessons[index]
    time, memory, download = _cost_words(lesson, costs)
    if lesson.stem in costs:
        cores = costs[lesson.stem]["cores"]
        cost = f"{time} on {cores} cores · {memory} of memory · download: {download}"
    else:
        cost = f"{time} · download: {download}"
    links = ["[All lessons](../README.md)"]
    if index > 0:
        links.insert(0, f"[← {_heading(lessons[index - 1])}]({lessons[index - 1].path.name})")
    if index + 1 < len(lessons):
        links.append(f"[{_heading(lessons[index + 1])} →]({lessons[index + 1].path.name})")
    return "\n\n".join([f"**Cost:** {cost}", lesson_badges(lesson, slug), " · ".join(links)])


def lessons_table(lessons: Sequence[Lesson], costs: Mapping[str, Mapping[str, Any]], slug: str) -> str:
    """Return README's table of the lessons with their measured costs."""
    cores = {cost["cores"] for stem, cost in costs.items() if stem in {lesson.stem for lesson in lessons}}
    on = f" on {cores.pop()} cores" if len(cores) == 1 else ""
    lines = [f"| Lesson | Time{on} | Memory | Download | Open |", "|---|---|---|---|---|"]
    for lesson in lessons:
        time, memory, download = _cost_words(lesson, costs)
        link = f"[{_heading(lesson)}](notebooks/{lesson.path.name})"
        badges = lesson_badges(lesson, slug, nbviewer=False)
        lines.append(f"| {link} | {time} | {memory} | {download} | {badges} |")
    return "\n".join(lines)


def replace_block(text: str, name: str, content: str, where: str) -> str:
    """Put `content` between `<!-- course:name -->` and `<!-- /course:name -->`.

    Raises CourseError when the markers are not there exactly once, in this order.
    """
    start, end = f"<!-- course:{name} -->", f"<!-- /course:{name} -->"
    if text.count(start) != 1 or text.count(end) != 1 or text.index(start) > text.index(end):
        raise CourseError(f"{where} lacks the lines {start} and {end}, once each; add them")
    before, rest = text.split(start)
    return f"{before}{start}\n\n{content}\n\n{end}{rest.split(end)[1]}"


def notebook_text(
    lessons: Sequence[Lesson], index: int, costs: Mapping[str, Mapping[str, Any]], slug: str
) -> str:
    """Return a lesson's file with its first cell's block and its Colab cell's address up to date."""
    lesson = lessons[index]
    text = _read(lesson.path)
    notebook = json.loads(text)
    changed = False
    for position, cell in enumerate(notebook["cells"]):
        source = old = "".join(cell["source"])
        if position == 0:
            source = replace_block(
                source, "links", lesson_block(lessons, index, costs, slug), lesson.path.name
            )
        if "colab" in cell.get("metadata", {}).get("tags", []):
            source = re.sub(r"https://github\.com/[\w-]+/[\w.-]+", f"https://github.com/{slug}", source)
        if source != old:
            cell["source"], changed = source.splitlines(keepends=True), True
    # An unchanged file stays as it is, to the byte.
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n" if changed else text


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except OSError as error:
        raise CourseError(f"{path.name} cannot be read ({error.strerror}); restore it from git") from None
