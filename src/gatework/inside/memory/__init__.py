"""Memory, measured: the longest span over which each cell learns to remember."""
