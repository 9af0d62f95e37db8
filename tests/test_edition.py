"""The instructor's edition holds every answer and every hint; the students' notebooks hold none."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup

from course.cli import main
from course.edition import NOTEBOOKS, NOTES, instructor_notebook, sheet
from course.lessons import read_lesson
from helpers.exercises import Exercises, verdict

PATHS = {path.name.partition("-")[0]: path for path in sorted(NOTEBOOKS.glob("[0-9][0-9]*.ipynb"))}


@pytest.fixture(scope="module")
def editions():
    return {number: instructor_notebook(path) for number, path in PATHS.items()}


def exercise_cells(notebook):
    return [cell.source for cell in notebook.cells if "exercise" in cell.metadata.get("tags", [])]


def functions_of(cells):
    """Run each cell by itself, so that an answer that leans on another cell would be missed."""
    found = {}
    for source in cells:
        names = {}
        exec(compile(source, "<cell>", "exec"), names)
        found |= {name: each for name, each in names.items() if f"def {name}(" in source}
    return found


@pytest.mark.parametrize("number", PATHS)
def test_every_answer_stands_in_the_edition_and_the_checker_calls_it_right(editions, number):
    lesson, found = Exercises(number), functions_of(exercise_cells(editions[number]))
    assert set(lesson.tasks) <= set(found)
    said = {name: verdict(task, name, found[name]) for name, task in lesson.tasks.items()}
    assert all(line.startswith("Right") for line in said.values()), said


@pytest.mark.parametrize("number", PATHS)
def test_every_guess_is_answered_in_the_edition(editions, number, capsys):
    source = "\n".join(cell.source for cell in editions[number].cells if cell.cell_type == "code")
    lines = re.findall(r"^exercises\.guess\(.*\)$", source, re.MULTILINE)
    for line in lines:
        exec(line, {"exercises": Exercises(number)})
    assert capsys.readouterr().out.splitlines() == ["Right."] * len(Exercises(number).guesses)


@pytest.mark.parametrize("number", PATHS)
def test_the_students_notebook_holds_no_answer(number):
    notebook, lesson = nbformat.read(PATHS[number], as_version=4), Exercises(number)
    for name, starter in functions_of(exercise_cells(notebook)).items():
        assert verdict(lesson.tasks[name], name, starter) == f"Not yet: nothing comes back from {name}."
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert set(re.findall(r'exercises\.guess\("\w+", (.*)\)', code)) == {"None"}


@pytest.mark.parametrize("number", PATHS)
def test_every_misconception_stands_with_its_hint_on_the_page_to_print(editions, number):
    lesson, page = Exercises(number), sheet(editions[number])
    text, whole = ("\n".join(cell.source for cell in each.cells) for each in (page, editions[number]))
    hints = [hint for task in lesson.tasks.values() for _, hint in task.mistakes]
    hints += [hint for guess in lesson.guesses.values() for hint in guess.hints.values()]
    assert not [hint for hint in hints if hint not in text]
    asked = [text.count("**Your guess.**") + text.count("**Write it") for text in (text, whole)]
    assert asked[0] == asked[1]
    assert not [cell for cell in page.cells if cell.get("outputs")]
    assert exercise_cells(page) == exercise_cells(editions[number])


def test_no_output_that_asks_for_an_answer_is_left_over(editions):
    for number, notebook in editions.items():
        outputs = "".join(str(cell.get("outputs")) for cell in notebook.cells)
        assert "No guess yet" not in outputs
        assert not [name for name in Exercises(number).tasks if f"comes back from {name}." in outputs]


@pytest.mark.parametrize("number", [number for number in PATHS if number.isdigit()])
def test_the_teaching_notes_name_sections_that_the_lesson_has(number):
    notes = (NOTES / f"{number}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (\d+) \|", notes, re.MULTILINE)
    text = "\n".join(cell.source for cell in nbformat.read(PATHS[number], as_version=4).cells)
    headings = re.findall(r"^## (?:\d+\. )?(.+)$", text, re.MULTILINE)
    named = [name for row, _ in rows for name in re.findall(r"\*(.+?)\*", row)]
    assert rows and not [name for name in named if name not in headings]
    assert f"about {sum(int(minutes) for _, minutes in rows)} minutes" in notes


def test_the_command_writes_a_notebook_and_a_page_a_lesson(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("course.edition.find_lessons", lambda: [read_lesson(PATHS["02"])])
    assert main(["edition", "instructor", "--output", str(tmp_path / "kit")]) == 0
    written = nbformat.read(tmp_path / "kit" / PATHS["02"].name, as_version=4)
    nbformat.validate(written)
    page = BeautifulSoup((tmp_path / "kit" / f"{PATHS['02'].stem}.html").read_text("utf-8"), "html.parser")
    assert "did you turn the kernel round?" in page.get_text()
    assert "result[row, column] = (window * kernel).mean()" in page.get_text()
    assert not [link for link in page.select("a[href$='.md'], a[href$='.ipynb']")]
    assert "keep it from your students" in capsys.readouterr().out


@pytest.mark.fault
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("here is a file")
    assert main(["edition", "instructor", "--output", str(tmp_path / "file")]) == 2
    assert re.fullmatch(r"course edition: .*file cannot be written .*--output\n", capsys.readouterr().err)
