"""Official files: found in the person's own folder, in the cache, or downloaded with a checksum.

`GATEWORK_DATA=DIR` names a folder that is searched first: `DIR/<data set>/<official file name>` is used as it is,
whatever its checksum. `GATEWORK_CACHE=DIR` moves the cache away from the user's cache folder.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from gatework._files import cache_folder
from gatework.errors import DataError
from gatework.formatting import is_animated

_TIMEOUT_SECONDS: float = 30
_CHUNK_BYTES = 1 << 16
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class OfficialFile(NamedTuple):
    """A file on this machine.

    Attributes:
        path: Where it is.
        notes: What a reader of a report should know of it, one sentence each.
    """

    path: Path
    notes: tuple[str, ...]


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
    placed = _own_file(dataset, name)
    if placed is not None:
        return OfficialFile(placed, _checksum_notes(placed, md5))
    return OfficialFile(_downloaded(dataset, url, name, md5), ())


def found_file(dataset: str, url: str) -> Path | None:
    """A data set's file where it is on this machine already, else None; nothing is downloaded.

    Raises:
        DataError: `GATEWORK_DATA` names no folder.
    """
    name = url.rsplit("/", 1)[-1]
    cached = cache_folder() / dataset / name
    return _own_file(dataset, name) or (cached if cached.exists() else None)


def _own_file(dataset: str, name: str) -> Path | None:
    folder = os.environ.get("GATEWORK_DATA")
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise DataError(f"GATEWORK_DATA names {folder}, which is not a folder; correct it or unset it")
    path = Path(folder) / dataset / name
    return path if path.exists() else None


def _checksum_notes(path: Path, md5: str) -> tuple[str, ...]:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "md5").hexdigest()
    if digest == md5:
        return ()
    return (f"{path} was used as it is; its checksum is not that of the official file (md5 {digest}, official {md5}).",)


def _pooch() -> Any:
    """The module; its progress bar, which is not used here, warns in a notebook without widgets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pooch
    return pooch


def _downloaded(dataset: str, url: str, name: str, md5: str) -> Path:
    import requests

    pooch = _pooch()
    target = cache_folder() / dataset
    way_out = (
        f"try again, or put the file into a folder of yours as {dataset}/{name} and set GATEWORK_DATA to that folder"
    )
    pooch.get_logger().setLevel("WARNING")
    try:
        return Path(pooch.retrieve(url, f"md5:{md5}", fname=name, path=target, downloader=_stream))
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
        raise DataError(f"{target / name} could not be written ({reason}); set GATEWORK_CACHE to a folder") from None


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


def _stream(url: str, output_file: str, _: Any) -> None:
    """Writes what the address gives to a file; pooch calls it and checks the file afterwards."""
    import requests

    with requests.get(url, stream=True, timeout=_TIMEOUT_SECONDS) as response:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0)) or None
        with _progress(url.rsplit("/", 1)[-1], size) as advance, open(output_file, "wb") as file:
            for chunk in response.iter_content(_CHUNK_BYTES):
                file.write(chunk)
                advance(len(chunk))


@contextmanager
def _progress(name: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Shows a bar on a terminal and one line elsewhere; gives the function that is told of further bytes."""
    if not is_animated(sys.stderr):
        print(f"downloading {name}" + (f" ({size / 1e6:.0f} MB)" if size else ""), file=sys.stderr)
        yield lambda count: None
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
    with progress.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=size)
        yield lambda count: bar.advance(task, count)
