"""Running lessons with papermill and keeping what they leave behind."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course.export import PathScrubber, clean_notebook, glossary_page, to_html
from course.lessons import (
    DEFAULT_PROFILE,
    NOTEBOOKS,
    ROOT,
    SET_BY_RUN,
    Plan,
    choose_lessons,
    find_lessons,
    make_plans,
)
from course.results import Outcome, csv_text, index_html, read_metrics, table_text, write_text
from helpers import CourseError

RUNS = ROOT / "runs"
# Seconds that one cell may take: generous, for a slow machine; a lesson that hangs must end some day.
CELL_SECONDS = {"smoke": 600, DEFAULT_PROFILE: 1800, "full": 7200}
INTERRUPTED = 130


@dataclass(frozen=True)
class RunRequest:
    """What the user asked of `run`."""

    profile: str = DEFAULT_PROFILE
    lessons: Sequence[str] = ()
    assignments: Sequence[str] = ()
    data: str | None = None
    output: Path | None = None
    cell_seconds: int | None = None
    store: bool = False
    notebooks: Path = NOTEBOOKS
    runs: Path = RUNS
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


def data_folder(given: str | None, environment: Mapping[str, str]) -> str | None:
    """Return the absolute folder of the user's pictures, from `--data` or COURSE_DATA_DIR.

    None when neither is set. Raises CourseError when the folder does not exist or is empty.
    """
    name = "--data" if given is not None else "COURSE_DATA_DIR"
    value = given if given is not None else environment.get("COURSE_DATA_DIR", "").strip()
    if not value and given is None:
        return None
    remedy = "name the folder that holds mnist, intel-scenes or car-plane, or leave it out"
    folder = Path(value).expanduser() if value else None
    if folder is None or not folder.is_dir():
        raise CourseError(f"{name}={value!r} is no folder; {remedy}")
    try:
        empty = next(folder.iterdir(), None) is None
    except OSError as error:
        raise CourseError(f"{name}={value!r} cannot be read ({error.strerror}); {remedy}") from None
    if empty:
        raise CourseError(f"{name}={value!r} is empty; {remedy}")
    return str(folder.absolute())


def run_course(request: RunRequest) -> int:
    """Run the chosen lessons and write their results.

    Returns:
        The exit status: 0, or 1 when a lesson failed, or 130 after Ctrl-C.

    Raises:
        CourseError: a mistake in the request; nothing has been started then.
    """
    lessons = choose_lessons(find_lessons(request.notebooks), request.lessons)
    plans = make_plans(
        lessons, profile=request.profile, assignments=request.assignments, notebooks=request.notebooks
    )
    if request.store and (request.profile != DEFAULT_PROFILE or request.assignments):
        raise CourseError("--store keeps the outputs of the defaults: leave out --profile and -p")
    environment = _kernel_variables(request, plans)
    folder = _new_folder(request)
    print(f"Profile {request.profile}: {len(plans)} lesson(s); results in {_shown(folder)}", flush=True)
    if request.profile == "full":
        print("The full profile trains for published numbers: up to 80 minutes a lesson.", flush=True)
    outcomes: list[Outcome] = []
    try:
        with kernel_settings(environment):
            for index, plan in enumerate(plans):
                with _Progress(plan.lesson.stem, index + 1, len(plans)) as progress:
                    outcome = _run_lesson(plan, request, folder, progress.cell, environment)
                    progress.done(outcome)
                outcomes.append(outcome)
                write_results(outcomes, folder, request.profile, len(plans))
    except KeyboardInterrupt:
        write_results(outcomes, folder, request.profile, len(plans), interrupted=True)
        print(
            f"Stopped by Ctrl-C: {len(outcomes)} of {len(plans)} lesson(s) finished, "
            f"their results are in {_shown(folder)}",
            file=sys.stderr,
        )
        return INTERRUPTED
    print(f"\n{table_text(outcomes)}\n\nResults: {_shown(folder / 'index.html')}")
    return 0 if all(outcome.ok for outcome in outcomes) else 1


def write_results(
    outcomes: Sequence[Outcome], folder: Path, profile: str, planned: int, *, interrupted: bool = False
) -> None:
    """Write results.csv and index.html for the lessons finished so far."""
    write_text(folder / "results.csv", csv_text(outcomes))
    failed = sum(not outcome.ok for outcome in outcomes)
    summary = f"Profile {profile}. {len(outcomes)} of {planned} lessons finished, {failed} failed."
    if interrupted:
        summary += " The run was stopped before its end."
    page = index_html(outcomes, title="Results of the course", summary=summary, folder=folder)
    write_text(folder / "index.html", page)


# --- one lesson ---------------------------------------------------------------------------------


def _run_lesson(
    plan: Plan,
    request: RunRequest,
    folder: Path,
    watch: Callable[[int, int], None],
    environment: Mapping[str, str | None],
) -> Outcome:
    """Execute one lesson and keep its notebook, page and metrics; a failing lesson is an outcome too."""
    import nbformat

    lesson = plan.lesson
    metrics_path = folder / f"{lesson.stem}.json"
    values = dict(plan.values)
    if SET_BY_RUN in lesson.parameters:
        values[SET_BY_RUN] = _from(request.notebooks, metrics_path)
    extra = {str(request.notebooks): "notebooks", str(folder): "."}
    extra |= {value: Path(value).name for value in values.values() if _is_absolute(value)}
    if SET_BY_RUN in values:
        extra[values[SET_BY_RUN]] = metrics_path.name
    extra |= {
        str(environment[name]): name
        for name in ("COURSE_DATA_DIR", "COURSE_CACHE_DIR")
        if environment.get(name)
    }
    scrub = PathScrubber(extra)
    start = time.perf_counter()
    # papermill saves after every cell: outside the results, so that nothing half done stays there.
    with tempfile.TemporaryDirectory(prefix="course-") as scratch:
        executed = Path(scratch) / lesson.path.name
        limit = request.cell_seconds or CELL_SECONDS.get(request.profile, CELL_SECONDS[DEFAULT_PROFILE])
        error = _execute(lesson.path, executed, values, limit, watch)
        seconds = time.perf_counter() - start
        if executed.exists():
            notebook = clean_notebook(nbformat.read(executed, as_version=4), scrub)
            error = scrub(error)
            write_text(folder / lesson.path.name, notebook_text(notebook))
            page = to_html(notebook, name=lesson.stem, folder=request.notebooks)
            write_text(folder / f"{lesson.stem}.html", page)
            _write_glossary(request.notebooks, folder)
    metrics = read_metrics(metrics_path)
    if metrics is not None and isinstance(metrics.get("parameters"), dict):
        parameters = metrics["parameters"]
        parameters |= {name: scrub(value) for name, value in parameters.items() if isinstance(value, str)}
        write_text(metrics_path, json.dumps(metrics, indent=2, ensure_ascii=False) + "\n")
    if metrics is None and SET_BY_RUN in values and not error:
        error = "it left no metrics; its last code cell must be lesson.finish()"
    outcome = Outcome(lesson.stem, lesson.title, request.profile, seconds, error, metrics)
    if request.store and outcome.ok:
        if outcome.data_kind == "sample":
            print(f"{lesson.path.name}: not stored, because it ran on built-in samples", flush=True)
        else:
            store_outputs(notebook, lesson.path)
    return outcome


def _execute(
    source: Path, executed: Path, values: Mapping[str, Any], limit: int, watch: Callable[[int, int], None]
) -> str:
    """Run one notebook; return what went wrong in it, or nothing."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    _register_engine()
    at = {"cell": 0}

    def at_cell(index: int, total: int) -> None:
        at["cell"] = index
        watch(index, total)

    try:
        papermill.execute_notebook(
            source,
            executed,
            parameters=dict(values),
            engine_name="course",
            kernel_name="python3",
            progress_bar=False,
            execution_timeout=limit,
            start_timeout=120,
            cwd=source.parent,
            watch=at_cell,
        )
    except PapermillExecutionError as error:
        return f"{_cell_name(executed, at['cell'])}: {_one_line(error)}"
    except CellTimeoutError:
        return f"{_cell_name(executed, at['cell'])}: took longer than {limit} s (see --cell-seconds)"
    except DeadKernelError:
        return f"{_cell_name(executed, at['cell'])}: its Python process died, most often for want of memory"
    except (OSError, RuntimeError) as error:
        return f"{_cell_name(executed, at['cell'])}: {type(error).__name__}: {_first_line(str(error))}"
    return ""


