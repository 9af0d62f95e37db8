"""What lessons there are, what parameters each has, and which values a run gives them."""

import ast
import difflib
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers import COURSE_FOLDER, CourseError
from helpers.bookkeeping import COMMON_RULES, Rule, check_parameter

NOTEBOOKS = COURSE_FOLDER / "notebooks"
DEFAULT_PROFILE = "class"
PROFILES = ("smoke", DEFAULT_PROFILE, "full")
# `run` itself says where the metrics go: a value of the user's would lose them for the table.
SET_BY_RUN = "metrics_path"

_FINDERS = {
    "load_mnist(": "mnist",
    "find_intel_scenes(": "intel-scenes",
    "find_car_plane(": "car-plane",
    '("vgg16"': "vgg16-weights",
    '("mobilenet"': "mobilenet-weights",
}
# What `name=value` becomes, and how it is called. Base 0 refuses 010, which some read as eight.
_KINDS = {
    "str": (str, "a text"),
    "int": (lambda text: int(text, 0), "a whole number"),
    "float": (float, "a number"),
    "bool": (lambda text: {"true": True, "false": False}[text.lower()], "true or false"),
}


@dataclass(frozen=True)
class Lesson:
    """One notebook: its file, its title, and of each parameter the kind and the rule.

    `problem` says why a notebook cannot be read; it has no parameters then.
    """

    path: Path
    title: str
    parameters: Mapping[str, tuple[str, Rule | None]] = field(default_factory=dict)
    problem: str = ""
    minutes: int = 0  # of reading and doing, as its author says; 0 where nobody has said it

    def sets(self) -> list[str]:
        """Names of the pictures and weights that it asks for, seen from the finders that it calls."""
        code = self.path.read_text(encoding="utf-8").replace("\\", "")  # JSON has one before a quotation mark
        return [name for finder, name in _FINDERS.items() if finder in code]

    @property
    def stem(self) -> str:
        """File name without its ending: the lesson's name in every result."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The number as people say it: "2", or "2a" for a notebook that goes deeper."""
        return self.stem.partition("-")[0].lstrip("0")

    @property
    def heading(self) -> str:
        """The lesson's number and its title."""
        return f"{self.number}. {self.title}"


def unknown(thing: str, name: str, known: Sequence[str], who: str = "there are") -> CourseError:
    """Return the error for a name that does not exist, with the nearest and all that do."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return CourseError(f"unknown {thing} {name!r}{hint}; {who}: {', '.join(known) or 'none'}")


def read_lesson(path: Path) -> Lesson:
    """Read one notebook's title and parameters; a damaged one becomes a lesson with a `problem`."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if notebook["nbformat"] != 4:
            raise CourseError(f"{path.name} has notebook format {notebook['nbformat']}, not 4")
        cells = [{**cell, "source": "".join(cell["source"])} for cell in notebook["cells"]]
        prose = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")
        title = re.search(r"^# +(?:\d+\w?\.? )?(.+)$", prose, flags=re.MULTILINE)
        title = title[1].strip() if title else path.stem
        minutes = notebook["metadata"].get("course_minutes", 0)
        return Lesson(path, title, _read_parameters(cells, path.name), minutes=minutes)
    except CourseError as error:
        return Lesson(path, path.stem, problem=str(error))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        problem = f"{path.name} is not a readable notebook ({type(error).__name__}); restore it from git"
        return Lesson(path, path.stem, problem=problem)


def _read_parameters(cells: Sequence[Mapping[str, Any]], where: str) -> dict[str, tuple[str, Rule | None]]:
    """Read the cell tagged `parameters` as papermill does, and `rules={...}` of `start_lesson`."""
    from papermill.translators import PythonTranslator

    rules = dict(COMMON_RULES)
    try:
        for cell in cells:
            if cell["cell_type"] == "code" and "start_lesson(" in cell["source"]:
                for node in ast.walk(ast.parse(cell["source"])):
                    if isinstance(node, ast.keyword) and node.arg == "rules":
                        rules |= ast.literal_eval(node.value)
    except (ValueError, SyntaxError):
        raise CourseError(f"{where}: the rules of start_lesson must be a dictionary of literals") from None
    found = {}
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    for name, kind, default, _ in PythonTranslator.inspect(tagged[0]) if tagged else ():
        try:
            value = ast.literal_eval(default)
        except (ValueError, SyntaxError):
            raise CourseError(f"{where}: parameter {name} is not a literal; compute it later") from None
        kind = type(value).__name__ if kind == "None" else kind
        if kind not in _KINDS:
            raise CourseError(f"{where}: parameter {name} is {kind}; it must be str, int, float or bool")
        found[name] = (kind, rules.get(name))
    return found


def find_lessons(notebooks: Path = NOTEBOOKS) -> list[Lesson]:
    """Return a folder's lessons (`NN-*.ipynb`), each followed by its deeper notebooks (`NNa-*.ipynb`)."""
    paths = [*notebooks.glob("[0-9][0-9]-*.ipynb"), *notebooks.glob("[0-9][0-9][a-z]-*.ipynb")]
    return [read_lesson(path) for path in sorted(paths, key=lambda path: path.name)]


