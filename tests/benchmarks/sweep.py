"""What a sweep costs beyond papermill itself, and how long a finished one takes to resume.

Run from the checkout: ``python tests/benchmarks/sweep.py [RUNS]`` (200 runs of a notebook that computes
nothing: ten minutes). All is processor time, of this process and of all that it started, so that a busy
machine matters little. The bounds: 0.3 s a run beyond papermill's own run of the same notebook in a process
that has imported papermill already, and 5 s to resume. The last line's ratio is the smaller of the two
margins; below 1 the exit status is 1.
"""

import contextlib
import io
import os
import resource
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from course_notebooks import network, write_lesson  # noqa: E402

from course.sweep import run_sweep  # noqa: E402

RUN_SECONDS, RESUME_SECONDS, ROUNDS = 0.3, 5.0, 10


def processor_seconds() -> float:
    """Return what this process and its ended children have used so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def papermill_alone(lesson: Path, folder: Path) -> float:
    """Return the processor time of one run by papermill."""
    import papermill

    start = processor_seconds()
    for seed in range(ROUNDS):
        values = {"seed": seed, "metrics_path": str(folder / "metrics.json")}
        papermill.execute_notebook(lesson, folder / "out.ipynb", values, progress_bar=False)
    return (processor_seconds() - start) / ROUNDS


def main(runs: int) -> int:
    """Measure, print and judge."""
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lesson = write_lesson(folder / "notebooks", "01-nothing", network())
        papermill_alone(lesson, folder)  # the warm-up, which does not count
        alone = papermill_alone(lesson, folder)
        options = {"grid": [f"seed=1..{runs}"], "notebooks": lesson.parent, "output": folder / "sweep"}
        times = []
        for _ in ("first", "resumed"):
            start = processor_seconds()
            with contextlib.redirect_stdout(io.StringIO()):
                status = run_sweep("1", **options)
            times.append(processor_seconds() - start)
        page = (folder / "sweep" / "sweep.html").stat().st_size
    whole, resumed = times
    own = whole / runs - alone
    print(f"{runs} runs, exit status {status}: {whole:.1f} s of processor time, {whole / runs:.2f} s a run")
    print(f"papermill alone: {alone:.2f} s a run; the sweep's own cost: {own:.2f} s a run")
    print(f"resumed when finished: {resumed:.2f} s (imports not counted); the page has {page / 1000:,.0f} kB")
    margins = RUN_SECONDS / max(own, 0.001), RESUME_SECONDS / max(resumed, 0.001)
    print(f"ratio={min(margins):.2f} own_s={own:.3f} papermill_s={alone:.3f} resumed_s={resumed:.3f}")
    return 0 if min(margins) >= 1 and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
