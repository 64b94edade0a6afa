"""What every recurrent layer does: a cell scanned over sequences, stacked, in one or two directions."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.fx import Proxy
from torch.nn.functional import dropout

from gatework.errors import UsageError
from gatework.nn import _arrange, _direct, _run, _torch
from gatework.nn._arrange import Input, Lengths
from gatework.nn._html import layer_html
from gatework.nn._options import ScanOptions
from gatework.nn._stack import LayerStack
from gatework.scan import reference
from gatework.scan.scan import Scan
from gatework.scan.stack import StackResult


class RecurrentLayer(LayerStack):
    """A stack of layers of one cell, in one or two directions.

    Every method takes and gives states as torch does: one tensor of shape (layers x directions, batch, features) for a
    cell whose only state is `h`, otherwise a tuple of them in the order of the cell's states; without the batch
    dimension for a single sequence. `features` is the output size for `h` and the hidden size for the others. States
    left out are zero.
    """

    @property
    def mode(self) -> str:
        """torch's name of the cell where torch has it, otherwise gatework's."""
        return _torch.MODES.get(self.spec.name, self.spec.name)

    def forward(
        self, input: Input, hx: Any = None, *, lengths: Lengths = None, reset: Tensor | None = None
    ) -> tuple[Any, Any]:
        """Run the layers over a batch of sequences.

        Args:
            input: Shape (time, batch, input), or (batch, time, input) with `batch_first`; (time, input) for a single
                sequence; or a PackedSequence.
            hx: The initial states.
            lengths: The steps of each sequence of a padded batch, in any order, zeros allowed. The steps beyond are not
                computed: the output there is zero, and each final state is the one at the sequence's own end.
            reset: Where the state is zero before a step, as after an episode's end: shape (time, batch), or
                (batch, time) with `batch_first`. A scan from the sequences' ends does not look beyond such a place
                either.

        Returns:
            The output of the last layer in the layout of the input, directions side by side, and the final states.

        Raises:
            UsageError: The input, the states or the lengths do not fit; its subclasses carry torch's exception types.
        """
        if lengths is None and reset is None:
            results = self._direct_scan(input, hx)
            if results is not None:
                return results
        if isinstance(input, Proxy):  # a symbolic trace takes the layer as one node, as it takes torch's
            tracer, given = input.tracer, {"lengths": lengths, "reset": reset}
            kwargs = {name: value for name, value in given.items() if value is not None}
            return tracer.create_proxy("call_module", tracer.path_of_module(self), (input, hx), kwargs)
        batch = _arrange.arrange(self, input, hx, lengths, reset)
        output, finals, _ = self._run(batch)
        return batch.restore_output(output), batch.restore_states(tuple(finals))

    def trace(
        self, x: Input, hx: Any = None, lengths: Lengths = None, *, reset: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Every gate and state of every step.

        Args:
            x: As `input` of `forward()`.
            hx: The initial states.
            lengths: As for `forward()`.
            reset: As for `forward()`.

        Returns:
            The names of the cell, such as `i, f, g, o, c, h`, with tensors of shape (layers, directions, time, batch,
            hidden), whatever `batch_first` says; `h` has the output's features. Steps beyond a sequence's end are zero,
            and a single sequence is a batch of one. In a notebook `gatework.inside.trace(layer, x)` draws them.
        """
        batch = _arrange.arrange(self, x, hx, lengths, reset)
        traces = self._run(batch, is_traced=True).traces
        shape = (self.num_layers, self.num_directions)
        joined = {}
        for name in traces[0]:
            padded = [batch.pad(trace[name]) for trace in traces]
            stacked = padded[0].unsqueeze(0) if len(padded) == 1 else torch.stack(padded)
            joined[name] = stacked.unflatten(0, shape)
        return joined

    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Go on by one time step: the streaming form of `forward()`, without the masks of `ScanOptions`.

        Args:
            x: The input of this step, shape (batch, input), or (input,) for a single sequence.
            state: What the previous call returned; None at the start.

        Returns:
            The output of this step, shape (batch, output) or (output,), and the state for the next call.

        Raises:
            UsageError: The layer is bidirectional, or the input or the state does not fit.
        """
        if self.bidirectional:
            raise UsageError(
                f"{type(self).__name__}: a bidirectional layer needs the whole sequence and cannot go step by step; "
                "use bidirectional=False"
            )
        results = _direct.step(self, x, state)
        if results is not None:
            return results
        batch = _arrange.arrange_step(self, x, state)
        h, states = _run.in_weight_precision(self, batch.x, batch.states)
        h, finals = h[0], []
        with _arrange.without_autocast(h.device.type):
            for layer in range(self.num_layers):
                if self.dropout and layer:
                    h = dropout(h, self.dropout, self.training)
                before = [state[layer] for state in states]
                step = Scan(self.spec, h, self.weights_at(layer), before, options=self.step_options(layer, None))
                finals.append(reference.step(step))
                h = finals[-1][0]
        return h if batch.is_batched else h[0], batch.restore_states(_stacked(finals))

    def _direct_scan(self, x: Any, hx: Any) -> tuple[Tensor, Any] | None:
        return _direct.scan(self, x, hx)

    def _run(self, batch: _arrange.ArrangedBatch, *, is_traced: bool = False) -> StackResult:
        return _run.run(self, batch, is_traced=is_traced)

    @property
    def qconfig(self) -> Any:
        """How torch's quantisation would have the layer, which stays as it is."""
        return self.__dict__.get("_qconfig")

    @qconfig.setter
    def qconfig(self, value: Any) -> None:
        self.__dict__["_qconfig"] = value
        warnings.warn(
            f"{type(self).__name__}: torch's quantisation does not know gatework's layers, and this one stays in "
            f"{self.first_weight.dtype}; gatework.quantize(model) has them on int8",
            stacklevel=2,
        )

    @qconfig.deleter
    def qconfig(self) -> None:
        self.__dict__.pop("_qconfig", None)

    def __prepare_scriptable__(self) -> Any:
        """What torch.jit.script asks for; it reads the Python of layers, and gatework's are native.

        Raises:
            UsageError: Always.
        """
        raise UsageError(
            f"{type(self).__name__}: torch.jit.script cannot read gatework's layers; script "
            "gatework.nn.to_torch(copy.deepcopy(model)), which has the same parameters, or use torch.jit.trace"
        )

    def _repr_html_(self) -> str:
        """The layer in a notebook, with its parameters."""
        return layer_html(self)

    def extra_repr(self) -> str:
        """As torch.nn's: the sizes, then what differs from the defaults."""
        parts = [str(self.input_size), str(self.hidden_size)]
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        parts += [f"{name}={getattr(self, name)}" for name, value in defaults.items() if getattr(self, name) != value]
        if self.options != ScanOptions():
            parts.append(f"options={self.options}")
        return ", ".join(parts)


def _stacked(finals: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """The states of every layer and direction, one tensor for each state."""
    return tuple(torch.stack(ends) for ends in zip(*finals, strict=True))
