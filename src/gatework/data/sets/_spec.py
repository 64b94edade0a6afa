"""What a registered data set is to the rest of the library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatework.config import DataConfig, Recipe
    from gatework.data.dataset import Dataset


@dataclass(frozen=True)
class SetSpec:
    """One registered data set.

    Attributes:
        name: The name in the registry, on the command line and in reports.
        title: One line: what it holds.
        kind: What the inputs are: "series" or "text".
        task: The task it is usually used for.
        recipe: The recipe it is usually trained with.
        licence: Its licence.
        is_built_in: Whether it needs no download.
        load: Makes the Dataset; takes the shares and seeds that the official split leaves open.
        load_recipe: For tables with a time column: makes the Dataset, given a whole recipe.
        url: The address of its file, where that is downloaded.
    """

    name: str
    title: str
    kind: str
    task: str
    recipe: str
    licence: str
    is_built_in: bool
    load: Callable[[DataConfig], Dataset]
    load_recipe: Callable[[Recipe], Dataset] | None = None
    url: str | None = None

    @property
    def is_at_hand(self) -> bool:
        """Whether it can be loaded without a download."""
        from gatework.data.download import found_file

        return self.is_built_in or (self.url is not None and found_file(self.name, self.url) is not None)
