"""What a file holds: read within the memory there is, unpacked, and turned into UTF-8."""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
import zlib
from pathlib import Path

from gatework.errors import DataError, nearest

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 22
# A table takes about so many times its file's size in memory while it is read.
_COPIES = 6
_LEAST_ROOM = 1 << 26
# Of short fields a table takes more: 46 bytes each were measured for one digit.
_FIELD = 60
_SAMPLE = 1 << 15
_FEWEST = 20
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What spreadsheets and old programs write; a guess among fewer is a better one.
_ENCODINGS = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "mac_roman",
    "koi8_r",
    "cp437",
    "cp932",
]
_ENCODINGS += ["gb18030", "big5", "euc_kr", "euc_jp"]


def printable(name: str) -> str:
    """A file's name as UTF-8 can hold it: bytes that are none are replaced."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def existing(path: Path) -> Path:
    """The path, if it exists.

    Raises:
        DataError: It does not; the nearest name in its folder is suggested.
    """
    shown = printable(str(path))
    try:
        if path.exists():
            return path
        if path.is_symlink():
            raise DataError(f"{shown} is a link to a file that is not there")
        folder = path.parent
        if not folder.is_dir():
            raise DataError(f"{shown} is not there: the folder {printable(str(folder))} does not exist")
        names = sorted(printable(entry.name) for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise DataError(f"{shown[:200]} cannot be read: {(error.strerror or str(error)).lower()}") from None
    hint = nearest(path.name, names)
    hint = hint if hint.startswith("did you mean") else "check the name and the folder"
    raise DataError(f"{shown} is not there; {hint}")


def file_content(path: Path) -> bytes:
    """A file's bytes, unpacked if they are gzipped.

    Raises:
        DataError: It is no file, cannot be read, is damaged, or is too large for the memory there is.
    """
    shown = printable(str(existing(path)))
    try:
        kind = path.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise DataError(f"{shown} is a folder, and a file was expected")
        if not stat.S_ISREG(kind.st_mode):
            raise DataError(
                f"{shown} is a pipe or a device, and a file was expected; write its content to a file first"
            )
        room = max(_available_memory() // _COPIES, _LEAST_ROOM)
        if kind.st_size > room:
            raise DataError(f"{shown} holds {_size(kind.st_size)}, {_too_large(room)}")
        content = path.read_bytes()
        return _unpacked(content, shown, room) if content[:2] == _GZIP else content
    except MemoryError:
        raise DataError(f"{shown} does not fit into the memory of this machine; give a part of it") from None
    except OSError as error:
        raise DataError(f"{shown} cannot be read: {(error.strerror or str(error)).lower()}") from None


def _too_large(room: int) -> str:
    return f"and about {_size(room)} can be read with the memory that is free; give a part of it"


def refuse_too_many_fields(content: bytes, separator: str, where: str) -> None:
    """Refuses delimited text whose fields would not fit into memory, however few bytes they have.

    Raises:
        DataError: There are too many.
    """
    most = max(_available_memory(), _LEAST_ROOM) // _FIELD
    if len(content) > most and (count := content.count(separator.encode()) + content.count(b"\n")) > most:
        raise DataError(
            f"{where} holds about {count:,} fields, and about {most:,} can be read with the memory that is free; give "
            "a part of it"
        )


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def _unpacked(content: bytes, where: str, room: int) -> bytes:
    """The content of gzip members, one after the other, as long as there is room."""
    parts, size, rest = [], 0, content
    try:
        while rest[:2] == _GZIP:
            unpacker = zlib.decompressobj(wbits=31)
            while not unpacker.eof:
                part = unpacker.decompress(rest, _CHUNK)
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                if not (part or rest or unpacker.eof):
                    raise DataError(
                        f"{where} is truncated: its compressed content ends early; copy or download it again"
                    )
                parts.append(part)
                size += len(part)
                if size > room:
                    raise DataError(f"{where} unpacks to more than {_size(size)}, {_too_large(room)}")
    except zlib.error as error:
        raise DataError(f"{where} is damaged ({error}); copy or download it again") from None
    return b"".join(parts)


def _available_memory() -> int:
    """The bytes of memory that this process may still take."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")] if hasattr(os, "sysconf") else [1 << 32]
    try:
        free = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text())
        limits += [int(free[1]) << 10] if free else []
        most, now = (Path(f"/sys/fs/cgroup/memory.{name}").read_text().strip() for name in ("max", "current"))
        limits += [int(most) - int(now)] if most != "max" else []
    except (OSError, ValueError):
        pass
    try:
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        limits += [soft] if soft != resource.RLIM_INFINITY else []
    except ImportError:
        pass
    return max(min(limits), 0)


