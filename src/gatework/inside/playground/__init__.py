"""The playground: one self-contained HTML page in which recurrent networks learn while one watches."""

from gatework.inside.playground.write import CELLS, write_playground

__all__ = ["CELLS", "write_playground"]
