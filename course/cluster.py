"""The runs of a sweep on a dask.distributed scheduler, `--cluster tcp://HOST:PORT` (extra `[cluster]`).

Every worker needs the same version of the course and, where a lesson has a data set, its pictures. A run's
files come back over the network: no folder has to be shared.
"""

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from distributed import Client, as_completed

from course.data import in_use
from course.lessons import NOTEBOOKS, Lesson, read_lesson
from course.results import Outcome
from course.run import DIED, Run, kernel_environment, run_lesson
from course.workers import Ended, cores, end_kernels, threads
from helpers import COURSE_FOLDER, CourseError, datasets

SECONDS = 10  # a scheduler that is silent for so long is called unreachable


class Cluster:
    """A scheduler that was found, and found ready: its workers have this course and the lesson's pictures.

    Raises CourseError, and has started nothing, when it is unreachable or a worker is not ready. `workers`
    is how many runs it does at once.
    """

    def __init__(self, address: str, lesson: Lesson, run: Run, plans: Sequence[Mapping[str, Any]]) -> None:
        self.address, self.lesson = address, lesson
        # A worker reads its own copy of the course's notebooks, and any others where they lie here.
        self.notebooks = None if run.notebooks == NOTEBOOKS else run.notebooks
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its tracebacks say what one line says
        try:
            self.client = Client(address, timeout=SECONDS)
        except (OSError, ValueError, TypeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise CourseError(f"--cluster {address}: no scheduler answers there ({reason})") from None
        try:
            self.workers, count = self._check(plans)
        except BaseException:
            self.client.close()
            raise
        # On a worker its own variables hold.
        self.run_like = dataclasses.replace(run, notebooks=self.notebooks, environment=threads(count))

    def _check(self, plans: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
        """Return how many runs go at once and how many cores each may use."""
        sample = all(values.get("data_source") == "sample" for values in plans)
        sets = [name for name in self.lesson.sets() if name in datasets.SETS and not sample]
        mine = version(self.lesson.path)
        found = self.client.run(describe, self.notebooks, self.lesson.path.name, sets, on_error="return")
        if not found:
            raise CourseError(f"--cluster {self.address}: no worker is there; start some with `dask worker`")
        for worker, ready in found.items():
            if not isinstance(ready, dict):
                reason = (str(ready).splitlines() or [""])[0]
                raise CourseError(f"worker {worker} cannot run the course ({type(ready).__name__}: {reason})")
            where = f"worker {worker} on {ready['host']}"
            if ready["version"] != mine:
                raise CourseError(
                    f"{where} has another version of the course or lesson; bring it to this one"
                )
            if ready["missing"]:
                remedy = "set COURSE_DATA_DIR where it is started, or ask for -p data_source=sample"
                raise CourseError(f"{where} lacks the pictures of {', '.join(ready['missing'])}; {remedy}")
        hosts: dict[str, list[int]] = {}
        for ready in found.values():
            hosts.setdefault(ready["host"], [ready["cores"]]).append(ready["threads"])
        return sum(ready["threads"] for ready in found.values()), min(
            n[0] // sum(n[1:]) for n in hosts.values()
        )

    def run(self, todo: Mapping[str, Mapping[str, Any]], attempts: Path) -> Iterator[Ended]:
        """Run the lesson with each of these values and yield each result as it comes, with its files.

        A run whose worker or kernel died gets another try. Raises CourseError when the scheduler goes away.
        """
        name, submit = self.lesson.path.name, self.client.submit
        waiting = {
            submit(run_there, name, dict(values), self.run_like, pure=False, retries=1): each
            for each, values in todo.items()
        }
        try:
            for future in as_completed(list(waiting)):
                each = waiting.pop(future)
                folder = attempts / f"{each}-{os.getpid()}"
                folder.mkdir(parents=True)
                try:
                    outcome, files = future.result()
                except (CancelledError, OSError):
                    raise CourseError(f"the scheduler at {self.address} has gone away") from None
                except Exception as error:  # whatever a worker does, the other runs go on
                    problem = DIED if "Killed" in type(error).__name__ else f"{type(error).__name__}: {error}"
                    outcome, files = Outcome(self.lesson, self.run_like.profile, 0.0, problem), {}
                for name, content in files.items():
                    (folder / name).write_bytes(content)
                yield each, dataclasses.replace(outcome, lesson=self.lesson, changed=todo[each]), folder
        finally:
            with contextlib.suppress(Exception):  # a cluster that has gone needs no clearing up
                if waiting and self.client.status == "running":
                    self.client.cancel(list(waiting), force=True)
                    self.client.run(end_kernels)
            self.client.close(timeout=SECONDS)


def version(lesson: Path) -> str:
    """Return a fingerprint of the course's code and of a lesson's."""
    files = [*COURSE_FOLDER.glob("course/*.py"), *COURSE_FOLDER.glob("helpers/**/*.py")]
    files += COURSE_FOLDER.glob("notebooks/answers/*.py")
    texts = [path.relative_to(COURSE_FOLDER).as_posix() + path.read_text("utf-8") for path in sorted(files)]
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    return hashlib.sha256(json.dumps([texts, [cell["source"] for cell in cells]]).encode()).hexdigest()


def describe(
    notebooks: Path | None, name: str, sets: Sequence[str], dask_worker: Any = None
) -> dict[str, Any]:
    """Return, on a worker, what it has: the course's version, cores, runs at once, sets it lacks."""
    missing = [each for each in sets if not in_use(datasets.status(each))]
    at_once = dask_worker.state.nthreads if dask_worker else 1
    known = {"version": version((notebooks or NOTEBOOKS) / name), "missing": missing, "threads": at_once}
    return known | {"host": socket.gethostname(), "cores": cores()}


class Killed(RuntimeError):
    """A run whose kernel died; dask gives it another try."""


def run_there(name: str, values: Mapping[str, Any], run: Run) -> tuple[Outcome, dict[str, bytes]]:
    """Do one run on a worker; return its outcome and its files. Raises Killed when its kernel died."""
    environment = kernel_environment(None, {})
    environment.pop("COURSE_DATA_SOURCE", None)  # the sweep has made its own a value
    notebooks = run.notebooks or NOTEBOOKS
    with tempfile.TemporaryDirectory() as folder:
        run = dataclasses.replace(run, notebooks=notebooks, folder=Path(folder))
        run.environment = environment | dict(run.environment)
        outcome = run_lesson(read_lesson(notebooks / name), values, run)
        if outcome.error.endswith(DIED):
            raise Killed(outcome.error)
        return outcome, {path.name: path.read_bytes() for path in Path(folder).iterdir()}
