"""gatework: fast, transparent LSTMs for Python."""

__version__ = "0.1.0"
