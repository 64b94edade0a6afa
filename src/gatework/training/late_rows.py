r"""Adam for a table of word vectors, of which a step computes only the rows that its batch has.

Adam moves every row at every step, as its averages of past gradients go on. A row whose gradient is zero in the steps
$u + 1, \dots, t$ has $m_s = \beta_1^{s-u} m_u$ and $v_s = \beta_2^{s-u} v_u$ there, so that with learning rates
$\eta_s$ and weight decay $\lambda$

$$w_t = w_u \prod_s (1 - \eta_s \lambda) - \frac{m_u}{\sqrt{v_u} + \varepsilon_u} D, \qquad
D = \sum_s \eta_s \frac{\sqrt{1 - \beta_2^s}}{1 - \beta_1^s} r^{s-u} \prod_{q > s} (1 - \eta_q \lambda), \qquad
r = \frac{\beta_1}{\sqrt{\beta_2}}.$$

$D$, $r^{s-u}$ and the product are one number a row. They are kept at each step, and the row catches up when it is read
next. What is not as in Adam: $\varepsilon$ counts as in the first of the missed steps,
$\varepsilon_u = \varepsilon \sqrt{(1 - \beta_2^{u+1}) / \beta_2}$, and the missed steps are rounded once. When a row
catches up depends on the batches alone, so that processes that train together have the same digits.

Source of Adam: D. Kingma and J. Ba, 2015, section 2; of rows that catch up: B. Carpenter, "Lazy sparse stochastic
gradient descent for regularized multinomial logistic regression", 2008.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gatework import _training
from gatework.nn.pair_vectors import PairVectors
from gatework.training.rows import numbers_of, values_of

# A row that has missed no step: steps missed, r^(s-u), D, and the product.
_UP_TO_DATE = (0.0, 1.0, 0.0, 1.0)


class LateRows:
    """What the rows of a table have yet to catch up with.

    Args:
        words: The table, float32 on the processor, which is read through this module alone.
        means: m, shape (rows, columns).
        squares: v, likewise.
        steps: The steps taken so far, shape ().
        weight_decay: The weight decay, times the learning rate.
        epsilon: What is added to the root that a step is divided by.

    Attributes:
        owed: What each row has missed, shape (4, rows), float64.
    """

    def __init__(
        self, words: nn.Embedding, means: Tensor, squares: Tensor, steps: Tensor, weight_decay: float, epsilon: float
    ) -> None:
        self.owed = torch.tensor(_UP_TO_DATE, dtype=torch.float64)[:, None].repeat(1, len(means))
        self._parts = words.weight.detach(), means, squares, self.owed
        self._steps, self._weight_decay, self._epsilon = steps, weight_decay, epsilon
        self._hook = words.register_forward_pre_hook(self._before_reading)

    def catch_up(self, rows: Tensor) -> None:
        """Brings rows, of shape (rows,), int64, each perhaps more than once, to the step that was taken last."""
        _training.catch_up_rows(*self._table(), rows.data_ptr(), len(rows), int(self._steps))

    def catch_up_all(self) -> None:
        """Brings the whole table to the step that was taken last."""
        self.catch_up(torch.arange(self.owed.shape[1]))

    def step(self, gradient: Tensor, learning_rate: float) -> None:
        """Moves the rows of a gradient, and lets the others owe it."""
        rows, values = numbers_of(gradient).contiguous(), values_of(gradient).contiguous()
        self.catch_up(rows)  # another process has read some of them
        self._steps.add_(1)
        _training.step_rows(
            *self._table(), rows.data_ptr(), len(rows), values.data_ptr(), int(self._steps), learning_rate,
            self._weight_decay,
        )  # fmt: skip

    def release(self) -> None:
        """Brings the table up to date and leaves it alone from now on."""
        self.catch_up_all()
        self._hook.remove()

    def _table(self) -> tuple[list[int], list[int], float]:
        return list(self._parts[0].shape), [part.data_ptr() for part in self._parts], self._epsilon

    def _before_reading(self, words: nn.Embedding, inputs: tuple[Tensor]) -> None:
        """Brings the rows that are read up to date, where they are learnt from and so moved by the next step."""
        if torch.is_grad_enabled() and words.weight.requires_grad:
            rows = words.rows(inputs[0]) if isinstance(words, PairVectors) else inputs[0].flatten()
            self.catch_up(rows.to(torch.int64))
