"""What every page has: one file that opens offline, its colours in both themes, its axes, and the charting library."""
