"""Running lessons with nbclient and keeping what they leave behind."""

import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from tqdm import tqdm

from course import say
from course.lessons import (
    DEFAULT_PROFILE,
    NOTEBOOKS,
    SET_BY_RUN,
    Lesson,
    choose_lessons,
    find_lessons,
    make_plans,
    seen_from,
)
from course.pages import glossary_page, to_html
from course.results import Outcome, csv_text, index_html, new_folder, table_text
from helpers import COURSE_FOLDER, CourseError, datasets, printable
from helpers.files import write_text

# Seconds that one cell may take: generous, for a slow machine; a lesson that hangs must end some day.
CELL_SECONDS = {"smoke": 600, DEFAULT_PROFILE: 1800, "full": 7200}
DIED = "its Python process died, most often because it ran out of memory"
INJECTED = ["injected-parameters"]  # the tags of the cell that papermill writes
Watch = Callable[[int, int], None]  # is told which cell runs, from 0, and how many there are


@dataclass
class Run:
    """What the user asked of `run` or `sweep`; `folder` and `environment` are made of it for the lessons."""

    profile: str = DEFAULT_PROFILE
    lessons: Sequence[str] = ()
    deeper: bool = False
    assignments: Sequence[str] = ()
    data: str | None = None
    output: Path | None = None
    cell_seconds: int | None = None
    store: bool = False
    pages: bool = True  # each lesson as a web page too
    notebooks: Path = NOTEBOOKS
    runs: Path = COURSE_FOLDER / "runs"
    folder: Path = Path()
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.cell_seconds is not None and self.cell_seconds < 1:
            raise CourseError(f"--cell-seconds {self.cell_seconds} must be at least 1")


def run_course(**options: Any) -> int:
    """Run the chosen lessons and write their results. The options are the fields of `Run`.

    Returns the exit status: 0, or 1 when something failed, or 130 after Ctrl-C (143 after SIGTERM).
    Raises CourseError for a mistake in the request; nothing has been started then.
    """
    run = Run(**options)
    lessons = choose_lessons(find_lessons(run.notebooks), run.lessons, run.deeper)
    plans = make_plans(lessons, profile=run.profile, assignments=run.assignments, notebooks=run.notebooks)
    if run.store and (run.profile != DEFAULT_PROFILE or run.assignments):
        raise CourseError("--store keeps the outputs of the defaults: leave out --profile and -p")
    run.environment = kernel_environment(run.data, plans)
    run.folder = folder = new_folder(run.output, "", run.runs)
    (folder / "results.csv").open("x").close()  # no other run gets this folder
    say(f"Profile {run.profile}: {len(plans)} lesson(s); results in {folder}")
    if run.profile == "full":
        say("The full profile trains for published numbers: up to 80 minutes a lesson.")
    outcomes: list[Outcome] = []
    written = True

    def finished() -> str:
        failed = sum(bool(outcome.error) for outcome in outcomes)
        return f"{len(outcomes)} of {len(plans)} lessons finished, {failed} failed"

    try:
        with stoppable():
            for index, lesson in enumerate(lessons):
                label = f"[{index + 1}/{len(lessons)}] {lesson.stem}"
                with _progress(label) as watch:
                    outcomes.append(run_lesson(lesson, plans[lesson.stem], run, watch))
                say(f"{label}: {outcomes[-1].in_words()}")
                written = write_results(outcomes, folder, f"Profile {run.profile}: {finished()}")
    except KeyboardInterrupt as stop:
        write_results(outcomes, folder, f"Profile {run.profile}: stopped before its end, {finished()}")
        number = stop.args[0] if stop.args else signal.SIGINT
        how = signal.Signals(number).name.replace("SIGINT", "Ctrl-C")
        say(f"Stopped by {how}: {finished()}; the results are in {folder}", error=True)
        return 128 + number
    say(f"\n{table_text(outcomes)}\n\nResults: {folder / 'index.html'}")
    return 0 if written and not any(outcome.error for outcome in outcomes) else 1


