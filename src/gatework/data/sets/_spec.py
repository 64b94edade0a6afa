"""What a registered data set is to the rest of the library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatework.data.download import found_file

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset
    from gatework.data.tables import Table
    from gatework.data.text import Texts
    from gatework.options import DataOptions


@dataclass(frozen=True, kw_only=True)
class SetSpec:
    """One registered data set.

    Attributes:
        name: The name in the registry, on the command line and in reports.
        title: One line: what it holds.
        licence: Its licence.
        load: Makes the Dataset, given the shares and seeds that the official split leaves open; or gives the Table that
            a task reads by a recipe.
        recipe: The recipe it is usually trained with, which says for what task.
        label: The column of its table by which answers are measured, where they are learnt without it.
        is_table: Whether `load` gives a Table.
        is_built_in: Whether it needs no download.
        url: The address of its file, where that is downloaded.
        folder: Gives the folder of its files, for a task that reads one as a person would have it; None where its
            examples are no files.
        unlabelled: Gives its texts without labels, where it has some.
    """

    name: str
    title: str
    licence: str
    load: Callable[[DataOptions], Dataset | Table]
    recipe: str
    label: str | None = None
    is_table: bool = False
    is_built_in: bool = True
    url: str | None = None
    folder: Callable[[], Path] | None = None
    unlabelled: Callable[[], Texts] | None = None

    @property
    def is_at_hand(self) -> bool:
        """Whether it can be loaded without a download."""
        return self.is_built_in or (self.url is not None and found_file(self.name, self.url) is not None)
