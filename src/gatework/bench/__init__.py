"""Timing and memory of layers beside other libraries, and what detectors are measured by and on."""
