"""The playground: one self-contained HTML page in which recurrent networks learn while one watches."""

from gatework.inside.playground.write import write_playground

__all__ = ["write_playground"]
