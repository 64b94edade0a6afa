"""Official files: found in the person's own folder, in the cache, or downloaded with a checksum.

`GATEWORK_DATA=DIR` names a folder that is searched first: `DIR/<data set>/<official file name>` is used as it is,
whatever its checksum. `GATEWORK_CACHE=DIR` moves the cache away from the user's cache folder.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from pathlib import Path
from typing import Any, NamedTuple

from gatework.errors import DataError

_TIMEOUT_SECONDS = 30
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class OfficialFile(NamedTuple):
    """A file on this machine.

    Attributes:
        path: Where it is.
        notes: What a reader of a report should know of it, one sentence each.
    """

    path: Path
    notes: tuple[str, ...]


def cache_folder() -> Path:
    """The folder of downloads and of what is made of them."""
    import pooch

    return Path(os.environ.get("GATEWORK_CACHE") or pooch.os_cache("gatework"))


def official_file(dataset: str, url: str, md5: str) -> OfficialFile:
    """A data set's file, downloaded if need be.

    Args:
        dataset: The data set's name, which is that of its folder.
        url: Its official address, which ends with its name.
        md5: Its published checksum, in hexadecimal.

    Raises:
        DataError: The download fails, is truncated or has another checksum, or the disk is full; nothing is left
            behind.
    """
    name = url.rsplit("/", 1)[-1]
    folder = os.environ.get("GATEWORK_DATA")
    if folder:
        if not Path(folder).is_dir():
            raise DataError(f"GATEWORK_DATA names {folder}, which is not a folder; correct it or unset it")
        path = Path(folder) / dataset / name
        if path.exists():
            return OfficialFile(path, _checksum_notes(path, md5))
    return OfficialFile(_downloaded(dataset, url, name, md5), ())


def _checksum_notes(path: Path, md5: str) -> tuple[str, ...]:
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found == md5:
        return ()
    return (f"{path} was used as it is; its checksum is not that of the official file (md5 {found}, official {md5})",)


def _downloaded(dataset: str, url: str, name: str, md5: str) -> Path:
    import pooch
    import requests

    target = cache_folder() / dataset
    way_out = (
        f"try again, or put the file into a folder of yours as {dataset}/{name} and set GATEWORK_DATA to that folder"
    )
    pooch.get_logger().setLevel("WARNING")
    with _Progress(name) as progress:
        downloader = pooch.HTTPDownloader(timeout=_TIMEOUT_SECONDS, progressbar=progress)
        try:
            return Path(pooch.retrieve(url, f"md5:{md5}", fname=name, path=target, downloader=downloader))
        except requests.RequestException as error:
            raise DataError(f"{url} could not be downloaded ({_reason(error)}); {way_out}") from None
        except ValueError:
            raise DataError(f"{url}: what was downloaded has another checksum than md5 {md5}; {way_out}") from None
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise DataError(
                    f"the disk is full: {target / name} could not be written; free some room or set "
                    "GATEWORK_CACHE to a folder on another disk"
                ) from None
            reason = (error.strerror or str(error)).lower()
            raise DataError(
                f"{target / name} could not be written ({reason}); set GATEWORK_CACHE to a folder"
            ) from None


def _reason(error: Exception) -> str:
    """A network error in a few words, without the objects that requests writes into it."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {_TIMEOUT_SECONDS} seconds"
    if "IncompleteRead" in str(error):
        return "the connection ended early"
    return "no connection to the server"


class _Progress:
    """What pooch tells of a download: a bar on a terminal, one line elsewhere.

    Attributes:
        total: The file's size in bytes, set by pooch before the first update.
    """

    total: int | None = None

    def __init__(self, name: str) -> None:
        self._name = name
        self._bar: Any = None
        self._task: Any = None
        self._is_told = False

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, count: int) -> None:
        """Some bytes more have arrived."""
        if not self._is_told:
            self._is_told = True
            self._begin()
        if self._bar is not None:
            self._bar.advance(self._task, count)

    def _begin(self) -> None:
        if not sys.stderr.isatty():
            size = f" ({self.total / 1e6:.0f} MB)" if self.total else ""
            print(f"downloading {self._name}{size}", file=sys.stderr)
            return
        from rich import progress
        from rich.console import Console

        columns = (
            progress.TextColumn("downloading {task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
        )
        self._bar = progress.Progress(*columns, console=Console(stderr=True))
        self._task = self._bar.add_task(self._name, total=self.total)
        self._bar.start()

    def reset(self) -> None:
        """Counts from zero again; pooch does so at the end."""
        if self._bar is not None:
            self._bar.reset(self._task)

    def close(self) -> None:
        """Ends the bar."""
        if self._bar is not None:
            self._bar.stop()
