"""A release, rehearsed: the source archive and the wheels are built, audited, and used where there is no compiler.

`make wheel` calls it. A wheel for 3.12 and later keeps to the stable ABI; 3.11 gets one of its own. Each is built from
the source archive, as an index would hand it out, installed into a fresh environment whose PATH has no compiler, and
asked to train, to predict and, on 3.11, to pass the drop-in tests. The other environments have no torch: the run that
the first one trained is answered there.

    python packaging/wheel.py [--python PYTHON ...] [--wheels FOLDER]

The folder of finished wheels stands in for building them, as on a machine that fetched them from the builders.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "wheels"
TOOLS = ("build", "abi3audit", "auditwheel", "check-wheel-contents", "twine")
# The greatest size of a wheel that is promised.
MOST_BYTES = 10 * 2**20
# What a person's own cell is compiled from must be in the wheel, what is compiled already must not.
WANTED = ("gatework/csrc/kernels.h", "gatework/csrc/flags.txt", "gatework/py.typed", "gatework/_native.pyi")
UNWANTED = re.compile(r"(^|/)(tests|benchmarks|__pycache__)/|\.(cpp|o|a)$")
DROP_IN_TESTS = ("tests/nn/test_drop_in.py", "tests/nn/test_accelerate.py")

TRAIN = """
import csv, gatework
with open("reviews.csv", "w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["text", "label"])
    rows.writerows([f"it was {('dull', 'lovely')[k % 2]} number {k}", ("bad", "good")[k % 2]] for k in range(80))
gatework.train("classify", "reviews.csv", text="text", label="label", out="run", hidden=8, epochs=8, learning_rate=0.02)
"""
OWN_CELL = """
import torch, gatework
cell = gatework.cell(lambda a_a, a_b: {"h": torch.sigmoid(a_a) * torch.tanh(a_b)}, name="mine")
print(tuple(cell(2, 3)(torch.zeros(4, 1, 2))[0].shape))
"""


def main() -> int:
    """Builds, audits and tries the wheels; 1 where something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", nargs="+", default=[], help="interpreters; this one, and 3.12 and 3.13 where there")
    parser.add_argument("--wheels", type=Path, help="a folder of wheels that were built elsewhere")
    asked = parser.parse_args()
    if sys.version_info[:2] != (3, 11) and not asked.python:
        print("run this with Python 3.11, the oldest that is served: make PYTHON=python3.11 wheel", file=sys.stderr)
        return 1
    interpreters = asked.python or [sys.executable, *filter(None, map(shutil.which, ("python3.12", "python3.13")))]
    versions = {version_of(python): python for python in interpreters if works(python)}
    OUT.mkdir(parents=True, exist_ok=True)
    tools = environment(OUT.parent / "wheel-tools", sys.executable)
    pip(tools, *TOOLS)
    wheels = [path.resolve() for path in sorted(asked.wheels.glob("*.whl"))] if asked.wheels else build(tools, versions)
    for wheel in wheels:
        audit(tools, wheel)
    with tempfile.TemporaryDirectory() as folder:
        for version, python in sorted(versions.items()):
            wheel = next((w for w in wheels if serves(w, version)), None)
            if wheel is None:
                print(f"no wheel serves Python {version[0]}.{version[1]}", file=sys.stderr)
                return 1
            attempt(Path(folder), wheel, version, python)
    print(f"all is well: {', '.join(wheel.name for wheel in wheels)} in {wheels[0].parent}")
    return 0


def build(tools: Path, versions: dict[tuple[int, int], str]) -> list[Path]:
    """The source archive, and from it one wheel for 3.11 and one for all later versions; minutes each."""
    for old in OUT.iterdir():
        old.unlink()
    run(tools / "bin" / "python", "-m", "build", "--sdist", "--outdir", OUT, ROOT)
    (archive,) = OUT.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
        (source,) = Path(folder).iterdir()
        for version in sorted({min(version, (3, 12)) for version in versions}):
            python = versions.get(version) or versions[max(versions)]
            run(python, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", OUT, source)
    run(tools / "bin" / "python", "-m", "twine", "check", "--strict", *OUT.iterdir())
    return sorted(OUT.glob("*.whl"))


def audit(tools: Path, wheel: Path) -> None:
    """Check that a wheel keeps what its name promises, and holds what it should."""
    if "-abi3-" in wheel.name:
        run(tools / "bin" / "abi3audit", "--strict", "--summary", wheel)
    if "linux" in wheel.name:
        run(tools / "bin" / "auditwheel", "show", wheel)
    # W002: an experiment of the course holds some files twice.
    run(tools / "bin" / "check-wheel-contents", "--ignore", "W002", wheel)
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
    absent = [name for name in WANTED if name not in names]
    absent += [
        name for name in modules() if not any(re.match(rf"gatework/{name}\..*(so|pyd)$", each) for each in names)
    ]
    beside = [name for name in names if UNWANTED.search(name)]
    size = wheel.stat().st_size
    if absent or beside or size > MOST_BYTES:
        sys.exit(f"{wheel.name}: {size / 2**20:.1f} MiB; missing: {absent}; out of place: {beside[:5]}")
    print(f"{wheel.name}: {size / 2**20:.1f} MiB, {len(names)} files")


def modules() -> list[str]:
    """The compiled modules, as they are installed."""
    built = re.search(r"install\(TARGETS ([\w ]+) LIBRARY", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
    return built[1].split() if built else sys.exit("CMakeLists.txt installs no modules")


def attempt(folder: Path, wheel: Path, version: tuple[int, int], python: str) -> None:
    """Uses a wheel in a fresh environment without a compiler, on the oldest Python with torch, else without."""
    place = environment(folder / f"python{version[0]}.{version[1]}", python)
    is_whole = version == (3, 11)
    constraints = ("-c", ROOT / "requirements" / "dev.txt") if is_whole else ()
    if is_whole:
        pip(place, *constraints, wheel, "pytest", "hypothesis")
    else:
        pip(place, "--no-deps", wheel)
        pip(place, *(name for name in dependencies() if not name.startswith("torch")))
    command = place / "bin" / "gatework"
    if is_whole:
        alone(place, folder, place / "bin" / "python", "-c", TRAIN)
        said = alone(place, folder, place / "bin" / "python", "-c", OWN_CELL)
        if "(4, 1, 3)" not in said or "no C++ compiler was found" not in said:
            sys.exit(f"a cell of one's own without a compiler: {said}")
        tests = [place / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *DROP_IN_TESTS]
        print(alone(place, ROOT, *tests).splitlines()[-1])
    answer = alone(place, folder, command, "predict", "run", "it was lovely")
    if "good" not in answer:
        sys.exit(f"Python {version}: the run was answered with {answer!r}")
    print(f"Python {version[0]}.{version[1]}, {'with' if is_whole else 'without'} torch: {answer.splitlines()[-1]}")


def dependencies() -> list[str]:
    """What the package needs."""
    names: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return names


def serves(wheel: Path, version: tuple[int, int]) -> bool:
    """Whether a wheel is for a version of Python."""
    tag = re.search(r"-cp3(\d+)-", wheel.name)
    oldest = (3, int(tag[1])) if tag else (3, 0)
    return oldest == version or ("-abi3-" in wheel.name and oldest <= version)


def works(python: str) -> bool:
    """Whether an interpreter is there: pyenv's names exist without one behind them."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


def version_of(python: str) -> tuple[int, int]:
    """An interpreter's version; (0, 0) where it is none."""
    code = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    major, minor = map(int, done.stdout.split() or (0, 0))
    return major, minor


def environment(path: Path, python: str) -> Path:
    """A fresh environment, or the one that is there."""
    if not (path / "bin" / "python").exists():
        run(python, "-m", "venv", path)
    return path


def pip(place: Path, *names: str | Path) -> None:
    """Installs into an environment, never by compiling."""
    run(place / "bin" / "python", "-m", "pip", "install", "-q", "--only-binary", ":all:", *names)


def alone(place: Path, cwd: Path, *command: str | Path) -> str:
    """What a command says where PATH has the environment alone, and so no compiler, on both its outputs."""
    named = {name: os.environ[name] for name in ("HOME", "LANG", "OMP_NUM_THREADS") if name in os.environ}
    spare = {"PATH": str(place / "bin"), "GATEWORK_CACHE": str(cwd / "cache") if cwd != ROOT else ""}
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env=named | {name: value for name, value in spare.items() if value},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout}")
    return done.stdout


def run(*command: str | Path) -> None:
    """Runs a command, and ends all where it fails."""
    print("$", *command, flush=True)
    if code := subprocess.run([*map(str, command)], check=False).returncode:
        sys.exit(f"{command[0]} ended with {code}")


if __name__ == "__main__":
    sys.exit(main())
