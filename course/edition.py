"""`python -m course edition instructor`: the lessons with their answers, as notebooks and pages to print.

Everything comes from what is there anyway: the lesson's notebook, its file of answers, and the notes in
`docs/teaching/`. Nothing of it is kept twice.
"""

import ast
import re
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course import say
from course.cells import is_import, names_in, needed
from course.lessons import NOTEBOOKS, find_lessons
from helpers import COURSE_FOLDER, CourseError
from helpers.exercises import Exercises, Guess, Task
from helpers.files import plain, write_text

NOTES = COURSE_FOLDER / "docs" / "teaching"
GUESS, CHECK = (re.compile(rf'exercises\.{word}\("(\w+)", ') for word in ("guess", "check"))


def make_edition(kind: str, output: Path | None = None) -> int:
    """Write the instructor's edition of every lesson into `output` (else build/instructor).

    Returns the exit status, 0. Raises CourseError where a file of answers is not as it should be, or the
    folder cannot be written.
    """
    from course.pages import glossary_page, to_html

    folder = output or COURSE_FOLDER / "build" / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(NOTEBOOKS / "glossary.md", folder / "glossary.md")
    except OSError as error:
        raise CourseError(f"{folder} cannot be written ({error.strerror}); see --output") from None
    glossary = (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8")
    write_text(folder / "glossary.html", glossary_page(glossary, NOTEBOOKS))
    for path in (lesson.path for lesson in find_lessons()):
        notebook = instructor_notebook(path)
        write_text(folder / path.name, nbformat.writes(notebook) + "\n")
        page = to_html(sheet(notebook), title=f"{path.stem}, with answers", folder=NOTEBOOKS)
        write_text(folder / f"{path.stem}.html", page)
        say(f"{path.stem}: notebook and page")
    say(f"The instructor's edition: {folder}. It holds the answers: keep it from your students.")
    return 0


def instructor_notebook(path: Path) -> NotebookNode:
    """Return a lesson's notebook with its answers in place, and after each what students get wrong.

    Stored outputs stay, but for those that were printed without the answers. What is added carries the
    tag `instructor`.
    """
    notebook = nbformat.read(path, as_version=4)
    number = path.name.partition("-")[0]
    lesson = Exercises(number)
    source = (NOTEBOOKS / "answers" / f"{number}.py").read_text(encoding="utf-8")
    cells = []
    for cell in notebook["cells"]:
        code = cell["source"]
        cells.append(cell)
        if cell["cell_type"] != "code":
            continue
        guesses, checks = GUESS.findall(code), CHECK.findall(code)
        if "exercise" in cell["metadata"].get("tags", []):
            starter = ast.parse(code).body[-1]
            code = answer_cell(source, starter.name, starter)
        for name in guesses:
            code = code.replace(f'("{name}", None)', f'("{name}", {plain(lesson.guesses[name].answer)!r})')
        cell["source"] = code
        if guesses or checks:
            cell["outputs"], cell["execution_count"] = [], None
        notes = [about_guess(name, lesson.guesses[name]) for name in guesses]
        notes += [about_task(source, name, lesson.tasks[name]) for name in checks]
        for text in notes:
            cells.append(_markdown(f"note-{len(cells)}", text, "instructor"))
    notes = NOTES / f"{number}.md"
    if notes.is_file():  # the deeper notebooks have none
        text = re.sub(r"^# .*\n+", "", notes.read_text(encoding="utf-8"))
        text = re.sub(r"\[([^]]+)\]\((?!http)[^)]*\)", r"\1", text)  # its links lead to pages beside it
        text = "## For the teacher\n\n" + re.sub(r"(?m)^##", "###", text)
        cells.insert(1, _markdown("teaching-notes", text, "instructor"))
    cells[0]["source"] = re.sub(r"<!-- course:links -->.*", "", cells[0]["source"], flags=re.DOTALL)
    return NotebookNode(notebook | {"cells": cells})


def sheet(notebook: NotebookNode) -> NotebookNode:
    """Return what fits on paper: the questions and tasks under their headings, answers, notes; no outputs."""
    kept: list[NotebookNode] = []
    for cell, following in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        text, tags = cell["source"], cell["metadata"].get("tags", [])
        if "instructor" in tags or "exercise" in tags:
            kept.append(NotebookNode(cell | {"outputs": []}) if "exercise" in tags else cell)
        elif cell["cell_type"] == "markdown":
            for heading in re.findall(r"^##? .+", text, re.MULTILINE):
                kept.append(_markdown(f"heading-{len(kept)}", heading))
            asked = re.search(r"\*\*(Your guess|Write it).*", text, re.DOTALL)
            code, tags = (following.source, following.metadata.get("tags", [])) if following else ("", [])
            if asked or GUESS.search(code) or "exercise" in tags:
                text = asked[0] if asked else re.sub("^##? .+", "", text)
                kept.append(_markdown(f"asked-{len(kept)}", text))
    bare = [each["id"].startswith("heading") for each in kept] + [True]
    cells = [each for place, each in enumerate(kept) if place == 0 or not (bare[place] and bare[place + 1])]
    return NotebookNode(notebook | {"cells": cells})


def answer_cell(source: str, name: str, starter: ast.FunctionDef) -> str:
    """Return the code of a task's answer: one function of the task's name that stands on its own.

    Args:
        source: the lesson's file of answers.
        name: the task.
        starter: what the student begins with: its parameters and docstring are kept where the answer
            has none of its own.

    Raises:
        CourseError: the file has no such task in its `TASKS`.
    """
    statements, lines = ast.parse(source).body, source.splitlines()
    answer = _parts_of_task(source, name)[0]
    functions = {each.name: each for each in statements if isinstance(each, ast.FunctionDef)}
    given = functions.get(getattr(answer, "id", ""))
    if given:
        first = given.body[1 if ast.get_docstring(given) else 0]
        arguments, body, used = given.args, lines[first.lineno - 1 : given.end_lineno], given
    else:
        is_lambda = isinstance(answer, ast.Lambda)
        arguments = answer.args if is_lambda else starter.args
        call = answer.body if is_lambda else ast.Call(answer, [ast.Name(a.arg) for a in arguments.args], [])
        body, used = [f"    return {ast.unparse(call)}"], ast.Expr(answer)
    around = needed([each for each in statements if each is not given], names_in(used)[1])
    texts = [(is_import(each), lines[each.lineno - 1 : each.end_lineno]) for each in around]
    imports = [line for first, text in texts if first for line in text]
    inner = [f"    {line}".rstrip() for first, text in texts if not first for line in ["", *text]]
    head = [f"def {name}({ast.unparse(arguments)}):", f'    """{ast.get_docstring(starter, clean=False)}"""']
    imports += ["", ""] if imports else []
    inner += [""] if inner else []
    return "\n".join([*imports, *head, *inner, *body])


def _parts_of_task(source: str, name: str) -> tuple[ast.expr, list[ast.expr]]:
    """Return the expressions of a task's answer and of its mistakes, as they stand in the file of answers."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            for key, call in zip(node.keys, node.values, strict=True):
                if getattr(key, "value", None) == name and ast.unparse(call).startswith("Task("):
                    words = {each.arg: each.value for each in call.keywords}
                    answer, mistakes = [*call.args, *words.values()][:2]
                    pairs = words.get("mistakes", mistakes)
                    return words.get("answer", answer), [pair.elts[0] for pair in pairs.elts]
    raise CourseError(f'task {name!r}: write it into TASKS of its file of answers as "{name}": Task(...)')


def about_guess(name: str, guess: Guess) -> str:
    """Return, as Markdown, a guess's answer, and each wrong one with what the student is told."""
    wrong = "".join(f"\n- **{plain(value)}**: {hint}" for value, hint in guess.hints.items())
    return f"**For the teacher.** `{name}`: **{plain(guess.answer)}**. Wrong, and what is said:\n{wrong}"


def about_task(source: str, name: str, task: Task) -> str:
    """Return, as Markdown, a task's typical mistakes: what the student is told, and what makes it."""
    functions = {each.name: each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef)}
    answer, wrong = _parts_of_task(source, name)
    text = f"**For the teacher.** `{name}`: typical mistakes, and what is said:\n"
    for node, (_, hint) in zip(wrong, task.mistakes, strict=True):
        code = ast.unparse(node.body if isinstance(node, ast.Lambda) else node)
        told = ast.get_docstring(functions[code]) if code in functions else ""
        code = re.sub(rf"\b{re.escape(ast.unparse(answer))}\(", f"{name}(", code)
        text += f"\n- {hint} ({told or f'`{code}`'})"
    return text


def _markdown(name: str, text: str, *tags: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(text, id=name[:64], metadata={"tags": list(tags)})
