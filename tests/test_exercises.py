"""Every guess and task of every lesson: starter, answer, and each planted mistake with its own hint."""

import numpy as np
import pytest

from helpers import COURSE_FOLDER, CourseError
from helpers.exercises import Exercises, Task, verdict

NUMBERS = sorted(path.stem for path in (COURSE_FOLDER / "notebooks" / "answers").glob("*.py"))
LESSONS = {number: Exercises(number) for number in NUMBERS}
TASKS = [(number, name) for number in NUMBERS for name in LESSONS[number].tasks]
TASKS.remove(("06", "my_borrowed"))
TASKS.append(pytest.param("06", "my_borrowed", marks=pytest.mark.kernel))  # it builds a network
GUESSES = [(number, name) for number in NUMBERS for name in LESSONS[number].guesses]


@pytest.mark.parametrize(("number", "name"), TASKS)
def test_task_knows_its_answer_and_each_mistake_by_its_own_hint(number, name):
    task = LESSONS[number].tasks[name]
    assert task.mistakes, "a task without a typical mistake teaches its checker nothing"
    assert verdict(task, name, lambda *_: None) == f"Not yet: nothing comes back from {name}."
    assert verdict(task, name, task.answer).startswith("Right")
    hints = [hint for _, hint in task.mistakes]
    assert len(set(hints)) == len(hints)
    for mistake, hint in task.mistakes:
        assert verdict(task, name, mistake) == f"Not yet: {hint}"


@pytest.mark.parametrize(("number", "name"), GUESSES)
def test_guess_knows_its_answer_and_gives_each_mistake_its_own_hint(number, name, capsys):
    lesson, question = LESSONS[number], LESSONS[number].guesses[name]
    lesson.guess(name, None)
    lesson.guess(name, question.answer)
    for wrong in question.hints:
        lesson.guess(name, wrong)
    printed = capsys.readouterr().out.splitlines()
    hints = [f"Not yet: {hint}" for hint in question.hints.values()]
    assert printed[0].startswith("No guess yet")
    assert printed[1:] == ["Right.", *hints]
    for hint in hints:
        assert f"{question.answer}" not in hint.split(), f"the hint gives the answer away: {hint}"


# --- the checker itself ---------------------------------------------------------------------------


def plus_one(values):
    return np.asarray(values) + 1


def one_less(values):
    return np.asarray(values) - 1


PLUS_ONE = Task(plus_one, [(one_less, "that is one less.")], [(np.arange(3.0),), (np.ones((2, 3)),)])


def endless(values):
    while True:
        pass


def in_place(values):
    values += 1
    return values


@pytest.mark.fault
@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (plus_one, "Right: all 2 examples agree."),
        (lambda values: None, "Not yet: nothing comes back from plus_one."),
        (lambda values: ..., "Not yet: nothing comes back"),
        (one_less, "Not yet: that is one less."),
        (in_place, "Not yet: plus_one changes what it is given; work on a copy."),
        (lambda values: values[7], "Not yet: IndexError: index 7 is out of bounds"),
        (lambda values: np.arange(1.0, 4) if len(values) == 3 else values, "Not yet: 1 of 2 examples agree."),
        (lambda values: 3, "Not yet: the result has shape (), and (3,) is wanted."),
        (lambda values: [[1], [1, 2]], "Not yet: the result has shape None"),
        (3, "Not yet: plus_one is not a function."),
    ],
)
def test_verdict_is_one_line_that_says_what_is_wrong(attempt, says):
    said = verdict(PLUS_ONE, "plus_one", attempt)
    assert said.startswith(says) and "\n" not in said


@pytest.mark.fault
def test_a_loop_that_does_not_end_is_stopped(monkeypatch):
    monkeypatch.setattr("helpers.exercises.SECONDS", 1)
    assert "does not come to an end" in verdict(PLUS_ONE, "plus_one", endless)


def test_the_line_of_an_error_is_named():
    source = "def plus_one(values):\n    more = 1\n    return values[7] + more\n"
    names = {}
    exec(compile(source, "<cell>", "exec"), names)
    assert "line 3 of your cell: IndexError" in verdict(PLUS_ONE, "plus_one", names["plus_one"])


@pytest.mark.fault
def test_a_lesson_without_answers_is_an_error_of_one_line():
    with pytest.raises(CourseError, match=r"answers/99\.py is missing"):
        Exercises("99")
