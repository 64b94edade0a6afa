"""A person's own cell as native code: compiled once with the machine's compiler, kept in the user's cache folder.

What is compiled is the generated struct of the cell with the headers that the package's own kernels were made from.
What knows no cell is not compiled again on Linux: the library takes it from the package's own (csrc/shared.h). The name
of the library is a digest of everything that it depends on: that text, the headers, the compiler and its flags. It
appears under its name only when it is complete, with its digest beside it, and one process at a time compiles it; a
process that is killed meanwhile leaves nothing but a folder that the next one removes. A library that is not what its
digest says is built again, and none is loaded from a folder that others can write.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from gatework._files import cache_folder
from gatework.cells._derive import Derivation
from gatework.cells._emit import identifier, struct, struct_name

SYMBOL = "gatework_own_kernel"
_COMPILERS = ("c++", "g++", "clang++")
# The first time that zig compiles anything it compiles its own C++ library too.
_LONGEST_SECONDS, _LONGEST_OF_ZIG = 120, 900


class BuildError(Exception):
    """The library could not be made; the message is the reason, without a full stop."""


def library(
    name: str, derivation: Derivation, isa: str, operands: str, headers: Path, *, has_options: bool = False
) -> Path:
    """The shared library of a cell, compiled if it is not in the cache.

    Args:
        name: The cell.
        derivation: Its derivation.
        isa: The instruction set.
        operands: What the products of its element type are made of, in C++.
        headers: The folder of the package's headers and flags.
        has_options: Whether the kernel takes what acts around the cell.

    Returns:
        The path of a library that exports `SYMBOL`, a `gatework::Kernel`.

    Raises:
        BuildError: There is no compiler, it fails, or the cache folder cannot be written.
    """
    compiler = compiler_words()
    text = _unit(derivation, isa, operands, has_options, takes_shared=takes_shared(compiler))
    command = [*compiler, *flags(headers)[isa], "-std=c++17", "-fPIC", "-shared", "-w"]
    status = os.stat(compiler[0])
    parts = (text, _digest(headers), *command, status.st_size, status.st_mtime_ns)
    key = hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    target = cache_folder() / "cells" / f"{key}.so"
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(target.parent)
        if not _is_whole(target):
            _build(target, name, text, [*command, f"-I{headers}"])
    except OSError as error:
        reason = f"{target.parent} cannot be written ({error.strerror}); name another by GATEWORK_CACHE"
        raise BuildError(reason) from error
    return target


def _check_private(folder: Path) -> None:
    """Check that nobody else can put a library where this user's programs load them from.

    Raises:
        BuildError: The folder, or one that it lies in, can be changed by others.
    """
    if not hasattr(os, "getuid"):
        return
    folder = folder.resolve()
    for place in (folder, *folder.parents):
        facts = place.stat()
        others = stat.S_IWOTH if facts.st_gid in (0, os.getgid()) else stat.S_IWOTH | stat.S_IWGRP
        is_sticky = place != folder and facts.st_mode & stat.S_ISVTX  # as /tmp: nobody can replace what another made
        is_shared = facts.st_mode & others and not is_sticky
        if is_shared or facts.st_uid not in (0, os.getuid()):
            raise BuildError(f"{place} can be changed by other users; name a folder of your own by GATEWORK_CACHE")


def _is_whole(target: Path) -> bool:
    """Whether a library is there as it was built, by the digest beside it."""
    try:
        return target.with_suffix(".sha256").read_text(encoding="ascii") == _sha256(target)
    except (OSError, UnicodeDecodeError):
        return False


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def takes_shared(compiler: list[str]) -> bool:
    """Whether a library may leave names to be found in the package's own: zig's linker and macOS want all of them."""
    return sys.platform == "linux" and len(compiler) == 1


def _unit(derivation: Derivation, isa: str, operands: str, has_options: bool, *, takes_shared: bool) -> str:
    kernel = f"KernelOf<own::{struct_name(derivation)}, {operands}, {str(has_options).lower()}>"
    taken = [f"GATEWORK_SHARE(extern, {operands});"]
    if operands == "Exact<Widest<float>>" and not has_options:
        taken.append(f"GATEWORK_SHARE_PLAIN(extern, {operands});")
    lines = [
        f"#define GATEWORK_ISA {isa}",
        *(["#define GATEWORK_TAKES_SHARED"] if takes_shared else []),
        '#include "shared.h"',
        "namespace gatework::GATEWORK_ISA {",
        *(taken if takes_shared else []),
        "namespace own {",
        # The lines of the step, which stand beside, are not known of a stored cell: it is the same library.
        *(line.partition("//")[0].rstrip() for line in struct(derivation)),
        "}  // namespace own",
        f'extern "C" __attribute__((visibility("default"))) const Kernel {SYMBOL};',
        f"const Kernel {SYMBOL} = {kernel}::kernel();",
        "}  // namespace gatework::GATEWORK_ISA",
        "",
    ]
    return "\n".join(lines)


def compiler_words() -> list[str]:
    """The compiler that CXX names, the first usual one, or the one in the package ziglang: its path, and its words.

    Raises:
        BuildError: There is none.
    """
    wanted = os.environ.get("CXX")
    for name in (wanted,) if wanted else _COMPILERS:
        path = shutil.which(name)
        if path:
            return [os.path.realpath(path)]
    if wanted:
        raise BuildError(f"CXX names {wanted}, which is not there")
    package = find_spec("ziglang")
    zig = shutil.which("zig", path=os.path.dirname(package.origin)) if package and package.origin else None
    if zig is None:
        raise BuildError('no C++ compiler was found; pip install "gatework[compiler]" brings one')
    # With a target named it compiles for any processor of the kind, and the flags alone choose the instruction set.
    system = "macos" if sys.platform == "darwin" else "linux-gnu"
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())
    return [zig, "c++", "-target", f"{machine}-{system}"]


@cache
def flags(headers: Path) -> dict[str, list[str]]:
    """The flags of each instruction set, as the package's own kernels were compiled with."""
    lines = (headers / "flags.txt").read_text(encoding="utf-8").splitlines()
    return {isa: options for isa, *options in (line.split() for line in lines if line.strip())}


@cache
def _digest(headers: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(headers.rglob("*.h")):
        total.update(path.relative_to(headers).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


def _build(target: Path, name: str, text: str, command: list[str]) -> None:
    with FileLock(target.with_suffix(".lock")):
        if _is_whole(target):
            return
        folder = target.with_suffix(".build")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        source, made = folder / f"{identifier(name)}.cpp", folder / target.name
        source.write_text(text, encoding="utf-8")
        print(f"gatework: compiling the cell {name} with {os.path.basename(command[0])} ...", file=sys.stderr, end=" ")
        start = time.monotonic()
        try:
            _run([*command, str(source), "-o", str(made)], target.with_suffix(".log"))
        except BuildError:
            print("failed", file=sys.stderr)
            raise
        print(f"{time.monotonic() - start:.1f} s", file=sys.stderr)
        with open(made, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(made, target)
        target.with_suffix(".sha256").write_text(_sha256(target), encoding="ascii")
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], log: Path) -> None:
    longest = _LONGEST_OF_ZIG if command[1] == "c++" else _LONGEST_SECONDS
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=longest, check=False)
    except subprocess.TimeoutExpired:
        raise BuildError(f"{command[0]} took more than {longest} s") from None
    if done.returncode:
        log.write_text(" ".join(command) + "\n" + done.stdout + done.stderr, encoding="utf-8")
        raise BuildError(f"{command[0]} failed; its words are in {log}")
