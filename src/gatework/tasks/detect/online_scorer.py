"""One series under watch, row after row in constant memory: the scorer's errors, and the answers that follow from them.

A file and a stream go the same way, so they get the same answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.filling import forward_filled
from gatework.tasks.detect.clock import clock, since_last
from gatework.tasks.detect.judges import Judge, judgings
from gatework.tasks.detect.kinds import RELATION, STUCK, KindWatch
from gatework.tasks.detect.relations import Relation, RelationErrors
from gatework.tasks.detect.value_rules import StuckRule, ValueRule

if TYPE_CHECKING:
    from gatework.data.series import Scale
    from gatework.tasks.detect.model import DetectNetwork
    from gatework.tasks.detect.options import DetectOptions

FARTHEST = 10.0
"""A network has seen no value further from the mean than this, in standard deviations: its inputs are kept within."""


@dataclass(frozen=True)
class Answers:
    """What is said of rows.

    Attributes:
        scores: Between 0 and 1, above 0.5 where anomalous, NaN where there is no score yet, shape (rows,).
        causes: The variable whose score it is, -1 where there is none, shape (rows,).
        expected: What was expected of each variable, in its own unit, shape (rows, variables).
        low: The lower end of what would not have been flagged, likewise.
        high: The upper end, likewise.
        kinds: The number of each flagged row's kind in `gatework.tasks.detect.kinds.KINDS`, -1 for other rows, shape
            (rows,).
    """

    scores: np.ndarray
    causes: np.ndarray
    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    kinds: np.ndarray


class OnlineScorer:
    """A series under watch.

    Args:
        network: The trained network.
        scale: Mean and deviation of the series' variables.
        periods: The periods that the network's clock knows, in seconds.
        config: Scorer, threshold and smoothing.
        rules: What judges beside the network, on values alone.
        relation: How the columns go together; None where that is not judged.
    """

    def __init__(
        self,
        network: DetectNetwork,
        scale: Scale,
        periods: Sequence[int],
        config: DetectOptions,
        rules: Sequence[ValueRule] = (),
        relation: Relation | None = None,
    ) -> None:
        self.rules = rules
        self.network, self.periods, self.config = network, periods, config
        self.mean, self.std = np.array(scale.mean), np.array(scale.std)
        self.is_forecast = config.scorer == "forecast"
        self.relation = RelationErrors(relation, self.mean, self.std) if relation else None
        by_error, usual = judgings(config), network.usual.numpy().astype(np.float64)
        self.judges = [Judge(*each) for each in zip(by_error, usual[: len(by_error)], strict=True)]
        beside = by_error if relation else ()
        self.related = [Judge(*each) for each in zip(beside, usual[len(by_error) :], strict=True)]
        self.factor = float(network.budget) / config.sensitivity
        self.kinds = KindWatch(network.variables, periods, config.gap)
        self._state: Any = None
        self._last = np.zeros((0, network.variables))

    def answer(self, values: np.ndarray, stamps: np.ndarray) -> Answers:
        """Takes in the rows that come next.

        Args:
            values: In their own unit, NaN where missing, shape (rows, variables).
            stamps: Microseconds since 1970 on the local clock, shape (rows,).
        """
        ratios, expected, limits = self.ratios(values, stamps)
        filled = np.where(np.isnan(ratios), -1.0, ratios).max(axis=0)
        causes = filled.argmax(axis=1)
        highest = filled[np.arange(len(filled)), causes]
        is_scored = highest >= 0
        highest = np.maximum(highest, 0.0) / (np.maximum(highest, 0.0) + self.factor)
        middle, reach = expected * self.std + self.mean, self.factor * limits * self.std
        return Answers(
            np.where(is_scored, highest, np.nan),
            np.where(is_scored, causes, -1),
            middle,
            middle - reach,
            middle + reach,
            self._kinds(values, stamps, ratios, causes),
        )

    def _kinds(self, values: np.ndarray, stamps: np.ndarray, ratios: np.ndarray, causes: np.ndarray) -> np.ndarray:
        """The kinds of the rows that come next; see `Answers.kinds`."""
        is_above = np.nan_to_num(ratios, nan=0.0)[:, np.arange(len(causes)), causes] > self.factor
        by_error, by_relation, by_value = np.split(is_above, np.cumsum([len(self.judges), len(self.related)]))
        # What only the other columns show is of no shape; what is stuck is told by its own rule.
        known = np.where(by_relation.any(axis=0) & ~by_error.any(axis=0) & ~by_value.any(axis=0), RELATION, -1)
        for rule, above in zip(self.rules, by_value, strict=True):
            if isinstance(rule, StuckRule):
                known = np.where(above, STUCK, known)
        return self.kinds.run((values - self.mean) / self.std, stamps, is_above.any(axis=0), causes, known)

    def ratios(self, values: np.ndarray, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Takes in the rows that come next: by how much each judge and each rule beside them calls them anomalous.

        Args:
            values: As for `answer()`.
            stamps: As for `answer()`.

        Returns:
            Ratios above 1 where a row is anomalous, NaN where there is no error, shape (judges and rules, rows,
            variables); what was expected, in standard deviations, shape (rows, variables); and how large an error of a
            row the first judge, that of the shortest scale, lets pass.
        """
        errors, expected = self.errors(values, stamps)
        judged = [judge.run(errors) for judge in self.judges]
        related = [] if self.relation is None else self._related(self.relation.run(values))
        parts = [ratios for ratios, _ in judged] + related + [rule.run(values) for rule in self.rules]
        return np.stack(parts), expected, judged[0][1]

    def _related(self, errors: np.ndarray) -> list[np.ndarray]:
        """By how much each judge of the columns against one another calls the rows anomalous."""
        return [judge.run(errors)[0] for judge in self.related]

    def errors(self, values: np.ndarray, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Takes in the rows that come next, without judging them.

        Args:
            values: As for `answer()`.
            stamps: As for `answer()`.

        Returns:
            The error of each row, and what was expected, both in standard deviations and of shape (rows, variables).
        """
        import torch

        scaled = (values - self.mean) / self.std
        first = self._last if len(self._last) else np.zeros((1, scaled.shape[1]))
        filled = forward_filled(np.concatenate([first, scaled]))
        seen = inputs(filled[:-1] if self.is_forecast else filled[1:], self.features(stamps))
        with torch.no_grad():
            followed, self._state = self.network.follow(torch.from_numpy(seen), self._state)
        expected = followed.numpy().astype(np.float64)
        if self.is_forecast and not len(self._last) and len(expected):
            expected[0] = np.nan
        self._last = filled[-1:]
        return np.abs(scaled - expected), expected

    def features(self, stamps: np.ndarray) -> np.ndarray:
        """What the network reads beside the values of the rows that come next, shape (rows, features)."""
        return clock(stamps, self.periods)


class LabelledWatch:
    """A series under watch by a network that learnt from labels: the odds of a label take the place of the error.

    Args:
        network: The trained network; its `usual` is the one threshold, in log odds.
        scale: Mean and deviation of the series' variables.
        periods: The periods that the network's clock knows, in seconds.
        config: Gives the sensitivity.
    """

    def __init__(self, network: DetectNetwork, scale: Scale, periods: Sequence[int], config: DetectOptions) -> None:
        self.network, self.periods, self.config = network, periods, config
        self.mean, self.std = np.array(scale.mean), np.array(scale.std)
        self.limit = float(network.usual[0, 0, 0]) - float(np.log(config.sensitivity))
        self._state: Any = None
        self._last = np.zeros((1, network.variables))
        self._stamp: int | None = None

    def answer(self, values: np.ndarray, stamps: np.ndarray) -> Answers:
        """Takes in the rows that come next; see `OnlineScorer.answer`. Nothing is expected of a variable."""
        from scipy.special import expit

        none = np.full(values.shape, np.nan)
        nothing = np.full(len(values), -1)
        return Answers(expit(self.log_odds(values, stamps) - self.limit), nothing, none, none, none, nothing)

    def log_odds(self, values: np.ndarray, stamps: np.ndarray) -> np.ndarray:
        """Takes in the rows that come next: the log odds that each is labelled, shape (rows,)."""
        import torch

        filled = forward_filled(np.concatenate([self._last, (values - self.mean) / self.std]))
        seen = inputs(filled[1:], self.features(stamps))
        with torch.no_grad():
            odds, self._state = self.network.follow(torch.from_numpy(seen), self._state)
        self._last, self._stamp = filled[-1:], int(stamps[-1])
        return odds.numpy()[:, 0].astype(np.float64)

    def features(self, stamps: np.ndarray) -> np.ndarray:
        """What the network reads beside the values of the rows that come next, shape (rows, features)."""
        return np.concatenate([clock(stamps, self.periods), since_last(stamps, self._stamp)], axis=1)


def inputs(filled: np.ndarray, *features: np.ndarray) -> np.ndarray:
    """What a network reads of rows: standardised values without gaps, and features; float32."""
    return np.concatenate([np.clip(filled, -FARTHEST, FARTHEST).astype(np.float32), *features], axis=-1)