def choose_lessons(lessons: Sequence[Lesson], wanted: Sequence[str], deeper: bool = False) -> list[Lesson]:
    """Return the notebooks named by number (`4`, `04`, `2a`) or file name, in the course's order.

    Nothing named means all lessons, with `deeper` also the notebooks that go deeper. Raises CourseError for a
    name that fits none.
    """
    if not lessons:
        raise CourseError("there is no lesson in notebooks/; run this from a whole checkout of the course")
    chosen = set()
    for name in wanted:
        stem = Path(name).name.removesuffix(".ipynb")
        hits = {each.stem for each in lessons if stem == each.stem or stem.lstrip("0") == each.number}
        if not hits:
            raise unknown("lesson", name, [lesson.stem for lesson in lessons])
        chosen |= hits
    if not wanted:
        return [lesson for lesson in lessons if deeper or lesson.number.isdigit()]
    return [lesson for lesson in lessons if lesson.stem in chosen]


def make_plans(
    lessons: Sequence[Lesson],
    *,
    profile: str = DEFAULT_PROFILE,
    assignments: Sequence[str] = (),
    notebooks: Path = NOTEBOOKS,
) -> dict[str, dict[str, Any]]:
    """Return for each lesson, by its stem, the values that differ from the notebook's own.

    Each `name=value` of `assignments` goes to every lesson that has the parameter, and wins over the
    profile (`smoke`, `class` or `full`). `notebooks` holds `profiles/`; the lessons run in it.

    Raises CourseError for an unknown profile or parameter, a wrong type, an impossible value.
    """
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    plans = {lesson.stem: read_profile(lesson, profile, notebooks) for lesson in lessons}
    for text in assignments:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name.isidentifier():
            raise CourseError(f"-p {text!r} is not name=value; write for example -p epochs=3")
        if name == SET_BY_RUN:
            raise CourseError(f"-p {name}: run writes the metrics beside its other results; see --output")
        having = [lesson for lesson in lessons if name in lesson.parameters]
        if not having:
            raise _unknown_parameter(name, lessons)
        for lesson in having:
            text = _from_notebooks(value, notebooks) if isinstance(lesson.parameters[name][1], str) else value
            plans[lesson.stem][name] = _parse(lesson, name, text, f"lesson {lesson.stem}")
    return plans


def read_profile(lesson: Lesson, profile: str, notebooks: Path = NOTEBOOKS) -> dict[str, Any]:
    """Return what a profile changes in a lesson; nothing when it has no file for it.

    A profile never chooses the pictures: that is the user's decision.
    """
    path = notebooks / "profiles" / profile / f"{lesson.stem}.yaml"
    if lesson.problem or not path.is_file():
        return {}
    name = f"profiles/{profile}/{path.name}"
    values: dict[str, Any] = {}
    for key, text in _read_lines(path, name):
        if key in ("data_source", SET_BY_RUN):
            raise CourseError(f"{name} sets {key}, which a profile must not; delete the line")
        if key in values:
            raise CourseError(f"{name} sets {key} twice; delete one of the lines")
        if key not in lesson.parameters:
            raise CourseError(f"{name}: {_unknown_parameter(key, [lesson])}")
        values[key] = _parse(lesson, key, text, name)
    return values


def _read_lines(path: Path, name: str) -> list[tuple[str, str]]:
    """Return the keys and values of a flat YAML file as they are written."""
    import yaml

    try:  # the nodes, not the values: YAML itself hides double keys and reads 010 as eight
        content = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise CourseError(f"{name} is not YAML in UTF-8 ({reason}); mend the file") from None
    pairs = [] if content is None else content.value
    tags = {f"tag:yaml.org,2002:{kind}" for kind in _KINDS}
    flat = content is None or isinstance(content, yaml.MappingNode)
    if not flat or not all(node.tag in tags for pair in pairs for node in pair):
        raise CourseError(f"{name} must hold lines `parameter: value`, without tags, and nothing else")
    return [(key.value, value.value) for key, value in pairs]


def _unknown_parameter(name: str, lessons: Sequence[Lesson]) -> CourseError:
    known = dict.fromkeys(key for lesson in lessons for key in lesson.parameters if key != SET_BY_RUN)
    who = f"lesson {lessons[0].stem} has" if len(lessons) == 1 else "the chosen lessons have"
    return unknown("parameter", name, list(known), who)


def _parse(lesson: Lesson, name: str, text: str, where: str) -> Any:
    kind, rule = lesson.parameters[name]
    parse, meaning = _KINDS[kind]
    try:
        value = parse(text)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("not finite")
        if rule is not None:
            check_parameter(name, value, rule)
    except (ValueError, KeyError):
        raise CourseError(f"{where}: parameter {name}={text!r} must be {kind} ({meaning})") from None
    except CourseError as error:
        raise CourseError(f"{where}: {error}") from None
    return value


def _from_notebooks(text: str, notebooks: Path) -> str:
    """Return a file or folder of the user's as seen from notebooks/; any other text as it is."""
    try:
        path = Path(text).expanduser()
        is_path = any(mark in text for mark in "./\\") and path.exists()
    except (OSError, RuntimeError):  # a name too long, `~nobody`: the lesson says what is wrong
        is_path = False
    return seen_from(notebooks, path) if is_path else text


def seen_from(folder: Path, path: Path) -> str:
    """Return a path as seen from a folder; absolute on another drive of Windows."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.absolute().as_posix()
