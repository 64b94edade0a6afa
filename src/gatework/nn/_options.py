"""What a layer does around its cell at every step: dropout on the recurrence, zoneout, weight drop, clipping, norms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatework.cells import CellSpec
from gatework.errors import UsageError, nearest


@dataclass(frozen=True)
class ScanOptions:
    """What acts around any cell, at every step of a scan; masks are drawn in training only, from torch's generator.

    All of it runs on the kernels.

    Attributes:
        recurrent_dropout: The share of units of h that the recurrent product does not see, one mask for all steps of a
            sequence (Gal and Ghahramani, 2016).
        zoneout: The share of units that keep their previous state at a step, for all states or by state, as
            `{"c": 0.5, "h": 0.05}` (Krueger et al., 2017).
        weight_drop: The share of the recurrent matrix that is zero throughout a forward pass (Merity et al., 2018); the
            parameter itself and the state_dict stay whole.
        clip: The cell state c that is carried to the next step stays within this distance of 0.
        layer_norm: Whether W x, U h and the cell state inside the output's tanh are normalised (Ba et al., 2016).
    """

    recurrent_dropout: float = 0.0
    zoneout: float | Mapping[str, float] = 0.0
    weight_drop: float = 0.0
    clip: float | None = None
    layer_norm: bool = False

    def __post_init__(self) -> None:
        shares = {"recurrent_dropout": self.recurrent_dropout, "weight_drop": self.weight_drop}
        if isinstance(self.zoneout, Mapping):
            shares |= {f"zoneout of {state}": share for state, share in self.zoneout.items()}
        else:
            shares["zoneout"] = self.zoneout
        for name, share in shares.items():
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
                raise UsageError(f"ScanOptions: {name} is a share from 0 to below 1, got {share!r}")
        if self.clip is not None and not self.clip > 0:
            raise UsageError(f"ScanOptions: clip is a distance above 0, got {self.clip!r}; leave it out for none")

    def zoneout_of(self, spec: CellSpec) -> dict[str, float]:
        """The share of each state of a cell.

        Raises:
            UsageError: A state is named that the cell does not have.
        """
        if not isinstance(self.zoneout, Mapping):
            return dict.fromkeys(spec.states, float(self.zoneout)) if self.zoneout else {}
        for state in self.zoneout:
            if state not in spec.states:
                raise UsageError(
                    f'ScanOptions: the cell "{spec.name}" has no state "{state}": {nearest(state, spec.states)}'
                )
        return {state: float(share) for state, share in self.zoneout.items() if share}

    def clip_of(self, spec: CellSpec) -> float | None:
        """How far from 0 the state c of a cell may be.

        Raises:
            UsageError: The cell has no state c.
        """
        if self.clip is not None and "c" not in spec.states:
            raise UsageError(
                f'clip={self.clip:g} does nothing: the cell "{spec.name}" has no cell state c; leave it out'
            )
        return None if self.clip is None else float(self.clip)

    def after(self, spec: CellSpec) -> dict[str, dict[str, float]]:
        """What acts on the states of a cell after its step: by option of `STATE_OPTIONS`, then by state, its number.

        Raises:
            UsageError: The cell has not what an option acts on.
        """
        limit, shares = self.clip_of(spec), self.zoneout_of(spec)
        return {"clip": {} if limit is None else {"c": limit}, "zoneout": shares}

    @property
    def act_at_steps(self) -> bool:
        """Whether there is anything to do at each step of a scan."""
        is_zoneout = any(self.zoneout.values()) if isinstance(self.zoneout, Mapping) else bool(self.zoneout)
        return bool(self.recurrent_dropout) or is_zoneout or self.layer_norm or self.clip is not None
