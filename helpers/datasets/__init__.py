"""Find, download, verify and describe the pictures and weights of the course.

Every finder looks at the folder that the variable ``COURSE_DATA_DIR`` names (it is only read), at the
course's own cache (``COURSE_CACHE_DIR`` names another one), at the public source and, when nothing answers
within ten seconds, at the built-in sample. What was found is always printed, and a sample is never called
anything else. ``COURSE_DATA_SOURCE`` (``auto``, ``real``, ``sample``) is what ``data_source="auto"`` means.

To add a set, copy the module of one, and name it in `SETS` below. A set has ``NAME``, ``TITLE``, ``FOLDER``
(where it lies in ``COURSE_DATA_DIR``), ``MEGABYTES``, ``URL`` and two functions: ``look(folder, where)``, to
find it or to raise, and ``download(folder)``, to fill a folder.
"""

# ruff: noqa: F401
import os
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from helpers import CourseError
from helpers.datasets import _common, car_plane, intel_scenes, mnist
from helpers.datasets._common import SAMPLES_FOLDER, DatasetInfo, cache_folder, data_folder, source_in_use
from helpers.datasets._download import DownloadFailed, download
from helpers.datasets._folders import own_photographs, usable_pictures
from helpers.datasets._pictures import read_photographs
from helpers.datasets._weights import NETWORKS, FoundWeights, vgg16_first_kernels
from helpers.datasets.intel_scenes import CLASSES as SCENE_CLASSES
from helpers.datasets.intel_scenes import ImageFolders

SETS = {a_set.NAME: a_set for a_set in (mnist, intel_scenes, car_plane)}
WEIGHTS = {network.NAME: network for network in NETWORKS.values()}
ALL = SETS | WEIGHTS
NAMES = tuple(ALL)


def load_mnist(data_source: str = "auto") -> mnist.Mnist:
    """Load the MNIST digits of lesson 4, see :class:`mnist.Mnist`, and print what was found.

    Args:
        data_source: ``"auto"``, ``"real"`` (no fall-back) or ``"sample"``.

    Raises:
        CourseError: nothing real is available and ``data_source`` is ``"real"``; ``COURSE_DATA_DIR`` is not a
            folder or is empty, or the set in it is damaged.
    """
    return _find(mnist, data_source)


def find_intel_scenes(data_source: str = "auto") -> ImageFolders:
    """Find the Intel scenes of lesson 5 (150 x 150 RGB, six classes); otherwise as :func:`load_mnist`."""
    return _find(intel_scenes, data_source)


def find_car_plane(data_source: str = "auto") -> ImageFolders:
    """Find the cars and planes of lesson 6 (RGB, sizes vary); otherwise as :func:`load_mnist`."""
    return _find(car_plane, data_source)


def find_weights(network: str, weights: str = "imagenet", data_source: str = "auto") -> FoundWeights:
    """Find what a network learnt on ImageNet; its ``load_into(base)`` copies that into your own network.

    Args:
        network: ``"vgg16"`` (without its top) or ``"mobilenet"`` (up to ``conv_pw_12_relu``).
        weights: ``"imagenet"``, or ``"random"`` for none.
        data_source: with ``"auto"``, random weights stand in for unavailable ones; with ``"sample"`` nothing
            is downloaded; with ``"real"`` there is no fall-back.

    Raises:
        CourseError: another word, or ImageNet's weights are unavailable and ``data_source`` is ``"real"``.
    """
    for name, value, words in (("network", network, NETWORKS), ("weights", weights, ("imagenet", "random"))):
        if value not in words:
            raise CourseError(f"{name}={value!r} is not known: choose {' or '.join(words)}.")
    return _find(NETWORKS[network], data_source, sample=weights == "random")


class Place(NamedTuple):
    """What is found of a set in one place: complete, partial, sample, not asked, wrong or missing."""

    name: str
    place: str
    found: str
    detail: str


def status(name: str) -> list[Place]:
    """What is found of one set, of :data:`NAMES`, in each place, without asking the network."""
    a_set, rows = ALL[name], []
    for where, folder in (*_places(a_set), (_common.IN_SAMPLE, SAMPLES_FOLDER)):
        try:
            info = a_set.look(folder, where).info
            note = f" ({info.note})" if info.note else ""
            rows.append((where, info.kind, info.in_words() + note))
        except (CourseError, OSError) as reason:
            rows.append((where, "wrong", _common.plain(reason)) if str(reason) else (where, "missing", ""))
    size = f"{urlsplit(a_set.URL).hostname}, {a_set.MEGABYTES:,} MB to download"
    rows.insert(-1, ("public source", "not asked", size))
    return [Place(name, *row) for row in rows]


def fetch(name: str) -> DatasetInfo:
    """Bring one set, of :data:`NAMES`, into the course's cache, unless a complete one is on this machine."""
    return _find(ALL[name], "real", only_complete=True).info


def _places(a_set: Any) -> list[tuple[str, Path]]:
    """The places to look at, in order; weights may also be where Keras keeps what it downloaded itself."""
    keras = _common.path_of(os.environ.get("KERAS_HOME") or "~/.keras")
    return _common.local_places() + [("Keras's cache", keras)] * (a_set in WEIGHTS.values())


def _find(a_set: Any, data_source: str, only_complete: bool = False, sample: bool = False) -> Any:
    """Search the places in their order, and print what was found."""
    source = source_in_use(data_source)
    if not sample and (source != "sample" or a_set in WEIGHTS.values()):
        found = _search(a_set, source, only_complete)
    else:
        found = a_set.look(SAMPLES_FOLDER, _common.IN_SAMPLE)
    print(getattr(found, "note", "") or found.info.describe())
    return found


def _search(a_set: Any, source: str, only_complete: bool) -> Any:
    reasons, stand_in = [], None
    for where, folder in _places(a_set):
        to_mend = where == _common.IN_DATA_DIR and not only_complete  # by the user
        try:
            found = a_set.look(folder, where)
            if found.info.kind == "complete" or to_mend:
                return found
            stand_in = None if only_complete else found  # damaged, in our own cache: a download replaces it
        except _common.NotHere as reason:
            reasons.append(f"{where}: {reason}" if str(reason) else f"not in {where}")
        except OSError as error:
            name = Path(error.filename or folder).name
            reasons.append(f"{where}: {name} cannot be read ({_common.plain(error)})")
        except CourseError as reason:
            if to_mend:
                raise
            reasons.append(str(reason))
    try:
        if source == "sample":
            raise DownloadFailed("data_source is sample, so nothing is downloaded", "use data_source='auto'")
        download(a_set, patient=source == "real")
        return a_set.look(cache_folder(), _common.IN_CACHE)
    except DownloadFailed as failure:
        reason, remedy = failure.args
        why = f"{a_set.TITLE} are unavailable ({'; '.join([*reasons, reason])})"
        remedy = f"{remedy}, or set COURSE_DATA_DIR to a folder that holds {a_set.FOLDER}"
    if stand_in:
        return stand_in
    if source == "real":
        instead = "data_source='sample'" if a_set in SETS.values() else "weights='random'"
        raise CourseError(f"{why}: {remedy}, or use {instead}.")
    print(f"{why}. To have them, {remedy}.")
    return a_set.look(SAMPLES_FOLDER, _common.IN_SAMPLE)
