import numpy as np

from gatework.data.dataset import Dataset, Split
from gatework.data.text import Texts
from gatework.recipe import recipe_of_task
from gatework.tasks.classify.kinds import decided, outlook
from gatework.tasks.classify.options import LossOptions


def test_few_short_texts_learn_by_settings_of_their_own_and_training_says_so():
    def parts(count: int, words: int) -> Dataset:
        texts = [" ".join(["good" if k % 2 else "bad", f"w{k}", *["the"] * (words - 2)]) for k in range(count)]
        split = Split(Texts.of(texts), np.arange(count) % 2)
        return Dataset.of("made", split, split.take(np.arange(4)), split.take(np.arange(4)), classes=("n", "y"))

    recipe = recipe_of_task("classify")
    few = decided(recipe, parts(60, 8), {"learning_rate"})
    assert (few.model.pooling, few.section(LossOptions).adversarial) == ("concat", 0.05)
    assert few.training.learning_rate == recipe.training.learning_rate, "what a person gave stays"
    assert "--adversarial 0" in outlook(parts(60, 8), few)[0]
    for other in (parts(60, 120), parts(2001, 4)):
        assert decided(recipe, other, set()) == recipe
        assert outlook(other, recipe) == []
