"""The command line of the course: `python -m course COMMAND` (`--help` lists the commands)."""

import os
import sys

from helpers import printable

# jsonschema, which nbformat imports, would use this to check addresses of a kind that no notebook has: it
# compiles a grammar first, which is more than half of the time that a command needs to start.
sys.modules.setdefault("rfc3987_syntax", None)


def say(text: str = "", *, error: bool = False) -> None:
    """Print to stdout or stderr, at once; a stream that is closed or full ends nothing."""
    stream = sys.stderr if error else sys.stdout
    try:
        print("\n".join(map(printable, text.split("\n"))), file=stream, flush=True)
    except OSError:  # its reader has gone, as in `... | head`: the work goes on
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
