"""Timing and memory of layers, beside those of other libraries, the score of the Numenta Anomaly Benchmark, and telemetry as it is published."""
