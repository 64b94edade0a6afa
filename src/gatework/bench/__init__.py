"""Timing and memory of layers beside other libraries, the score of the Numenta Anomaly Benchmark, and telemetry."""
