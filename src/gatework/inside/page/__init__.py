"""The live page: one self-contained HTML file in which trained networks run."""

from gatework.inside.page.write import write_page

__all__ = ["write_page"]
