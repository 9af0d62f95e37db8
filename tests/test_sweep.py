"""A sweep: every combination once and to its end, whatever is killed meanwhile."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from course_notebooks import write_lesson

from course.sweep import run_sweep
from helpers import COURSE_FOLDER, CourseError

# What a run measures depends on nothing but its values; `ran` counts how often each ran.
MEASURE = """import random
with open(f"../ran-{seed}-{learning_rate}", "a") as file:
    file.write("x")
lesson.use_data(SimpleNamespace(name="dots", kind="complete", counts={"train": 60_000}))
value = random.Random(f"{seed} {learning_rate}").random()
lesson.record_network("tiny", weights="random", parameter_count=12, validation_accuracy=value)"""
ONCE = """import signal
def first_time(what):
    try:
        open(f"../{what}", "x").close()
        return True
    except FileExistsError:
        return False"""
FAULTS = """if seed == 1 and first_time("kernel"):
    os.kill(os.getpid(), signal.SIGKILL)
if seed == 2 and first_time("worker"):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
if seed == 3:
    raise ValueError("diverged")"""
SCRIPT = """
import signal, sys
from pathlib import Path
from course import cli, sweep
signal.signal(signal.SIGINT, signal.default_int_handler)
if __name__ == "__main__":
    base, original = Path(sys.argv[1]), sweep.run_sweep
    sweep.run_sweep = lambda **options: original(**options, notebooks=base / "notebooks", runs=base / "runs")
    sys.exit(cli.main(["sweep", "--lesson", "1", "--workers", "1", "-g", "seed=0..3"]))
"""
CLUSTER = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        print(cluster.scheduler_address, flush=True)
        time.sleep(600)
"""
VARIABLES = {**os.environ, "PYTHONPATH": str(COURSE_FOLDER)}


def sweep(base, *grid, **options):
    return run_sweep("1", grid=grid, notebooks=base / "notebooks", runs=base / "runs", **options)


def rows_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "sweep.csv")


def kernels_in(notebooks: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cwd", "cmdline"]):
        if process.info["cwd"] == str(notebooks) and "ipykernel" in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def none_is_left(notebooks: Path) -> bool:
    """A kernel whose parent was killed sees that within a second or two."""
    return not psutil.wait_procs(kernels_in(notebooks), timeout=30)[1]


def wait_for(condition, process) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)


@pytest.mark.fault
@pytest.mark.kernel
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_kernel_a_killed_worker_and_a_raising_run_cost_no_other_run(tmp_path, capfd):
    notebooks = tmp_path / "notebooks"
    write_lesson(notebooks, "01-faults", ONCE, FAULTS, MEASURE)
    assert sweep(tmp_path, "seed=0..4") == 1
    (folder,) = (tmp_path / "runs").iterdir()
    printed = capfd.readouterr().out
    assert "5 combinations, 5 to run" in printed and "5 of 5 runs finished, 1 failed" in printed
    rows = rows_of(folder)
    assert list(rows["parameter.seed"]) == [0, 1, 2, 3, 4]
    assert list(rows["status"]) == ["ok", "ok", "ok", "failed", "ok"]
    error = 'cell 5 (`if seed == 1 and first_time("kernel"):`): ValueError: diverged'
    assert rows["error"][3] == error and error in printed
    assert error.replace('"', "&#34;") in (folder / "sweep.html").read_text(encoding="utf-8")
    assert none_is_left(notebooks)
    assert not (folder / "attempts").exists() and not (folder / "sweep.lock").exists()

    before = (folder / "sweep.html").stat().st_mtime_ns
    assert sweep(tmp_path, "seed=0..4") == 1  # nothing is left to do, so nothing runs and nothing changes
    assert (folder / "sweep.html").stat().st_mtime_ns == before and rows_of(folder).equals(rows)
    damaged = next(folder.glob("done/*/row.json"))
    damaged.write_text(damaged.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    assert sweep(tmp_path, "seed=0..4") == 1  # half a row is no row
    same = ["parameter.seed", "status", "validation_accuracy", "error", "run"]
    assert rows_of(folder)[same].equals(rows[same])
    ran = {path.name: path.read_text() for path in tmp_path.glob("ran-*")}
    again = {f"ran-{seed}-0.1" for seed in (0, 1, 2, 4) if ran[f"ran-{seed}-0.1"] == "xx"}
    assert sorted(ran) == [f"ran-{seed}-0.1" for seed in (0, 1, 2, 4)] and len(again) <= 1


@pytest.mark.fault
@pytest.mark.kernel
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_sweep_that_is_killed_and_then_stopped_goes_on_and_runs_nothing_twice(tmp_path):
    notebooks, script = tmp_path / "notebooks", tmp_path / "script.py"
    write_lesson(notebooks, "01-long", MEASURE, "if seed in (1, 2):\n    time.sleep(2)")
    script.write_text(SCRIPT, encoding="utf-8")
    ended = lambda: len(list(tmp_path.glob("runs/*/done/*/row.json")))  # noqa: E731
    command = {"args": [sys.executable, script, tmp_path], "env": VARIABLES, "text": True}

    first = subprocess.Popen(**command, stdout=subprocess.DEVNULL)
    wait_for(lambda: ended() == 1 and kernels_in(notebooks), first)
    with pytest.raises(CourseError, match="is at work in"):
        sweep(tmp_path, "seed=0..3")
    first.kill()
    first.wait()
    assert none_is_left(notebooks)

    second = subprocess.Popen(**command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wait_for(lambda: ended() == 2 and kernels_in(notebooks), second)
    second.send_signal(signal.SIGINT)
    _, errors = second.communicate(timeout=300)
    assert second.returncode == 130
    assert (
        errors == "Stopped by Ctrl-C. 2 of 4 runs finished, 0 failed; the same command goes on from here.\n"
    )
    assert none_is_left(notebooks)
    (folder,) = (tmp_path / "runs").iterdir()
    assert len(rows_of(folder)) == 2

    kept = {path: path.stat().st_mtime_ns for path in folder.glob("done/*/row.json")}
    assert sweep(tmp_path, "seed=0..3") == 0
    assert list(rows_of(folder)["parameter.seed"]) == [0, 1, 2, 3]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
