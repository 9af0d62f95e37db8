"""The one downloader: checksums, retries, a bar, limits, and nothing half-done left behind."""

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from helpers import CourseError
from helpers.datasets._common import IN_CACHE, cache_folder, plain

with warnings.catch_warnings():  # in a notebook without ipywidgets, whose bar the course does not use
    warnings.filterwarnings("ignore", "IProgress not found")
    import pooch

ANSWER_SECONDS = 7.0  # that a source may keep silent before samples are taken ...
SHORT_SECONDS = 1.0  # ... and each one after it, so that a second cell does not wait as long again
RETRIES = 2
LATER = "try again later"
SLOWEST = 10_000  # bytes a second, less than any telephone's line: MNIST takes 20 minutes

silent: list[str] = []  # addresses that did not answer


class DownloadFailed(Exception):
    """A public source did not give what it was asked for: ``(reason, remedy)``."""


def download(a_set: Any, patient: bool) -> None:
    """Bring a set into the cache, where it appears whole and verified. What goes wrong is DownloadFailed."""
    host = urlsplit(a_set.URL).hostname
    ask(a_set.URL, patient)
    print(f"Downloading {a_set.TITLE} from {host} into {IN_CACHE}: {a_set.MEGABYTES:,} MB ...", flush=True)
    try:
        cache = cache_folder()
        cache.mkdir(parents=True, exist_ok=True)
        for left in cache.glob("*.part"):  # by a process that was killed
            if time.time() - left.stat().st_mtime > 86_400:
                shutil.rmtree(left, ignore_errors=True)
        # A folder for this process alone; what is not taken out of it vanishes with it.
        with tempfile.TemporaryDirectory(".part", dir=cache, ignore_cleanup_errors=True) as staging:
            made, place = Path(staging, a_set.NAME), cache / a_set.NAME
            a_set.download(made)
            info = a_set.look(made.parent, IN_CACHE).info
            if info.kind != "complete":
                raise CourseError(info.note or info.in_words())
            try:
                made.rename(place)
            except OSError:
                with contextlib.suppress(CourseError, OSError):
                    if a_set.look(cache, IN_CACHE).info.kind == "complete":
                        return  # another process was faster
                if not os.path.lexists(place):
                    raise
                place.rename(made.with_name("replaced"))  # a damaged set, or a link that leads nowhere
                made.rename(place)
    except DownloadFailed:
        raise
    except CourseError as reason:
        raise DownloadFailed(f"what {host} sent is not the published set: {reason}", LATER) from None
    except requests.RequestException as error:
        # An answer is "404 Client Error: Not Found for url: ...".
        why = f"the connection to {host} was cut" if error.response is None else plain(error)
        raise DownloadFailed(why, LATER) from None
    except OSError as error:
        remedy = f"free {2 * a_set.MEGABYTES:,} MB, or set COURSE_CACHE_DIR to another, writable folder"
        raise DownloadFailed(f"{IN_CACHE} cannot be written: {plain(error)}", remedy) from None
    except Exception as error:
        # pooch raises ValueError("SHA256 hash of downloaded file ... does not match")
        wrong = f"wrong checksum: what {host} sent is damaged or has been replaced"
        raise DownloadFailed(wrong if "hash" in str(error) else f"{host}: {plain(error)}", LATER) from None


def ask(address: str, patient: bool) -> None:
    """Ask whether anybody answers; raises DownloadFailed. Only a patient caller always waits in full."""
    limit = ANSWER_SECONDS if patient or not silent else SHORT_SECONDS
    answers = []

    def head() -> None:
        try:
            requests.head(address, timeout=limit)
            answers.append("")
        except (OSError, ValueError) as error:
            answers.append(f"({type(error).__name__})")

    # Beside the caller, because looking up a name has no time limit of its own.
    question = threading.Thread(target=head, daemon=True)
    question.start()
    question.join(limit)
    if why := answers[0] if answers else f"in {limit:.0f} seconds":
        silent.append(address)
        raise DownloadFailed(f"no answer from {urlsplit(address).hostname} {why}", "connect to the network")


def fetch_files(
    files: Mapping[str, tuple[str, str | None]], folder: Path, title: str, megabytes: int
) -> None:
    """Download files through pooch: ``files`` maps a name in the folder to its address and SHA-256, if known.

    A bar of so many megabytes is drawn; half as much again is the limit.
    """
    session = requests.Session()  # one connection for all files
    until = time.monotonic() + 1e6 * megabytes / SLOWEST
    bar = tqdm(total=megabytes * 10**6, desc=title, file=sys.stdout, unit="B", unit_scale=True, ncols=79)

    def fetch(url: str, output_file: str, _: pooch.Pooch) -> None:
        left = 1.5e6 * megabytes
        with session.get(url, stream=True, timeout=(5, 15)) as answer, Path(output_file).open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_content(1024):
                left -= file.write(chunk)
                bar.update(len(chunk))
                if left < 0 or time.monotonic() > until:
                    what = "far more than it should" if left < 0 else "too slowly"
                    raise DownloadFailed(f"{urlsplit(url).hostname} sends {what}", LATER)

    pooch.get_logger().setLevel("WARNING")  # it tells stderr about each file
    urls = {name: url for name, (url, _) in files.items()}
    checksums = {name: checksum for name, (_, checksum) in files.items()}
    manager = pooch.create(folder, base_url="", registry=checksums, urls=urls, retry_if_failed=RETRIES)
    with session, bar:
        for name in files:
            manager.fetch(name, downloader=fetch)
        bar.update(bar.total - bar.n)
