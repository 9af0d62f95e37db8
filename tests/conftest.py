"""What all tests share: absolute data folders, no surprise from the environment, longest tests first."""

import os
import re
from pathlib import Path

import pytest
from lab_browser import browser, open_page  # noqa: F401  (fixtures)
from local_server import alone, server  # noqa: F401

# Kernels start in other folders: a relative data folder would be looked for in the wrong place.
if os.environ.get("COURSE_DATA_DIR"):
    os.environ["COURSE_DATA_DIR"] = str(Path(os.environ["COURSE_DATA_DIR"]).resolve())
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WHOLE_LESSONS = ("test_lessons_run.py", "test_interrupted.py")


def pytest_collection_modifyitems(items):
    """Let each of two workers, which get one half of the list each, begin with its longest tests."""
    long = [item for item in items if item.path.name in WHOLE_LESSONS and item.get_closest_marker("kernel")]
    short = [item for item in items if item not in long]
    long.sort(key=lambda item: max(re.findall(r"\d\d\w?", item.name), default="04"), reverse=True)
    first = max((len(items) + 1) // 2 - len(long[0::2]), 0)
    items[:] = long[0::2] + short[:first] + long[1::2] + short[first:]


@pytest.fixture(scope="session")
def keras():
    """Keras, imported where a test asks for it: that takes seconds."""
    from helpers import training

    with training.quiet_import():
        import keras
    return keras


@pytest.fixture
def eager(keras):
    """Take each step as it stands: TensorFlow would need longer to compile a few than to take them."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def digit_network():
    """The compact network of lesson 4 that the course brings along."""
    from helpers import published

    return published.load_network(published.MODELS_FOLDER / "mnist-compact.keras")
