"""Generated series with faults of every kind at known rows, on which detectors are measured."""