def _one_line(error: Any) -> str:
    """Name the error as the notebook shows it; a CourseError's text already says what to do."""
    text = _first_line(error.evalue)
    return text if error.ename == "CourseError" else f"{error.ename}: {text}".rstrip(": ")


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0].strip() if lines else ""


def _cell_name(executed: Path, index: int) -> str:
    """Return how a person finds a cell: its place in the notebook and its first line of code."""
    try:
        cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return "before its first cell"
    # papermill's own cells (the error's signposts, the injected parameters) are not in the source.
    own = ("papermill-error-cell-tag",)
    cells = [cell for cell in cells if not set(own) & set(cell["metadata"].get("tags", []))]
    if index >= len(cells):
        return "at its end"
    injected = sum("injected-parameters" in cell["metadata"].get("tags", []) for cell in cells[:index])
    code = [line for line in "".join(cells[index]["source"]).splitlines() if line.strip()]
    return (
        f"cell {index + 1 - injected} (`{code[0].strip()[:60]}`)" if code else f"cell {index + 1 - injected}"
    )


def _register_engine() -> None:
    """Give papermill its nbclient engine with one addition: it tells which cell is running."""
    from papermill.engines import NBClientEngine, papermill_engines

    class CourseEngine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, *, watch, **kwargs):
            start, save = nb_man.cell_start, nb_man.autosave_cell
            at = {"cell": 0}

            def cell_start(cell, cell_index=None, **more):
                at["cell"] = cell_index
                watch(cell_index, len(nb_man.nb.cells))
                return start(cell, cell_index, **more)

            def message_came(**more):  # keeps the clock going while a network is trained
                watch(at["cell"], len(nb_man.nb.cells))
                return save(**more)

            nb_man.cell_start, nb_man.autosave_cell = cell_start, message_came
            return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)

    papermill_engines.register("course", CourseEngine)
    logging.getLogger("papermill").setLevel(logging.CRITICAL)


