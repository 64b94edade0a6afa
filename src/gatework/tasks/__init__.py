"""Tasks: what is learnt from a dataset."""
