"""`python -m course links`: cost cards, launch badges and navigation, written by one idempotent command."""

import datetime
import json
import math
import os
import re
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course import say
from course.lessons import DEFAULT_PROFILE, Lesson, find_lessons
from helpers import COURSE_FOLDER, CourseError, datasets
from helpers.files import write_text

BRANCH = "main"
BINDER_BADGE = "https://mybinder.org/badge_logo.svg"
COLAB_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
NBVIEWER_BADGE = "https://raw.githubusercontent.com/jupyter/design/main/logos/Badges/nbviewer_badge.svg"
# Files beside the notebooks in which the address stands.
_ADDRESS_FILES = ("pyproject.toml", "CITATION.cff", "environment.yml", "README.md")
# https, with or without a name before the @, and both ways of writing ssh
GITHUB = re.compile(r"^(https?://([^@/]+@)?|ssh://git@|git@)(www\.)?github\.com[:/]")
_COST = ("seconds", "peak_rss_mb", "data", "cores", "measured")
Costs = dict[str, dict[str, Any]]


def update_links(
    *, repository: str = "", results: Path | None = None, check: bool = False, root: Path = COURSE_FOLDER
) -> int:
    """Write the generated parts of notebooks and README; the second time nothing changes.

    `repository` is the course's address from now on (else pyproject.toml's or, where that names no owner
    yet, the one of git's remote `origin`), `results` a results.csv of the class profile on real pictures,
    whose costs are kept in `data/results/costs.json`. `check` changes nothing and returns 1 when something
    is stale. Raises CourseError for a missing or damaged file or marker, and for `results` with nothing to
    use.
    """
    try:
        address = tomllib.loads(_read(root / "pyproject.toml"))["project"]["urls"]["Repository"]
    except (ValueError, LookupError, TypeError) as error:
        raise CourseError(f"pyproject.toml has no readable [project.urls] Repository ({error})") from None
    old_slug = parse_slug(str(address), "pyproject.toml: Repository")
    if not repository and not check and old_slug.startswith("OWNER/"):
        repository = remote_address(root)
    slug = parse_slug(repository) if repository else old_slug
    lessons = find_lessons(root / "notebooks")
    if problems := [lesson.problem for lesson in lessons if lesson.problem]:
        raise CourseError(problems[0])
    costs_path, readme = root / "data" / "results" / "costs.json", root / "README.md"
    costs = read_costs(costs_path)
    texts: dict[Path, str] = {}
    if results is not None:
        costs |= measured_costs(results)
        texts[costs_path] = json.dumps(costs, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    found = [path for name in _ADDRESS_FILES if (path := root / name).is_file()]
    found += [path for path in (root / ".github").rglob("*") if path.suffix in (".md", ".yml", ".yaml")]
    for path in [*found, readme]:
        texts[path] = re.sub(rf"(?<![\w.-]){re.escape(old_slug)}(?![\w-])", slug, _read(path))
    texts[readme] = replace_block(texts[readme], "lessons", lessons_table(lessons, costs, slug), "README.md")
    texts[readme] = replace_block(texts[readme], "badges", _badges("the course", slug), "README.md")
    for index, lesson in enumerate(lessons):
        texts[lesson.path] = notebook_text(lessons, index, costs, slug)
    stale = [path for path, text in texts.items() if not path.exists() or _read(path) != text]
    names = ", ".join(path.relative_to(root).as_posix() for path in stale)
    if check:
        say(f"Stale: {names}; run `python -m course links`" if names else "Nothing is stale.")
        return 1 if names else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, texts[path])
    say(f"Wrote {names}" if names else "Nothing to change.")
    return 0


def parse_slug(text: str, where: str = "--repository") -> str:
    """Return `OWNER/REPO` from that or from a GitHub address. Raises CourseError for anything else."""
    slug = GITHUB.sub("", text.strip()).removesuffix("/").removesuffix(".git")
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*/[\w.-]+", slug):
        raise CourseError(f"{where} {text!r} is not OWNER/REPO; write for example octocat/my-course")
    return slug


def remote_address(root: Path) -> str:
    """Return the address of git's remote `origin`, or "" and say so where it is none on GitHub."""
    command = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
    try:
        address = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:  # no git here
        address = ""
    if GITHUB.match(address):
        return address
    say(
        "git's remote `origin` is not on GitHub: the address stays as it is (--repository OWNER/REPO sets it)"
    )
    return ""


def read_costs(path: Path) -> Costs:
    """Read what the lessons cost, by their stems. Raises CourseError for a damaged file."""
    try:
        costs = json.loads(_read(path)) if path.exists() else {}
        return {stem: {key: cost[key] for key in _COST} for stem, cost in costs.items()}
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        problem = f"is not a table of costs ({type(error).__name__}); restore it from git"
        raise CourseError(f"data/results/{path.name} {problem}") from None


def measured_costs(results: Path) -> Costs:
    """Take each lesson's seconds and memory from a results.csv; CourseError when nothing in it counts.

    Only lessons that ran well in the class profile count, and not on samples: those cost less.
    """
    import pandas as pd

    name = f"--results {str(results)!r}"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        table = pd.read_csv(results).dropna(subset=["lesson_seconds", "peak_rss_mb"])
        table = table[(table["profile"] == DEFAULT_PROFILE) & (table["status"] != "failed")]
        table = table[table["data"] != "sample"].fillna({"data": "none"})
        day = datetime.date.fromtimestamp(results.stat().st_mtime).isoformat()
        table = table.rename(columns={"lesson_seconds": "seconds"}).assign(cores=cores, measured=day)
        table = table.astype({"seconds": float, "peak_rss_mb": float}).drop_duplicates("lesson", keep="last")
        found = table.set_index("lesson")[list(_COST)].to_dict("index")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CourseError(f"{name} is not a results.csv of a run ({type(error).__name__})") from None
    if not found:
        raise CourseError(f"{name} holds no lesson of the class profile on real pictures")
    return found


