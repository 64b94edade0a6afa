"""The files that others build packages and images from name what the package needs, in its own versions."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def plain(requirement: str) -> str:
    """A requirement without spaces and markers, by its name on the index."""
    return requirement.partition(";")[0].replace(" ", "").replace("pytorch", "torch")


def test_the_conda_recipe_needs_what_the_package_needs():
    yaml = pytest.importorskip("yaml")
    recipe = yaml.safe_load((ROOT / "packaging" / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    needed = {plain(name) for name in recipe["requirements"]["run"]}
    assert needed == {*map(plain, PROJECT["dependencies"]), f"python{PROJECT['requires-python']}"}


def test_the_image_that_serves_installs_every_dependency_but_what_only_training_needs():
    text = (ROOT / "packaging" / "serve.Dockerfile").read_text(encoding="utf-8")
    installed = set(re.findall(r'"([\w-]+>=[\d.]+)"', text))
    every = {*map(plain, PROJECT["dependencies"]), *map(plain, PROJECT["optional-dependencies"]["serve"])}
    assert installed <= every
    absent = {re.split(r"[<>=]", name)[0] for name in every - installed}
    assert absent == {"torch", "plotly", "pooch", "requests"}


def test_every_pinned_package_but_torch_has_the_hashes_of_its_files():
    folder = ROOT / "requirements"
    pins = set((folder / "dev.txt").read_text(encoding="utf-8").lower().replace("_", "-").split())
    text = (folder / "hashes.txt").read_text(encoding="utf-8")
    hashed = re.findall(r"^(\S+==\S+) \\\n(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE)
    assert {pin for pin in pins if not pin.startswith("torch==")} == set(hashed), "make requirements writes them"
    assert "://" not in text