def write_results(outcomes: Sequence[Outcome], folder: Path, summary: str) -> bool:
    """Write results.csv and index.html for the lessons finished so far; tell whether that went well."""
    try:
        write_text(folder / "results.csv", csv_text(outcomes))
        write_text(folder / "index.html", index_html(outcomes, summary, folder))
    except (CourseError, OSError, ValueError) as error:
        say(f"course run: {error}", error=True)
        return False
    return True


def run_lesson(
    lesson: Lesson, changed: Mapping[str, Any], run: Run, watch: Watch = lambda index, total: None
) -> Outcome:
    """Execute one lesson and keep its notebook, page and metrics; a failing lesson is an outcome too."""
    start = time.perf_counter()
    seconds, error, metrics = 0.0, "", {}
    try:
        if lesson.problem:
            raise CourseError(lesson.problem)
        metrics_path = run.folder / f"{lesson.stem}.json"
        notebook = load_notebook_node(nbformat.read(lesson.path, as_version=4))
        if lesson.parameters:
            values = {**changed, SET_BY_RUN: seen_from(run.notebooks, metrics_path)}
            notebook = parameterize_notebook(notebook, values, kernel_name="python3", language="python")
        limit = run.cell_seconds or CELL_SECONDS[run.profile]
        error = execute(notebook, run.notebooks, run.environment, limit, watch)
        seconds = time.perf_counter() - start
        _keep(notebook, lesson, run)
        if metrics_path.exists():
            metrics = json.loads(metrics_path.read_text(encoding="utf-8"))
        if not (error or metrics):
            error = "it left no metrics; its last code cell must be lesson.finish()"
        outcome = Outcome(lesson, run.profile, seconds, error, metrics, changed)
        table_text([outcome])  # metrics that a table cannot show are this lesson's failure, not the run's
        if run.store and outcome.data_kind == "sample":
            say(f"{lesson.path.name}: not stored, because it ran on built-in samples")
        elif run.store and not error:
            _store(notebook, lesson)
        return outcome
    except Exception as problem:  # whatever one file does, the other lessons run
        kind = "" if isinstance(problem, CourseError) else f"{type(problem).__name__}: "
        error = error or f"{kind}{_first_line(str(problem))}"
        return Outcome(lesson, run.profile, seconds, error, changed=changed)


def execute(
    notebook: Any,
    folder: Path,
    environment: Mapping[str, str],
    limit: int,
    watch: Watch = lambda index, total: None,
) -> str:
    """Run one notebook's cells in place, each at most `limit` seconds; return what went wrong, or nothing."""
    at, total = 0, len(notebook.cells)

    class Client(NotebookClient):
        def process_message(self, *arguments: Any) -> Any:
            watch(at, total)  # keeps the clock going while a network is trained
            return super().process_message(*arguments)

    # Without folders to look in, Jupyter starts the very Python it runs in; in the user's own
    # folders another Python may have left a `python3`.
    manager = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = Client(notebook, km=manager, timeout=limit, startup_timeout=120)
    # The kernel's own log would break into the progress; a lesson's errors come as its outputs.
    client.extra_arguments = ["--log-level=CRITICAL"]
    client.log.setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a stopped kernel leaves tasks that nobody asks
    try:
        with client.setup_kernel(cwd=str(folder), env=dict(environment)):
            for at in range(total):
                watch(at, total)
                client.execute_cell(notebook.cells[at], at, execution_count=client.code_cells_executed + 1)
            client.set_widgets_metadata()
        return ""
    except CellExecutionError as error:
        text = _first_line(error.evalue)  # a CourseError's text already says what to do
        problem = text if error.ename == "CourseError" else f"{error.ename}: {text}".rstrip(": ")
    except CellTimeoutError:
        problem = f"took longer than {limit} s (see --cell-seconds)"
    except DeadKernelError:
        problem = DIED
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        if manager.has_kernel:
            run_sync(manager.shutdown_kernel)(now=True)
    number = at + 1 - sum(cell.metadata.get("tags") == INJECTED for cell in notebook.cells[:at])
    return f"cell {number} (`{_first_line(notebook.cells[at].source)[:60]}`): {problem}"


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0].strip()


