"""Training steps of other libraries, where they are installed: Keras on TensorFlow, and Flax on JAX.

Each runs in a process of its own, as it starts threads and reads its settings when it is imported, and makes its step
when it is asked to: our layer and the other library's still take turns.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from types import TracebackType
from typing import Any

from gatework.bench.clock import seconds_of
from gatework.bench.shapes import Shape, lengths_of
from gatework.errors import UsageError, nearest
from gatework.evaluation.processes import process_pool

# What has to be installed for each.
_NEEDS = {"keras": ("keras", "tensorflow"), "flax": ("flax", "jax")}
_ENVIRONMENT = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
Step = Callable[[], object]


@contextmanager
def started(names: str | None, threads: int) -> Iterator[list[Peer]]:
    """The libraries of those names, separated by commas, each in its process; all that are installed if None.

    Raises:
        UsageError: There is no such library, or it is not installed.
    """
    chosen = installed() if names is None else choose([name for name in names.split(",") if name])
    with ExitStack() as stack:
        yield [stack.enter_context(Peer(name, threads)) for name in chosen]


def installed() -> list[str]:
    """The libraries that can be timed here."""
    return [name for name, modules in _NEEDS.items() if all(find_spec(module) for module in modules)]


def choose(names: Sequence[str]) -> list[str]:
    """The libraries of those names.

    Raises:
        UsageError: There is no such library, or it is not installed.
    """
    for name in names:
        if name not in _NEEDS:
            raise UsageError(f'there is no peer "{name}": {nearest(name, _NEEDS)}')
        missing = [module for module in _NEEDS[name] if not find_spec(module)]
        if missing:
            raise UsageError(
                f'the peer {name} needs {" and ".join(missing)}, not installed here; try: pip install "gatework[peers]"'
            )
    return list(names)


class Peer:
    """A library in a process of its own.

    Args:
        name: One of `installed()`.
        threads: How many cores it may use.
    """

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self._pool = process_pool(1, _begin, threads)

    def prepare(self, shape: Shape, cell: str) -> str:
        """Builds and compiles the training step of a stack of layers, and says what runs it."""
        return self._pool.result_of(self._pool.submit(_prepare, self.name, shape, cell))

    def seconds(self, count: int = 1) -> float:
        """How long one step takes, as the mean of some in a row."""
        return self._pool.result_of(self._pool.submit(_seconds, count))

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()


_here: dict[str, Step] = {}


def _begin(threads: int) -> None:
    os.environ.update(_ENVIRONMENT)
    if hasattr(os, "sched_setaffinity"):  # both libraries start as many threads as they have cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def _prepare(name: str, shape: Shape, cell: str) -> str:
    step, path = {"keras": keras_step, "flax": flax_step}[name](shape, cell)
    for _ in range(2):
        step()
    _here["step"] = step
    return path


def _seconds(count: int) -> float:
    return seconds_of(_here["step"], count)


@contextmanager
def _silenced() -> Iterator[None]:
    """Nothing reaches standard error, from C++ either."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def keras_step(shape: Shape, cell: str) -> tuple[Step, str]:
    """A training step with Keras on TensorFlow: it returns the gradients of the weights, and x's where it is wanted."""
    with _silenced():  # TensorFlow says how it was built before it listens to what it is told
        import keras
        import tensorflow as tf

    kind = getattr(keras.layers, {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN"}[cell])
    layers = [kind(shape.hidden, return_sequences=True) for _ in range(shape.layers)]
    x = tf.random.normal((shape.batch, shape.steps, shape.input))
    lengths = lengths_of(shape)
    mask = None if lengths is None else tf.sequence_mask(lengths.numpy(), shape.steps)

    def run(x: Any) -> Any:
        for layer in layers:
            x = layer(x, mask=mask)
        return x

    run(x)  # which makes the weights
    weights = [weight.value for layer in layers for weight in layer.trainable_variables]

    # XLA, which tf.function may compile with, was slower for every cell at every shape here.
    @tf.function
    def gradients(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(run(x))
        return tape.gradient(total, [*weights, x] if shape.has_input_gradient else weights)

    return lambda: [gradient.numpy() for gradient in gradients(x)], f"tf.function, TensorFlow {tf.__version__}"


def flax_step(shape: Shape, cell: str) -> tuple[Step, str]:
    """As `keras_step()`, with Flax on JAX."""
    import jax
    from flax import nnx

    kind = getattr(nnx, {"lstm": "LSTMCell", "gru": "GRUCell", "rnn": "SimpleCell"}[cell])
    random = nnx.Rngs(0)
    widths = [shape.input, *[shape.hidden] * (shape.layers - 1)]
    stack = nnx.Sequential(*[nnx.RNN(kind(width, shape.hidden, rngs=random)) for width in widths])
    x = jax.random.normal(jax.random.key(0), (shape.batch, shape.steps, shape.input))
    given = lengths_of(shape)
    lengths = None if given is None else jax.numpy.asarray(given.numpy())

    def total(stack: Any, x: Any) -> Any:
        for layer in stack.layers:
            x = layer(x, seq_lengths=lengths)
        return x.sum()

    gradients = nnx.cached_partial(nnx.jit(nnx.grad(total, argnums=(0, 1) if shape.has_input_gradient else 0)), stack)
    return lambda: jax.block_until_ready(jax.tree.leaves(gradients(x))), f"jit, JAX {jax.__version__}"
