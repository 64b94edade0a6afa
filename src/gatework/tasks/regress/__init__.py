"""Regression of values from each series or text."""
