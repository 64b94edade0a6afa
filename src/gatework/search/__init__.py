"""A search for a better recipe: trials by Optuna, the hopeless ones stopped early, the best one beside the default."""
