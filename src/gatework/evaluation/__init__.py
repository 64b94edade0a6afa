"""Metrics, baselines, comparison and timing."""
