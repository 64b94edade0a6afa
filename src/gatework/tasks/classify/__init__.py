"""Classification of texts or series into classes."""
