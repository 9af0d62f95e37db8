"""The one downloader: checksums, retries, a bar, limits, and nothing half-done left behind."""

import contextlib
import errno
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helpers import CourseError
from helpers.datasets._common import IN_CACHE, NotHere, plain

ANSWER_SECONDS = 8.0  # that all sources together may keep silent before the built-in sample is taken
REMEMBER_SECONDS = 60.0  # a source that did not answer is not asked again: a second cell does not wait
RETRIES = 2
SLOWEST = 10_000  # bytes a second, less than any telephone's line: MNIST takes 20 minutes
LATER = "try again later, or set COURSE_DATA_DIR to a folder that holds the set"

silent: dict[str, tuple[float, float, str]] = {}  # address -> (when it did not answer, seconds waited, why)


class DownloadFailed(Exception):
    """A public source did not give what it was asked for: one reason, one remedy."""

    def __init__(self, reason: str, remedy: str = ""):
        super().__init__(reason)
        self.remedy = remedy


@contextlib.contextmanager
def downloading(
    title: str,
    address: str,
    megabytes: int,
    patient: bool,
    into: str = IN_CACHE,
    variable: str = "COURSE_CACHE_DIR",
) -> Iterator[None]:
    """Ask a source, announce the download, and turn all that goes wrong in it into a DownloadFailed."""
    import requests

    host = ask(address, patient)
    print(f"Downloading {title} from {host} into {into}: {megabytes:,} MB ...", flush=True)
    try:
        yield
    except DownloadFailed:
        raise
    except requests.HTTPError as error:
        reason = plain(error)
        if error.response is not None:
            file = unquote(urlsplit(error.response.url).path).rsplit("/", 1)[-1]
            reason = f"{host} answered {error.response.status_code} for {file}"
        raise DownloadFailed(reason, LATER) from None
    except requests.RequestException:
        raise DownloadFailed(f"the connection to {host} was cut", LATER) from None
    except OSError as error:
        full = error.errno == errno.ENOSPC
        reason = "the disk is full" if full else f"{into} cannot be written: {plain(error)}"
        remedy = f"free {2 * megabytes:,} MB" if full else "make it writable"
        raise DownloadFailed(reason, f"{remedy}, or set {variable} to another folder") from None
    except Exception as error:
        # pooch raises ValueError("SHA256 hash of downloaded file ... does not match"); kagglehub has its own.
        reason = f"{host}: {type(error).__name__}: {plain(error)}"
        if "hash" in str(error) or type(error).__name__ == "DataCorruptionError":
            reason = f"wrong checksum: what {host} sent is damaged or has been replaced"
        raise DownloadFailed(reason, LATER) from None


def ask(address: str, patient: bool) -> str:
    """Ask a source whether it answers; return its host name, or raise DownloadFailed.

    A patient caller (``data_source="real"``) always asks anew, with the whole time.
    """
    import requests

    host = urlsplit(address).hostname or address
    when, _, reason = silent.get(address, (float("-inf"), 0.0, ""))
    if not patient and time.monotonic() - when < REMEMBER_SECONDS:
        raise DownloadFailed(reason)
    waited = 0.0 if patient else sum(seconds for _, seconds, _ in silent.values())
    limit = max(0.5, ANSWER_SECONDS - waited)
    answers = []

    def head() -> None:
        try:
            status = requests.head(address, timeout=limit, allow_redirects=True).status_code
        except (requests.RequestException, OSError, ValueError) as error:
            return answers.append(f"no answer from {host} ({type(error).__name__})")
        # Whatever a front page says to a program, somebody is there; and some servers know no HEAD.
        good = status < 400 or status in (405, 501) or address.endswith("/")
        answers.append("" if good else f"{host} answered {status} for {address.rsplit('/', 1)[-1]}")

    # Beside the caller, because looking up a name has no time limit of its own.
    question = threading.Thread(target=head, daemon=True)
    started = time.monotonic()
    question.start()
    question.join(limit)
    if reason := answers[0] if answers else f"no answer from {host} in {limit:.0f} seconds":
        silent[address] = (time.monotonic(), time.monotonic() - started, reason)
        raise DownloadFailed(reason)
    silent.pop(address, None)
    return host


def fetch_files(files: Mapping[str, tuple[str, str]], folder: Path, title: str, megabytes: int) -> None:
    """Download files that are not there yet, each checked and then renamed into its place (by pooch).

    Args:
        files: name in the folder -> (address, checksum as pooch writes it: SHA-256, or ``"md5:..."``).
        folder: made if it is missing.
        title, megabytes: what the bar is called, and how long it is; half as much again is the limit.
    """
    import pooch
    import requests
    from tqdm import tqdm

    stop = threading.Event()
    bar = tqdm(total=megabytes * 10**6, desc=title, file=sys.stdout, unit="B", unit_scale=True, ncols=79)

    def download(url: str, output_file: str, _: pooch.Pooch) -> None:
        left, until = 1.5e6 * megabytes, time.monotonic() + 1e6 * megabytes / SLOWEST
        with requests.get(url, stream=True, timeout=(5, 15)) as answer, Path(output_file).open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_content(4096):
                left -= file.write(chunk)
                bar.update(len(chunk))
                if left < 0 or time.monotonic() > until or stop.is_set():
                    what = "far more than it should" if left < 0 else "too slowly"
                    raise DownloadFailed(f"{urlsplit(url).hostname} sends {what}", LATER)

    pooch.get_logger().setLevel("WARNING")  # it tells stderr about each file
    if folder.is_symlink() and not folder.exists():
        folder.unlink()  # a link to a disk that is gone
    for name in files:  # threads of pooch would trip over each other in making the same folder
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    checksums = {name: checksum for name, (_, checksum) in files.items()}
    urls = {name: url for name, (url, _) in files.items()}
    manager = pooch.create(folder, base_url="", registry=checksums, urls=urls, retry_if_failed=RETRIES)
    with bar, ThreadPoolExecutor(min(4, len(files))) as pool:
        jobs = [pool.submit(manager.fetch, name, downloader=download) for name in files]
        try:
            for job in jobs:
                job.result()
        except BaseException:  # Ctrl-C too: what has not begun is not begun, and what runs ends
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        bar.update(bar.total - bar.n)


@contextlib.contextmanager
def staging_folder(cache: Path, name: str) -> Iterator[Path]:
    """A folder in the cache for this process alone; what is not installed from it vanishes with it."""
    for left in cache.glob(f"{name}.*.part"):  # by a process that was killed
        if time.time() - left.stat().st_mtime > 86_400:
            shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{name}.", suffix=".part", dir=cache))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def install(source: Path, target: Path, staging: Path, look: Callable) -> None:
    """Put a finished folder into its place, unless another process has put a complete one there."""
    with contextlib.suppress(NotHere, CourseError, OSError):
        if look(target.parent, IN_CACHE).info.kind == "complete":
            return
    with contextlib.suppress(FileNotFoundError):
        target.rename(staging / "replaced")  # a damaged set, or a link that leads nowhere
    if staging in source.parents:
        source.rename(target)
    else:  # Colab and Kaggle mount the set read-only at a place of their own
        target.symlink_to(source, target_is_directory=True)
