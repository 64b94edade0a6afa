"""Comparison: several cells with several seeds on the same data, beside the simple methods, and what follows."""
