"""A language model that writes: the whole loop of embedding, layers, output, softmax and draw in native code."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gatework.decoding.loop import Matrices, NativeLayers, WritingLoop
from gatework.errors import UsageError
from gatework.nn import RecurrentLayer
from gatework.scan import operators
from gatework.scan.native_options import native_options
from gatework.scan.options_native import check_steps
from gatework.scan.records import OptionRecord
from gatework.scan.weights import CheckedStack, check_stack


class Writer(WritingLoop):
    r"""The loop of a language model in native code: its weights as they are now, ready to write.

    $$h_t = \mathrm{layers}(E_{x_t}, h_{t-1}), \qquad x_{t+1} \sim \mathrm{softmax}(O\,(P h_t + p) + b)$$

    Start with the beginning of a text, then write chunk by chunk; stop where the text says so:

        writer = Writer(model.recurrent, model.embedding.weight, projection=model.projection, output_bias=model.bias)
        writing = writer.start([prompt], samples=4, seed=7)
        for tokens, writing in writer.chunks(writing, 1000, Sampling(temperature=0.8, min_p=0.02)):
            show(tokens)  # (4, up to 32), the new tokens of each text

    The same seed gives the same text, however it is cut into chunks and on however many threads; the number of texts
    decides how products are rounded, which may change a draw in a million. The interpreter is free while a chunk is
    written.

    Args:
        recurrent: The layers, in one direction; copied.
        embedding: E, shape (vocabulary, input).
        projection: P and p, a linear layer; None where the output reads h itself.
        output: O, shape (vocabulary, features); None where it is E.
        output_bias: b, shape (vocabulary,).

    Raises:
        UsageError: Shapes do not fit, or the layers cannot run step by step in native code.
    """

    def __init__(
        self,
        recurrent: RecurrentLayer,
        embedding: Tensor,
        *,
        projection: nn.Linear | None = None,
        output: Tensor | None = None,
        output_bias: Tensor | None = None,
    ) -> None:
        layer = copy.deepcopy(recurrent).to("cpu", torch.float32).eval()
        stack, options = _checked(layer)
        weight, bias = (projection.weight, projection.bias) if projection else (None, None)
        written = embedding if output is None else output
        widths = [stack.weights[0].output, *[layer.hidden_size] * (len(layer.spec.states) - 1)]
        records = [weights.record for weights in stack.weights]
        super().__init__(
            NativeLayers(stack.kernel.address, records, options, layer.input_size, widths, (stack, layer)),
            Matrices(_array(embedding), _given(weight), _given(bias), _array(written), _given(output_bias)),
        )


def _checked(layer: RecurrentLayer) -> tuple[CheckedStack, list[OptionRecord]]:
    """The weights of the layers as the kernels take them, and what acts around the cell of each."""
    if layer.bidirectional:
        raise UsageError("a writer needs layers in one direction; use bidirectional=False")
    places = range(layer.num_layers)
    weights, options = [layer.weights_at(k) for k in places], [layer.step_options(k, None) for k in places]
    if not operators.has_kernel(layer.spec, weights[0].weight_ih, options[0]):
        raise UsageError(f'the cell "{layer.spec.name}" has no native kernels here; go on with the layer\'s step()')
    if options[0].is_plain:
        return check_stack(layer.spec, torch.float32, layer.input_size, weights), []
    if options[0].norms is not None and layer.proj_size:
        raise UsageError("a writer takes layers with layer norm or with a projection, not with both")
    stack = check_steps(layer.spec, torch.float32, layer.input_size, weights, options)
    pairs = zip(options, weights, strict=True)
    return stack, [native_options(layer.spec, o, w.bias_hh, None).record() for o, w in pairs]


def _given(tensor: Tensor | None) -> NDArray[np.float32] | None:
    return None if tensor is None else _array(tensor)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = np.array(tensor.detach().to("cpu", torch.float32).numpy(), order="C")
    return array
