"""`python -m course sweep`: one lesson with every combination of some values, each a run of its own.

A run works in a folder under `attempts/`. When it has ended, its `row.json` is written there, last of all,
and the folder becomes `done/<identity>` in one step: what lies in `done/` is complete, so the same command
goes on where an earlier one stopped.
"""

import contextlib
import dataclasses
import errno
import hashlib
import itertools
import json
import math
import os
import re
import shutil
import signal
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from tqdm import tqdm

from course import say
from course.lessons import Lesson, choose_lessons, find_lessons, make_plans
from course.links import read_costs
from course.report import PAGE, Result, reached, write_report
from course.results import Outcome
from course.run import DIED, Run, kernel_environment, stoppable
from course.workers import cores, run_here, threads
from helpers import COURSE_FOLDER, CourseError

MOST = 10_000  # combinations of one sweep; more is a slip of the keyboard
SHOWN = 10  # rows of the table before the start
FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT)))
Values = Mapping[str, Any]


def run_sweep(
    lesson: str,
    *,
    grid: Sequence[str],
    workers: int | None = None,
    cluster: str = "",
    again: bool = False,
    **options: Any,
) -> int:
    """Run every combination that has no result yet, and write the report on all of them.

    `grid` holds texts such as `learning_rate=0.001,0.01` and `seed=0..4`; `again` repeats what failed; the
    other options are fields of `Run`.
    Returns the exit status: 0, or 1 when a result is missing or failed, or 130 after Ctrl-C. Raises
    CourseError for a mistake in the request; nothing has been started then.
    """
    run = Run(pages=False, **options)
    (chosen,) = choose_lessons(find_lessons(run.notebooks), [lesson])
    if chosen.problem:
        raise CourseError(chosen.problem)
    if workers is not None and workers < 1:
        raise CourseError(f"--workers {workers} must be at least 1")
    environment = kernel_environment(run.data, {})
    source = environment.pop("COURSE_DATA_SOURCE", "").strip()  # becomes a value like any other
    if source and "data_source" in chosen.parameters:
        run.assignments = [f"data_source={source}", *run.assignments]
    plans = combinations(chosen, grid, run.assignments, run.profile, run.notebooks)
    wanted = identities(chosen, run.profile, plans)
    here = workers or workers_for(chosen, len(plans))
    run.environment = threads(cores() // here) | environment
    there = None
    if cluster and run.data:
        raise CourseError("--data is a folder of this machine: set COURSE_DATA_DIR where each worker starts")
    if cluster:
        try:
            from course.cluster import Cluster
        except ImportError as error:
            remedy = "python -m pip install --editable '.[cluster]'"
            raise CourseError(f"--cluster needs dask.distributed ({error}): {remedy}") from None
        there = Cluster(cluster, chosen, run, plans)
    name = f"sweep-{chosen.path.name.partition('-')[0]}-{_digest(sorted(wanted))[:8]}"
    folder = (run.output or run.runs / name).expanduser().absolute()
    with _claimed(folder):
        results = finished(folder, wanted, again)
        todo = {each: values for each, values in wanted.items() if each not in results}
        at_once = min(there.workers if there else here, max(len(todo), 1))
        say(before_the_start(chosen, run.profile, wanted, results, at_once) + f"\nResults: {folder}\n")
        attempts = folder / "attempts"
        running = there.run(todo, attempts) if there else run_here(todo, chosen, run, at_once, attempts)
        return _go_on(running, results, wanted, folder)


def combinations(
    lesson: Lesson, grid: Sequence[str], assignments: Sequence[str], profile: str, notebooks: Path
) -> list[dict[str, Any]]:
    """Return the values of every run, checked: what the profile and `assignments` set, and one of each grid.

    Raises CourseError for an unknown name, a wrong type, an impossible value, too many combinations.
    """
    base = make_plans([lesson], profile=profile, assignments=assignments, notebooks=notebooks)[lesson.stem]
    fixed, varied = {text.partition("=")[0].strip() for text in assignments} - {"data_source"}, {}
    for text in grid:
        name, sign, listed = (part.strip() for part in text.partition("="))
        if not sign or not name or not listed:
            raise CourseError(f"-g {text!r} is not name=value,value; write for example -g seed=0..4")
        if name in varied or name in fixed:
            raise CourseError(f"-g {text!r}: {name} is set twice; name it in one -g or -p only")
        span = re.fullmatch(r"(-?\d+)\.\.(-?\d+)", listed)
        if span and int(span[2]) - int(span[1]) not in range(MOST):
            raise CourseError(f"-g {text!r}: a range goes up, and to at most {MOST:,} values")
        texts = map(str, range(int(span[1]), int(span[2]) + 1)) if span else listed.split(",")
        plans = (make_plans([lesson], assignments=[f"{name}={each}"], notebooks=notebooks) for each in texts)
        varied[name] = list(dict.fromkeys(plan[lesson.stem][name] for plan in plans))
    if not varied:
        raise CourseError("say what varies, for example -g seed=0..4")
    if (count := math.prod(map(len, varied.values()))) > MOST:
        raise CourseError(f"{count:,} combinations are more than the {MOST:,} of a sweep: name fewer values")
    return [base | dict(zip(varied, each, strict=True)) for each in itertools.product(*varied.values())]


def identities(lesson: Lesson, profile: str, plans: Sequence[Values]) -> dict[str, Values]:
    """Return the runs by what each is known by: a fingerprint of lesson, profile, values, notebook's code."""
    cells = json.loads(lesson.path.read_text(encoding="utf-8"))["cells"]
    code = _digest(["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"])
    what = ([lesson.stem, profile, sorted(values.items()), code] for values in plans)
    return {f"r{_digest(each)}": values for each, values in zip(what, plans, strict=True)}


def _digest(what: Any) -> str:
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]


