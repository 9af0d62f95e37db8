"""What a lab computes, asked from Python by way of node; without node the tests are skipped."""

import json
import shutil
import subprocess

import pytest
from lab_browser import LABS

SOURCES = LABS / "src"


def in_node(name, code, given=None):
    """Return what JavaScript `code` leaves in `answer`; `lab` is a lab's numbers, `given` comes from here."""
    node = shutil.which("node") or pytest.skip("needs node")
    lab = (SOURCES / f"{name}.numbers.mjs").as_uri()
    program = f"import * as lab from {lab!r}; import fs from 'node:fs'; let answer;\n"
    program += f"const given = JSON.parse(fs.readFileSync(0)); {code}; console.log(JSON.stringify(answer))"
    command = [node, "--input-type=module", "-e", program]
    ran = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)
