"""The arguments of `python -m course`, and how its errors end."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from course import say
from helpers import CourseError

MISTAKE = 2
INTERRUPTED = 130
# Each command is a module of its own name with this function.
_COMMANDS = {
    "run": "run_course",
    "sweep": "run_sweep",
    "compare": "compare_runs",
    "data": "show_data",
    "check": "check_machine",
    "start": "start_lessons",
    "edition": "make_edition",
    "grade": "grade_folder",
    "history": "keep_history",
    "progress": "show_progress",
    "predict": "predict",
    "links": "update_links",
}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others of the course."""

    def error(self, message: str) -> NoReturn:
        say(f"{self.prog}: {message}; see {self.prog} --help", error=True)
        self.exit(MISTAKE)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the commands."""
    about = "Runs the course's lessons and says what they need."
    parser = _Parser(prog="python -m course", description=about)
    commands = parser.add_subparsers(dest="command", required=True, metavar=" | ".join(_COMMANDS))

    common = _Parser(add_help=False)  # of run and sweep
    add = common.add_argument
    add("--profile", default="class", help="smoke, class (default) or full")
    add("--data", metavar="DIR", help="folder with the real pictures (sets COURSE_DATA_DIR)")
    text = "set a parameter in every lesson that has it; may be given several times"
    add("-p", "--parameter", dest="assignments", action="append", default=[], metavar="name=value", help=text)
    add("--cell-seconds", type=int, metavar="S", help="time limit of one cell in seconds")

    about = "run lessons; results go to runs/<time>/"
    add = commands.add_parser("run", help=about, parents=[common]).add_argument
    text = "only these, by number or file name"
    add("--lesson", dest="lessons", nargs="+", action="extend", default=[], metavar="NN", help=text)
    add("--all", dest="deeper", action="store_true", help="also the notebooks that go deeper (02a, ...)")
    add("--output", type=Path, metavar="DIR", help="new folder for the results (else runs/<time>/)")
    add("--store", action="store_true", help="for authors: also store the outputs in notebooks/")

    about = "run a lesson with every combination of some values"
    add = commands.add_parser("sweep", help=about, parents=[common]).add_argument
    add("--lesson", required=True, metavar="NN", help="by number or file name")
    text = "what varies: name=value,value or name=0..4; may be given several times"
    add("-g", "--grid", action="append", required=True, metavar="name=values", help=text)
    add("--workers", type=int, metavar="N", help="runs at once (else what cores and memory allow)")
    add("--cluster", default="", metavar="tcp://HOST:PORT", help="run on this dask.distributed scheduler")
    text = "folder for the results, begun or new (else one that the same command finds again)"
    add("--output", type=Path, metavar="DIR", help=text)
    add("--again", action="store_true", help="run once more what has failed")

    add = commands.add_parser("compare", help="one page on runs that exist").add_argument
    add("folders", nargs="+", type=Path, metavar="RUN", help="a folder that run or sweep left")
    add("--output", type=Path, metavar="DIR", help="new folder for the page (else runs/compare-<time>/)")

    add = commands.add_parser("data", help="which pictures are found where").add_argument
    add("names", nargs="*", metavar="NAME", help="only these sets")
    add("--fetch", action="store_true", help="download what is missing into the course's cache")

    commands.add_parser("check", help="is this machine ready? (Python, packages, memory, data, kernel)")

    add = commands.add_parser("start", help="copy the lessons into work/, without outputs").add_argument
    add("--fresh", metavar="NN", help="one more clean copy of this lesson, beside your own")
    add("--update", action="store_true", help="put new versions of the lessons beside your own")

    add = commands.add_parser("edition", help="for instructors: the lessons with their answers").add_argument
    add("kind", choices=["instructor"], metavar="instructor", help="notebooks, and pages to print")
    add("--output", type=Path, metavar="DIR", help="folder for them (else build/instructor)")

    add = commands.add_parser("grade", help="for instructors: submitted notebooks to one table").add_argument
    add("folder", type=Path, metavar="FOLDER", help="the submissions; nothing in it is changed")
    add("--lesson", metavar="NN", help="the lesson that was set (else found in each notebook)")
    add("--output", type=Path, metavar="DIR", help="new folder for the table (else runs/grades-<time>/)")

    about = "for authors: do the lessons still reach what they reached?"
    add = commands.add_parser("history", help=about).add_argument
    add("results", nargs="*", type=Path, metavar="CSV", help="results.csv whose rows are added first")
    add("--check", action="store_true", help="exit 1 when a newest value is outside its band")

    commands.add_parser(
        "progress", help="which guesses and tasks are right in your copies, and which not yet"
    )

    about = "what a network that lesson 7 has saved says about pictures"
    add = commands.add_parser("predict", help=about).add_argument
    add("model", metavar="MODEL", help="its .keras file")
    add("pictures", nargs="+", metavar="PICTURE", help="picture files")

    about = "for authors: write cost cards, badges and navigation"
    add = commands.add_parser("links", help=about).add_argument
    add("--repository", default="", metavar="OWNER/REPO", help="the course's address from now on")
    add("--results", type=Path, metavar="CSV", help="results.csv with the measured costs")
    add("--check", action="store_true", help="change nothing; exit 1 when something is stale")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: a user's mistake is one line and status 2."""
    _mend_streams()
    options = vars(build_parser().parse_args(arguments))
    command = options.pop("command")
    try:
        return getattr(importlib.import_module(f"course.{command}"), _COMMANDS[command])(**options)
    except (CourseError, OSError, RuntimeError) as error:
        remedy = " (set HOME to a folder of yours)" if "home directory" in str(error) else ""
        say(f"course {command}: {error}{remedy}", error=True)
        return MISTAKE
    except KeyboardInterrupt:
        say("Stopped by Ctrl-C.", error=True)
        return INTERRUPTED


def _mend_streams() -> None:
    """Replace closed streams, whose place the next opened file would take; never fail on a letter."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - stays open to the end
        elif mode == "w" and hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="backslashreplace")
