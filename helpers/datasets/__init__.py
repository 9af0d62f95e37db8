"""Find, download, verify and describe the pictures of the course.

Every finder looks, in this order, at the folder that the variable ``COURSE_DATA_DIR`` names, at the
course's own cache, and at the public source; when nothing answers within ten seconds and
``data_source`` is ``"auto"``, at the built-in sample. What was found is always printed, and a sample is
never called anything else. How a lesson preprocesses its pictures is not decided here.

Variables of the environment, all optional: ``COURSE_DATA_DIR`` (a folder that holds ``mnist/``,
``intel-scenes/`` and/or ``car-plane/``; it is only read), ``COURSE_CACHE_DIR`` (where downloads are kept),
``COURSE_DATA_SOURCE`` (``auto``, ``real`` or ``sample``: what ``data_source="auto"`` means today).

To add a set, copy the module of one, and name it in `SETS` below. A set's module holds ``NAME``, ``TITLE``,
``FOLDER`` (where it lies in ``COURSE_DATA_DIR``), ``megabytes``, ``PUBLISHED`` (counts), ``URL`` and three
functions: ``look(folder, where)``, ``download(cache)`` and ``sample()``.
"""

# ruff: noqa: F401
import contextlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from helpers import CourseError
from helpers.datasets import _weights, car_plane, intel_scenes, mnist
from helpers.datasets._common import (
    DATA_FOLDER,
    IN_CACHE,
    IN_DATA_DIR,
    IN_SAMPLE,
    SAMPLES_FOLDER,
    DatasetInfo,
    NotHere,
    cache_folder,
    local_places,
    plain,
    source_in_use,
)
from helpers.datasets._download import DownloadFailed, downloading
from helpers.datasets._folders import OwnPhotographs, PictureReport, own_photographs, usable_pictures
from helpers.datasets._pictures import read_photographs
from helpers.datasets._weights import FoundWeights, find_vgg16_weights
from helpers.datasets.car_plane import CLASSES as CAR_PLANE_CLASSES
from helpers.datasets.car_plane import CarPlane
from helpers.datasets.intel_scenes import CLASSES as SCENE_CLASSES
from helpers.datasets.intel_scenes import ImageFolders
from helpers.datasets.mnist import Mnist

SETS = {a_set.NAME: a_set for a_set in (mnist, intel_scenes, car_plane)}
VGG16 = "vgg16-weights"
NAMES = (*SETS, VGG16)


@dataclass(frozen=True)
class Place:
    """One row of :func:`status`: what is found of a set in one place.

    ``found`` is ``"complete"``, ``"partial"``, ``"sample"``, ``"random"`` (weights), ``"not asked"`` (the
    public source; its size is in ``detail``), ``"wrong"`` (something is there, and cannot be used) or
    ``"missing"``.
    """

    name: str
    place: str
    found: str
    detail: str


def load_mnist(data_source: str = "auto") -> Mnist:
    """Load the MNIST digits of lesson 4 and print what was found.

    Args:
        data_source: ``"auto"``, ``"real"`` (no fall-back) or ``"sample"``.

    Returns:
        Arrays of uint8, see :class:`Mnist`. The sample is scikit-learn's digits (8 x 8), enlarged to 28 x 28.

    Raises:
        CourseError: nothing real is available and ``data_source`` is ``"real"``; ``COURSE_DATA_DIR`` does not
            exist or is empty, or its ``mnist.npz`` is damaged or holds something else.
    """
    return _find(mnist, data_source)


def find_intel_scenes(data_source: str = "auto") -> ImageFolders:
    """Find the Intel scenes of lesson 5 (150 x 150 RGB, six classes); otherwise as :func:`load_mnist`."""
    return _find(intel_scenes, data_source)


def find_car_plane(data_source: str = "auto") -> CarPlane:
    """Find the cars and planes of lesson 6 (RGB, sizes vary); otherwise as :func:`load_mnist`."""
    return _find(car_plane, data_source)


