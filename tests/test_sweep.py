"""A sweep: every combination once and to its end, whatever is killed meanwhile."""

import os
import random
import signal
import subprocess
import sys
import threading
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
KILLED = """if seed == 1 and first_time("kernel"):
    os.kill(os.getpid(), signal.SIGKILL)"""
WORKER_KILLED = """if seed == 2 and first_time("worker"):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)"""
RAISING = """if seed == 3:
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


def none_is_left(notebooks: Path) -> bool:
    """A kernel whose parent was killed sees that within a second or two."""
    here = [each for each in psutil.process_iter(["cwd", "cmdline"]) if each.info["cwd"] == str(notebooks)]
    kernels = [each for each in here if "ipykernel" in " ".join(each.info["cmdline"] or [])]
    return not psutil.wait_procs(kernels, timeout=30)[1]


def wait_for(condition, process) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)


@pytest.mark.fault
@pytest.mark.kernel
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_kernel_and_a_raising_run_cost_no_other_run(tmp_path, capfd):
    notebooks = tmp_path / "notebooks"
    write_lesson(notebooks, "01-faults", ONCE, KILLED, RAISING, MEASURE)
    assert sweep(tmp_path, "seed=0..3") == 1
    (folder,) = (tmp_path / "runs").iterdir()
    printed = capfd.readouterr().out
    assert "4 combinations, 4 to run" in printed and "4 of 4 runs finished, 1 failed" in printed
    rows = rows_of(folder)
    assert list(rows["parameter.seed"]) == [0, 1, 2, 3]
    assert list(rows["status"]) == ["ok", "ok", "ok", "failed"]
    error = "cell 6 (`if seed == 3:`): ValueError: diverged"
    assert rows["error"][3] == error and error in printed
    assert error in (folder / "sweep.html").read_text(encoding="utf-8")
    assert none_is_left(notebooks)
    assert not (folder / "attempts").exists() and not (folder / "sweep.lock").exists()

    before = (folder / "sweep.html").stat().st_mtime_ns
    assert sweep(tmp_path, "seed=0..3") == 1  # nothing is left to do, so nothing runs and nothing changes
    assert (folder / "sweep.html").stat().st_mtime_ns == before
    assert [path.read_text() for path in sorted(tmp_path.glob("ran-*"))] == ["x"] * 3


@pytest.mark.fault
@pytest.mark.kernel
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_sweep_that_is_killed_and_then_stopped_goes_on_and_runs_nothing_twice(tmp_path):
    notebooks, script = tmp_path / "notebooks", tmp_path / "script.py"
    slow = "if seed in (1, 2) and first_time(f'slow-{seed}'):\n    time.sleep(60)"
    write_lesson(notebooks, "01-long", ONCE, slow, MEASURE)
    script.write_text(SCRIPT, encoding="utf-8")
    command = {"args": [sys.executable, script, tmp_path], "env": VARIABLES, "text": True}

    first = subprocess.Popen(**command, stdout=subprocess.DEVNULL)
    wait_for((tmp_path / "slow-1").exists, first)
    with pytest.raises(CourseError, match="is at work in"):
        sweep(tmp_path, "seed=0..3")
    first.kill()
    first.wait()
    assert none_is_left(notebooks)

    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    second = subprocess.Popen(**command, **streams, start_new_session=True)
    wait_for((tmp_path / "slow-2").exists, second)
    os.killpg(second.pid, signal.SIGINT)  # as a terminal does
    _, errors = second.communicate(timeout=300)
    assert second.returncode == 130
    assert (
        errors == "Stopped by Ctrl-C. 2 of 4 runs finished, 0 failed; the same command goes on from here.\n"
    )
    assert none_is_left(notebooks)
    (folder,) = (tmp_path / "runs").iterdir()
    assert len(rows_of(folder)) == 2

    first_row, second_row = sorted(folder.glob("done/*/row.json"))
    whole, text = first_row.stat().st_mtime_ns, second_row.read_text(encoding="utf-8")
    second_row.write_text(text[:-9], encoding="utf-8")  # half a row is no row
    assert sweep(tmp_path, "seed=0..3") == 0
    assert list(rows_of(folder)["parameter.seed"]) == [0, 1, 2, 3]
    assert first_row.stat().st_mtime_ns == whole
    ran = [path.read_text() for path in tmp_path.glob("ran-*")]
    assert sorted(ran) == ["x", "x", "x", "xx"], "a finished run ran again, or the damaged one did not"
    assert none_is_left(notebooks)


@pytest.mark.fault
@pytest.mark.kernel
@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small file system")
def test_a_full_disk_stops_the_sweep_with_one_line_and_with_room_it_goes_on(tmp_path, capfd):
    write_lesson(tmp_path / "notebooks", "01-large", MEASURE, "print(os.urandom(400_000).hex())")
    small = tmp_path / "runs"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1300k", "none", str(small)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this account may not mount a small file system")
    try:
        assert sweep(tmp_path, "seed=0..1", workers=1) == 1
        errors = capfd.readouterr().err
        assert "No space left on device" in errors and "the same command goes on from here" in errors
        rows = len(list(small.glob("*/done/*/row.json")))
        assert rows == 1 and not list(small.glob("*/attempts"))
        subprocess.run(["mount", "-o", "remount,size=20m", str(small)], check=True)
        assert sweep(tmp_path, "seed=0..1", workers=1) == 0
        (folder,) = small.iterdir()
        assert list(rows_of(folder)["status"]) == ["ok"] * 2
        assert (tmp_path / "ran-0-0.1").read_text() == "x" and none_is_left(tmp_path / "notebooks")
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.fixture
def scheduler(tmp_path):
    """A dask scheduler with two worker processes, which see no pictures: (its process, its address)."""
    pytest.importorskip("distributed", reason="needs the extra [cluster]")
    (tmp_path / "pictures" / "other").mkdir(parents=True)
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER, encoding="utf-8")
    places = {"COURSE_DATA_DIR": str(tmp_path / "pictures"), "COURSE_CACHE_DIR": str(tmp_path / "cache")}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    process = subprocess.Popen([sys.executable, script], env=VARIABLES | places, **streams)
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


@pytest.mark.fault
@pytest.mark.kernel
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_cluster_gives_the_same_rows_and_may_lose_a_worker_or_the_scheduler(
    tmp_path, scheduler, monkeypatch, capfd
):
    from course import cluster

    process, address = scheduler
    notebooks = tmp_path / "notebooks"
    slow = "if seed > 3 and first_time(f'slow-{seed}'):\n    time.sleep(60)"
    write_lesson(notebooks, "01-cluster", ONCE, KILLED, WORKER_KILLED, slow, MEASURE)
    write_lesson(notebooks, "02-pictures", "# datasets.load_mnist(data_source)")

    with pytest.raises(
        CourseError, match="^worker .* on .* lacks the pictures of mnist; set COURSE_DATA_DIR"
    ):
        run_sweep("2", grid=["seed=0..3"], notebooks=notebooks, runs=tmp_path / "runs", cluster=address)
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "version", lambda lesson: "mine")
        with pytest.raises(CourseError, match="^worker .* has another version of the course or lesson"):
            sweep(tmp_path, "seed=0..3", cluster=address)
    assert not (tmp_path / "runs").exists()

    assert sweep(tmp_path, "seed=0..3", cluster=address) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    rows = rows_of(folder)
    expected = [random.Random(f"{seed} 0.1").random() for seed in range(4)]
    assert rows["validation_accuracy"].tolist() == expected and rows["status"].tolist() == ["ok"] * 4
    assert all((folder / name).is_file() for name in rows["notebook"])

    def kill_the_scheduler():
        wait_for(lambda: (tmp_path / "slow-4").exists(), process)
        process.kill()

    killer = threading.Thread(target=kill_the_scheduler)
    killer.start()
    assert sweep(tmp_path, "seed=3..4", cluster=address, output=folder) == 1
    killer.join()
    errors = capfd.readouterr().err
    assert f"Stopped: the scheduler at {address} has gone away. 1 of 2 runs finished" in errors
    assert none_is_left(notebooks)
    assert sweep(tmp_path, "seed=3..4", output=folder) == 0  # on this machine
    assert rows_of(folder)["validation_accuracy"].tolist() == [expected[3], random.Random("4 0.1").random()]


@pytest.mark.fault
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_a_scheduler_that_does_not_answer_is_one_line(tmp_path, monkeypatch, address):
    cluster = pytest.importorskip("course.cluster", reason="needs the extra [cluster]")
    monkeypatch.setattr(cluster, "SECONDS", 1)
    write_lesson(tmp_path / "notebooks", "01-one")
    with pytest.raises(CourseError, match=f"^--cluster {address}: no scheduler answers there") as caught:
        sweep(tmp_path, "seed=0..3", cluster=address)
    assert "\n" not in str(caught.value) and not (tmp_path / "runs").exists()
