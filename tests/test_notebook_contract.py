"""The contract every lesson keeps, checked on the notebook files as they are committed.

Each fault names the notebook and the cell, because "a notebook is wrong" helps nobody.
"""

import ast
import json
import math
import re
import statistics
from pathlib import Path

import pytest

from course.lessons import find_lessons, read_lesson, read_profile

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
STEMS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
GLOSSARY = {
    re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-")
    for head in re.findall(r"^###? (.+)$", (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8"), re.M)
}
LESSONS = [stem for stem in STEMS if stem[2] == "-"]  # the others (02a-...) go deeper
COMMON = ('data_source: str = "auto"', "seed: int = 0", 'metrics_path: str = ""')
PARAMETER = re.compile(r"\w+: (str|int|float|bool) = .+  # .+")
STAGES = ["load and preprocess", "define the architecture", "train", "estimate the performance"]
MACHINE_PATH = re.compile(r"(/(home|root|work|tmp|Users|usr|opt|var)/\w|[A-Z]:\\\\?Users)")
KERAS = re.compile(r"^\s*(import|from) (tensorflow|keras)\b", re.MULTILINE)
KNOWN_TAGS = {"parameters", "colab", "nbval-check-output", "recipe", "exercise", "check"}


def load(stem):
    return json.loads((NOTEBOOKS / f"{stem}.ipynb").read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def length(cell):
    return len(source(cell).rstrip("\n").split("\n"))


def contract_faults(path):
    """Return every fault of a notebook against the lesson contract, a line each."""
    stem, notebook = path.stem, json.loads(path.read_text(encoding="utf-8"))
    cells = dict(enumerate(notebook["cells"]))
    code = {p: c for p, c in cells.items() if c["cell_type"] == "code" and source(c).strip()}
    prose = {p: source(c) for p, c in cells.items() if c["cell_type"] == "markdown"}
    found = [*order_faults(stem, code, prose), *lesson_faults(stem, cells, code, prose), *prose_faults(prose)]
    found += [*code_faults(stem, cells, code), *parameter_faults(path, code), *output_faults(code)]
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        found.append((None, "its kernel is not python3"))
    return [f"{stem}{'' if place is None else f', cell {place}'}: {text}" for place, text in found]


def order_faults(stem, code, prose):
    """Title, questions, objectives, colab, parameters, body, key points, exercises, next."""

    def first(pattern):
        flags = re.MULTILINE | re.IGNORECASE
        return next((p for p, text in prose.items() if re.search(pattern, text, flags)), None)

    tagged = {tag: [p for p, c in code.items() if tag in tags(c)] for tag in ("colab", "parameters")}
    order = {
        "a title '# N. ...'": first(rf"^# {stem.split('-')[0].lstrip('0')}\. \S"),
        "'## Questions'": first(r"^## Questions"),
        "'## Objectives'": first(r"^## Objectives"),
        "a cell tagged colab": next(iter(tagged["colab"]), None),
        "a cell tagged parameters": next(iter(tagged["parameters"]), None),
        "'## Key points'": first(r"^## Key points"),
        "'## Exercises'": (exercises := first(r"^## Exercises")),
        "'## Next'": first(r"^## Next"),
    }
    yield from ((None, f"lacks {name}") for name, position in order.items() if position is None)
    present = [position for position in order.values() if position is not None]
    if present != sorted(present):
        yield None, f"parts stand in another order than {', '.join(order)}"
    if order["a title '# N. ...'"] != 0 or "<!-- course:links -->" not in prose[0]:
        yield 0, "is not the title with its <!-- course:links --> block"
    for tag, places in tagged.items():
        yield from ((place, f"is a second cell tagged {tag}") for place in places[1:])
    if stem in LESSONS and stem[:2] in ("04", "05", "06", "07"):
        for stage in STAGES:
            if first(rf"^## .*{stage}") is None:
                yield None, f"lacks the stage heading '## ... {stage}'"
    if exercises is not None:
        tasks = re.findall(r"^(?:\d+\.|###) ", prose[exercises], re.MULTILINE)
        if not 2 <= len(tasks) <= 4:
            yield exercises, f"has {len(tasks)} numbered exercises; two to four are wanted"


def lesson_faults(stem, cells, code, prose):
    """A lesson is an hour in which the student works; a deeper notebook is shorter and asks less."""
    lesson, lengths = stem[2] == "-", {p: length(c) for p, c in code.items() if "colab" not in tags(c)}
    limits = {"cells": (len(cells), 100 if lesson else 90)}
    limits["lines in the median code cell"] = (statistics.median(lengths.values()), 6)
    if lesson:
        limits["words"] = sum(len(text.split()) for text in prose.values()), 3_000
        limits["lines of code"] = sum(lengths.values()), 330
    for what, (number, most) in limits.items():
        if number > most:
            yield None, f"has {number:,} {what}; {most:,} are the most"
    yield from ((p, f"has {n} lines of code; 25 is the most") for p, n in lengths.items() if n > 25)
    tasks = sum("exercise" in tags(cell) for cell in code.values())
    if tasks < (3 if lesson else 1):
        yield None, f"has {tasks} cells for the student to write; 3 (deeper: 1) are wanted"
    starts = [p for p, cell in code.items() if "start_lesson(" in source(cell)]
    asked = [p for p, cell in code.items() if re.search(r"\.(guess|check)\(", source(cell))]
    if lesson and starts and (not asked or asked[0] > starts[0] + 10):
        yield None, "asks nothing of the student in the first ten cells of its body"
    for position, cell in code.items():
        printed = "".join("".join(output.get("text", "")) for output in cell["outputs"])
        if ".guess(" in source(cell) and not re.search(r"\.guess\([^)]*, None\)", source(cell)):
            yield position, "a guess has another default than None"
        if "check" in tags(cell) and not printed.startswith(("Not yet: nothing", "No guess yet")):
            yield position, f"its check does not greet the starter kindly: {printed[:60]!r}"


def prose_faults(prose):
    """Pictures without a text alternative, and links that lead nowhere."""
    for position, text in prose.items():
        if "![](" in text or re.search(r"<img(?![^>]*alt=)[^>]*>", text):
            yield position, "shows a picture without alt text"
        for anchor in re.findall(r"\(glossary\.md#([^)]+)\)", text):
            if anchor not in GLOSSARY:
                yield position, f"links to the glossary's missing #{anchor}"
        for target in re.findall(r"\]\((?!https?:|#|mailto:|attachment:)([^)#]+)", text):
            if not (NOTEBOOKS / target).exists():
                yield position, f"links to {target}, which is not there"


def code_faults(stem, cells, code):
    for position, cell in code.items():
        for tag in set(tags(cell)) - KNOWN_TAGS:
            yield position, f"has the unknown tag {tag}"
        try:
            ast.parse(source(cell))
        except SyntaxError as error:
            yield position, f"does not parse: {error}"
        before = [cells[p]["cell_type"] for p in (position - 2, position - 1) if p in cells]
        if before[-1:] == ["code"] and "markdown" not in before:  # a guess and its check may follow one text
            yield position, "is the third code cell in a row without prose"
    text = "\n".join(map(source, code.values()))
    first_import = KERAS.search(text)
    if first_import and not 0 <= text.find("TF_CPP_MIN_LOG_LEVEL") < first_import.start():
        yield None, "TF_CPP_MIN_LOG_LEVEL is not set before TensorFlow is imported"
    for call in ("bookkeeping.start_lesson(", "lesson.finish()"):
        if text.count(call) != 1:
            yield None, f"calls {call} {text.count(call)} times instead of once"
    if not re.search(rf'start_lesson\(\s*"{stem}"', text):
        yield None, "start_lesson is not given this notebook's name"


def parameter_faults(path, code):
    """A parameter is a literal with its type and its comment, and start_lesson has a rule for it."""
    lesson = read_lesson(path)
    if lesson.problem:
        yield None, lesson.problem
    yield from ((None, f"{name} has no rule") for name, (_, rule) in lesson.parameters.items() if not rule)
    for position, cell in code.items():
        if "parameters" in tags(cell):
            lines = source(cell).splitlines()
            yield from ((position, f"lacks {start}") for start in COMMON if start not in source(cell))
            yield from ((position, f"does not explain {line}") for line in lines if not PARAMETER.match(line))


def output_faults(code):
    counts = [cell["execution_count"] for cell in code.values()]
    if counts != list(range(1, len(code) + 1)):
        yield None, f"stored outputs are not those of one clean run (counts {counts[:8]}...)"
    for position, cell in code.items():
        if "nbval-check-output" in tags(cell) and not cell["outputs"]:
            yield position, "is tagged nbval-check-output but has no output"
        for output in cell["outputs"]:
            data = output.get("data", {})
            pictures = [kind for kind in data if kind.startswith("image/")]
            words = {kind: content for kind, content in data.items() if kind not in pictures}
            if output["output_type"] == "error" or output.get("name") == "stderr":
                yield position, "stores an error, or messages of stderr"
            if MACHINE_PATH.search(json.dumps([words, output.get("text")])):
                yield position, "stores a path of the machine"
            for kind in pictures:
                if not output["metadata"].get(kind, {}).get("alt", "").strip():
                    yield position, f"shows an {kind} without a text alternative"
            if any(kind.startswith("application/vnd.jupyter.widget") for kind in data):
                yield position, "stores a widget that shows nothing without a kernel"


@pytest.mark.parametrize("stem", STEMS)
def test_lesson_keeps_the_contract(stem):
    path = NOTEBOOKS / f"{stem}.ipynb"
    faults = contract_faults(path)
    assert not faults, "\n" + "\n".join(faults)
    assert path.stat().st_size < 1_500_000, "1.5 MB is the most"


@pytest.mark.parametrize(("stem", "first"), list(zip(LESSONS[:3], (math.inf, 20, 20), strict=True)))
def test_first_lessons_load_tensorflow_late_or_never(stem, first):
    code = [source(cell) for cell in load(stem)["cells"] if cell["cell_type"] == "code"]
    loads = [position for position, text in enumerate(code) if KERAS.search(text)]
    assert min(loads, default=math.inf) >= first


def test_lessons_are_numbered_without_a_gap_and_deeper_notebooks_belong_to_one():
    assert [stem[:2] for stem in LESSONS] == [f"{n:02}" for n in range(1, len(LESSONS) + 1)]
    assert len(LESSONS) >= 6
    for stem in set(STEMS) - set(LESSONS):
        assert re.fullmatch(r"\d\d[a-z]-[a-z0-9-]+", stem), stem
        assert any(lesson.startswith(f"{stem[:2]}-") for lesson in LESSONS), f"{stem} belongs to no lesson"


@pytest.mark.parametrize("profile", ["smoke", "full"])
def test_profiles_hold_known_allowed_parameters_only(profile):
    lessons = {lesson.stem: lesson for lesson in find_lessons()}
    for path in (NOTEBOOKS / "profiles" / profile).iterdir():
        assert read_profile(lessons[path.stem], profile), f"{path.name} holds nothing: leave it out"
    assert {path.name for path in (NOTEBOOKS / "profiles").iterdir()} == {"smoke", "full"}


# --- the checker itself must be able to fail -------------------------------------------------------


def output(**content):
    return {"outputs": [{"output_type": "display_data", "metadata": {}, **content}]}


FAULTS = [  # what is in the cells that are changed, in which way, and what is said of it
    ("## Questions", {"source": "What?"}, "lacks '## Questions'"),
    ("## Questions", {"source": "## Next\n\n## Questions"}, "another order"),
    ("lesson.finish", {"source": "x = 1\n" * 26}, "26 lines"),
    ("lesson.finish", {"source": "x = 1\n" * 331}, "lines of code; 330 are the most"),
    ("kernelspec", {"name": "other"}, "its kernel is not python3"),
    ("parameters", {"source": "seed: int = 2 + 1  # b"}, "seed is not a literal"),
    ("parameters", {"source": "seed: int = 0"}, "does not explain seed: int = 0"),
    ("parameters", {"source": "seed: int = 3  # b"}, "lacks seed: int = 0"),
    ("parameters", {"source": "rate: float = 0.1"}, "rate has no rule"),
    ("lesson.finish", {"execution_count": 999}, "one clean run"),
    ("lesson.finish", {"source": "import keras\nlesson.finish()"}, "TF_CPP_MIN_LOG_LEVEL"),
    ("lesson.finish", {"source": "pass"}, "lesson.finish() 0 times"),
    ("lesson.finish", output(data={"image/png": "a"}), "text alternative"),
    ("lesson.finish", output(name="stderr", text="x"), "stderr"),
    ("lesson.finish", output(text="/home/me/a.png"), "path of the machine"),
    ("lesson.finish", {"metadata": {"tags": ["raises-exception"]}}, "unknown tag"),
    ("**Your guess.**", {"cell_type": "raw"}, "third code cell"),
    ("## Exercises", {"source": "## Exercises\n1. One"}, "1 numbered exercises"),
    ("## Key points", {"source": "word " * 3_001}, "words; 3,000 are the most"),
    ("## Key points", {"source": "![](a.png)"}, "without alt text"),
    ("## Key points", {"source": '<img src="a.png">'}, "without alt text"),
    ("## Key points", {"source": "[pixel](glossary.md#pixle)"}, "missing #pixle"),
    ("## Key points", {"source": "[next](02-lost.ipynb)"}, "links to 02-lost.ipynb, which is not"),
    ("exercise", {"metadata": {}}, "0 cells for the student to write"),
    ("check", {"outputs": []}, "does not greet the starter kindly"),
    (".guess(", {"source": 'exercises.guess("one", 0)'}, "another default than None"),
    (".guess(", {"source": "pass"}, "asks nothing"),
]


@pytest.mark.parametrize(("marker", "change", "message"), FAULTS)
def test_checker_finds_each_fault(tmp_path, marker, change, message):
    notebook, path = load(STEMS[0]), tmp_path / f"{STEMS[0]}.ipynb"
    if marker == "kernelspec":
        notebook["metadata"][marker] = change
    for cell in notebook["cells"]:
        if marker in source(cell) or marker in tags(cell):
            cell.update(change)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert message in "\n".join(contract_faults(path))
