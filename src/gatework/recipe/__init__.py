"""Recipes: what is learnt from what, by which model, trained how; as TOML files, some of which have names."""

from gatework.recipe._named import find_recipe, recipe_files, recipe_of_task, register_recipe
from gatework.recipe._recipe import Recipe
from gatework.recipe._toml import read_recipe, recipe_from_dict, recipe_to_toml

__all__ = [
    "Recipe",
    "find_recipe",
    "read_recipe",
    "recipe_files",
    "recipe_from_dict",
    "recipe_of_task",
    "recipe_to_toml",
    "register_recipe",
]
