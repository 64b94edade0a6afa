"""What every recurrent layer does: parameters with torch's names, and a cell scanned over sequences, stacked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence

from gatework.cells import CellSpec
from gatework.errors import UsageError
from gatework.nn import _batch, _checks, _initialise, _paths, _torch
from gatework.nn._options import ScanOptions
from gatework.scan import counter_rng, kernels, operators, options_native, reference, stack, streaming
from gatework.scan.options import PLAIN, Norms, StepOptions, normalised_states
from gatework.scan.weights import CheckedStack, check_stack

Input = Tensor | PackedSequence
Lengths = Tensor | Sequence[int] | None


class _LastPlan:
    """The plan that a layer found at its last call, for itself alone: a copy of the layer has to find its own."""

    plan: CheckedStack | None = None

    def __reduce__(self) -> tuple[type[_LastPlan], tuple[()]]:
        return _LastPlan, ()


class RecurrentLayer(nn.Module):
    """A stack of layers of one cell, in one or two directions.

    Every method takes and gives states as torch does: one tensor of shape (layers x directions, batch, features) for a
    cell whose only state is `h`, otherwise a tuple of them in the order of the cell's states; without the batch
    dimension for a single sequence. `features` is the output size for `h` and the hidden size for the others. States
    left out are zero.
    """

    def __init__(
        self,
        spec: CellSpec,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        forget_bias: float | None = None,
        orthogonal: bool = False,
        options: ScanOptions | None = None,
    ) -> None:
        super().__init__()
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        flags = {"bias": bias, "batch_first": batch_first}
        _checks.check_options(type(self).__name__, sizes, flags, dropout, proj_size)
        if forget_bias is not None and (not bias or spec.forget_gate is None):
            reason = (
                "needs bias=True" if spec.forget_gate else f'does nothing: the cell "{spec.name}" has no forget gate'
            )
            raise UsageError(f"{type(self).__name__}: forget_bias={forget_bias} {reason}")
        if proj_size and "h" in spec.arguments:
            raise UsageError(
                f'{type(self).__name__}: proj_size={proj_size} does not fit the cell "{spec.name}", whose units see '
                "their own last h; leave it out, or put a torch.nn.Linear after the layer"
            )
        self.options = options or ScanOptions()
        self._zoneout = self.options.zoneout_of(spec)
        self._clip = self.options.clip_of(spec)
        self._acts_at_steps = self.options.act_at_steps  # asked for at every step of a stream
        self._last = _LastPlan()
        self.spec = spec
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bool(bidirectional)
        self.proj_size = proj_size
        self.forget_bias = forget_bias
        self.orthogonal = orthogonal
        self._weight_kinds: tuple[str, ...] = ()
        self._weight_names: list[tuple[str, ...]] = []
        self._norm_names: list[dict[str, str]] = []
        self._create_parameters(device, dtype)
        if self.options.layer_norm:
            self._create_norms(device, dtype)
        self.reset_parameters()

    @property
    def num_directions(self) -> int:
        """2 when bidirectional, otherwise 1."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """The features of `h` in one direction: `proj_size`, or `hidden_size` without a projection."""
        return self.proj_size or self.hidden_size

    @property
    def mode(self) -> str:
        """torch's name of the cell where torch has it, otherwise gatework's."""
        return _torch.MODES.get(self.spec.name, self.spec.name)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of every layer and direction, as torch.nn has them."""
        return [[self._weight(name) for name in names] for names in self._weight_names]

    def _create_parameters(self, device: torch.device | str | int | None, dtype: torch.dtype | None) -> None:
        inputs = len(self.spec.input_gates) * self.hidden_size
        gates = len(self.spec.recurrent_gates) * self.hidden_size
        units = len(self.spec.unit_weights)
        for place in range(self.num_layers * self.num_directions):
            layer, direction = divmod(place, self.num_directions)
            width = self.input_size if layer == 0 else self.output_size * self.num_directions
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (inputs, width)}
            if gates:
                shapes["weight_hh"] = (gates, self.output_size)
            if self.bias:
                shapes["bias_ih"] = (inputs,)
            if self.bias and gates:
                shapes["bias_hh"] = (gates,)
            if self.proj_size:
                shapes["weight_hr"] = (self.proj_size, self.hidden_size)
            if units:
                shapes["weight_unit"] = (units, self.hidden_size)
            suffix = f"_l{layer}" + ("_reverse" if direction else "")
            for name, shape in shapes.items():
                self.register_parameter(name + suffix, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
            self._weight_kinds = tuple(shapes)
            self._weight_names.append(tuple(name + suffix for name in shapes))

    def _create_norms(self, device: torch.device | str | int | None, dtype: torch.dtype | None) -> None:
        inputs, gates = (len(gates) * self.hidden_size for gates in (self.spec.input_gates, self.spec.recurrent_gates))
        states = len(normalised_states(self.spec))
        shapes: dict[str, tuple[int, ...]] = {"norm_ih": (inputs,)}
        if gates:
            shapes["norm_hh"] = (gates,)
        if states:
            shapes |= dict.fromkeys(("norm_state", "norm_state_bias"), (states, self.hidden_size))
        for place in range(self.num_layers * self.num_directions):
            layer, direction = divmod(place, self.num_directions)
            suffix = f"_l{layer}" + ("_reverse" if direction else "")
            for name, shape in shapes.items():
                self.register_parameter(name + suffix, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
            self._norm_names.append({name: name + suffix for name in shapes})

    def reset_parameters(self) -> None:
        """Start again: torch's uniform weights, then `forget_bias` and `orthogonal` where asked for."""
        _initialise.uniform(self.parameters(), self.hidden_size)
        for names in self._norm_names:
            for kind, name in names.items():
                nn.init.constant_(self._weight(name), 0.0 if kind == "norm_state_bias" else 1.0)
        for weights in (self._weights(place) for place in range(len(self._weight_names))):
            if weights.weight_unit is not None and self.spec.unit_range is not None:
                nn.init.uniform_(weights.weight_unit, *self.spec.unit_range)
            if self.forget_bias is not None and weights.bias_ih is not None:
                _initialise.forget_bias(self.spec, weights.bias_ih, weights.bias_hh, self.forget_bias)
            if self.orthogonal:
                _initialise.orthogonal(self.spec, weights.weight_hh)

    @torch.no_grad()
    def start_as_in_keras(self) -> None:
        """Start again as Keras' layers do, with `forget_bias` where asked for."""
        for weights in (self._weights(place) for place in range(len(self._weight_names))):
            biases = [bias for bias in (weights.bias_ih, weights.bias_hh) if bias is not None]
            _initialise.keras(self.spec, weights.weight_ih, weights.weight_hh, biases)
            if self.forget_bias is not None and weights.bias_ih is not None:
                _initialise.forget_bias(self.spec, weights.bias_ih, weights.bias_hh, self.forget_bias)

    def flatten_parameters(self) -> None:
        """Lay the weights out for cuDNN, where they are on a GPU; elsewhere there is nothing to do."""
        if self.spec.name in _torch.MODES:
            nn.RNNBase.flatten_parameters(self)  # type: ignore[arg-type]

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
            quick = self._quick_scan(input, hx)
            if quick is not None:
                return quick
        batch = _batch.arrange(self, input, hx, lengths, reset)
        path = self._choose(batch)
        if path == "torch":
            settings = _torch.StackOptions(self.bias, self.num_layers, self.dropout, self.training, self.bidirectional)
            output, finals = _torch.run(
                self.spec, batch.x, batch.states, self._flat_weights, settings, batch.batch_sizes
            )
        else:
            output, finals, _ = self._scan(batch, path)
        return batch.restore_output(output), batch.restore_states(finals)

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
            and a single sequence is a batch of one.
        """
        batch = _batch.arrange(self, x, hx, lengths, reset)
        _, _, traces = self._scan(batch, self._choose(batch, is_traced=True), is_traced=True)
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
        quick = self._quick_step(x, state)
        if quick is not None:
            return quick
        batch = _batch.arrange_step(self, x, state)
        inputs, states = self._in_own_precision(batch)
        h, finals = inputs[0], []
        with _batch.without_autocast(h.device.type):
            for layer in range(self.num_layers):
                if self.dropout and layer:
                    h = dropout(h, self.dropout, self.training)
                around = self._step_options(layer, None)
                finals.append(reference.step(self.spec, h, self._weights(layer), [s[layer] for s in states], around))
                h = finals[-1][0]
        return h if batch.is_batched else h[0], batch.restore_states(_stacked(finals))

    def _quick_scan(self, x: Any, hx: Any) -> tuple[Tensor, Any] | None:
        """A padded batch on the kernels, where nothing has to be arranged or chosen; None where something has.

        A small batch takes less time than looking at all that a batch may be.
        """
        plan = None if self._acts_at_steps else self._quick_plan(x)
        if plan is None or x.dim() != 3:
            return None
        if self.batch_first:
            x = x.transpose(0, 1)
        rows = plan.rows(x)
        if rows is None or (hx is None and self.proj_size):
            return None
        if hx is None:
            states = (x.new_zeros(len(plan.weights), rows.batch, self.hidden_size),) * len(self.spec.states)
        else:
            states = (hx,) if isinstance(hx, Tensor) else tuple(hx)
            if not plan.takes(states, rows.batch):
                return None
        output, ends = stack.run(plan, x, states, rows)
        return output.transpose(0, 1) if self.batch_first else output, ends[0] if len(ends) == 1 else tuple(ends)

    def _quick_step(self, x: Tensor, state: Any) -> tuple[Tensor, Any] | None:
        """A step without a scan, where nothing asks for one: no gradients, no transform, no projection."""
        if torch.is_grad_enabled() or self.proj_size:
            return None
        plan = self._quick_plan(x)
        if plan is None or x.dim() != 2:
            return None
        if state is None:
            states = tuple([x.new_zeros(self.num_layers, len(x), self.hidden_size) for _ in self.spec.states])
        else:
            states = (state,) if isinstance(state, Tensor) else tuple(state)
        found = streaming.step(plan, x, states)
        if found is None:
            return None
        return found[0], found[1][0] if len(states) == 1 else found[1]

    def _quick_plan(self, x: Any) -> CheckedStack | None:
        """The plan for a plain input, where nothing listens to what happens to it but autograd."""
        return self._plan(x.dtype) if _paths.is_quick(x) else None

    def _scan(
        self, batch: _batch.Batch, path: _paths.Path, *, is_traced: bool = False
    ) -> tuple[Tensor, tuple[Tensor, ...], list[dict[str, Tensor]]]:
        """Scan layer by layer: the last output, the final states, and one dictionary per scan when traced."""
        if path == "native" and not is_traced and not self._acts_at_steps and not torch.compiler.is_compiling():
            plan = self._plan(batch.x.dtype) if stack.is_plain((batch.x, *batch.states)) else None
            if plan is not None and not torch.is_autocast_enabled("cpu"):
                rows = stack.rows_of(plan, batch.x, batch.states, batch.batch_sizes)
                output, ends = stack.run(plan, batch.x, batch.states, rows)
                return output, tuple(ends), []
        weights = [self._dropped_weights(place) for place in range(len(self._weight_names))]
        arounds: list[StepOptions] = []
        if self._acts_at_steps:
            seed = counter_rng.drawn_seed() if self.training else None
            arounds = [self._step_options(place, seed) for place in range(len(weights))]
            arounds = [] if all(around.is_plain for around in arounds) else arounds
        x, states = self._in_precision(batch, path, arounds[0] if arounds else PLAIN)
        # A part is what nothing comes between.
        is_dropping = self.dropout > 0 and self.training and self.num_layers > 1
        depth = self.num_directions if is_dropping else len(weights)
        finals: list[Sequence[Tensor]] = []
        traces: list[dict[str, Tensor]] = []
        with _batch.without_autocast(x.device.type):
            for first in range(0, len(weights), depth):
                if first:
                    x = dropout(x, self.dropout)
                part = slice(first, first + depth)
                inside = states if depth == len(weights) else [state[part] for state in states]
                x, ends, named = stack.scan(
                    _paths.SCANS[path], self.spec, x, weights[part], inside,
                    directions=self.num_directions, batch_sizes=batch.batch_sizes, is_traced=is_traced,
                    arounds=arounds[part],
                )  # fmt: skip
                finals.append(ends)
                traces.extend(named)
        if len(finals) == 1:
            return x, tuple(finals[0]), traces
        return x, tuple(torch.cat(ends) for ends in zip(*finals, strict=True)), traces

    def _plan(self, dtype: torch.dtype) -> CheckedStack | None:
        """The checked weights of the whole stack for an input of `dtype`, where the kernels take them as they are.

        None where something comes between the layers, or where the weights become others at each call. With something
        around the cell a plan is for single steps, which draw no masks.
        """
        if kernels.COMPUTED.get(dtype) is not dtype:
            return None
        if self.training and (self.dropout or self.options.weight_drop):
            return None
        plan = self._last.plan
        if plan is None or not plan.holds(self._parameters.values()):
            plan = self._new_plan(dtype)
            if plan is None:
                return None
            self._last.plan = plan
        return plan if plan.dtype is dtype else None

    def _new_plan(self, dtype: torch.dtype) -> CheckedStack | None:
        norms = [name for names in self._norm_names for name in names.values()]
        tensors = [self._parameters.get(name) for name in (*self._flat_weights_names, *norms)]
        if not stack.is_plain(tensors):
            return None
        if any(t is None or t.dtype != dtype or not (t.is_cpu and t.is_contiguous()) for t in tensors):
            return None
        places = range(len(self._weight_names))
        weights, arounds = [self._weights(k) for k in places], [self._step_options(k, None) for k in places]
        if not operators.has_kernel(self.spec, weights[0].weight_ih, arounds[0]):
            return None
        if arounds[0].is_plain:
            return check_stack(self.spec, dtype, self.input_size, weights, self.num_directions)
        return options_native.plan(self.spec, dtype, self.input_size, weights, arounds)

    def _in_precision(
        self, batch: _batch.Batch, path: _paths.Path, around: StepOptions
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The input and the states; under autocast to bfloat16 rounded to it where the kernels keep all sums exact."""
        kind = batch.x.device.type
        if not torch.is_autocast_enabled(kind) or torch.get_autocast_dtype(kind) != torch.bfloat16:
            return self._in_own_precision(batch)
        weight = self._weight(self._weight_names[0][0])
        if weight.dtype != torch.float32 or path not in ("native", "operator"):
            return self._in_own_precision(batch)
        x = batch.x.to(torch.bfloat16)
        if not operators.has_kernel(self.spec, x, around):
            return self._in_own_precision(batch)
        return x, tuple(state.to(torch.bfloat16) for state in batch.states)

    def _in_own_precision(self, batch: _batch.Batch) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The input and the states; under autocast in the precision of the weights, as rounding adds up over steps."""
        if not torch.is_autocast_enabled(batch.x.device.type):
            return batch.x, batch.states
        dtype = self._weight(self._weight_names[0][0]).dtype
        return batch.x.to(dtype), tuple(state.to(dtype) for state in batch.states)

    def _choose(self, batch: _batch.Batch, *, is_traced: bool = False) -> _paths.Path:
        if self._acts_at_steps:
            return self._choose_with_options(batch)
        path = _paths.choose(self.spec, batch.x, self._weight(self._weight_names[0][0]), is_traced=is_traced)
        return "reference" if path == "torch" and self.options.weight_drop else path

    def _choose_with_options(self, batch: _batch.Batch) -> _paths.Path:
        """As `_choose()`, where something acts at each step, which torch's operators do not know."""
        weight = self._weight(self._weight_names[0][0])
        path = _paths.choose(self.spec, batch.x, weight, is_traced=torch.compiler.is_compiling())
        if path == "native" and not operators.has_kernel(self.spec, weight, self._step_options(0, 0)):
            return "reference"
        return "reference" if path == "torch" else path

    def _step_options(self, place: int, seed: int | Tensor | None) -> StepOptions:
        """What acts around the cell in one scan; a seed for training."""
        norms = None
        if self._norm_names:
            norms = Norms(**{kind: self._weight(name) for kind, name in self._norm_names[place].items()})
        dropout = self.options.recurrent_dropout
        start = 0 if seed is None else seed
        return StepOptions(seed is not None, start, place, dropout, self._zoneout, self._clip, norms)

    def _dropped_weights(self, place: int) -> operators.ScanWeights:
        """The weights of one layer and direction, in training with the recurrent matrix dropped."""
        weights = self._weights(place)
        if not (self.training and self.options.weight_drop):
            return weights
        return weights._replace(weight_hh=dropout(weights.weight_hh, self.options.weight_drop))

    def _weight(self, name: str) -> Tensor:
        """The parameter of that name; also where a parametrisation computes it."""
        parameter = self._parameters.get(name)
        return getattr(self, name) if parameter is None else parameter

    def _weights(self, place: int) -> operators.ScanWeights:
        """The weights of one layer and direction."""
        found = {k: self._weight(name) for k, name in zip(self._weight_kinds, self._weight_names[place], strict=True)}
        if "weight_hh" not in found:
            found["weight_hh"] = found["weight_ih"].new_empty(0, self.output_size)
        return operators.ScanWeights(**found)

    @property
    def _flat_weights_names(self) -> list[str]:
        return [name for names in self._weight_names for name in names]

    @property
    def _flat_weights(self) -> list[Tensor]:
        """Every weight in torch's order."""
        return [self._weight(name) for names in self._weight_names for name in names]

    def _apply(self, fn: Any, recurse: bool = True) -> RecurrentLayer:
        super()._apply(fn, recurse)
        self.flatten_parameters()
        return self

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
        parts += [f"{name}={getattr(self, name)}" for name, usual in defaults.items() if getattr(self, name) != usual]
        if self.options != ScanOptions():
            parts.append(f"options={self.options}")
        return ", ".join(parts)


def _stacked(finals: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """The states of every layer and direction, one tensor for each state."""
    return tuple(torch.stack(ends) for ends in zip(*finals, strict=True))
