"""`gatework datasets`."""

from __future__ import annotations

import json
import sys

from gatework.cli import _options as options
from gatework.formatting import wrapped


def datasets(as_json: options.AsJson = False) -> None:
    """List the data sets that can be compared and trained on by name."""
    from gatework.data.sets import REGISTRY
    from gatework.recipe import find_recipe

    rows = [
        {"name": name, "title": s.title, "task": find_recipe(s.recipe).task, "licence": s.licence}
        for name, s in REGISTRY.items()
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        line = f"{row['name']:<{width}}  {row['title']} ({row['task']}; {row['licence']})"
        print(wrapped(line, sys.stdout, width + 2))
