"""A layer in a notebook: its parameters."""

from __future__ import annotations

import html

from torch import nn


def layer_html(layer: nn.Module) -> str:
    """What a layer is, and a table of its parameters with their shapes."""
    parameters = list(layer.named_parameters())
    rows = [
        f"<tr><td>{html.escape(name)}</td><td>{' x '.join(map(str, value.shape))}</td><td>{value.numel():,}</td></tr>"
        for name, value in parameters
    ]
    total = f"<tr><th>total</th><td></td><th>{sum(value.numel() for _, value in parameters):,}</th></tr>"
    head = "<tr><th>parameter</th><th>shape</th><th>numbers</th></tr>"
    return f"<p><code>{html.escape(repr(layer))}</code></p><table>{head}{''.join(rows)}{total}</table>"
