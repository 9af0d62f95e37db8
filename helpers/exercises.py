"""Guesses and tasks that check themselves: one printed line, never a traceback, nothing that stops *Run all*.

A lesson's answers, and the typical mistakes with the hint for each, stand in one file,
`notebooks/answers/NN.py`, which a teacher can read as a list of misconceptions. It defines `GUESSES`
(name -> `Guess`) and `TASKS` (name -> `Task`).
"""

import contextlib
import copy
import runpy
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from helpers import COURSE_FOLDER, CourseError

SECONDS = 5  # a loop that does not end
PROGRESS = COURSE_FOLDER / "work" / "progress.csv"


@dataclass(frozen=True)
class Guess:
    """A question with one number or word as its answer; `hints` maps wrong answers to what led there."""

    answer: float | str
    hints: Mapping[float | str, str] = field(default_factory=dict)
    tolerance: float = 1e-6


@dataclass(frozen=True)
class Task:
    """A function that the student writes: the reference, and typical mistakes, each with its hint.

    `inputs` are argument tuples on which the answer and every mistake differ; `tolerance` is the largest
    absolute difference that still counts as equal.
    """

    answer: Callable
    mistakes: Sequence[tuple[Callable, str]]
    inputs: Sequence[tuple]
    tolerance: float = 1e-6


class Exercises:
    """The guesses and tasks of one lesson, by the number of its notebook, for example "02" or "03a"."""

    def __init__(self, number: str) -> None:
        self.number = number
        path = COURSE_FOLDER / "notebooks" / "answers" / f"{number}.py"
        if not path.is_file():
            raise CourseError(f"notebooks/answers/{number}.py is missing: restore it from the repository")
        names = runpy.run_path(str(path))
        self.guesses: dict[str, Guess] = names["GUESSES"]
        self.tasks: dict[str, Task] = names["TASKS"]

    def guess(self, name: str, value: float | str | None) -> None:
        """Print whether a guess is right, and otherwise the hint for it; None means: not guessed yet."""
        question = self.guesses[name]
        if value is None or value is ...:
            print("No guess yet: put yours in the place of None and run this cell again.")
        elif _same(value, question.answer, question.tolerance):
            self._say(name, "Right.")
        else:
            hints = (hint for wrong, hint in question.hints.items() if _same(value, wrong, 1e-3))
            self._say(name, "Not yet: " + next(hints, "that is not it. Work it out once more, step by step."))

    def check(self, name: str, attempt: Callable) -> None:
        """Print whether a function of the student's is right, and otherwise what is wrong with it."""
        self._say(name, verdict(self.tasks[name], name, attempt))

    def _say(self, name: str, line: str) -> None:
        """Print a verdict; in a student's own copy, also note it for `python -m course progress`."""
        print(line)
        if Path.cwd() == COURSE_FOLDER / "work":
            with contextlib.suppress(OSError), PROGRESS.open("a", encoding="utf-8") as file:
                file.write(f"{self.number},{name},{line.partition(':')[0].rstrip('.')}\n")


def verdict(task: Task, name: str, attempt: Callable) -> str:
    """Return the one line that `Exercises.check` prints: "Right: ..." or "Not yet: ..."."""
    if not callable(attempt):
        return f"Not yet: {name} is not a function."
    results = []
    for arguments in task.inputs:
        given = copy.deepcopy(arguments)
        try:
            with _time_limit(SECONDS):
                result = attempt(*given)
        except TimeoutError:
            return f"Not yet: {name} does not come to an end within {SECONDS} seconds."
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            line = next((f"line {f.lineno} of your cell: " for f in reversed(frames) if f.name == name), "")
            return f"Not yet: {line}{type(error).__name__}: {' '.join(str(error).split())}"
        if result is None or result is ...:
            return f"Not yet: nothing comes back from {name}."
        if not all(_same(now, before, 0) for now, before in zip(given, arguments, strict=True)):
            return f"Not yet: {name} changes what it is given; work on a copy."
        results.append(result)
    expected = [task.answer(*copy.deepcopy(arguments)) for arguments in task.inputs]
    right = [_same(*pair, task.tolerance) for pair in zip(results, expected, strict=True)]
    if all(right):
        return f"Right: all {len(expected)} examples agree."
    for mistake, hint in task.mistakes:
        if all(
            _same(result, mistake(*copy.deepcopy(arguments)), task.tolerance)
            for result, arguments in zip(results, task.inputs, strict=True)
        ):
            return f"Not yet: {hint}"
    for result, wanted in zip(results, expected, strict=True):
        if np.shape(wanted) != _shape(result):
            return f"Not yet: the result has shape {_shape(result)}, and {np.shape(wanted)} is wanted."
    return f"Not yet: {sum(right)} of {len(expected)} examples agree. Try one by hand and compare."


def _shape(value: Any) -> tuple | None:
    try:
        return np.shape(value)
    except ValueError:
        return None


def _same(value: Any, wanted: Any, tolerance: float) -> bool:
    """Compare two numbers, arrays or texts (case and blanks at the ends of a text do not count)."""
    if isinstance(value, str) or isinstance(wanted, str):
        return str(value).strip().lower() == str(wanted).strip().lower()
    if _shape(value) != np.shape(wanted):
        return False
    with contextlib.suppress(TypeError, ValueError):
        return bool(np.allclose(value, wanted, rtol=0, atol=tolerance, equal_nan=True))
    return value == wanted


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Raise TimeoutError after so many seconds, where the system can (not on Windows)."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def too_long(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