def _keep(notebook: Any, lesson: Lesson, run: Run) -> None:
    """Write the executed notebook and, where pages are asked for, its page."""
    CoalesceStreamsPreprocessor(enabled=True)(notebook, {})  # of each line what a terminal would show
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for name in ("papermill", "execution", *([] if cell.metadata.get("tags") else ["tags"])):
            cell.metadata.pop(name, None)
    write_text(run.folder / lesson.path.name, nbformat.writes(notebook).rstrip("\n") + "\n")
    if run.pages:
        page = to_html(notebook, title=lesson.heading, folder=run.notebooks)
        write_text(run.folder / f"{lesson.stem}.html", page)
        source, glossary = run.notebooks / "glossary.md", run.folder / "glossary.html"
        if source.is_file() and not glossary.exists():  # the pages link to it
            text = source.read_text(encoding="utf-8", errors="replace")
            write_text(glossary, glossary_page(text, run.notebooks))


def _store(notebook: Any, lesson: Lesson) -> None:
    """Write an executed notebook over the lesson's own file, without the injected cell, counted anew."""
    notebook.cells = [cell for cell in notebook.cells if cell.metadata.get("tags") != INJECTED]
    notebook.metadata.pop("widgets", None)
    ran = [cell for cell in notebook.cells if cell.get("execution_count") is not None]
    for count, cell in enumerate(ran, start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    write_text(lesson.path, nbformat.writes(notebook).rstrip("\n") + "\n")


def kernel_environment(data: str | None, plans: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the environment variables of the kernels; what is relative to the user becomes absolute."""
    found = dict(os.environ)
    if data is not None:
        found["COURSE_DATA_DIR"] = str(datasets.data_folder(data, "--data").absolute())
    elif given := found.get("COURSE_DATA_DIR", "").strip():
        found["COURSE_DATA_DIR"] = str(datasets.data_folder(given).absolute())
    if found.get("COURSE_CACHE_DIR", "").strip():
        found["COURSE_CACHE_DIR"] = str(datasets.cache_folder().absolute())
    if any("data_source" in plan for plan in plans.values()):
        found.pop("COURSE_DATA_SOURCE", None)  # an explicit parameter wins, "auto" too
    else:
        datasets.source_in_use("auto")
    # `helpers` must be found where the course is not installed (a checkout on a bare Python).
    found["PYTHONPATH"] = os.pathsep.join(filter(None, [str(COURSE_FOLDER), found.get("PYTHONPATH")]))
    found.pop("JPY_SESSION_NAME", None)  # set where this was typed into a notebook: no live widgets here
    found["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else Python 3.11 and newer warn on stderr
    return found


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does; a second one does not disturb the clearing up."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {each: old for each in numbers if (old := signal.getsignal(each)) != signal.SIG_IGN}

    def stop(number: int, _: object) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    try:
        for number in before:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _progress(label: str) -> Iterator[Watch]:
    """Show a bar on a terminal and a plain line anywhere else; yield what moves the bar."""
    plain = not sys.stdout.isatty()
    if plain:
        say(f"{label} ...")
    shape = "{desc} {bar} cell {n_fmt}/{total_fmt} {elapsed}"
    bar = {"desc": printable(label), "bar_format": shape, "leave": False, "file": sys.stdout, "miniters": 0}
    with tqdm(total=0, disable=plain, **bar) as shown:

        def watch(index: int, total: int) -> None:
            shown.total = total
            shown.update(index + 1 - shown.n)

        yield watch
