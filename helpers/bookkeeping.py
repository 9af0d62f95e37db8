"""A lesson's bookkeeping: its parameters and their rules, its clock, and the file with its numbers."""

import json
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from helpers import CourseError
from helpers.files import check_writable, write_json
from helpers.training import histories, set_seed, versions

# A rule is a literal, so that a notebook can state it in one word and `course run` can read it there:
#   (1, 100)         a whole number from 1 to 100, both allowed
#   (0.0, 1.0)       a finite number above 0 and at most 1
#   ("a", "b")       one of these words;  (False, True): a switch
#   "a file, or ''"  any text; the rule says what it stands for
Rule = str | tuple

COMMON_RULES: dict[str, Rule] = {
    "data_source": ("auto", "real", "sample"),
    "seed": (0, 2**32 - 1),
    "metrics_path": "the JSON file for the lesson's numbers, or nothing",
}

NETWORK_METRICS = ("train_seconds", "validation_accuracy", "test_accuracy", "test_loss", "macro_f1")


def check_parameter(name: str, value: Any, rule: Rule) -> None:
    """Stop with one line when a value breaks its rule: `CourseError` with name, value and what is allowed."""
    if isinstance(rule, str):
        fits, allowed = isinstance(value, str), f"text: {rule}"
    elif isinstance(rule[0], (str, bool)):
        fits = any(type(value) is type(one) and value == one for one in rule)
        allowed = "one of " + ", ".join(json.dumps(one) if isinstance(one, str) else str(one) for one in rule)
    else:
        low, high = rule
        if isinstance(low, int):
            fits, allowed = isinstance(value, int), f"a whole number from {low:,} to {high:,}"
            fits = fits and low <= value <= high
        else:
            fits = isinstance(value, (int, float)) and low < value <= high
            allowed = f"a number above {low:g} and at most {high:g}"
        fits = fits and not isinstance(value, bool)
    if not fits:
        raise CourseError(f"{name}={value!r} is not allowed: {name} must be {allowed}")


def start_lesson(stem: str, /, *, rules: dict[str, Rule] | None = None, **parameters: Any) -> "Lesson":
    """Check all parameters of a lesson, set the seed and start its clock.

    `stem` is the notebook's file name without its ending, `rules` hold the rule of each parameter but the
    common three, `parameters` are those of the cell tagged `parameters`, under their names there.
    Raises `CourseError`, before anything is trained, for a value that is not allowed, for a name that
    papermill injected and the lesson does not have, and for a `metrics_path` that cannot be written;
    `TypeError` for a parameter without a rule, which is a mistake of the lesson's author.
    """
    rules = COMMON_RULES | (rules or {})
    if missing := set(parameters) - set(rules):
        raise TypeError(f"no rule for {', '.join(sorted(missing))}: add it to rules={{...}}")
    for name in _injected_names():
        if name not in parameters:
            raise CourseError(
                f"unknown parameter {name!r}; lesson {stem} has: "
                + ", ".join(known for known in parameters if known != "metrics_path")
            )
    for name, value in parameters.items():
        check_parameter(name, value, rules[name])
    if parameters.get("metrics_path"):
        check_writable(Path(parameters["metrics_path"]), "metrics_path=")
    set_seed(parameters.get("seed", 0))
    histories.clear()
    return Lesson(stem, dict(parameters))


def _injected_names() -> list[str]:
    """Return what papermill's own cell sets; papermill itself only warns of a name that a lesson lacks."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    cells = shell.user_ns.get("In", []) if shell else []
    injected = [source for source in cells if source.startswith("# Parameters\n")]
    return re.findall(r"^(\w+) = ", injected[-1], re.M) if injected else []


@dataclass
class Lesson:
    """One run of one lesson: its parameters, its data, its networks and what they reached."""

    stem: str
    parameters: dict[str, Any]
    data: dict[str, Any] | None = None
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)  # networks that were not trained in this run
    start: float = field(default_factory=time.perf_counter)

    def use_data(self, info: Any) -> None:
        """Note which pictures the lesson uses: a `helpers.datasets.DatasetInfo`."""
        self.data = {"name": info.name, "kind": info.kind, "counts": dict(info.counts)}
        if getattr(info, "used", None):
            self.data["used"] = dict(info.used)

    def record_network(
        self, name: str, *, weights: str, parameter_count: int, right: Any = None, **metrics: float
    ) -> None:
        """Note what one network reached.

        `weights` is "random" (trained from a random start), "imagenet", "file", "course" or
        "unavailable" (leave the metrics out). `metrics` are any of train_seconds (s),
        validation_accuracy, test_accuracy, macro_f1 (0 to 1) and test_loss (at least 0).
        `right` says of each test picture whether the network was right: booleans of shape (n,), in an order
        that the seed does not change, so that runs can be compared picture by picture. It is kept as text,
        "0110...". Raises `TypeError` for an unknown metric or another `right`: a mistake of the author.
        """
        unknown = set(metrics) - set(NETWORK_METRICS)
        if unknown:
            raise TypeError(f"unknown metrics {sorted(unknown)}: known are {NETWORK_METRICS}")
        weights += ", stored" if name in self.stored else ""
        row = {"weights": weights, "parameter_count": int(parameter_count)}
        row |= {key: float(value) for key, value in metrics.items()}
        if right is not None:
            flags = np.asarray(right)
            if flags.dtype != bool or flags.ndim != 1:
                found = f"{flags.dtype} of shape {flags.shape}"
                raise TypeError(f"right= is {found}: it must be True or False for each test picture, (n,)")
            row["right"] = "".join(np.where(flags, "1", "0"))
        self.networks[name] = row

    def finish(self) -> None:
        """Say what the lesson cost and, when `metrics_path` is set, write its numbers there."""
        seconds, memory = time.perf_counter() - self.start, peak_memory_mb()
        print(f"This lesson took {seconds:.0f} s and at most {memory:,.0f} MB of memory on this machine.")
        if self.parameters.get("metrics_path"):
            content = {
                "lesson": self.stem,
                "parameters": self.parameters,
                "data": self.data,
                "networks": self.networks,
                **({"history": histories} if histories else {}),
                "seconds": round(seconds, 2),
                "peak_rss_mb": round(memory, 1),
                "versions": versions(),
            }
            write_json(Path(self.parameters["metrics_path"]), content)


def peak_memory_mb() -> float:
    """Return the largest memory (resident set, in MB of 10**6 bytes) this process has had so far."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset / 1e6
    # getrusage also counts what the process that started this one held at that moment
    status = Path("/proc/self/status")
    if found := re.search(r"VmHWM:\s*(\d+) kB", status.read_text() if status.exists() else ""):
        return int(found[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
