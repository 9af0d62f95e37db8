"""The runs of a sweep on this machine: a few processes, each of which does one run after another."""

import contextlib
import dataclasses
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import psutil

from course.lessons import Lesson
from course.results import Outcome
from course.run import DIED, Run, run_lesson

Ended = tuple[str, Outcome, Path]  # the run's identity, how it went, and the folder with its files


def cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(count: int) -> dict[str, str]:
    """Return the variables that keep a run to so many cores, so that runs side by side do not share any."""
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    return dict.fromkeys(names, str(max(count, 1)))


def run_here(
    todo: Mapping[str, Mapping[str, Any]], lesson: Lesson, run: Run, workers: int, attempts: Path
) -> Iterator[Ended]:
    """Run a lesson with each of these values and yield each result as it comes.

    A run whose worker or kernel died gets one more try. However the loop over this generator ends, neither a
    worker nor a kernel is left behind.
    """
    waiting, tried = list(todo), dict.fromkeys(todo, 0)
    team = [_Worker() for _ in range(min(workers, len(todo)))]
    try:
        while waiting or any(worker.identity for worker in team):
            for worker in [worker for worker in team if not worker.identity][: len(waiting)]:
                identity = waiting.pop(0)
                tried[identity] += 1
                folder = attempts / f"{identity}-{os.getpid()}-{tried[identity]}"
                folder.mkdir(parents=True)
                worker.give(identity, lesson, todo[identity], dataclasses.replace(run, folder=folder))
            ready = wait([worker.connection for worker in team if worker.identity])
            for worker in [worker for worker in team if worker.connection in ready]:
                identity, folder = worker.identity, worker.folder
                outcome = worker.take() or Outcome(lesson, run.profile, 0.0, DIED, changed=todo[identity])
                if outcome.error.endswith(DIED) and tried[identity] == 1:
                    waiting.insert(0, identity)
                else:
                    yield identity, outcome, folder
    finally:
        for worker in team:
            worker.end()


class _Worker:
    """One process, and the run that it is busy with; a process that has died is replaced."""

    def __init__(self) -> None:
        self.identity, self.folder = "", Path()
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # the worker's is now the only one: when it dies, the connection ends

    def give(self, identity: str, lesson: Lesson, values: Mapping[str, Any], run: Run) -> None:
        self.identity, self.folder = identity, run.folder
        with contextlib.suppress(OSError):  # it has died meanwhile: `take` finds out
            self.connection.send((lesson, values, run))

    def take(self) -> Outcome | None:
        """Return how the run went, or nothing when the process died."""
        self.identity = ""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self.end()
            self._start()
            return None

    def end(self) -> None:
        """End the process and the kernel that it has started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = psutil.Process(self.process.pid)
            for process in [*family.children(recursive=True), family]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection) -> None:
    """Do what the sweep sends, until it has ended."""
    # A terminal sends Ctrl-C to all its processes; the sweep ends its workers itself.
    signal.signal(signal.SIGINT, lambda *_: None)
    threading.Thread(target=_end_with_the_sweep, daemon=True).start()
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # an ended kernel leaves tasks that nobody asks
    with contextlib.suppress(EOFError, OSError):
        while True:
            lesson, values, run = connection.recv()
            connection.send(run_lesson(lesson, values, run))


def _end_with_the_sweep() -> None:
    """End this process when the sweep has been killed; the kernel then sees that its parent has gone."""
    multiprocessing.parent_process().join()
    os._exit(1)
