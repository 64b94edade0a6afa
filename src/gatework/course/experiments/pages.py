"""The published experiments as pages: a comparison that was run, printed from the figures that it left.

A folder beside this file holds what a report reads of a comparison, but neither weights nor examples; `benchmarks/
keep_experiment.py` keeps it. Examples that the package can make again are put back before the page is printed; those
that may not be handed on are not, and the page says so.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework import data
from gatework._files import read_json, write_json
from gatework.data.sets import REGISTRY
from gatework.errors import RunError
from gatework.recipe import recipe_from_dict
from gatework.reports import write_report
from gatework.training.run import read_table, write_table

if TYPE_CHECKING:
    import polars as pl

_HOME = Path(__file__).parent


@dataclass(frozen=True)
class Experiment:
    """A comparison whose figures are kept.

    Attributes:
        name: Of its folder.
        title: As the course's first page calls it.
        lead: What it is, in a sentence or two.
    """

    name: str
    title: str
    lead: str

    @property
    def home(self) -> Path:
        """Where its figures are."""
        return _HOME / self.name

    @cached_property
    def about(self) -> dict[str, Any]:
        """What its `comparison.json` says."""
        return read_json(self.home / "comparison.json")

    @property
    def headline(self) -> str:
        """Its result in a sentence."""
        return str(self.about["headline"])

    def write(self, path: Path) -> Path:
        """Prints its page.

        Raises:
            RunError: The kept figures are not those of a comparison, or belong to other examples.
        """
        with tempfile.TemporaryDirectory(prefix="gatework-experiment-") as folder:
            copy = Path(folder) / self.name
            shutil.copytree(self.home, copy)
            write_table(copy / "test.parquet", self._test_part())
            write_json(copy / "comparison.json", self._told())
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(write_report(copy), path)
        return path

    def _told(self) -> dict[str, Any]:
        """What `comparison.json` says, and what became of the examples."""
        spec, provenance = REGISTRY[str(self.about["dataset"])], self.about["provenance"]
        if spec.is_built_in:
            return self.about
        note = f"The examples of {spec.name} may not be handed on (licence: {spec.licence}), so none is shown."
        return {**self.about, "provenance": {**provenance, "notes": [*provenance["notes"], note]}}

    def _test_part(self) -> pl.DataFrame:
        spec = REGISTRY[str(self.about["dataset"])]
        if not spec.is_built_in:
            run = next(entry["runs"][0] for entry in self.about["entries"] if entry["kind"] == "network")
            return read_table(self.home / run / "answers.parquet").select("target")
        dataset = data.load(spec.name, recipe_from_dict(self.about["recipe"], self.name).data)
        if dataset.provenance.fingerprint != self.about["provenance"]["fingerprint"]:
            raise RunError(f"the figures of {self.name} belong to other examples than {spec.name} holds; run it again")
        return dataset.test.table()


EXPERIMENTS = (
    Experiment(
        "waves-original",
        "Waves, as first published",
        "10,000 synthetic series, an RNN and an LSTM of two layers of 20 units, 20 epochs, three seeds, and a target "
        "that stands in the input.",
    ),
    Experiment(
        "waves",
        "Waves, with the trap taken out",
        "The same networks on the same series, and the step after the last one to predict.",
    ),
    Experiment(
        "imdb",
        "Film reviews, as first published",
        "25,000 reviews of IMDB to learn from and 25,000 to judge by, the last 200 of 10,000 words, an RNN and an LSTM "
        "of 128 units, five epochs, five seeds. The reviews themselves may not be shown.",
    ),
)
"""Every experiment that has a page, in the order of the course's first page."""