def lines_of(text: str) -> list[str]:
    """The lines of a text as a file has them; other marks that Unicode takes for an end of line are part of a line."""
    return io.StringIO(text, newline=None).read().removesuffix("\n").split("\n") if text else []


def as_utf8(content: bytes, path: Path, encoding: str | None = None) -> tuple[bytes, str, tuple[str, ...]]:
    """Text in UTF-8, without a byte-order mark.

    Args:
        content: The file's bytes.
        path: The file, for messages.
        encoding: The encoding; found from the bytes if None.

    Returns:
        The content, the encoding it had, and what is to be said of it.

    Raises:
        DataError: It is in no encoding that can be told.
    """
    # What programs reserve for a file that they write, and do not fill; every second byte of UTF-16 is zero besides.
    if content.endswith(b"\0") and b"\0" not in (filled := content.rstrip(b"\0")):
        content = filled
    where, encoding = printable(str(path)), declared_encoding(content, encoding)
    if encoding == "utf-8":
        content = content.removeprefix(codecs.BOM_UTF8)
        try:
            content.decode("utf-8")
            return content, encoding, ()
        except UnicodeDecodeError as error:
            return _guessed(content, where, error)
    try:
        text = content.decode(encoding)
    except (UnicodeError, LookupError) as error:
        raise DataError(f"{where} is not in the encoding {encoding} ({error}); convert it to UTF-8") from None
    return text.removeprefix("\ufeff").encode(), encoding, ()


def declared_encoding(content: bytes, given: str | None = None) -> str:
    """The encoding that a byte-order mark tells, that a person gave, or that zeros show; UTF-8 where nothing does."""
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), None)
    return marked or given or _wide(content) or "utf-8"


def _wide(content: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of plain text is 0."""
    start = content[:2000]
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros = start[first::2]
        if zeros and zeros.count(0) > 0.6 * len(zeros):
            return name
    return None


def _guessed(content: bytes, where: str, error: UnicodeDecodeError) -> tuple[bytes, str, tuple[str, ...]]:
    """Text of one byte per letter, in the likeliest encoding; damaged UTF-8 is refused."""
    from charset_normalizer import from_bytes

    line = content.count(b"\n", 0, error.start) + 1
    lines = [part for part in content.split(b"\n") if not part.isascii()]
    sample = b"\n".join([content[:200].split(b"\n")[0], *lines])[:_SAMPLE]
    # In Shift-JIS and the like some pairs of bytes are letters of UTF-8 too, by chance.
    decoded = sample.decode("utf-8", "replace")
    damaged = decoded.count("\ufffd")
    is_mostly_utf8 = sum(letter > "\x7f" for letter in decoded) - damaged >= max(damaged, 1)
    guesses = [] if is_mostly_utf8 or b"\0" in sample else list(from_bytes(sample, cp_isolation=_ENCODINGS))
    # Of encodings that read as well, and of all of them where there is little to tell by, the first listed is taken.
    is_little = sum(byte > 127 for byte in sample) < _FEWEST
    ranked = [
        (0 if is_little else match.chaos, 0 if is_little else -match.coherence, _ENCODINGS.index(name), name)
        for match in guesses
        for name in match.could_be_from_charset
        if name in _ENCODINGS
    ]
    best = next((name for *_, name in sorted(ranked) if _is_in(content, name)), None)
    if best is None:
        raise DataError(
            f"{where}, row {line:,} (counted in lines of the file): byte 0x{content[error.start]:02x} is not valid "
            "UTF-8, which was expected; save the file as UTF-8"
        )
    text = content.decode(best)
    note = f"{where} is not UTF-8 and was read as {best}, its likeliest encoding."
    return text.encode(), best, (note,)


def _is_in(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