# --- files --------------------------------------------------------------------------------------


def notebook_text(notebook: Any) -> str:
    """Return a notebook as the JSON text that Jupyter writes."""
    import nbformat

    return nbformat.writes(notebook).rstrip("\n") + "\n"


def store_outputs(executed: Any, path: Path) -> None:
    """Put the outputs of an executed notebook into the lesson's own file.

    The cell that papermill injected is left out and the cells are counted anew, as one clean run
    from top to bottom counts them.
    """
    import nbformat

    source = nbformat.read(path, as_version=4)
    cells = [cell for cell in executed.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    count = 0
    for target, cell in zip(source.cells, cells, strict=True):
        if target.cell_type != "code":
            continue
        target.metadata.pop("execution", None)  # times of an earlier run
        target.outputs, target.execution_count = cell.outputs, None
        if cell.execution_count is not None:
            count += 1
            target.execution_count = count
        for output in target.outputs:
            if output.output_type == "execute_result":
                output.execution_count = target.execution_count
    if "language_info" in executed.metadata:
        source.metadata["language_info"] = executed.metadata["language_info"]
    write_text(path, notebook_text(source))


def _write_glossary(notebooks: Path, folder: Path) -> None:
    """Put the glossary that the lessons link to beside their pages, once."""
    source, page = notebooks / "glossary.md", folder / "glossary.html"
    if source.is_file() and not page.exists():
        write_text(page, glossary_page(source.read_text(encoding="utf-8"), notebooks))


def _new_folder(request: RunRequest) -> Path:
    """Make the folder of this run: `--output`, or `runs/<time>`."""
    try:
        if request.output is not None:
            folder = request.output.expanduser().absolute()
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise CourseError(f"--output {str(request.output)!r} is not empty; name a new folder")
            with tempfile.TemporaryFile(dir=folder):
                return folder
        time_text = datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
        request.runs.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 100):
            folder = request.runs.absolute() / (time_text if attempt == 1 else f"{time_text}-{attempt}")
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                return folder
        raise CourseError(f"runs/{time_text} exists many times over; try again in a second")
    except OSError as error:
        where = request.output if request.output is not None else request.runs
        raise CourseError(
            f"{str(where)!r} cannot hold the results ({error.strerror or error}); choose a folder by --output"
        ) from None


def _shown(path: Path) -> str:
    """Return a path as short as it can be typed from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _from(start: Path, target: Path) -> str:
    """Return `target` as seen from `start`, the kernel's folder; absolute on another Windows drive."""
    try:
        return Path(os.path.relpath(target, start)).as_posix()
    except ValueError:
        return target.as_posix()


def _is_absolute(value: Any) -> bool:
    return isinstance(value, str) and len(value) > 1 and Path(value).is_absolute()


