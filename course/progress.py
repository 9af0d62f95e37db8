"""`python -m course progress`: which guesses and tasks are right in a student's copies, and which not yet."""

from course import say
from helpers import COURSE_FOLDER, exercises


def show_progress() -> int:
    """Print a line a lesson, and keep the page as `work/progress.md`; return the exit status, 0.

    The verdicts are those that the checks have printed in `work/`, the last of each.
    """
    try:
        noted = exercises.PROGRESS.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        say("Nothing was checked in work/ yet: python -m course start, then run a lesson there.")
        return 0
    last = {tuple(line.split(",")[:2]): line.endswith(",Right") for line in noted}
    lines = []
    for path in sorted((COURSE_FOLDER / "notebooks" / "answers").glob("*.py")):
        lesson = exercises.Exercises(path.stem)
        names = [*lesson.guesses, *lesson.tasks]
        missing = [name for name in names if not last.get((path.stem, name))]
        if len(missing) < len(names):
            rest = f"; not yet: {', '.join(missing)}" if missing else ""
            lines.append(f"- {path.stem}: {len(names) - len(missing)} of {len(names)} right{rest}")
    page = "\n".join(["# My progress", "", *(lines or ["Nothing is right yet."])])
    exercises.PROGRESS.with_suffix(".md").write_text(page + "\n", encoding="utf-8")
    say(page)
    return 0
