"""`python -m course check`: is this machine ready for the course?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from course.lessons import ROOT
from helpers import CourseError

# A lesson peaks under 1.5 GB; the rest is for Jupyter itself.
NEEDED_GB = 2.0
SHOWN = ("tensorflow", "keras", "numpy", "jupyterlab")


@dataclass(frozen=True)
class Finding:
    """One line of the check."""

    name: str
    ready: bool
    text: str


def check_machine(root: Path = ROOT) -> int:
    """Print one line each for Python, packages, memory, data and kernel; return 1 when not ready."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = check_packages(project["dependencies"])
    findings = [check_python(project["requires-python"]), packages, check_memory()]
    if packages.ready:  # the others need them
        findings += [check_data(), check_kernel()]
    for finding in findings:
        print(f"{finding.name:<9} {'ok' if finding.ready else 'NOT READY':<9}  {finding.text}")
    ready = all(finding.ready for finding in findings)
    print("\nThis machine is ready." if ready else "\nThis machine is not ready: see above.")
    return 0 if ready else 1


def check_python(supported: str, version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Compare this Python with pyproject's `requires-python`, for example `>=3.11,<3.14`."""
    lowest, beyond = re.fullmatch(r">=3\.(\d+),\s*<3\.(\d+)", supported).groups()
    text = ".".join(map(str, version))
    span = f"3.{lowest} to 3.{int(beyond) - 1}"
    if (3, int(lowest)) <= version[:2] < (3, int(beyond)):
        return Finding("Python", True, f"{text} (supported: {span})")
    return Finding("Python", False, f"{text} is not supported; install Python {span}")


def check_packages(requirements: Iterable[str]) -> Finding:
    """Compare the installed versions with pyproject's list, without importing any package."""
    requirements = list(requirements)
    remedy = "run `python -m pip install --editable .`"
    if importlib.util.find_spec("packaging") is None:
        return Finding("Packages", False, f"the course is not installed in this Python; {remedy}")
    from packaging.requirements import Requirement

    wrong = []
    versions = {}
    for text in requirements:
        requirement = Requirement(text)
        try:
            versions[requirement.name] = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(versions[requirement.name], prereleases=True):
            wrong.append(f"{requirement.name} {versions[requirement.name]} is not {requirement.specifier}")
    if wrong:
        return Finding("Packages", False, f"{'; '.join(wrong)}; {remedy}")
    shown = ", ".join(f"{name} {versions[name]}" for name in SHOWN if name in versions)
    return Finding("Packages", True, f"all {len(requirements)}" + (f" ({shown})" if shown else ""))


def check_memory(available_gb: float | None = None) -> Finding:
    """Compare the free memory with what a lesson and Jupyter need together."""
    if available_gb is None:
        available_gb = free_memory_gb()
    if available_gb is None:
        return Finding("Memory", True, f"not known; {NEEDED_GB:.0f} GB are needed")
    if available_gb >= NEEDED_GB:
        return Finding("Memory", True, f"{available_gb:.1f} GB available ({NEEDED_GB:.0f} GB needed)")
    text = f"{available_gb:.1f} GB available, {NEEDED_GB:.0f} GB needed; close other programs"
    return Finding("Memory", False, text)


def free_memory_gb() -> float | None:
    """Return the memory in GB (10**9 bytes) that is free here, the limit of a container included."""
    try:
        import psutil
    except ImportError:
        return None
    free = psutil.virtual_memory().available
    group = Path("/sys/fs/cgroup")
    try:  # Binder and other containers: the machine has more than one may use
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        lines = (group / "memory.stat").read_text().splitlines()
        cached = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
        free = min(free, limit - used + cached)
    except (OSError, ValueError):
        pass  # no container, or one without a limit ("max")
    return free / 1e9


def check_data(source: ModuleType | None = None) -> Finding:
    """Say which pictures are here. Missing ones are no fault, because samples serve; wrong ones are."""
    from course.data import in_use
    from helpers import datasets

    source = source or datasets
    found, wrong = [], []
    try:
        for name in source.NAMES:
            rows = source.status(name)
            here = in_use(rows)
            found.append(f"{name} {here.found}" if here else f"{name} not here")
            wrong += [f"{name}: {row.detail}" for row in rows if row.found == "wrong"]
    except CourseError as error:
        return Finding("Data", False, str(error))
    if wrong:
        return Finding("Data", False, "; ".join(wrong))
    return Finding("Data", True, f"{', '.join(found)} (more by `python -m course data`)")


def check_kernel() -> Finding:
    """Start the notebook kernel as a run does, and ask it which Python it is."""
    from jupyter_client.manager import start_new_kernel

    from course.runner import kernel_settings

    said: list[str] = []

    def listen(message: dict) -> None:
        said.append(message["content"].get("text", ""))

    try:
        with kernel_settings({}):
            manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
            try:
                code = "import sys; print(sys.executable)"
                client.execute_interactive(code, timeout=60, output_hook=listen)
            finally:
                client.stop_channels()
                manager.shutdown_kernel(now=True)
    except (OSError, RuntimeError, TimeoutError) as error:
        remedy = "run `python -m pip install --editable .` again"
        return Finding("Kernel", False, f"it does not start ({type(error).__name__}: {error}); {remedy}")
    python = "".join(said).strip()
    if not python or Path(python) != Path(sys.executable):
        return Finding("Kernel", False, f"it runs {python or 'nothing'}, not {sys.executable}")
    return Finding("Kernel", True, "it starts, and it is this Python")
