"""How fast the playground trains: steps a second of 2 layers of 20 units on 32 sequences of 100 steps, on one core.

`python benchmarks/playground.py [CELL ...]` writes the page, opens it in an installed Chromium that may use one core
only, and trains each cell in the page's worker, as the page itself does. On a machine that others use too, the second
figure says more: the processor time of the browser.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from asking import help_if_asked
from playwright.sync_api import sync_playwright

from gatework.inside.playground import write_playground
from gatework.inside.playground.write import CELLS

SETTINGS = {
    "task": "waves", "own": "", "units": 20, "layers": 2, "length": 100, "rate": 0.001, "optimiser": "adam", "scale": 1,
    "noise": 0, "batch": 32, "seed": 1,
}  # fmt: skip
WARM_UP, ROUNDS, STEPS = 20, 5, 20
TRAIN = """({ settings, cell, steps }) => {
  self.timed ??= {};
  self.timed[cell] ??= new Race(settings, [{ cell, forgetBias: 1, clipping: 1, truncation: 0 }]);
  const start = performance.now();
  for (let n = 0; n < steps; n++) self.timed[cell].train();
  return (performance.now() - start) / steps;
}"""


def processor_seconds() -> float:
    """What the processes that this one started have used so far."""
    parents, used = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(fields[1])
        used[int(folder.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def is_ours(process: int) -> bool:
        while process not in (0, os.getpid()):
            process = parents.get(process, 0)
        return process == os.getpid()

    return sum(seconds for process, seconds in used.items() if process != os.getpid() and is_ours(process))


def main(cells: list[str]) -> None:
    """Prints a line for each cell: the median over the rounds, and the processor time of all of them."""
    # The browser's processes inherit it.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        path = write_playground(Path(folder) / "playground.html", cells)
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--headless"])
        page = browser.new_page()
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-state=paused]")
        print(f"Chromium {browser.version}, one core: ms a training step (steps a second), then in processor time")
        for cell in cells:
            arguments = {"settings": SETTINGS, "cell": cell, "steps": STEPS}
            page.workers[0].evaluate(TRAIN, {**arguments, "steps": WARM_UP})
            before = processor_seconds()
            times = [page.workers[0].evaluate(TRAIN, arguments) for _ in range(ROUNDS)]
            busy = 1000 * (processor_seconds() - before) / (ROUNDS * STEPS)
            middle = statistics.median(times)
            print(f"{cell:<10} {middle:6.1f} ({1000 / middle:.1f})   {busy:6.1f} ({1000 / busy:.1f})")
        browser.close()


if __name__ == "__main__":
    help_if_asked(__doc__)
    main(sys.argv[1:] or list(CELLS))
