"""Text and JSON files, written whole or not at all."""

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from helpers import CourseError


def check_writable(path: Path, name: str = "") -> None:
    """Raise `CourseError`, with `name` before the path, where no file can be written; nothing is changed."""
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise OSError("it is not a regular file")
        if path.exists() and not os.access(path, os.W_OK):
            raise OSError("the file is read-only")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _not_written(name + str(path), error) from None


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file whole or not at all. Raises `CourseError` when it cannot be written."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; otherwise as `write_text`."""
    scratch = None
    check_writable(path)
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            scratch = Path(file.name)
            file.write(content)
        # temporary files are for their owner alone; a results file is for whoever may read the folder
        scratch.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        scratch.replace(path)
    except BaseException as error:
        if scratch is not None:
            scratch.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise _not_written(path, error) from error


def _not_written(what: Any, error: OSError) -> CourseError:
    reason = error.strerror or error
    return CourseError(f"{what} cannot be written ({reason}): choose a file in a writable folder")


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file whole or not at all; NaN and infinity become null. Errors as `write_text`."""
    write_text(path, json.dumps(plain(content), indent=2, ensure_ascii=False) + "\n")


def plain(value: Any) -> Any:
    """Turn NumPy numbers and arrays, tuples and paths into what JSON knows."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
