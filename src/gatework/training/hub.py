"""Runs that lie on the Hugging Face hub: `hf://OWNER/NAME`, or `hf://OWNER/NAME@REVISION`."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from gatework.errors import RunError, UsageError

# A path has lost one of the slashes.
_ADDRESS = re.compile(r"hf:/{1,2}([\w.-]+/[\w.-]+?)(?:@([\w./-]+))?$")


def is_address(path: str) -> bool:
    """Whether this names a run on the hub."""
    return path.startswith(("hf://", "hf:/"))


def fetched(address: str) -> Path:
    """The folder that a run of the hub was copied into, or lies in already.

    Args:
        address: hf://OWNER/NAME, with @REVISION for one that never changes.

    Raises:
        UsageError: huggingface_hub is not installed, or the address is none.
        RunError: The hub has no such run, or cannot be reached.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise UsageError(f'the address is "{address}", expected hf://OWNER/NAME or hf://OWNER/NAME@REVISION')
    if find_spec("huggingface_hub") is None:
        raise UsageError('a run of the Hugging Face hub needs huggingface_hub: pip install "gatework[hub]"')
    from huggingface_hub import snapshot_download

    try:
        # What a run is read from, whatever else lies beside it.
        folder = snapshot_download(match[1], revision=match[2], allow_patterns=["*.json", "*.toml", "*.safetensors"])
    except Exception as error:
        raise RunError(f"{address} cannot be fetched ({type(error).__name__}: {_first_line(error)})") from None
    return Path(folder)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
