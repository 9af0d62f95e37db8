"""What all tests share: absolute data folders and no surprise from the caller's environment."""

import os
from pathlib import Path

from lab_browser import browser, open_page  # noqa: F401  (fixtures)

# Kernels start in other folders: a relative data folder would be looked for in the wrong place.
if os.environ.get("COURSE_DATA_DIR"):
    os.environ["COURSE_DATA_DIR"] = str(Path(os.environ["COURSE_DATA_DIR"]).resolve())
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
