"""What tests of every part share: which of them are slow, and a real browser, which is told what a page may not do."""

from __future__ import annotations

import gc
import os
import random
import shutil
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from gatework.cells import BUILT_IN, REGISTRY
from support import patience

# How long an example takes depends on what else the machine does; new ones come by `--hypothesis-profile new`.
UNTIMED = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("new", **UNTIMED)
hypothesis.settings.register_profile("same", **UNTIMED, derandomize=True)
hypothesis.settings.load_profile("same")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--process-per-site",
]

# What `make quick` leaves out: folders, files and single tests that start compilers or processes, or train for long.
SLOW = {
    "compile": (
        "native",
        "cells/test_custom.py",
        "export",
        "nn/test_bfloat16.py",
        "nn/test_compile_and_export.py",
        "scan/test_exported.py",
        "tasks/test_models_export.py",
    ),
    "run lessons": ("course/test_lessons.py", "course/test_learner.py", "course/test_site_in_browser.py"),
    "start processes": (
        "cli",
        "cells/test_docs.py",
        "evaluation/test_processes.py",
        "search/test_joined.py",
        "nn/test_processes_and_threads.py",
        "reports/test_picture.py",
        "serve/test_server.py",
        "tasks/test_outside_task.py",
        "training/test_resume.py",
        "training/test_trust.py",
        "training/test_runtime.py::test_subnormal_numbers_are_flushed_in_every_thread",
        "test_threads.py",
        "test_files.py::test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written",
        "test_options.py::test_a_type_checker_knows_every_keyword_argument",
        "test_public_face.py::test_importing_gatework_imports_neither_torch_nor_numpy",
    ),
    "train for long": (
        "bench",
        "fuzz",
        "data/sets/test_every_set.py",
        "estimators",
        "evaluation/test_comparison.py",
        "inside/test_docs.py",
        "inside/test_inspect_command.py",
        "inside/test_memory.py",
        "tasks/detect/test_detector.py",
        "tasks/forecast",
        "training/test_run.py",
        "training/test_optimizer.py::test_training_goes_as_with_torchs_optimiser",
    ),
    "differentiate twice": (
        "nn/test_transforms.py::test_gradients_and_second_gradients_agree_with_finite_differences",
        "nn/test_options.py::test_gradients_of_gradients_pass_what_acts_around_the_cell",
    ),
}

# The longest files come first, as the last worker at work would run them alone, then the slow ones and pages; what
# waits for the lessons comes when they have been run.
FIRST = ("course/test_lessons.py", "cells/test_custom.py")
AFTER_THE_SLOW = ("course/test_site_in_browser.py",)


def pytest_configure(config: pytest.Config) -> None:
    """Lets each worker begin with other folders: what one has compiled, and pytest rewritten, the others find there."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    here = Path(__file__).parent
    if worker is not None and [Path(config.rootpath, place) for place in config.args] == [here]:
        places = [path.relative_to(here).parts[0] for path in sorted(here.rglob("test_*.py"))]
        start = len(places) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args = [str(here / place) for place in dict.fromkeys((*places[start:], *places[:start]))]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Lets a test draw the same random numbers, whatever tests this process has run before it."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(0)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spares the garbage collector what is there until the end: thousands of tests, and all that they import."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the slow tests, and puts the longest files first."""
    here = Path(__file__).parent
    slow = tuple(place for places in SLOW.values() for place in places)
    rank: dict[str, int] = {}
    for item in items:
        file = item.path.relative_to(here).as_posix()
        name = f"{file}::{getattr(item, 'originalname', item.name)}"
        is_slow = f"{name}::".startswith(tuple(f"{place}{end}" for place in slow for end in ("/", "::")))
        if is_slow:
            item.add_marker(pytest.mark.slow)
        takes_long = is_slow or any(map(item.get_closest_marker, ("slow", "browser")))
        own = 0 if file in FIRST else 2 if file in AFTER_THE_SLOW else 1 if takes_long else 3
        rank[file] = min(own, rank.get(file, own))
    items.sort(key=lambda item: (rank[item.path.relative_to(here).as_posix()], item.path))


@pytest.fixture(scope="session", autouse=True)
def _files_need_not_outlive_a_power_cut():
    # To wait for the disk at each of the many thousand files takes minutes.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def only_built_in_cells(monkeypatch):
    """No cell of a person's own is known, whatever the tests before have made."""
    for name in set(REGISTRY) - set(BUILT_IN):
        monkeypatch.delitem(REGISTRY, name)


@pytest.fixture(scope="session")
def browser():
    """An installed Chromium without a window."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_page(browser, tmp_path_factory):
    """Opens an empty page, in one window and one process for all: to start these takes as long as to draw a report.

    A page that is given options of a browser's context has a window to itself.
    """
    nothing = tmp_path_factory.mktemp("browser") / "nothing.html"
    nothing.write_text("<!doctype html><title>Nothing</title>", encoding="utf-8")
    window = browser.new_context()
    # While one of its pages is open, the process stays, with all that it has compiled.
    first = window.new_page()
    first.goto(nothing.as_uri())

    def open_page(width=1200, height=900, scheme="light", motion="no-preference", **options):
        # What a page has kept is not there for the next one.
        first.evaluate("localStorage.clear()")
        page = browser.new_page(**options) if options else window.new_page()
        page.set_default_timeout(1000 * patience.SECONDS)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion=motion)
        return page

    yield open_page
    window.close()


def _pages(new_page):
    opened, troubles = [], []

    def open_page(path: Path, scheme: str = "light", width: int = 1200, view: str = "", **options):
        page = new_page(width, scheme=scheme, **options)
        opened.append(page)
        page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        own = path.as_uri()
        page.on(
            "request",
            lambda r: None if r.url.split("#")[0] == own or r.url[:5] in ("data:", "blob:") else troubles.append(r.url),
        )
        page.goto(own + view)
        return page

    yield open_page
    for page in opened:
        page.close()
    assert troubles == []


@pytest.fixture
def show(new_page):
    """Opens a page, and fails at the end if it asked for anything outside its file or reported an error."""
    yield from _pages(new_page)


@pytest.fixture(scope="module")
def show_once(new_page):
    """The same, once for all tests of a file that open it so: what one did on a page is there for the next.

    To draw the plots of a page takes seconds.
    """
    for open_page in _pages(new_page):
        yield cache(open_page)
