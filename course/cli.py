"""The arguments of `python -m course`, and how its errors end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from helpers import CourseError

MISTAKE = 2
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others of the course."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISTAKE, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the four commands."""
    parser = _Parser(
        prog="python -m course", description="Runs the course's lessons and says what they need."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="run | data | check | links")
    _add_run(commands)
    _add_data(commands)
    commands.add_parser("check", help="is this machine ready? (Python, packages, memory, data, kernel)")
    _add_links(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction) -> None:
    run = commands.add_parser("run", help="run lessons; results go to runs/<time>/")
    run.add_argument("--profile", default="class", help="smoke, class (default) or full")
    run.add_argument(
        "--lesson",
        nargs="+",
        action="extend",
        default=[],
        metavar="NN",
        help="only these, by number or file name",
    )
    run.add_argument("--data", metavar="DIR", help="folder with the real pictures (sets COURSE_DATA_DIR)")
    run.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="name=value",
        help="set a parameter in every chosen lesson that has it; may be given several times",
    )
    run.add_argument(
        "--output", type=Path, metavar="DIR", help="new folder for the results (else runs/<time>/)"
    )
    run.add_argument("--cell-seconds", type=int, metavar="S", help="time limit of one cell in seconds")
    run.add_argument(
        "--store",
        action="store_true",
        help="for authors: also store the outputs in notebooks/",
    )


def _add_data(commands: argparse._SubParsersAction) -> None:
    data = commands.add_parser("data", help="which pictures are found where; --fetch downloads them")
    data.add_argument("names", nargs="*", metavar="NAME", help="only these sets")
    data.add_argument("--fetch", action="store_true", help="download what is missing into the course's cache")


def _add_links(commands: argparse._SubParsersAction) -> None:
    links = commands.add_parser("links", help="for authors: write cost cards, badges and navigation")
    links.add_argument("--repository", metavar="OWNER/REPO", help="the course's address from now on")
    links.add_argument("--results", type=Path, metavar="CSV", help="results.csv with the measured costs")
    links.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is stale")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: a user's mistake is one line and status 2."""
    options = build_parser().parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except CourseError as error:
        print(f"course {options.command}: {error}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("Stopped by Ctrl-C.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return 1  # the reader of our output has gone, as in `... | head`


def _run(options: argparse.Namespace) -> int:
    from course.runner import RunRequest, run_course

    if options.cell_seconds is not None and options.cell_seconds < 1:
        raise CourseError(f"--cell-seconds {options.cell_seconds} must be at least 1")
    return run_course(
        RunRequest(
            profile=options.profile,
            lessons=options.lesson,
            assignments=options.parameter,
            data=options.data,
            output=options.output,
            cell_seconds=options.cell_seconds,
            store=options.store,
        )
    )


def _data(options: argparse.Namespace) -> int:
    from course.data import show_data

    return show_data(options.names, fetch=options.fetch)


def _check(options: argparse.Namespace) -> int:
    from course.check import check_machine

    return check_machine()


def _links(options: argparse.Namespace) -> int:
    from course.links import update_links

    return update_links(repository=options.repository, results=options.results, check=options.check)


_COMMANDS = {"run": _run, "data": _data, "check": _check, "links": _links}
