r"""Attention: for every query a weighted mean of a memory, and the weights, which say where it looked.

With a query $q_t$, the memory's vectors $m_s$ and a score, the weights and the context are

$$a_{ts} = \frac{\exp(\mathrm{score}(q_t, m_s))}{\sum_{s'} \exp(\mathrm{score}(q_t, m_{s'}))}, \qquad
c_t = \sum_s a_{ts} m_s .$$

The scores (Luong, Pham and Manning 2015, section 3.1; Bahdanau, Cho and Bengio 2015, appendix A.1.2):

- dot: $q_t^\top m_s$,
- general: $q_t^\top W m_s$,
- additive: $v^\top \tanh(W_q q_t + W_m m_s)$, which costs a tanh for every query, place and unit.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from gatework.errors import UsageError
from gatework.nn import _attend
from gatework.nn._target_rows import TargetRows
from gatework.nn.softmax import _kernels

Score = Literal["general", "dot", "additive"]


class Memory(NamedTuple):
    """What queries look at, with all that does not depend on a query computed once.

    Attributes:
        values: The memory's vectors, shape (batch, source, memory).
        keys: What queries are compared with, shape (batch, source, key).
        beyond: Where a memory has ended, shape (batch, source), bool; None if all have every place.
    """

    values: Tensor
    keys: Tensor
    beyond: Tensor | None

    def take(self, rows: Tensor) -> Memory:
        """The memories at these places of the batch, shape (count,), int64."""
        return Memory(self.values[rows], self.keys[rows], None if self.beyond is None else self.beyond[rows])


class Attention(nn.Module):
    """Attention over a memory, the outputs of an encoder.

    Args:
        query_size: Features of a query.
        memory_size: Features of a memory's vector.
        score: "general", "dot" (both sizes must be equal) or "additive".
        hidden_size: Units of the additive score; the query's size if None.
        device: Where the parameters lie.
        dtype: Their type.

    Raises:
        UsageError: There is no such score, or the sizes do not fit it.
    """

    def __init__(
        self,
        query_size: int,
        memory_size: int,
        score: Score = "general",
        hidden_size: int | None = None,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if score not in ("general", "dot", "additive"):
            raise UsageError(f'Attention: the score is "{score}", expected general, dot or additive')
        if score == "dot" and query_size != memory_size:
            raise UsageError(
                f"Attention: the score dot needs queries and a memory of one size, got {query_size} and {memory_size}; "
                'use score="general"'
            )
        self.score, self.query_size, self.memory_size = score, query_size, memory_size
        width = (hidden_size or query_size) if score == "additive" else query_size
        self.key = None if score == "dot" else nn.Linear(memory_size, width, bias=False, device=device, dtype=dtype)
        self.query = nn.Linear(query_size, width, device=device, dtype=dtype) if score == "additive" else None
        self.weigh = nn.Linear(width, 1, bias=False, device=device, dtype=dtype) if score == "additive" else None

    def remember(self, memory: Tensor, lengths: Tensor | None = None) -> Memory:
        """Computes what does not depend on a query.

        Args:
            memory: The vectors to look at, shape (source, batch, memory).
            lengths: The places of each, shape (batch,), at least 1; None if all have every place.
        """
        values = memory.transpose(0, 1).contiguous()
        beyond = None
        if lengths is not None:
            places = torch.arange(values.shape[1], device=values.device)
            beyond = places >= lengths.to(values.device)[:, None]
        return Memory(values, values if self.key is None else self.key(values), beyond)

    def forward(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Looks at a memory with every query.

        Args:
            queries: Shape (target, batch, query).
            memory: What `remember()` gave.

        Returns:
            The contexts, shape (target, batch, memory), and the weights, shape (target, batch, source): each row sums
            to 1, and what lies beyond a memory's end weighs 0.
        """
        by_batch = queries.transpose(0, 1)
        if self.query is not None and self.weigh is not None:
            joined = self.query(by_batch).unsqueeze(2) + memory.keys.unsqueeze(1)
            scores = self.weigh(torch.tanh(joined)).squeeze(-1)
        else:
            scores = torch.bmm(by_batch, memory.keys.transpose(1, 2))
        if memory.beyond is not None:
            scores = scores.masked_fill(memory.beyond.unsqueeze(1), float("-inf"))
        weights = scores.softmax(-1)
        return torch.bmm(weights, memory.values).transpose(0, 1), weights.transpose(0, 1)

    def rows(self, queries: Tensor, memory: Memory, pieces: TargetRows) -> Tensor:
        """Looks at a memory with queries of different numbers.

        Args:
            queries: Shape (rows, query).
            memory: What `remember()` gave.
            pieces: Which query of which memory each row is.

        Returns:
            The context of each row, shape (rows, memory).
        """
        if self.weigh is None and _kernels.fits(queries, memory.keys, memory.values):
            lengths = None if memory.beyond is None else (~memory.beyond).sum(1)
            return _attend.contexts(queries, memory.keys, memory.values, pieces, lengths)
        return pieces.of_targets(self(pieces.padded(queries).transpose(0, 1), memory)[0].transpose(0, 1))

    def extra_repr(self) -> str:
        """The sizes and the score."""
        return f"{self.query_size}, {self.memory_size}, score={self.score}"