def status(name: str) -> list[Place]:
    """What is found of one set, of :data:`NAMES`, in each place, without asking the network.

    Raises:
        CourseError: no such set; ``COURSE_DATA_DIR`` does not exist or is empty.
    """
    if name == VGG16:
        words = {"complete": "learnt on ImageNet", "wrong": "the file has the wrong checksum", "missing": ""}
        rows = [Place(name, where, state, words[state]) for where, _, state in _weights.places()]
        host = urlsplit(_weights.URL).hostname
        rows.append(Place(name, "public source", "not asked", f"{host}, {_weights.MEGABYTES} MB to download"))
        return [*rows, Place(name, "stand-in", "random", "random weights, marked as such")]
    a_set = _set_named(name)
    rows = []
    for where, folder in local_places():
        try:
            info = _look(a_set, folder, where).info
            detail = f"{info.in_words()} ({info.note})" if info.note else info.in_words()
            rows.append(Place(name, where, info.kind, detail))
        except (NotHere, CourseError) as reason:
            rows.append(Place(name, where, "wrong" if str(reason) else "missing", str(reason)))
    if rows[0].place != IN_DATA_DIR:
        rows.insert(0, Place(name, IN_DATA_DIR, "missing", "the variable is not set"))
    size = f"{urlsplit(a_set.URL).hostname}, {a_set.megabytes:,} MB to download"
    rows.append(Place(name, "public source", "not asked", size))
    return [*rows, Place(name, IN_SAMPLE, "sample", a_set.sample().info.in_words())]


def fetch(name: str) -> DatasetInfo | FoundWeights:
    """Bring one set, of :data:`NAMES`, into the course's cache, unless a complete one is on this machine.

    Returns:
        What there is now; it is also printed.

    Raises:
        CourseError: no such set, or it is unavailable: one line with the reason and the remedy.
    """
    if name == VGG16:
        return find_vgg16_weights("imagenet", "real")
    a_set, found = _set_named(name), None
    for where, folder in local_places():
        with contextlib.suppress(NotHere, CourseError):
            found = found or _look(a_set, folder, where)
            found = found if found.info.kind == "complete" else None
    try:
        found = found or _downloaded(a_set, patient=True)
    except DownloadFailed as failure:
        remedy = failure.remedy or _remedy(a_set)
        raise CourseError(f"{a_set.TITLE} cannot be fetched ({failure}): {remedy}.") from None
    print(found.info.describe())
    return found.info


def _set_named(name: str) -> ModuleType:
    if name not in SETS:
        raise CourseError(f"there is no set named {name!r}: choose {', '.join(NAMES)}.")
    return SETS[name]


def _find(a_set: ModuleType, data_source: str) -> Any:
    """Search the places in their order; print what was found, and why it was not the first choice."""
    found = _searched(a_set, source_in_use(data_source))
    print(found.info.describe())
    return found


def _searched(a_set: ModuleType, source: str) -> Any:
    if source == "sample":
        return a_set.sample()
    reasons, stand_in = [], None
    for where, folder in local_places():
        try:
            found = _look(a_set, folder, where)
            if where == IN_DATA_DIR or found.info.kind == "complete":
                return found
            stand_in = found  # a damaged set in our own cache, which a download replaces
        except NotHere as reason:
            reasons.append(f"{where}: {reason}" if str(reason) else f"not in {where}")
        except CourseError as reason:
            if where == IN_DATA_DIR:  # the user's to mend; one in the cache is ours to replace
                raise
            reasons.append(str(reason).removesuffix(": replace it."))
    try:
        return _downloaded(a_set, patient=source == "real")
    except DownloadFailed as failure:
        why, remedy = "; ".join([*reasons, str(failure)]), failure.remedy or _remedy(a_set)
    if stand_in:
        return stand_in
    if source == "real":
        raise CourseError(f"{a_set.TITLE} are unavailable ({why}): {remedy}, or use data_source='sample'.")
    print(f"{a_set.TITLE}: the real set is unavailable ({why}). To have it, {remedy}.")
    return a_set.sample()


def _look(a_set: ModuleType, folder: Path, where: str) -> Any:
    try:
        return a_set.look(folder, where)
    except OSError as error:
        raise NotHere(f"{a_set.FOLDER} cannot be read ({plain(error)})") from None


def _downloaded(a_set: ModuleType, patient: bool) -> Any:
    """Bring a set into the cache and read it there; every failure is a DownloadFailed of one line."""
    cache = cache_folder()
    with downloading(a_set.TITLE, a_set.URL, a_set.megabytes, patient):
        cache.mkdir(parents=True, exist_ok=True)
        a_set.download(cache)
        try:
            return _look(a_set, cache, IN_CACHE)
        except (NotHere, CourseError) as reason:
            raise DownloadFailed(f"what was sent is not the set ({reason})") from None


def _remedy(a_set: ModuleType) -> str:
    return f"connect to the network, or set COURSE_DATA_DIR to a folder that holds {a_set.FOLDER}"
