"""A run as a folder for the Hugging Face hub: what predicts, and a card; none of the examples it learnt from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gatework._files import explained, is_occupied, make_folder, whole_folder, write_text
from gatework.errors import RunError, UsageError
from gatework.export._card import card
from gatework.export._extra import need
from gatework.recipe import recipe_to_toml
from gatework.training.run import ANSWER_FILE, CELL_FILE, Run

# What answers new examples. The tables of a run hold rows of a person's data and stay at home.
PREDICTING = ("task.json", "model.safetensors", "summary.json", "environment.json", ANSWER_FILE, CELL_FILE)


def hub(run: Run, folder: Path) -> str:
    """Writes the folder, which a run is still: `gatework predict FOLDER ...`.

    Args:
        run: A finished run.
        folder: Where to write; its name is the model's.

    Returns:
        A sentence for a person.

    Raises:
        RunError: The folder holds something, or training has not ended.
    """
    with new_folder(folder) as temporary:
        write_predicting(run, temporary)
        write_text(temporary / "README.md", card(run, folder.name))
    return f"{folder}: a card and a run that predicts; publish it with: hf upload OWNER/{folder.name} {folder}"


def write_predicting(run: Run, folder: Path) -> None:
    """Copies what predicts; the recipe names the data, not where they lay.

    Raises:
        RunError: Training has not ended.
    """
    _ = run.summary
    files = [run.path / name for name in PREDICTING if (run.path / name).exists()]
    for file in files:
        _refuse_link(file, run.path)
    make_folder(folder)
    for file in files:
        shutil.copyfile(file, folder / file.name)
    data = run.recipe.data.dataset
    recipe = run.recipe.changed(dataset=data.replace("\\", "/").rpartition("/")[2])
    write_text(folder / "recipe.toml", recipe_to_toml(recipe))


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that becomes this one once it is whole.

    Raises:
        RunError: The folder holds something, which would be written over, or cannot be written.
    """
    if is_occupied(folder):
        raise RunError(f"{folder} holds something; name a new folder by --out")
    make_folder(folder.absolute().parent)
    try:
        with whole_folder(folder) as temporary:
            yield temporary
    except OSError as error:
        raise explained(error, folder) from error


def _refuse_link(file: Path, run: Path) -> None:
    """Refuses what lies elsewhere: a run that a stranger sent could publish a file of this machine by a link to it."""
    home = run.resolve()
    # The hub's own cache links each file of a run to the blobs beside it.
    homes = [home, *([home.parent.parent / "blobs"] if home.parent.name == "snapshots" else [])]
    if not any(file.resolve().is_relative_to(place) for place in homes):
        raise RunError(f"{file} is a link to a file outside its run; put the file itself there, as by cp -L")


def push(folder: Path, repository: str, *, is_private: bool = True) -> str:
    """Publishes such a folder on the Hugging Face hub, as whoever is logged in there.

    Args:
        folder: What `hub()` wrote.
        repository: OWNER/NAME; it is made where there is none.
        is_private: Whether a new one is seen by its owner alone.

    Returns:
        Its address.

    Raises:
        UsageError: huggingface_hub is not installed, or the name is none.
    """
    need("publishing on the Hugging Face hub", "huggingface_hub", extra="hub")
    from huggingface_hub import HfApi

    if repository.count("/") != 1 or not all(repository.split("/")):
        raise UsageError(f'the repository is "{repository}", expected OWNER/NAME')
    api = HfApi()
    api.create_repo(repository, private=is_private, exist_ok=True)
    return str(api.upload_folder(folder_path=folder, repo_id=repository))
