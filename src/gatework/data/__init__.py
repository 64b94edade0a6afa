"""Data: raw files to a Dataset, and a Dataset to batches."""
