"""Translation from a person's own pairs of sentences."""