# --- the kernel ---------------------------------------------------------------------------------


def _kernel_variables(request: RunRequest, plans: Sequence[Plan]) -> dict[str, str | None]:
    """Return the environment variables to set for the kernels; None takes one away."""
    from helpers.bookkeeping import COMMON_RULES, check_parameter

    changes: dict[str, str | None] = {"COURSE_DATA_DIR": data_folder(request.data, request.environment)}
    cache = request.environment.get("COURSE_CACHE_DIR", "").strip()
    if cache:  # relative to the user, not to the notebooks
        changes["COURSE_CACHE_DIR"] = str(Path(cache).expanduser().absolute())
    source = request.environment.get("COURSE_DATA_SOURCE", "").strip()
    if any("data_source" in plan.values for plan in plans):
        changes["COURSE_DATA_SOURCE"] = None  # an explicit parameter wins, "auto" too
    elif source:
        try:
            check_parameter("data_source", source, COMMON_RULES["data_source"])
        except CourseError as error:
            raise CourseError(f"COURSE_DATA_SOURCE: {error}") from None
    # `helpers` must be found where the course is not installed (a checkout on a bare Python).
    path = request.environment.get("PYTHONPATH", "")
    changes["PYTHONPATH"] = os.pathsep.join([str(ROOT), *([path] if path else [])])
    changes["JPY_SESSION_NAME"] = None  # set where this was typed into a notebook: no live widgets here
    changes["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else Python 3.11 and newer warn on stderr
    return changes


@contextlib.contextmanager
def kernel_settings(changes: Mapping[str, str | None]) -> Iterator[None]:
    """Set the variables, and make `python3` the kernel of this very interpreter.

    Jupyter looks for kernels in the user's folders too, where another Python may have left a
    `python3` of its own; JUPYTER_PATH comes before all of them.
    """
    from ipykernel.kernelspec import get_kernel_dict

    with tempfile.TemporaryDirectory(prefix="course-kernel-") as scratch:
        kernel = Path(scratch) / "kernels" / "python3"
        kernel.mkdir(parents=True)
        spec = get_kernel_dict()
        # The kernel's own log would break into the progress; a lesson's errors come as its outputs.
        spec["argv"] = [sys.executable, *spec["argv"][1:], "--log-level=CRITICAL"]
        (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        path = os.environ.get("JUPYTER_PATH", "")
        changes = {**changes, "JUPYTER_PATH": os.pathsep.join([scratch, *([path] if path else [])])}
        before = {name: os.environ.get(name) for name in changes}
        try:
            _set_variables(changes)
            yield
        finally:
            _set_variables(before)


def _set_variables(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


# --- progress -----------------------------------------------------------------------------------


class _Progress:
    """One bar a lesson on a terminal; two plain lines a lesson anywhere else."""

    def __init__(self, stem: str, number: int, total: int) -> None:
        self._label = f"[{number}/{total}] {stem}"
        self._bar = None
        self._terminal = sys.stdout.isatty()
        self._shown = 0.0

    def __enter__(self) -> _Progress:
        if self._terminal:
            from tqdm import tqdm

            shape = "{desc} {bar} cell {n_fmt}/{total_fmt} {elapsed}"
            self._bar = tqdm(total=0, desc=self._label, bar_format=shape, leave=False, file=sys.stdout)
        else:
            print(f"{self._label} ...", flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def cell(self, index: int, total: int) -> None:
        """Say that cell `index` (from 0) of `total` is running."""
        if self._bar is None:
            return
        now = time.perf_counter()
        if index + 1 != self._bar.n or now - self._shown > 0.5:
            self._bar.total, self._bar.n, self._shown = total, index + 1, now
            self._bar.refresh()

    def done(self, outcome: Outcome) -> None:
        """Leave the lesson's one line."""
        if self._bar is not None:
            self._bar.close()
        memory = (outcome.metrics or {}).get("peak_rss_mb")
        cost = f"{outcome.seconds:.1f} s" + (f", {memory:,.0f} MB" if memory else "")
        if outcome.ok:
            kinds = {"none": "", "sample": ", data: BUILT-IN SAMPLES"}
            kind = kinds.get(outcome.data_kind, f", data: {outcome.data_kind}")
            print(f"{self._label}: ok ({cost}{kind})", flush=True)
        else:
            print(f"{self._label}: FAILED ({cost})\n    {outcome.error}", flush=True)
