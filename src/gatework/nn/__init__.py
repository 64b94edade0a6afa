"""Recurrent layers: drop-ins for torch.nn's, and layers of any cell."""

from gatework.nn._accelerate import accelerate, from_torch, to_torch
from gatework.nn._custom import cell
from gatework.nn._layer import RecurrentLayer
from gatework.nn._options import ScanOptions
from gatework.nn._recurrent import Recurrent, recurrent
from gatework.nn.gru import GRU
from gatework.nn.lstm import LSTM
from gatework.nn.rnn import RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Recurrent",
    "RecurrentLayer",
    "ScanOptions",
    "accelerate",
    "cell",
    "from_torch",
    "recurrent",
    "to_torch",
]
