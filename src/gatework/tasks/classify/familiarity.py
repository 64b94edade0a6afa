r"""How familiar a word in a stream looks to the network that hears it, beside the words that it has learnt.

A classifier is as sure of some sounds that are no words as it is of words, but its view of them, what its pooling makes
of its states, lies elsewhere. With $\mu_k$ the mean view of the training part's words of class $k$, each heard in a
stream, and $\Sigma$ their common covariance, a view $v$ of $n$ numbers is as far from the class as

$$ m_k = \frac{1}{m} \sqrt{(v - \mu_k)^\top \Sigma^{-1} (v - \mu_k) / n}, $$

where $m$ is such that the median of the validation part's words is at 1. What is beyond it is taken off the log-odds of
the class: $\operatorname{logit} p_k - s \max(m_k - 1, 0)$, where the strictness $s$ is what does best on the validation
part, 0 where nothing is gained.

Source: K. Lee, K. Lee, H. Lee and J. Shin, "A simple unified framework for detecting out-of-distribution samples and
adversarial attacks", NeurIPS 2018.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

STRICTNESS = (0.0, 2.0, 4.0)
"""Those that are tried; chosen on streams of the validation part of spoken digits, and on other sounds: see
docs/sounds.md."""
_LEAST = 1e-6
_MOST = 50.0
"""What is taken off log-odds at most."""


class Familiarity(nn.Module):
    """How far views are from those of known words: all buffers; before it is fitted nothing is strange.

    Args:
        classes: How many classes there are.
        width: Numbers of a view.
    """

    centres: Tensor
    whitening: Tensor
    median: Tensor
    strictness: Tensor

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.zeros(classes, width, dtype=torch.float64))
        self.register_buffer("whitening", torch.zeros(width, width, dtype=torch.float64))
        self.register_buffer("median", torch.ones((), dtype=torch.float64))
        self.register_buffer("strictness", torch.zeros((), dtype=torch.float64))

    def fit(self, views: np.ndarray, labels: np.ndarray) -> None:
        """Learns how known words look; without any, nothing is strange, and a class without any is where all words are.

        The covariance is drawn to a multiple of the identity, the more the fewer words there are.

        Args:
            views: Shape (words, width).
            labels: The class of each, shape (words,).
        """
        count, width = views.shape
        self.whitening.zero_()
        if not count:
            return
        centres = np.tile(views.mean(axis=0), (len(self.centres), 1))
        for label in np.unique(labels):
            centres[label] = views[labels == label].mean(axis=0)
        apart = views - centres[labels]
        covariance = apart.T @ apart / count
        drawn, even = width / (width + count), max(float(np.trace(covariance)) / width, _LEAST)
        covariance = (1 - drawn) * covariance + drawn * even * np.eye(width)
        self.centres.copy_(torch.from_numpy(centres))
        self.whitening.copy_(torch.from_numpy(np.linalg.cholesky(np.linalg.inv(covariance))))
        self.median.fill_(1.0)

    def settle(self, views: np.ndarray, labels: np.ndarray) -> None:
        """Puts the median of words that were held back at 1; where there is none, nothing is strange any more."""
        if not len(views):
            self.whitening.zero_()
            return
        self.median.fill_(max(float(np.median(self.distances(views)[np.arange(len(views)), labels])), _LEAST))

    def distances(self, views: np.ndarray) -> np.ndarray:
        """How far each view is from each class, shape (views, classes)."""
        seen, centres = views @ self.whitening.numpy(), (self.centres @ self.whitening).numpy()
        squares = (seen**2).sum(axis=1)[:, None] - 2 * seen @ centres.T + (centres**2).sum(axis=1)
        distances: np.ndarray = np.sqrt(np.maximum(squares, 0) / views.shape[1]) / float(self.median)
        return distances

    def chances(self, rows: np.ndarray) -> np.ndarray:
        """The probabilities of classes, lower where what is heard does not look like them, shape (windows, classes).

        Args:
            rows: The probabilities of each class and the view behind them, shape (windows, classes + width).
        """
        count = len(self.centres)
        likely, views = rows[:, :count], rows[:, count:]
        strange = np.maximum(self.distances(views) - 1, 0)
        # Odds p / (1 - p), times e^-x, are those of p / (p + (1 - p) e^x).
        against = (1 - likely) * np.exp(np.minimum(float(self.strictness) * strange, _MOST))
        lower: np.ndarray = likely / (likely + against)
        return lower
