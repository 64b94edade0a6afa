"""Timing and memory of layers, beside those of other libraries, and the score of the Numenta Anomaly Benchmark."""
