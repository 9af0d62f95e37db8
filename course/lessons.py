"""What lessons there are, what parameters each has, and which values a run gives them."""

from __future__ import annotations

import ast
import difflib
import io
import json
import math
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers import CourseError

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
DEFAULT_PROFILE = "class"
# These exist even where no lesson has a file for them.
PROFILES = ("smoke", DEFAULT_PROFILE, "full")
# `run` itself says where the metrics go: a value of the user's would lose them for the table.
SET_BY_RUN = "metrics_path"

_EXPLAINED = {
    "int": "int (a whole number)",
    "float": "float (a number)",
    "bool": "bool (true or false)",
    "str": "str (a text)",
}


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's `parameters` cell."""

    name: str
    annotation: str
    default: Any
    comment: str = ""
    rule: str | tuple | None = None


@dataclass(frozen=True)
class Lesson:
    """One notebook: its file, its title and its parameters in the order they are written."""

    path: Path
    title: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """File name without its ending: the lesson's name in every result."""
        return self.path.stem

    @property
    def number(self) -> str:
        """The two digits at the start of the file name."""
        return self.stem[:2]


@dataclass(frozen=True)
class Plan:
    """A lesson together with the parameter values that differ from the notebook's own."""

    lesson: Lesson
    values: Mapping[str, Any]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the nearest known name, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _not_there(thing: str, name: str, known: Sequence[str]) -> str:
    return f"unknown {thing} {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}"


def read_parameters(cells: Sequence[Mapping[str, Any]], where: str) -> dict[str, Parameter]:
    """Read the cell tagged `parameters`: literals, each with an annotation and a comment.

    Args:
        cells: the notebook's cells as the JSON file has them.
        where: the notebook's name, for the error.

    Returns:
        The parameters by name, in the order written; none when there is no such cell.

    Raises:
        CourseError: the cell is no Python, or holds something that is not a literal.
    """
    for cell in cells:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            source = "".join(cell["source"])
            break
    else:
        return {}
    try:
        lines = ast.parse(source).body
    except SyntaxError as error:
        raise CourseError(f"{where}: its parameters cell is not Python ({error}); mend the cell") from None
    comments, rules = _comments(source), read_rules(cells)
    found = {}
    for line in lines:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None:
            name, annotation = line.target.id, ast.unparse(line.annotation)
        elif (
            isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name)
        ):
            name, annotation = line.targets[0].id, ""
        elif isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
            continue  # a docstring
        else:
            raise CourseError(
                f"{where}: line {line.lineno} of its parameters cell is no plain `name: type = value`"
            )
        try:
            default = ast.literal_eval(line.value)
        except ValueError:
            raise CourseError(
                f"{where}: parameter {name} is no literal; compute it in a later cell"
            ) from None
        annotation = annotation or type(default).__name__
        comment = comments.get(line.end_lineno or line.lineno, "")
        found[name] = Parameter(name, annotation, default, comment, rules.get(name))
    return found


def read_rules(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the rules that a notebook gives its parameters: `start_lesson(..., rules={...})`."""
    for cell in cells:
        source = "".join(cell["source"])
        if "start_lesson(" in source and cell["cell_type"] == "code":
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.keyword) and node.arg == "rules":
                    return ast.literal_eval(node.value)
    return {}


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def read_lesson(path: Path) -> Lesson:
    """Read one notebook's title and parameters. Raises CourseError when it is no notebook."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{path.name} is no readable notebook ({type(error).__name__}); restore it from git"
        ) from None
    title = path.stem
    for cell in cells:
        heading = re.search(r"^# +(.+)$", "".join(cell["source"]), flags=re.MULTILINE)
        if cell.get("cell_type") == "markdown" and heading:
            title = re.sub(r"^\d+\.?\s+", "", heading.group(1).strip())
            break
    return Lesson(path, title, read_parameters(cells, path.stem))


def find_lessons(notebooks: Path = NOTEBOOKS) -> list[Lesson]:
    """Return the lessons (`NN-*.ipynb`) of a folder in their order."""
    return [read_lesson(path) for path in sorted(notebooks.glob("[0-9][0-9]-*.ipynb"))]


def choose_lessons(lessons: Sequence[Lesson], wanted: Sequence[str]) -> list[Lesson]:
    """Return the lessons named by number (`4`, `04`) or file name, in the course's order.

    Nothing named means all of them. Raises CourseError for a name that fits none.
    """
    if not lessons:
        raise CourseError("there is no lesson in notebooks/; run this from a whole checkout of the course")
    if not wanted:
        return list(lessons)
    chosen = set()
    for name in wanted:
        stem = Path(name).name.removesuffix(".ipynb")
        number = stem.zfill(2) if stem.isdigit() else None
        hits = [lesson.stem for lesson in lessons if stem == lesson.stem or number == lesson.number]
        if not hits:
            known = [lesson.stem for lesson in lessons]
            raise CourseError(
                f"unknown lesson {name!r}{did_you_mean(stem, known)}; there are: {', '.join(known)}"
            )
        chosen.update(hits)
    return [lesson for lesson in lessons if lesson.stem in chosen]


def profiles(notebooks: Path = NOTEBOOKS) -> list[str]:
    """Return the names of the profiles: the three usual ones and any other folder in `profiles/`."""
    folder = notebooks / "profiles"
    found = {entry.name for entry in folder.iterdir() if entry.is_dir()} if folder.is_dir() else set()
    return [*PROFILES, *sorted(found - set(PROFILES))]


