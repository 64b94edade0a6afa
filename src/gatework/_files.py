"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import platformdirs

from gatework.errors import RunError

UMASK = os.umask(0)
"""What a person keeps from others in new files and folders."""
os.umask(UMASK)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path` that replaces it when the block ends without an error.

    The content reaches the disk before the name does, so a kill or a power cut leaves either the old file or the new.

    Raises:
        RunError: The disk is full, the folder cannot be written, or what is there is no plain file; it is untouched.
    """
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise RunError(f"{path} is a link, a folder or a device and would be replaced; name a file of its own")
    handle, name = -1, ""
    try:
        _sweep(path)
        handle, name = tempfile.mkstemp(prefix=_mine(path), suffix=".tmp", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~UMASK)
        os.replace(temporary, path)
    except OSError as error:
        raise explained(error, path) from error
    except Exception as error:
        # safetensors reports a full disk in an error of its own, with the cause only in the text.
        if "No space left" in str(error) or "File too large" in str(error):
            raise explained(OSError(errno.ENOSPC, str(error)), path) from error
        raise
    finally:
        if name and os.path.exists(name):
            os.unlink(name)


def _mine(path: Path) -> str:
    """How the name of what this process writes in the place of a file or a folder begins."""
    return f".{path.name}.{os.getpid()}."


def _sweep(path: Path) -> None:
    """Removes what a process that was killed has left of the same file or folder."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        writer = left.name.removeprefix(f".{path.name}.").partition(".")[0]
        if not writer.isdecimal() or _is_running(int(writer)):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if sys.platform == "win32":
        return True  # there the signal 0 is Ctrl-C, and what a killed process has left stays
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def explained(error: OSError, path: Path) -> RunError:
    """What kept a file or a folder from being written, as one sentence."""
    if error.errno in _NO_ROOM:
        return RunError(f"the disk is full: {path} could not be written; free some room or choose another folder")
    way = "; choose another folder" if error.errno == errno.EROFS else ""
    return RunError(f"{path} could not be written: {(error.strerror or str(error)).lower()}{way}")


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Gives a temporary folder that becomes this one, new or empty, when the block ends without an error.

    Raises:
        OSError: The folder cannot be written, or holds something.
    """
    _sweep(folder)
    temporary = Path(tempfile.mkdtemp(prefix=_mine(folder), suffix=".tmp", dir=folder.parent))
    try:
        yield temporary
        os.chmod(temporary, 0o777 & ~UMASK)
        if folder.exists():
            folder.rmdir()
        os.replace(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def check_place(path: Path) -> None:
    """Refuses a file or folder to be written later in a folder that cannot be written, before long work.

    Raises:
        RunError: It cannot be.
    """
    folder = next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise explained(PermissionError(errno.EACCES, os.strerror(errno.EACCES)), path)


def make_folder(path: Path) -> None:
    """Makes a folder, and those above it, where they are not there.

    Raises:
        RunError: Something else has its name, or that of a folder above it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise RunError(f"{path} cannot be a folder, as a file or a device has its name; name another") from None


@contextlib.contextmanager
def folder_of(file: Path) -> Iterator[None]:
    """Makes the folder of a file that is written in the block; what it made is gone again where the block fails.

    Raises:
        RunError: Something else has its name, or that of a folder above it.
    """
    folder = file.absolute().parent
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    make_folder(folder)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # one that holds something stays
            for place in made:
                place.rmdir()
        raise


def is_occupied(path: Path) -> bool:
    """Whether something is there that a new folder would write over: a file, or a folder with something in it."""
    return path.is_file() or (path.is_dir() and any(path.iterdir()))


def cache_folder() -> Path:
    """The folder of downloads, of what is made of them, and of compiled cells."""
    return Path(os.environ.get("GATEWORK_CACHE") or platformdirs.user_cache_dir("gatework"))


def write_text(path: Path, text: str) -> None:
    """Writes a text file in one piece."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a JSON file in one piece, indented for people; null stands for a number that is not finite."""
    write_text(path, json.dumps(finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def finite(value: Any) -> Any:
    """The same values with None for every number that is not finite, which JSON does not know."""
    if isinstance(value, Mapping):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        RunError: The file is missing or is not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} is missing: {path.parent} is not complete") from None
    except (ValueError, OSError, RecursionError) as error:
        raise RunError(f"{path} is corrupt ({error}); restore it or make the folder anew") from None
    if not isinstance(value, dict):
        raise RunError(f"{path} is corrupt (a JSON object was expected); restore it or make the folder anew")
    return value


def write_tensors(path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
    """Writes torch tensors as safetensors in one piece."""
    from safetensors.torch import save_file

    with atomic(path) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, dict(metadata or {}))


def read_arrays(path: Path) -> dict[str, Any]:
    """Reads a safetensors file as NumPy arrays.

    Raises:
        RunError: The file is missing or corrupt, or holds what NumPy has no type for.
    """
    return _read_tensors(path, "np")[0]


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Reads torch tensors and their metadata from a safetensors file.

    Raises:
        RunError: The file is missing or corrupt.
    """
    return _read_tensors(path, "pt")


def _read_tensors(path: Path, framework: str) -> tuple[dict[str, Any], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework=framework) as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except FileNotFoundError:
        raise RunError(f"{path} is missing: {path.parent} is not complete") from None
    except (SafetensorError, OSError, TypeError) as error:
        raise RunError(f"{path} is corrupt ({error}); restore it or make the folder anew") from None
