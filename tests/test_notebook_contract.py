"""The contract every lesson keeps, checked on the notebook files as they are committed.

Each fault names the notebook and the cell, because "a notebook is wrong" helps nobody.
"""

import ast
import json
import re
import statistics
from pathlib import Path

import pytest

from course.lessons import find_lessons, read_profile
from helpers import bookkeeping

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
STEMS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
GLOSSARY = {
    re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-")
    for head in re.findall(r"^###? (.+)$", (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8"), re.M)
}
LESSONS = [stem for stem in STEMS if stem[2] == "-"]  # the others (02a-...) go deeper
COMMON = {"data_source": "auto", "seed": 0, "metrics_path": ""}
STAGES = ["load and preprocess", "define the architecture", "train", "estimate the performance"]
MACHINE_PATH = re.compile(r"(/(home|root|work|tmp|Users|usr|opt|var)/\w|[A-Z]:\\\\?Users)")
KNOWN_TAGS = {"parameters", "colab", "nbval-check-output", "recipe", "exercise", "check"}


def load(stem):
    return json.loads((NOTEBOOKS / f"{stem}.ipynb").read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def code_cells(notebook):
    """Return (position, cell) of every code cell that is not empty."""
    return [
        (position, cell)
        for position, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and source(cell).strip()
    ]


def find(notebook, pattern, kind="markdown"):
    """Return the position of the first cell of a kind that matches, or None."""
    for position, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == kind and re.search(pattern, source(cell), re.MULTILINE | re.IGNORECASE):
            return position
    return None


def fault(stem, position, text):
    return f"{stem}, cell {position}: {text}"


def length(cell):
    return len(source(cell).rstrip("\n").split("\n"))


def contract_faults(stem, notebook):
    """Return every fault of a notebook against the lesson contract, as lines."""
    cells, code = notebook["cells"], code_cells(notebook)
    faults = []
    # title, questions, objectives, colab, parameters, body, key points, exercises, next
    order = {
        "a title '# N. ...'": find(notebook, rf"^# {stem.split('-')[0].lstrip('0')}\. \S"),
        "'## Questions'": find(notebook, r"^## Questions"),
        "'## Objectives'": find(notebook, r"^## Objectives"),
        "a cell tagged colab": next((p for p, c in code if "colab" in tags(c)), None),
        "a cell tagged parameters": next((p for p, c in code if "parameters" in tags(c)), None),
        "'## Key points'": find(notebook, r"^## Key points"),
        "'## Exercises'": find(notebook, r"^## Exercises"),
        "'## Next'": find(notebook, r"^## Next"),
    }
    faults += [f"{stem}: lacks {name}" for name, position in order.items() if position is None]
    present = [position for position in order.values() if position is not None]
    if present != sorted(present):
        faults.append(f"{stem}: parts stand in another order than {', '.join(order)}")
    if order["a title '# N. ...'"] != 0:
        faults.append(fault(stem, 0, "is not the title"))
    elif "<!-- course:links -->" not in source(cells[0]):
        faults.append(fault(stem, 0, "lacks the <!-- course:links --> block"))
    for tag in ("colab", "parameters"):
        found = [p for p, c in code if tag in tags(c)]
        if len(found) > 1:
            faults.append(fault(stem, found[1], f"is a second cell tagged {tag}"))
    if stem in LESSONS and stem[:2] in ("04", "05", "06"):
        faults += [
            f"{stem}: lacks the stage heading '## ... {stage}'"
            for stage in STAGES
            if find(notebook, rf"^## .*{stage}") is None
        ]
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        faults.append(f"{stem}: its kernel is not python3")
    faults += lesson_faults(stem, cells, code) + size_faults(stem, code) + prose_faults(stem, cells)
    faults += code_faults(stem, cells, code) + output_faults(stem, code)
    exercises = order["'## Exercises'"]
    if exercises is not None:
        tasks = re.findall(r"^(?:\d+\.|###) ", source(cells[exercises]), re.MULTILINE)
        if not 2 <= len(tasks) <= 4:
            faults.append(
                fault(stem, exercises, f"has {len(tasks)} numbered exercises; two to four are wanted")
            )
    return faults


def size_faults(stem, code):
    lengths = {p: length(c) for p, c in code if "colab" not in tags(c)}
    faults = [fault(stem, p, f"has {n} lines of code; 25 is the most") for p, n in lengths.items() if n > 25]
    median = statistics.median(lengths.values())
    if median > 6:
        faults.append(f"{stem}: the median code cell has {median:g} lines; 6 is the most")
    return faults


def lesson_faults(stem, cells, code):
    """A lesson is an hour in which the student works; a deeper notebook is shorter and asks less."""
    lesson = stem[2] == "-"
    words = sum(len(source(cell).split()) for cell in cells if cell["cell_type"] == "markdown")
    lines = sum(length(c) for _, c in code if "colab" not in tags(c))
    limits = {"cells": (len(cells), 100 if lesson else 90)}
    limits |= {"words": (words, 3_000), "lines of code": (lines, 330)} if lesson else {}
    faults = [
        f"{stem}: has {n:,} {what}; {most:,} are the most" for what, (n, most) in limits.items() if n > most
    ]
    tasks = [position for position, cell in code if "exercise" in tags(cell)]
    if len(tasks) < (3 if lesson else 1):
        faults.append(f"{stem}: has {len(tasks)} cells for the student to write; 3 (deeper: 1) are wanted")
    starts = [position for position, cell in code if "start_lesson(" in source(cell)]
    asked = [position for position, cell in code if re.search(r"\.(guess|check)\(", source(cell))]
    if lesson and starts and (not asked or min(asked) > starts[0] + 10):
        faults.append(f"{stem}: asks nothing of the student in the first ten cells of its body")
    for position, cell in code:
        printed = "".join("".join(output.get("text", "")) for output in cell["outputs"])
        if ".guess(" in source(cell) and not re.search(r"\.guess\([^)]*, None\)", source(cell)):
            faults.append(fault(stem, position, "a guess has another default than None"))
        if "check" in tags(cell) and not printed.startswith(("Not yet: nothing", "No guess yet")):
            faults.append(
                fault(stem, position, f"its check does not greet the starter kindly: {printed[:60]!r}")
            )
    return faults


def prose_faults(stem, cells):
    """Pictures without a text alternative, and links that lead nowhere."""
    faults = []
    for position, cell in enumerate(cells):
        if cell["cell_type"] != "markdown":
            continue
        if "![](" in source(cell) or re.search(r"<img(?![^>]*alt=)[^>]*>", source(cell)):
            faults.append(fault(stem, position, "shows a picture without alt text"))
        for anchor in re.findall(r"\(glossary\.md#([^)]+)\)", source(cell)):
            if anchor not in GLOSSARY:
                faults.append(fault(stem, position, f"links to the glossary's missing #{anchor}"))
        for target in re.findall(r"\]\((?!https?:|#|mailto:|attachment:)([^)#]+)", source(cell)):
            if not (NOTEBOOKS / target).exists():
                faults.append(fault(stem, position, f"links to {target}, which is not there"))
    return faults


def code_faults(stem, cells, code):
    faults = []
    for position, cell in code:
        for tag in set(tags(cell)) - KNOWN_TAGS:
            faults.append(fault(stem, position, f"has the unknown tag {tag}"))
        try:
            tree = ast.parse(source(cell))
        except SyntaxError as error:
            faults.append(fault(stem, position, f"does not parse: {error}"))
            continue
        if "parameters" in tags(cell):
            faults += parameter_faults(stem, position, cell, tree, rules_of(code))
        if position and cells[position - 1]["cell_type"] == "code" and not prose_near(cells, position):
            faults.append(fault(stem, position, "is the third code cell in a row without prose"))
    text = "\n".join(source(cell) for _, cell in code)
    first_import = re.search(r"^\s*(import|from) (tensorflow|keras)\b", text, re.MULTILINE)
    quiet = text.find("TF_CPP_MIN_LOG_LEVEL")
    if first_import and not 0 <= quiet < first_import.start():
        faults.append(f"{stem}: TF_CPP_MIN_LOG_LEVEL is not set before TensorFlow is imported")
    for call in ("bookkeeping.start_lesson(", "lesson.finish()"):
        if text.count(call) != 1:
            faults.append(f"{stem}: calls {call} {text.count(call)} times instead of once")
    if not re.search(rf'start_lesson\(\s*"{stem}"', text):
        faults.append(f"{stem}: start_lesson is not given this notebook's name")
    return faults


def prose_near(cells, position):
    """Prose before code: at most two code cells (a guess and its check) may follow one text."""
    return any(cell["cell_type"] == "markdown" for cell in cells[max(0, position - 2) : position])


def rules_of(code):
    """Return the rules that a lesson states where it starts."""
    for _, cell in code:
        if "start_lesson(" in source(cell):
            for node in ast.walk(ast.parse(source(cell))):
                if isinstance(node, ast.keyword) and node.arg == "rules":
                    return bookkeeping.COMMON_RULES | ast.literal_eval(node.value)
    return bookkeeping.COMMON_RULES


def parameter_faults(stem, position, cell, tree, rules):
    faults, seen = [], {}
    lines = source(cell).split("\n")
    for node in tree.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.annotation, ast.Name):
            faults.append(fault(stem, position, f"line {node.lineno} is not an annotated literal"))
            continue
        try:
            seen[node.target.id] = ast.literal_eval(node.value)
        except ValueError:
            faults.append(fault(stem, position, f"{node.target.id} is not a literal"))
        if "#" not in lines[node.end_lineno - 1]:
            faults.append(fault(stem, position, f"{node.target.id} has no comment"))
    for name, value in COMMON.items():
        if seen.get(name) != value:
            faults.append(fault(stem, position, f"{name} is not {value!r}"))
    for name, value in seen.items():
        if name not in rules:
            faults.append(fault(stem, position, f"{name} has no rule in start_lesson"))
        else:
            bookkeeping.check_parameter(name, value, rules[name])
    return faults


def output_faults(stem, code):
    faults = []
    counts = [cell["execution_count"] for _, cell in code]
    if counts != list(range(1, len(code) + 1)):
        faults.append(f"{stem}: stored outputs are not those of one clean run (counts {counts[:8]}...)")
    for position, cell in code:
        outputs = cell["outputs"]
        for output in outputs:
            text = json.dumps({key: value for key, value in output.items() if key != "metadata"})
            if output["output_type"] == "error":
                faults.append(fault(stem, position, "stores an error"))
            if output.get("name") == "stderr":
                faults.append(fault(stem, position, "stores messages of stderr"))
            data = output.get("data", {})
            shown = json.dumps({k: v for k, v in data.items() if not k.startswith("image/")})
            if MACHINE_PATH.search(shown if data else text):
                faults.append(fault(stem, position, "stores a path of the machine"))
            for kind in data:
                if kind.startswith("image/") and not output["metadata"].get(kind, {}).get("alt", "").strip():
                    faults.append(fault(stem, position, f"shows an {kind} without a text alternative"))
                if kind.startswith("application/vnd.jupyter.widget"):
                    faults.append(
                        fault(stem, position, "stores a widget that shows nothing without a kernel")
                    )
        if "nbval-check-output" in tags(cell) and not outputs:
            faults.append(fault(stem, position, "is tagged nbval-check-output but has no output"))
    return faults


@pytest.mark.parametrize("stem", STEMS)
def test_lesson_keeps_the_contract(stem):
    faults = contract_faults(stem, load(stem))
    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize("stem", STEMS)
def test_notebook_is_small(stem):
    size = (NOTEBOOKS / f"{stem}.ipynb").stat().st_size
    assert size < 1_500_000, f"{stem}: {size / 1e6:.2f} MB; 1.5 MB is the most"


@pytest.mark.parametrize("stem", LESSONS[:3])
def test_first_lessons_load_tensorflow_only_where_they_compare_with_it(stem):
    code = [source(cell) for _, cell in code_cells(load(stem))]
    loads = [
        position
        for position, text in enumerate(code)
        if re.search(r"^\s*(import|from) (tensorflow|keras)\b", text, re.M)
    ]
    if stem.startswith("01"):
        assert not loads, "lesson 1 does without TensorFlow"
    else:
        assert loads and min(loads) >= 20, f"{stem}: code cell {min(loads) + 1} loads TensorFlow"


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
    ("parameters", {"source": "seed: int = 2 + 1  # b"}, "not a literal"),
    ("parameters", {"source": "seed = 0"}, "not an annotated literal"),
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
def test_checker_finds_each_fault(marker, change, message):
    notebook = load(STEMS[0])
    for cell in notebook["cells"]:
        if marker in source(cell) or marker in tags(cell):
            cell.update(change)
    assert message in "\n".join(contract_faults(STEMS[0], notebook))


def test_checker_finds_another_kernel():
    notebook = load(STEMS[0])
    notebook["metadata"]["kernelspec"]["name"] = "other"
    assert contract_faults(STEMS[0], notebook) == [f"{STEMS[0]}: its kernel is not python3"]
