"""A network as one C99 file, its weights as arrays: for microcontrollers, and wherever there is a C compiler."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
from torch import nn

from gatework import __version__
from gatework._files import write_text
from gatework.cells._derive import Derivation, topological
from gatework.cells._printer import C, in_comment
from gatework.errors import UsageError
from gatework.export._network import Network, after_statements, network, step_statements

_POOLINGS = {
    None: "NONE",
    "last": "LAST",
    "mean": "MEAN",
    "max": "LARGEST",
    "concat": "CONCAT",
    "attention": "ATTENTION",
}
_WEIGHTS = (
    "weight_ih", "bias_ih", "weight_hh", "bias_hh", "weight_hr", "weight_unit", "norm_ih", "norm_hh", "norm_state",
    "norm_state_bias",
)  # fmt: skip
_HELPERS = {
    "sigmoid": "static float sigmoid(float a) { return 1.0f / (1.0f + expf(-a)); }",
    "relu": "static float relu(float a) { return a > 0.0f ? a : 0.0f; }",
    "softplus": "static float softplus(float a) { return a > 15.0f ? a : log1pf(expf(a)); }",
}


def c(model: nn.Module, file: str | Path, *, name: str = "model") -> Path:
    """Write a network as one C99 file that predicts, its cell printed from `step()`; it allocates no memory.

    Args:
        model: A recurrent layer, gatework's or torch.nn's, or a network of an optional `embedding`, a `recurrent`
            layer, a `pooling` and an `output`.
        file: Where to write.
        name: What the names of its functions start with.

    Returns:
        The file, which opens with how its functions are called.

    Raises:
        UsageError: The model is another one.
    """
    if not (name.isidentifier() and name.isascii()):
        raise UsageError(f'the name "{name}" of the model must be letters, digits and underscores')
    held = network(model)
    includes = "#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n"
    parts = [
        _opening(held, name),
        includes,
        _sizes(held, name),
        *_arrays(held),
        _types(held),
        _cell(held.derived),
        _carried(held),
    ]
    runtime = files("gatework.export").joinpath("assets", "network.c").read_text(encoding="utf-8")
    write_text(Path(file), "\n".join([*parts, runtime]))
    return Path(file)


def _opening(held: Network, name: str) -> str:
    layer = held.layer
    values = f"{layer.input_size} values a step" if held.embedding is None else "a token a step"
    kind = "float" if held.embedding is None else "int32_t"
    width = layer.num_directions * layer.output_size
    gives = f"{width} values a step" if held.output is None else f"{len(held.output[1])} values"
    lines = [
        f"A recurrent network, written by gatework {__version__}; the cell is {in_comment(layer.spec.title)}.",
        f"Declare what you call: inputs have {values}, the output has {gives}.",
        "",
    ]
    if layer.num_directions == 2:
        lines += [
            f"void {name}_predict(const {kind} *inputs, size_t steps, float *output, float *scratch);",
            f"    scratch has room for {2 * width} x steps values",
        ]
    else:
        size = layer.num_layers * (layer.output_size + (len(layer.spec.states) - 1) * layer.hidden_size)
        lines += [
            f"void {name}_predict(const {kind} *inputs, size_t steps, float *output);",
            "or step by step, in any number of streams:",
            f"struct {name}_state;    {size} values and what the pooling keeps; include this file to have one",
            f"void {name}_start(struct {name}_state *state);",
            f"void {name}_step(struct {name}_state *state, const {kind} *input);",
            f"void {name}_output(const struct {name}_state *state, float *output);",
        ]
    return "/*\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"


def _sizes(held: Network, name: str) -> str:
    layer, spec = held.layer, held.layer.spec
    numbers = {
        "NONE": 0, "LAST": 1, "MEAN": 2, "LARGEST": 3, "CONCAT": 4, "ATTENTION": 5,
        "POOLING": _POOLINGS[held.pooling],
        "INPUTS": layer.input_size,
        "TOKENS": 0 if held.embedding is None else len(held.embedding),
        "UNITS": layer.hidden_size,
        "FEATURES": layer.output_size,
        "LAYERS": layer.num_layers,
        "DIRECTIONS": layer.num_directions,
        "INPUT_BLOCKS": len(spec.input_gates),
        "RECURRENT_BLOCKS": len(spec.recurrent_gates),
        "SUMS": len(held.accumulators),
        "STATES": len(spec.states),
        "NORMALISED": len(held.derived.normalised),
        "OUTPUTS": 0 if held.output is None else len(held.output[1]),
        "INPUT": "float" if held.embedding is None else "int32_t",
        "STATE": f"struct {name}_state",
        "FUNCTION(action)": f"{name}_##action",
    }  # fmt: skip
    return "".join(f"#define {key} {value}\n" for key, value in numbers.items())


def _arrays(held: Network) -> list[str]:
    """The weights, and where the step's accumulators come from."""
    written = []
    for number, scan in enumerate(held.scans):
        written += [_array(f"{name}_{number}", weight) for name, weight in scan.items()]
    others = {
        "embedding": held.embedding,
        "score_weight": None if held.score is None else held.score[0],
        "output_weight": None if held.output is None else held.output[0],
        "output_bias": None if held.output is None else held.output[1],
    }
    written += [_array(name, values) for name, values in others.items() if values is not None]
    for name, places in zip(("input_block", "recurrent_block"), zip(*held.accumulators, strict=True), strict=True):
        if max(places) >= 0:
            written.append(f"static const int {name}[SUMS] = {{{', '.join(map(str, places))}}};")
    return written


