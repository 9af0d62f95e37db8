"""One submitted notebook, in a process of its own: what its functions return, and what its code says.

`course.grade` starts it, and reads what it reports, line by line, as JSON. Students' code runs here:
`confine` and `limit_memory` say what it may do; docs/teaching/grading.md says what they do not keep out. Of
the notebook only the functions that the tasks ask for are run, with what they need from other cells.
"""

import ast
import contextlib
import ctypes
import json
import os
import re
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course.cells import code_cells, names_in, needed

FILE_MB = 10  # the largest file that may be written
MEMORY_MB = 1000  # on top of what Python and the libraries take
NOTEBOOK_MB = 100  # a larger file is not read
# Python's audit events: those that change a file, with their number of paths, and those refused altogether.
CHANGES = {"os.rename": 2, "os.link": 2, "os.symlink": 2, "shutil.rmtree": 1, "os.truncate": 1, "os.utime": 1}
CHANGES |= dict.fromkeys(("os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.setxattr"), 1)
REFUSED = {"os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.kill", "os.killpg"}
REFUSED |= {"os.startfile", "subprocess.Popen", "socket.connect", "socket.bind"}


def confine(folder: Path, seconds: int) -> None:
    """Let this process write into `folder` only, start nothing, reach no network; it cannot be undone.

    Linux forbids it to every library (Landlock, from kernel 5.13); Python's audit hook forbids it to Python
    code on all systems. After `seconds` of processor time the process ends, where the system can do that.
    """
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MB << 20, FILE_MB << 20))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    if sys.platform == "linux":
        _landlock(folder)
    inside, real = f"{os.path.realpath(folder)}{os.sep}", os.path.realpath
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

    def refuse(event: str, arguments: tuple) -> None:
        paths = arguments[: CHANGES.get(event, 0)]
        if event == "open" and isinstance(arguments[0], (str, bytes)) and arguments[2] & writing:
            paths = arguments[:1]
        if event in REFUSED or not all(
            path == os.devnull or real(os.fsdecode(path)).startswith(inside) for path in paths
        ):
            raise PermissionError(f"{event} is not allowed while a notebook is graded")

    sys.addaudithook(refuse)


def _landlock(folder: Path) -> None:
    """Forbid changes outside `folder`, TCP, and signals to others, as far as this kernel knows how to."""
    system = ctypes.CDLL(None, use_errno=True)
    create, add_rule, restrict = 444, 445, 446  # numbers of the system calls, see man 7 landlock
    version = system.syscall(create, None, 0, 1)
    if version < 1:
        return
    changes = 0b1_1111_1111_0010 | (1 << 13) * (version > 1) | (1 << 14) * (version > 2)
    rules = struct.pack("QQQ", changes, 0b11 * (version > 3), 0b10 * (version > 5))
    ruleset = system.syscall(create, rules, len(rules), 0)
    for path, allowed in ((folder, changes), (os.devnull, 0b10)):
        place = os.open(path, os.O_RDONLY)
        system.syscall(add_rule, ruleset, 1, struct.pack("=Qi", allowed, place), 0)
        os.close(place)
    system.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    system.syscall(restrict, ruleset, 0)
    os.close(ruleset)


def limit_memory() -> None:
    """Let this process grow by MEMORY_MB at most, where the system can; `grade` watches it as well."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        import psutil

        most = psutil.Process().memory_info().vms + (MEMORY_MB << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def read_notebook(path: Path) -> tuple[list[ast.stmt], dict[str, str]]:
    """Return a notebook's statements, and its functions that have a syntax error, with that error.

    Raises ValueError for a file that is not a notebook.
    """
    try:
        if path.stat().st_size > NOTEBOOK_MB << 20:
            raise ValueError
        cells = code_cells(json.loads(path.read_text(encoding="utf-8-sig")))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ValueError("not a notebook") from None
    statements, broken = [], {}
    for source in cells:
        try:
            cell = ast.parse(source).body
            for statement in cell:
                names_in(statement)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            where = f"line {error.lineno} of the cell: " if isinstance(error, SyntaxError) else ""
            why = f"{where}{getattr(error, 'msg', 'it cannot be read')}"
            broken |= dict.fromkeys(re.findall(r"def (\w+)", source), why)
        else:
            statements += cell
    return statements, broken


def find_function(statements: Sequence[ast.stmt], name: str) -> Any:
    """Run what the function `name` needs and return it. Raises whatever its own cell raised."""
    wanted, names, failed = needed(statements, [name]), {"__name__": "__main__"}, None
    nodes = [node for statement in wanted for node in ast.walk(statement)]
    libraries = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    for number, statement in enumerate([*libraries, *wanted]):
        if number == len(libraries):  # they are large, and slow: neither counts
            limit_memory()
            names = {"__name__": "__main__"}
        try:
            exec(compile(ast.Module([statement], []), "<cell>", "exec"), names)
        except Exception as error:
            failed = error
    if name not in names:
        raise failed or NameError(name)
    return names[name]


def main() -> None:
    """Grade the notebook that the first argument, as JSON, names; report to standard output."""
    asked = json.loads(sys.argv[1])
    report = os.fdopen(os.dup(1), "w", encoding="ascii")
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - whatever the student's code prints goes there
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)

    def tell(**line: Any) -> None:
        print(json.dumps(line), file=report, flush=True)

    sys.excepthook = lambda kind, error, _: tell(problem=f"{kind.__name__}: {error}")  # the course's own
    confine(Path.cwd(), asked["seconds"])
    try:
        statements, broken = read_notebook(Path(asked["path"]))
    except (ValueError, OSError):
        return tell(problem="not a notebook")
    uses = [re.search(r"Exercises\('(\w+)'\)", ast.unparse(each)) for each in statements]
    named = re.findall(r"(?<!\d)(0\d[a-z]?)-", Path(asked["path"]).name)
    lessons = [asked["lesson"], *(found[1] for found in uses if found), *named]
    lesson = next((each for each in lessons if each in asked["known"]), None)
    if lesson is None:
        return tell(problem="it is not clear which lesson this is; name it with --lesson")
    from helpers.exercises import Exercises

    tasks = Exercises(lesson).tasks
    tell(lesson=lesson, tasks=list(tasks))
    for name in [name for name in tasks if name not in asked["done"]]:
        tell(task=name, **_answer(tasks[name], name, statements, broken))


def _answer(task: Any, name: str, statements: Sequence[ast.stmt], broken: dict[str, str]) -> dict[str, Any]:
    """Return what the course's checker says to a student's function, and what the function returned."""
    import numpy as np

    from helpers.exercises import verdict

    function, results = None, []

    def recorded(*arguments: Any) -> Any:
        result = function(*arguments)
        try:
            text = json.dumps(result, default=lambda value: np.asarray(value).tolist())
        except (TypeError, ValueError, RecursionError):  # then it is not right
            text = "null"
        results.append(json.loads(text))
        return result

    try:
        function = find_function(statements, name)
        said = verdict(task, name, recorded if callable(function) else function)
    except NameError:
        return {"said": broken.get(name, "there is no such function"), "results": None}
    except BaseException as error:  # also SystemExit: its other tasks are still to come
        said = f"Not yet: {type(error).__name__}: {error}"
    return {"said": " ".join(said.split())[:300].rstrip(" :"), "results": results}


if __name__ == "__main__":
    main()
