"""NeuralForecast's and Darts' recurrent models, fitted with torch.nn's layers inside and with gatework's.

    python benchmarks/peer_fits.py --python VENV/bin/python

VENV has gatework, neuralforecast and darts. Each side in a process of its own, in turns, from the same seed, on one
thread: eight drawn series of 600 days, of which NeuralForecast's models see 96 and Darts' the first. Printed are the
sum of the forecasts' sizes, which says whether both sides learnt the same, and the processor time of fitting, the best
of the turns.
"""

from __future__ import annotations

import argparse
import sys

from peer_layers import LIBRARIES, in_turns

FIT = """
import json, logging, time, warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
import numpy as np
import pandas as pd
from darts import TimeSeries
from darts.models import BlockRNNModel, RNNModel
from neuralforecast import NeuralForecast
from neuralforecast.models import GRU, LSTM, RNN

torch.set_num_threads(1)
steps, draw = np.arange(600), np.random.default_rng(0)
drawn = [np.sin(steps / 7 * 2 * np.pi + k) + 0.1 * draw.normal(size=600) for k in range(8)]
days = pd.date_range("2020-01-01", periods=600, freq="D")
table = pd.concat([pd.DataFrame({"unique_id": f"s{k}", "ds": days, "y": y}) for k, y in enumerate(drawn)])
quiet = dict.fromkeys(("enable_progress_bar", "logger", "enable_model_summary", "enable_checkpointing"), False)
quiet["accelerator"] = "cpu"
fits = {}


def fitted(name, fit, forecast):
    started = time.process_time()
    fit()
    spent = time.process_time() - started
    fits[name] = float(np.abs(forecast()).sum()), spent


for model in (LSTM, GRU, RNN):
    for count in (2, 60):
        one = model(h=12, input_size=96, max_steps=count, random_seed=1, **quiet)
        library = NeuralForecast(models=[one], freq="D")
        fitted(f"NeuralForecast {model.__name__}", lambda: library.fit(table), lambda: library.predict().iloc[:, -1])
series = TimeSeries.from_values(drawn[0].astype("float32"))
for model, cell, more in (
    (BlockRNNModel, "LSTM", {"n_rnn_layers": 2, "output_chunk_length": 12}),
    (BlockRNNModel, "GRU", {"n_rnn_layers": 2, "output_chunk_length": 12}),
    (RNNModel, "LSTM", {"training_length": 108}),
):
    size = {"input_chunk_length": 96, "hidden_dim": 64, "n_epochs": 3}
    one = model(model=cell, random_state=0, pl_trainer_kwargs=quiet, **size, **more)
    fitted(f"Darts {model.__name__} {cell}", lambda: one.fit(series), lambda: one.predict(12).values())
print(json.dumps(fits))
"""


def main() -> None:
    """Prints a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the libraries")
    asked = parser.parse_args()
    turns = in_turns(asked.python, FIT)
    for model in turns[0][1]:
        sides = {}
        for library in LIBRARIES:
            of_model = [fits[model] for name, fits in turns if name == library]
            sides[library] = f"{library} {min(seconds for _, seconds in of_model):.2f} s CPU, {of_model[0][0]:.5f}"
        print(f"{model:<28} {'; '.join(sides.values())}", flush=True)


if __name__ == "__main__":
    main()