def card(lesson: Lesson) -> tuple[float, float]:
    """Return what one run of a lesson's class profile costs, in seconds and MB; NaN where nobody measured."""
    cost = read_costs(COURSE_FOLDER / "data" / "results" / "costs.json").get(lesson.stem, {})
    return cost.get("seconds", math.nan), cost.get("peak_rss_mb", math.nan)


def workers_for(lesson: Lesson, count: int) -> int:
    """Return how many runs this machine's cores and free memory allow at once, at most `count`."""
    megabytes = card(lesson)[1]
    free = psutil.virtual_memory().available / 1e6
    fitting = count if math.isnan(megabytes) else int(free // megabytes)
    return max(min(cores(), fitting, count), 1)


def before_the_start(
    lesson: Lesson,
    profile: str,
    wanted: Mapping[str, Values],
    results: Mapping[str, Result],
    at_once: int,
) -> str:
    """Return the table of what will run, with its estimated minutes and memory."""
    outcomes = [result.outcome for result in results.values() if not result.outcome.error]
    seconds, megabytes = card(lesson)
    by = "the lesson's card (class profile)"
    if outcomes:
        seconds, by = statistics.median(outcome.seconds for outcome in outcomes), "the runs that are finished"
        megabytes = max(outcome.metrics.get("peak_rss_mb", math.nan) for outcome in outcomes)
    table = pd.DataFrame(wanted.values())
    table = table[_varying(wanted)].astype(str)
    left = [each not in results for each in wanted]
    for name, text in {"minutes": f"{seconds / 60:,.1f}", "MB": f"{megabytes:,.0f}"}.items():
        table[name] = [text.replace("nan", "?") if runs else "" for runs in left]
    table["state"] = ["to run" if runs else "finished" for runs in left]
    head = f"Lesson {lesson.heading}, profile {profile}: {len(wanted)} combinations, {sum(left)} to run"
    if any(left) and not math.isnan(seconds):
        minutes = math.ceil(sum(left) / at_once) * seconds / 60
        head += f", {at_once} at once: about {math.ceil(minutes)} min, estimated from {by}"
    return f"{head}.\n{table.to_string(index=False, max_rows=SHOWN)}"


def _varying(wanted: Mapping[str, Values]) -> list[str]:
    """Return the names that have more than one value, or all where none has."""
    table = pd.DataFrame(wanted.values())
    return [name for name in table if table[name].nunique() > 1] or list(table)


def _go_on(
    running: Iterator[tuple[str, Outcome, Path]],
    results: dict[str, Result],
    wanted: Mapping[str, Values],
    folder: Path,
) -> int:
    """Keep each result as it comes, then write the report on all; return the exit status."""
    stopped, signalled, died = "", 0, {}
    names, before = _varying(wanted), len(results)
    bar = tqdm(total=len(wanted), initial=len(results), disable=not sys.stdout.isatty(), file=sys.stdout)
    try:
        with stoppable(), contextlib.closing(running), bar:
            for number, (each, outcome, attempt) in enumerate(running, start=len(results) + 1):
                bar.update()
                words = " ".join(f"{name}={wanted[each][name]}" for name in names)
                with bar.external_write_mode(sys.stdout):
                    reach = reached(outcome)
                    say(f"[{number}/{len(wanted)}] {words}: {outcome.in_words()}{reach and '; '}{reach}")
                if any(text in outcome.error for text in FULL):
                    raise OSError(outcome.error)
                if outcome.error.endswith(DIED):  # tried twice; the same command tries again
                    died[each] = Result(each, outcome)
                else:
                    results[each] = _keep(Result(each, outcome), attempt, folder)
    except KeyboardInterrupt as stop:
        signalled = stop.args[0] if stop.args else signal.SIGINT
        stopped = f"Stopped by {signal.Signals(signalled).name.replace('SIGINT', 'Ctrl-C')}"
    except (CourseError, OSError) as error:
        stopped = f"Stopped: {error}"
    ended = [(results | died)[each] for each in wanted if each in results or each in died]
    failed = sum(bool(result.outcome.error) for result in ended)
    summary = f"{len(ended)} of {len(wanted)} runs finished, {failed} failed"
    if stopped:
        say(f"{stopped}. {summary}; the same command goes on from here.", error=True)
    if ended:
        try:
            if len(ended) > before or not _is_shown(ended, folder):
                write_report(ended, folder, summary)
            say(f"\n{summary}. Report: {folder / PAGE}")
        except (CourseError, OSError) as error:
            stopped = f"The report was not written: {error}"
            say(stopped, error=True)
    if failed and not stopped:
        say("What failed runs again with --again, or after a change of the lesson's code.")
    return 128 + signalled if signalled else 1 if stopped or failed else 0


def _is_shown(results: Sequence[Result], folder: Path) -> bool:
    """Tell whether the report that lies in a folder is on these results."""
    csv = folder / "sweep.csv"
    names = {result.name for result in results}
    return (folder / PAGE).exists() and csv.exists() and set(pd.read_csv(csv, dtype=str)["run"]) == names


def _keep(result: Result, attempt: Path, folder: Path) -> Result:
    """Write a run's row, last of all, and give its folder the place that says: complete."""
    result.write(attempt)
    (folder / "done").mkdir(exist_ok=True)
    return dataclasses.replace(result, folder=attempt.rename(folder / "done" / result.name))


def finished(folder: Path, wanted: Iterable[str], again: bool = False) -> dict[str, Result]:
    """Return the results that a sweep's folder holds of the wanted runs, by their identity.

    A damaged row does not count, nor, with `again`, a failed one: their folders make room for a new run.
    """
    found, attempts = {}, folder / "attempts"
    shutil.rmtree(attempts, ignore_errors=True)  # what a killed sweep has left
    for each in wanted:
        done = folder / "done" / each
        try:
            found[each] = Result.read(done)
            usable = found[each].name == each and not (again and found[each].outcome.error)
        except FileNotFoundError:
            usable = not done.exists()
        except (OSError, ValueError, LookupError, TypeError):
            usable = False
        if not usable:
            found.pop(each, None)
            attempts.mkdir(exist_ok=True)
            done.rename(attempts / f"{each}-replaced")
    return found


@contextlib.contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Make the sweep's folder and keep a second sweep out of it; a killed one's claim does not count."""
    me = psutil.Process()
    lock = folder / "sweep.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
            number, began = lock.read_text(encoding="utf-8").split()
            if psutil.Process(int(number)).create_time() == float(began):
                raise CourseError(f"a sweep (process {number}) is at work in {folder}; wait for its end")
        lock.unlink(missing_ok=True)
        with lock.open("x", encoding="utf-8") as file:
            file.write(f"{me.pid} {me.create_time()}")
    except OSError as error:
        raise CourseError(f"{folder} cannot hold the results ({error.strerror}); see --output") from None
    try:
        yield
    finally:
        shutil.rmtree(folder / "attempts", ignore_errors=True)
        lock.unlink(missing_ok=True)