def read_profile(lesson: Lesson, profile: str, notebooks: Path = NOTEBOOKS) -> dict[str, Any]:
    """Return what a profile changes in a lesson; nothing when it has no file for it.

    Raises CourseError for an unknown profile, and for a file that holds anything but parameters of
    this lesson. A profile never chooses the pictures: that is the user's decision.
    """
    known = profiles(notebooks)
    if profile not in known:
        raise CourseError(
            f"unknown profile {profile!r}{did_you_mean(profile, known)}; there are: {', '.join(known)}"
        )
    path = notebooks / "profiles" / profile / f"{lesson.stem}.yaml"
    if not path.is_file():
        return {}
    import yaml

    name = f"profiles/{profile}/{path.name}"
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CourseError(f"{name} is no YAML ({' '.join(str(error).split())}); mend the file") from None
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise CourseError(f"{name} holds {type(values).__name__}; it must be lines `parameter: value`")
    for key in values:
        if key in ("data_source", SET_BY_RUN):
            raise CourseError(f"{name} sets {key}, which a profile must not; delete the line")
        if key not in lesson.parameters:
            raise CourseError(f"{name}: {_unknown(str(key), [lesson])}")
    return {
        key: _checked(lesson.parameters[key], value, f"{lesson.number}, {name}")
        for key, value in values.items()
    }


def split_assignment(text: str) -> tuple[str, str]:
    """Split `name=value` of the command line. Raises CourseError when it is none."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip().isidentifier():
        raise CourseError(f"-p {text!r} is not name=value; write for example -p epochs=3")
    return name.strip(), value.strip()


def make_plans(
    lessons: Sequence[Lesson],
    *,
    profile: str = DEFAULT_PROFILE,
    assignments: Sequence[str] = (),
    notebooks: Path = NOTEBOOKS,
) -> list[Plan]:
    """Combine notebook, profile and `-p` into the values for each lesson, checking all of them.

    Args:
        lessons: the chosen lessons.
        profile: name of the profile.
        assignments: the texts `name=value` of the command line; each goes to every chosen lesson
            that has the parameter.
        notebooks: the folder that holds `profiles/`.

    Raises:
        CourseError: an unknown profile or parameter, a wrong type, an impossible value.
    """
    plans = {lesson.stem: read_profile(lesson, profile, notebooks) for lesson in lessons}
    for text in assignments:
        name, value = split_assignment(text)
        if name == SET_BY_RUN:
            raise CourseError(
                f"-p {name}: run puts the metrics beside its other results; choose the folder by --output"
            )
        having = [lesson for lesson in lessons if name in lesson.parameters]
        if not having:
            raise CourseError(_unknown(name, lessons))
        for lesson in having:
            parameter = lesson.parameters[name]
            parsed = _parsed(parameter, value, lesson.number)
            plans[lesson.stem][name] = _checked(parameter, parsed, lesson.number)
    return [Plan(lesson, plans[lesson.stem]) for lesson in lessons]


def _unknown(name: str, lessons: Sequence[Lesson]) -> str:
    known = list(dict.fromkeys(key for lesson in lessons for key in lesson.parameters if key != SET_BY_RUN))
    who = f"lesson {lessons[0].stem} has" if len(lessons) == 1 else "the chosen lessons have"
    return f"unknown parameter {name!r}{did_you_mean(name, known)}; {who}: {', '.join(known) or 'none'}"


def _parsed(parameter: Parameter, text: str, lesson: str) -> Any:
    """Turn the text of `-p` into the annotated type."""
    kind = parameter.annotation
    try:
        if kind == "str":
            return text
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
        if kind == "bool":
            return {"true": True, "false": False}[text.lower()]
        import yaml

        return yaml.safe_load(text)
    except (ValueError, KeyError):
        raise _wrong_type(parameter, text, lesson) from None
    except yaml.YAMLError:
        raise _wrong_type(parameter, text, lesson) from None


def _wrong_type(parameter: Parameter, value: Any, lesson: str) -> CourseError:
    wanted = _EXPLAINED.get(parameter.annotation, parameter.annotation)
    return CourseError(f"parameter {parameter.name}={value!r} of lesson {lesson} must be {wanted}")


def _checked(parameter: Parameter, value: Any, lesson: str) -> Any:
    """Return the value in the parameter's type when it is a possible one."""
    if parameter.annotation == "float" and type(value) is int:
        value = float(value)
    if not _fits(value, parameter.annotation) or (isinstance(value, float) and not math.isfinite(value)):
        raise _wrong_type(parameter, value, lesson)
    from helpers.bookkeeping import COMMON_RULES, check_parameter

    if parameter.name == "weights" and value not in ("imagenet", "random", parameter.default):
        if not Path(value).is_file():
            raise CourseError(f"weights={value!r} is neither 'imagenet' nor 'random' nor a file that exists")
        value = str(Path(value).absolute())  # the notebook runs in another folder than the user
    rule = parameter.rule or COMMON_RULES.get(parameter.name)
    if rule is not None:
        check_parameter(parameter.name, value, rule)
    return value


def _fits(value: Any, annotation: str) -> bool:
    """Tell whether a value is of an annotated type, `list[int]` and the like included."""
    outer, _, inner = annotation.partition("[")
    types = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "dict": dict, "tuple": tuple}
    if outer not in types:
        return True  # left to the notebook's own check
    if type(value) is not types[outer]:
        return False
    if outer == "list" and inner:
        return all(_fits(entry, inner.removesuffix("]")) for entry in value)
    return True
