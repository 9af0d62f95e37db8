"""The runs of a sweep on this machine: a few threads, each of which waits for one kernel after another."""

import contextlib
import dataclasses
import os
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
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

    A run whose kernel died gets one more try. However the loop over this generator ends, no kernel is left
    behind.
    """

    stopped = threading.Event()

    def ended(identity: str, tries: int = 1) -> Ended:
        folder = attempts / f"{identity}-{os.getpid()}-{tries}"
        folder.mkdir(parents=True)
        outcome = run_lesson(lesson, todo[identity], dataclasses.replace(run, folder=folder))
        again = outcome.error.endswith(DIED) and tries == 1 and not stopped.is_set()
        return ended(identity, tries=2) if again else (identity, outcome, folder)

    pool = ThreadPoolExecutor(workers)
    running = [pool.submit(ended, identity) for identity in todo]
    try:
        for future in as_completed(running):
            yield future.result()
    finally:
        stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in running):
            end_kernels()
            time.sleep(0.1)


def end_kernels() -> None:
    """End the kernels that this process has started: nobody waits for their runs any more."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any("ipykernel" in word for word in process.cmdline()):
                process.kill()
