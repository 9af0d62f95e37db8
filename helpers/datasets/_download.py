"""The one downloader: checksums, retries, a bar, limits, and nothing half-done left behind."""

import contextlib
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests
from tqdm import tqdm

from helpers import CourseError
from helpers.datasets._common import IN_CACHE, plain

ANSWER_SECONDS = 7.0  # that all sources together may keep silent before samples are taken ...
SHORT_SECONDS = 1.0  # ... and each of the later questions, so that a second cell does not wait again
RETRIES = 2
SLOWEST = 10_000  # bytes a second, less than any telephone's line: MNIST takes 20 minutes
LATER = "try again later"

waited = 0.0  # seconds so far, in vain


class DownloadFailed(Exception):
    """A public source did not give what it was asked for: one reason, one remedy."""

    def __init__(self, reason: str, remedy: str = LATER):
        super().__init__(reason)
        self.remedy = remedy


@contextlib.contextmanager
def downloading(
    title: str, address: str, megabytes: int, patient: bool, into=IN_CACHE, variable="COURSE_CACHE_DIR"
) -> Iterator[None]:
    """Ask a source, announce the download, and turn all that goes wrong in it into a DownloadFailed."""
    host = urlsplit(address).hostname
    ask(address, patient)
    print(f"Downloading {title} from {host} into {into}: {megabytes:,} MB ...", flush=True)
    try:
        yield
    except DownloadFailed:
        raise
    except requests.RequestException as error:
        answered = error.response is not None  # "404 Client Error: Not Found for url: ..."
        raise DownloadFailed(plain(error) if answered else f"the connection to {host} was cut") from None
    except OSError as error:
        remedy = f"free {2 * megabytes:,} MB and make it writable, or set {variable} to another folder"
        raise DownloadFailed(f"{into} cannot be written: {plain(error)}", remedy) from None
    except Exception as error:
        # pooch raises ValueError("SHA256 hash of downloaded file ... does not match"); kagglehub has its own.
        reason = f"{host}: {type(error).__name__}: {plain(error)}"
        if "hash" in str(error) or type(error).__name__ == "DataCorruptionError":
            reason = f"wrong checksum: what {host} sent is damaged or has been replaced"
        raise DownloadFailed(reason) from None


def ask(address: str, patient: bool) -> None:
    """Ask whether anybody answers at an address; raises DownloadFailed.

    A patient caller (``data_source="real"``) waits its whole time; the others share theirs.
    """
    global waited
    limit = ANSWER_SECONDS if patient else max(SHORT_SECONDS, ANSWER_SECONDS - waited)
    answers = []

    def head() -> None:
        try:
            requests.head(address, timeout=limit)
            answers.append("")
        except (OSError, ValueError) as error:
            answers.append(f"({type(error).__name__})")

    # Beside the caller, because looking up a name has no time limit of its own.
    question = threading.Thread(target=head, daemon=True)
    started = time.monotonic()
    question.start()
    question.join(limit)
    if why := answers[0] if answers else f"in {limit:.0f} seconds":
        waited += time.monotonic() - started
        raise DownloadFailed(f"no answer from {urlsplit(address).hostname} {why}", "connect to the network")


def fetch_files(files: Mapping[str, tuple[str, str]], folder: Path, title: str, megabytes: int) -> None:
    """Download files that are not there yet, each checked and then renamed into its place (by pooch).

    ``files`` maps a name in the folder to its address and its SHA-256 (or ``"md5:..."``). A bar of so many
    megabytes is drawn; half as much again is the limit.
    """
    session = requests.Session()  # one connection for all files
    until = time.monotonic() + 1e6 * megabytes / SLOWEST
    bar = tqdm(total=megabytes * 10**6, desc=title, file=sys.stdout, unit="B", unit_scale=True, ncols=79)

    def download(url: str, output_file: str, _: pooch.Pooch) -> None:
        left = 1.5e6 * megabytes
        with session.get(url, stream=True, timeout=(5, 15)) as answer, Path(output_file).open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_content(1024):
                left -= file.write(chunk)
                bar.update(len(chunk))
                if left < 0 or time.monotonic() > until:
                    what = "far more than it should" if left < 0 else "too slowly"
                    raise DownloadFailed(f"{urlsplit(url).hostname} sends {what}")

    pooch.get_logger().setLevel("WARNING")  # it tells stderr about each file
    if folder.is_symlink() and not folder.exists():
        folder.unlink()  # a link to a disk that is gone
    checksums = {name: checksum for name, (_, checksum) in files.items()}
    urls = {name: url for name, (url, _) in files.items()}
    manager = pooch.create(folder, base_url="", registry=checksums, urls=urls, retry_if_failed=RETRIES)
    with session, bar:
        for name in files:
            manager.fetch(name, downloader=download)
        bar.update(bar.total - bar.n)


@contextlib.contextmanager
def staging_folder(cache: Path, name: str) -> Iterator[Path]:
    """A folder in the cache for this process alone; what is not installed from it vanishes with it."""
    for left in cache.glob(f"{name}.*.part"):  # by a process that was killed
        if time.time() - left.stat().st_mtime > 86_400:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(".part", f"{name}.", cache, ignore_cleanup_errors=True) as staging:
        yield Path(staging)


def install(source: Path, target: Path, staging: Path, look: Callable) -> None:
    """Put a finished folder into its place, unless another process has put a complete one there."""
    with contextlib.suppress(CourseError, OSError):
        if look(target.parent, IN_CACHE).info.kind == "complete":
            return
    with contextlib.suppress(FileNotFoundError):
        target.rename(staging / "replaced")  # a damaged set, or a link that leads nowhere
    if staging in source.parents:
        source.rename(target)
    else:  # Colab and Kaggle mount the set read-only at a place of their own
        target.symlink_to(source, target_is_directory=True)
