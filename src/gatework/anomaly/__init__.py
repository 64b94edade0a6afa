"""Anomaly detection in three steps kept apart: a scorer gives errors, a threshold flags rows, spans join them."""
