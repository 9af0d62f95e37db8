"""Find, download, verify and describe the pictures of the course.

Every finder looks, in this order, at the folder that the variable ``COURSE_DATA_DIR`` names, at the
course's own cache, and at the public source; when nothing answers within ten seconds and
``data_source`` is ``"auto"``, at the built-in sample. What was found is always printed, and a sample is
never called anything else. How a lesson preprocesses its pictures is not decided here.

Variables of the environment, all optional: ``COURSE_DATA_DIR`` (a folder that holds ``mnist/``,
``intel-scenes/`` and/or ``car-plane/``; it is only read), ``COURSE_CACHE_DIR`` (where downloads are kept),
``COURSE_DATA_SOURCE`` (``auto``, ``real`` or ``sample``: what ``data_source="auto"`` means today).

To add a set, copy the module of one, and name it in `SETS` below. A set's module holds ``NAME``, ``TITLE``,
``FOLDER`` (where it lies in ``COURSE_DATA_DIR``), ``MEGABYTES``, ``PUBLISHED`` (counts), ``URL`` and three
functions: ``look(folder, where)``, ``download(cache)`` and ``sample()``.
"""

# ruff: noqa: F401
import os
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from helpers import CourseError
from helpers.datasets import _common, car_plane, intel_scenes, mnist
from helpers.datasets._common import DATA_FOLDER, SAMPLES_FOLDER, DatasetInfo, cache_folder, source_in_use
from helpers.datasets._download import DownloadFailed, downloading
from helpers.datasets._folders import own_photographs, usable_pictures
from helpers.datasets._pictures import read_photographs
from helpers.datasets._weights import NETWORKS, FoundWeights, Network, vgg16_first_kernels
from helpers.datasets.intel_scenes import CLASSES as SCENE_CLASSES
from helpers.datasets.intel_scenes import ImageFolders

SETS = {a_set.NAME: a_set for a_set in (mnist, intel_scenes, car_plane)}
WEIGHTS = {network.NAME: network for network in NETWORKS.values()}
NAMES = (*SETS, *WEIGHTS)


class Place(NamedTuple):
    """What is found of a set in one place.

    ``found`` is ``"complete"``, ``"partial"``, ``"sample"``, ``"random"`` (weights), ``"not asked"`` (the
    public source), ``"wrong"`` (something is there, and cannot be used) or ``"missing"``.
    """

    name: str
    place: str
    found: str
    detail: str


def load_mnist(data_source: str = "auto") -> mnist.Mnist:
    """Load the MNIST digits of lesson 4 and print what was found.

    Args:
        data_source: ``"auto"``, ``"real"`` (no fall-back) or ``"sample"``.

    Returns:
        Arrays of uint8, see :class:`mnist.Mnist`. The sample is scikit-learn's digits, enlarged to 28 x 28.

    Raises:
        CourseError: nothing real is available and ``data_source`` is ``"real"``; ``COURSE_DATA_DIR`` is not a
            folder or is empty, or its ``mnist.npz`` is damaged or holds something else.
    """
    return _find(mnist, data_source)


def find_intel_scenes(data_source: str = "auto") -> ImageFolders:
    """Find the Intel scenes of lesson 5 (150 x 150 RGB, six classes); otherwise as :func:`load_mnist`."""
    return _find(intel_scenes, data_source)


def find_car_plane(data_source: str = "auto") -> car_plane.CarPlane:
    """Find the cars and planes of lesson 6 (RGB, sizes vary); otherwise as :func:`load_mnist`."""
    return _find(car_plane, data_source)


def status(name: str) -> list[Place]:
    """What is found of one set, of :data:`NAMES`, in each place, without asking the network."""
    a_set = _named(name)
    rows = [(where, *_state(a_set, folder, where)) for where, folder in _places(a_set)]
    if name in WEIGHTS:
        stand_in = ("stand-in", "random", "random weights, marked as such")
    else:
        stand_in = (_common.IN_SAMPLE, "sample", a_set.sample().info.in_words())
    size = f"{urlsplit(a_set.URL).hostname}, {a_set.MEGABYTES:,} MB to download"
    return [Place(name, *row) for row in (*rows, ("public source", "not asked", size), stand_in)]


def fetch(name: str) -> DatasetInfo:
    """Bring one set, of :data:`NAMES`, into the course's cache, unless a complete one is on this machine.

    What there is now is printed; a set that is unavailable is a CourseError with the reason and the remedy.
    """
    return _find(_named(name), "real", only_complete=True).info


