"""The small teaching module: everything that the notebooks import.

Importing it is cheap: neither TensorFlow nor matplotlib, pandas or scikit-learn is loaded here.
"""

from pathlib import Path

COURSE_FOLDER = Path(__file__).resolve().parent.parent


def printable(text: str) -> str:
    """Return a line without control characters: those of a file's name must not steer the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


class CourseError(Exception):
    """A mistake that the user can mend: one line that names the thing and the remedy.

    In a notebook it shows as that one line, because IPython asks an exception for its own
    rendering before it draws a traceback.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"CourseError: {self}"]