def _cost_words(lesson: Lesson, costs: Costs) -> tuple[str, str, str]:
    """Return time, memory and download in words; time and memory are rounded up."""
    size = sum(datasets.ALL[name].MEGABYTES for name in lesson.sets())
    download = f"{size:,} MB" if size else "none"
    if lesson.stem not in costs:
        return "not measured yet", "not measured yet", download
    seconds, megabytes = costs[lesson.stem]["seconds"], costs[lesson.stem]["peak_rss_mb"]
    time = f"{math.ceil(seconds / 10) * 10} s" if seconds <= 60 else f"{math.ceil(seconds / 60)} min"
    return time, f"{math.ceil(megabytes / 100) / 10:.1f} GB", download


def _badges(what: str, slug: str, *, path: str = "", nbviewer: bool = False) -> str:
    """Return the launch badges of a lesson's notebook, or of the whole course, as Markdown."""
    blob = f"/blob/{BRANCH}/notebooks/{path}" if path else ""
    binder = f"https://mybinder.org/v2/gh/{slug}/{BRANCH}?urlpath=lab/tree/work"  # copies, made by postBuild
    badges = [
        f"[![Open {what} in Binder]({BINDER_BADGE})]({binder}{'/' if path else ''}{path})",
        f"[![Open {what} in Colab]({COLAB_BADGE})](https://colab.research.google.com/github/{slug}{blob})",
    ]
    viewer = f"[![Read {what} on nbviewer]({NBVIEWER_BADGE})](https://nbviewer.org/github/{slug}{blob})"
    return " ".join([*badges, viewer] if nbviewer else badges)


def lesson_block(lessons: Sequence[Lesson], index: int, costs: Costs, slug: str) -> str:
    """Return what stands between the markers of a lesson's first cell."""
    lesson = lessons[index]
    time, memory, download = _cost_words(lesson, costs)
    cost = f"{time} · download: {download}"
    if lesson.stem in costs:
        cores = costs[lesson.stem]["cores"]
        alone = " (about twice that on one, as on Binder)" if "min" in time and cores > 1 else ""
        cost = f"{time} on {cores} cores{alone} · {memory} of memory · download: {download}"
    work = f"**You:** about {lesson.minutes} minutes · **Machine:** " if lesson.minutes else "**Cost:** "
    links = ["[All lessons](../README.md)"]
    if index > 0:
        links.insert(0, f"[← {lessons[index - 1].heading}]({lessons[index - 1].path.name})")
    if index + 1 < len(lessons):
        links.append(f"[{lessons[index + 1].heading} →]({lessons[index + 1].path.name})")
    badges = _badges(f"lesson {lesson.number}", slug, path=lesson.path.name, nbviewer=True)
    return "\n\n".join([work + cost, badges, " · ".join(links)])


def lessons_table(lessons: Sequence[Lesson], costs: Costs, slug: str) -> str:
    """Return README's table of the lessons with their measured costs."""
    cores = {costs[lesson.stem]["cores"] for lesson in lessons if lesson.stem in costs}
    on = f" on {cores.pop()} cores" if len(cores) == 1 else ""
    lines = [f"| Lesson | You | Machine{on} | Memory | Download | Open |", "|---|---|---|---|---|---|"]
    for lesson in lessons:
        time, memory, download = _cost_words(lesson, costs)
        link = f"[{lesson.heading}](notebooks/{lesson.path.name})"
        badges = _badges(f"lesson {lesson.number}", slug, path=lesson.path.name)
        minutes = f"{lesson.minutes} min" if lesson.minutes else ""
        link = link if lesson.number.isdigit() else f"&nbsp;&nbsp;deeper: {link}"
        lines.append(f"| {link} | {minutes} | {time} | {memory} | {download} | {badges} |")
    return "\n".join(lines)


def replace_block(text: str, name: str, content: str, where: str) -> str:
    """Put `content` between `<!-- course:name -->` and `<!-- /course:name -->`, each there once."""
    start, end = f"<!-- course:{name} -->", f"<!-- /course:{name} -->"
    if text.count(start) != 1 or text.count(end) != 1 or text.index(start) > text.index(end):
        raise CourseError(f"{where} lacks the lines {start} and {end}, once each; add them")
    before, rest = text.split(start)
    return f"{before}{start}\n\n{content}\n\n{end}{rest.split(end)[1]}"


def notebook_text(lessons: Sequence[Lesson], index: int, costs: Costs, slug: str) -> str:
    """Return a lesson's file with its first cell's block and its Colab cell's address up to date."""
    lesson = lessons[index]
    text = _read(lesson.path)
    notebook = json.loads(text)
    sources = ["".join(cell["source"]) for cell in notebook["cells"]]
    changed = list(sources)
    block = lesson_block(lessons, index, costs, slug)
    changed[0] = replace_block(sources[0], "links", block, lesson.path.name)
    for position, cell in enumerate(notebook["cells"]):
        if "colab" in cell["metadata"].get("tags", []):
            address = f"https://github.com/{slug}"
            changed[position] = re.sub(r"https://github\.com/[\w-]+/[\w.-]+", address, sources[position])
        if changed[position] != sources[position]:
            cell["source"] = changed[position].splitlines(keepends=True)
    # An unchanged file stays as it is, to the byte.
    return text if changed == sources else json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path.name} cannot be read ({error}); restore it from git") from None