def find_weights(network: str, weights: str = "imagenet", data_source: str = "auto") -> FoundWeights:
    """Find what a network of lesson 6 learnt on ImageNet, and print what was found.

    Args:
        network: ``"vgg16"`` (without its top) or ``"mobilenet"`` (up to ``conv_pw_12_relu``).
        weights: ``"imagenet"``, or ``"random"`` for none.
        data_source: with ``"auto"``, random weights stand in for unavailable ones; with ``"sample"`` nothing
            is downloaded; with ``"real"`` there is no fall-back.

    Returns:
        What was found. ``.load_into(base)`` copies it into your own network.

    Raises:
        CourseError: an argument is not one of these words; or ImageNet's weights are unavailable and
            ``data_source`` is ``"real"``.
    """
    for name, value, words in (("network", network, NETWORKS), ("weights", weights, ("imagenet", "random"))):
        if value not in words:
            raise CourseError(f"{name}={value!r} is not known: choose {' or '.join(words)}.")
    if weights == "imagenet":
        return _find(NETWORKS[network], data_source)
    print((found := NETWORKS[network].sample()).note)
    return found


def find_vgg16_weights(weights: str = "imagenet", data_source: str = "auto") -> FoundWeights:
    """As :func:`find_weights` for VGG16."""
    return find_weights("vgg16", weights, data_source)


def _named(name: str) -> ModuleType | Network:
    if name not in NAMES:
        raise CourseError(f"there is no set named {name!r}: choose {', '.join(NAMES)}.")
    return (SETS | WEIGHTS)[name]


def _find(a_set: ModuleType | Network, data_source: str, only_complete: bool = False) -> Any:
    """Search the places in their order, and print what was found."""
    source = source_in_use(data_source)
    drawn = source == "sample" and a_set.NAME in SETS
    found = a_set.sample() if drawn else _search(a_set, source, only_complete)
    print(getattr(found, "note", "") or found.info.describe())
    return found


def _search(a_set: ModuleType | Network, source: str, only_complete: bool) -> Any:
    reasons, stand_in = [], None
    for where, folder in _places(a_set):
        try:
            found = a_set.look(folder, where)
            if found.info.kind == "complete" or (where == _common.IN_DATA_DIR and not only_complete):
                return found
            # A damaged set in our own cache, which a download replaces.
            stand_in = None if only_complete else found
        except _common.NotHere as reason:
            reasons.append(f"{where}: {reason}" if str(reason) else f"not in {where}")
        except CourseError as reason:
            if where == _common.IN_DATA_DIR and not only_complete:  # the user's to mend
                raise
            reasons.append(str(reason))
        except OSError as error:
            reasons.append(f"{where}: {_common.plain(error)}")
    try:
        if source == "sample":
            raise DownloadFailed("data_source is sample, so nothing is downloaded", "use data_source='auto'")
        with downloading(a_set.TITLE, a_set.URL, a_set.MEGABYTES, patient=source == "real"):
            cache_folder().mkdir(parents=True, exist_ok=True)
            a_set.download(cache_folder())
            return a_set.look(cache_folder(), _common.IN_CACHE)
    except DownloadFailed as failure:
        why = f"{a_set.TITLE} are unavailable ({'; '.join([*reasons, str(failure)])})"
        remedy = f"{failure.remedy}, or set COURSE_DATA_DIR to a folder that holds {a_set.FOLDER}"
    if stand_in:
        return stand_in
    if source == "real":
        instead = "weights='random'" if a_set.NAME in WEIGHTS else "data_source='sample'"
        raise CourseError(f"{why}: {remedy}, or use {instead}.")
    print(f"{why}. To have them, {remedy}.")
    return a_set.sample()


def _places(a_set: ModuleType | Network) -> list[tuple[str, Path]]:
    """The places to look at, in order; Keras keeps weights that it downloaded itself."""
    if a_set.NAME in SETS:
        return _common.local_places()
    keras = _common.path_of(os.environ.get("KERAS_HOME") or "~/.keras")  # as Keras documents it
    return [*_common.local_places(), ("Keras's cache", keras)]


def _state(a_set: ModuleType | Network, folder: Path, where: str) -> tuple[str, str]:
    try:
        info = a_set.look(folder, where).info
    except (CourseError, OSError) as reason:
        return ("wrong", _common.plain(reason)) if str(reason) else ("missing", "")
    return info.kind, f"{info.in_words()} ({info.note})" if info.note else info.in_words()
