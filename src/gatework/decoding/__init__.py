"""What turns scores into answers: language models by counting, sampling, beams and alignments, in native code."""

from gatework.decoding.arpa import read_arpa, write_arpa
from gatework.decoding.ngrams import NGramModel

__all__ = ["NGramModel", "read_arpa", "write_arpa"]
