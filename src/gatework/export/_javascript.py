"""A network as one JavaScript file without dependencies, for a browser or for node."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from gatework import __version__
from gatework._files import write_text
from gatework.cells._printer import JAVASCRIPT, in_comment
from gatework.errors import KindError, UsageError
from gatework.export._network import Network, after_statements, network, step_statements
from gatework.inside.page.characters import characters_script

_OPENING = """\
// A recurrent network, written by gatework {version}; the cell is {title}.
// In node: const {name} = require("./{file}"); in a page: <script src="{file}"></script> defines {name}.
//   {name}.predict(sequence)        the output for one sequence: {sequence}
//   {name}.run(sequence, states)    {{ output, states }}, to go on where a call has left off
//   {name}.answer(input)            from a text or a series as it was measured to a label or to values in their unit
"""
_READ = {
    "sum": "sums[{0}][k]",
    "vector": "vectors[{0} * units + k]",
    "before": "before[{0}][k]",
    "normal": "normal[{0}][k]",
    "inner": "normal[{0}][k]",
    "after": "after[{0}][k]",
}


def js(model: nn.Module, file: str | Path, *, name: str = "model", about: Mapping[str, Any] | None = None) -> Path:
    """Write a network as one JavaScript file that predicts, its cell printed from `step()`.

    Args:
        model: A recurrent layer, gatework's or torch.nn's, or a network of an optional `embedding`, a `recurrent`
            layer, a `pooling` and an `output`.
        file: Where to write.
        name: What the model is called in a page.
        about: What travels beside the weights, in JSON's terms. `answer()` reads `encoder`, the kind "text" or
            "series" with the encoder's state, `classes`, and `scale`, the mean and std of the targets.

    Returns:
        The file.

    Raises:
        UsageError: The model is another one.
    """
    if not name.isidentifier():
        raise UsageError(f'the name "{name}" of the model must be letters, digits and underscores')
    held = network(model)
    facts, packed = _facts(held)
    try:
        described = json.dumps(dict(about or {}), ensure_ascii=False)
    except TypeError as problem:
        raise KindError(f"about must be made of JSON's terms: {problem}") from None
    takes = "an array of tokens" if held.embedding is not None else f"an array of arrays of {facts['inputs']} numbers"
    title = in_comment(held.layer.spec.title)
    opening = _OPENING.format(version=__version__, title=title, name=name, file=Path(file).name, sequence=takes)
    parts = [
        opening, '(() => {\n"use strict";', f'const NAME = "{name}";', f"const NETWORK = {json.dumps(facts)};",
        f"const ABOUT = {described};", f'const PACKED = "{packed}";', _cell(held), _tokeniser(about),
        _asset("gatework.inside.page", "functions.js"),
        _asset("gatework.export", "network.js"), "})();\n",
    ]  # fmt: skip
    write_text(Path(file), "\n".join(part for part in parts if part))
    return Path(file)


def _facts(held: Network) -> tuple[dict[str, Any], str]:
    """What the arithmetic has to know, and all weights as float32, little-endian, in base64."""
    arrays: list[np.ndarray] = []

    def place(values: np.ndarray | None) -> list[int] | None:
        if values is None:
            return None
        arrays.append(values.reshape(-1))
        return [sum(len(array) for array in arrays[:-1]), values.size]

    layer, spec = held.layer, held.layer.spec
    output = held.output or (None, None)
    facts = {
        "inputs": layer.input_size,
        "tokens": 0 if held.embedding is None else len(held.embedding),
        "units": layer.hidden_size,
        "features": layer.output_size,
        "directions": layer.num_directions,
        "inputBlocks": len(spec.input_gates),
        "recurrentBlocks": len(spec.recurrent_gates),
        "sums": held.accumulators,
        "states": list(spec.states),
        "normalised": len(held.derived.normalised),
        "pooling": held.pooling,
        "scans": [{name: place(weight) for name, weight in scan.items()} for scan in held.scans],
        "places": {
            "embedding": place(held.embedding),
            "score": place(None if held.score is None else held.score[0]),
            "output": place(output[0]),
            "output_bias": place(output[1]),
        },
    }
    return facts, base64.b64encode(np.concatenate(arrays).astype("<f4").tobytes()).decode()


def _cell(held: Network) -> str:
    """The equations: `inner()` up to the norms of the states, `step()` the cell, `carried` what acts on its states."""
    inner, step = step_statements(held.derived, JAVASCRIPT, lambda kind, place: _READ[kind].format(place))
    methods = {
        "inner(units, sums, vectors, before, normal)": inner,
        "step(units, sums, vectors, before, normal, after)": step,
    }
    written = []
    for signature, lines in methods.items():
        body = "".join(f"      {line}\n" for line in lines)
        written.append(f"  {signature} {{\n    for (let k = 0; k < units; k++) {{\n{body}    }}\n  }},\n")
    functions = []
    acting = after_statements(held, JAVASCRIPT)
    for state in held.layer.spec.states:
        lines, result = acting.get(state, ([], "next"))
        body = " ".join([*lines, f"return {result};"])
        functions.append(f"    (previous, next) => {{ {body} }},\n" if state in acting else "    null,\n")
    written.append(f"  carried: [\n{''.join(functions)}  ],\n")
    return f"const CELL = {{\n{''.join(written)}}};"


def _tokeniser(about: Mapping[str, Any] | None) -> str:
    """The tokeniser, where texts are read."""
    encoder = (about or {}).get("encoder") or {}
    if encoder.get("kind") != "text":
        return ""
    if "pieces" in encoder:
        raise UsageError(
            "the network reads pieces of words, and JavaScript is written of ones that read words: --to onnx"
        )
    scripts = characters_script() + _asset("gatework.inside.page", "tokens.js")
    return scripts.replace('"use strict";\n', "")


def _asset(package: str, name: str) -> str:
    text = files(package).joinpath("assets", name).read_text(encoding="utf-8")
    return text.replace('"use strict";\n', "")
