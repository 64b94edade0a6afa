"""Forecasting: windows over regular series, the network, simple methods, metrics and intervals that hold."""