def _array(name: str, values: np.ndarray) -> str:
    flat = [_number(value) for value in values.reshape(-1).tolist()]
    rows = [", ".join(flat[k : k + 10]) for k in range(0, len(flat), 10)]
    return f"static const float {name}[] = {{\n    " + ",\n    ".join(rows) + "\n};"


def _number(value: float) -> str:
    short = f"{value:.9g}"
    return f"{short}f" if set(short) & set(".e") else f"{short}.0f"


def _types(held: Network) -> str:
    layer = held.layer
    fields = ", *".join(_WEIGHTS)
    lines = [
        "struct scan {",
        f"    const float *{fields};",
        "    int inputs;",
        "};",
        "static const struct scan scans[] = {",
    ]
    for place, scan in enumerate(held.scans):
        below = layer.input_size if place < layer.num_directions else layer.output_size * layer.num_directions
        parts = [f"{name}_{place}" if name in scan else "NULL" for name in _WEIGHTS]
        lines.append(f"    {{{', '.join(parts)}, {below}}},")
    lines += ["};", "struct pool {", "    float sum[DIRECTIONS * FEATURES], largest[DIRECTIONS * FEATURES];"]
    lines += ["    float highest, shares;", "    size_t steps;", "};"]
    if layer.num_directions == 1:
        lines += [
            "STATE {",
            "    float states[LAYERS][FEATURES + (STATES - 1) * UNITS];",
            "    struct pool pool;",
            "};",
        ]
    return "\n".join([*lines, ""])


def _cell(derived: Derivation) -> str:
    """The cell's equations: up to the norms of its states, and all of it."""
    read = {
        "sum": "sums[{0} * UNITS + k]",
        "vector": "vectors[{0} * UNITS + k]",
        "normal": "normal[{0} * UNITS + k]",
        "inner": "normal[{0} * UNITS + k]",
    }

    def where(kind: str, place: int) -> str:
        if kind in ("before", "after") and place == 0:
            return "before[k]" if kind == "before" else "h[k]"
        if kind in ("before", "after"):
            return f"{kind}[FEATURES + {place - 1} * UNITS + k]"
        return read[kind].format(place)

    inner, step = step_statements(derived, C, where)
    used = {s.operation for s in topological([*derived.inner, *derived.next_states])}
    written = [text for operation, text in _HELPERS.items() if operation in used]
    takes = "const float *sums, const float *vectors, const float *before"
    functions = {f"cell_step({takes}, const float *normal, float *h, float *after)": step}
    if inner:
        functions = {f"cell_inner({takes}, float *normal)": inner, **functions}
    for signature, lines in functions.items():
        unused = "    " + " ".join(f"(void){name};" for name in ("sums", "vectors", "before", "normal"))
        unused += " (void)after;" if "after" in signature else ""
        body = "".join(f"        {line}\n" for line in lines)
        loop = f"    for (int k = 0; k < UNITS; k++) {{\n{body}    }}\n"
        written.append(f"static void {signature}\n{{\n{unused}\n{loop}}}\n")
    return "\n".join(written)


def _carried(held: Network) -> str:
    """What acts on one value of a state after the step."""
    cases = []
    for state, (lines, result) in after_statements(held, C).items():
        body = "".join(f"        {line}\n" for line in [*lines, f"return {result};"])
        cases.append(f"    if (state == {held.layer.spec.states.index(state)}) {{\n{body}    }}\n")
    signature = "static float carried_on(int state, float previous, float next)"
    return f"{signature}\n{{\n    (void)state; (void)previous;\n{''.join(cases)}    return next;\n}}\n"
