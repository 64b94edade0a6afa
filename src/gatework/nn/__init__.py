"""Recurrent layers: drop-ins for torch.nn's, layers of any cell, and attention over what they give."""

from gatework.nn._accelerate import accelerate, from_torch, to_torch
from gatework.nn._custom import cell
from gatework.nn._layer import RecurrentLayer
from gatework.nn._options import ScanOptions
from gatework.nn._recurrent import Recurrent, recurrent
from gatework.nn.attention import Attention, Memory
from gatework.nn.attention_decoder import AttentionDecoder, Decoded
from gatework.nn.gru import GRU
from gatework.nn.lstm import LSTM
from gatework.nn.rnn import RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Attention",
    "AttentionDecoder",
    "Decoded",
    "Memory",
    "Recurrent",
    "RecurrentLayer",
    "ScanOptions",
    "accelerate",
    "cell",
    "from_torch",
    "recurrent",
    "to_torch",
]
