"""Recurrent layers, drop-ins for torch.nn's and of any cell; attention over them; losses over large vocabularies."""

from gatework.nn._accelerate import accelerate, from_torch, to_torch
from gatework.nn._custom import cell
from gatework.nn._layer import RecurrentLayer
from gatework.nn._options import ScanOptions
from gatework.nn._recurrent import Recurrent, recurrent
from gatework.nn.attention import Attention, Memory
from gatework.nn.attention_decoder import AttentionDecoder, Decoded
from gatework.nn.gru import GRU
from gatework.nn.lstm import LSTM
from gatework.nn.quantized import QuantizedLayer, quantize
from gatework.nn.rnn import RNN
from gatework.nn.softmax.adaptive import AdaptiveSoftmax
from gatework.nn.softmax.full import linear_cross_entropy
from gatework.nn.softmax.sampled import SampledSoftmax

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "AdaptiveSoftmax",
    "Attention",
    "AttentionDecoder",
    "Decoded",
    "Memory",
    "QuantizedLayer",
    "Recurrent",
    "RecurrentLayer",
    "SampledSoftmax",
    "ScanOptions",
    "accelerate",
    "cell",
    "from_torch",
    "linear_cross_entropy",
    "quantize",
    "recurrent",
    "to_torch",
]
