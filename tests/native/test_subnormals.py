"""Subnormal numbers are flushed to zero inside the kernels, and the caller's own mode is as it was."""

import threading

import torch

import gatework
from gatework.cells import REGISTRY
from gatework.scan import operators
from gatework.scan.scan import Scan, ScanWeights

TINY = 1e-40  # subnormal in float32


def caller_keeps_subnormals() -> bool:
    return bool((torch.full((4,), TINY) * 0.5 > 0).all())


def test_the_kernels_flush_and_the_caller_does_not():
    assert caller_keeps_subnormals()
    # h = relu(x): what comes out of the kernel was computed there, so a subnormal x is zero in it.
    eye, zero = torch.eye(3), torch.zeros(3, 3)
    x = torch.full((2, 5, 3), TINY)
    output, _ = operators.run(Scan(REGISTRY["rnn_relu"], x, ScanWeights(eye, zero), [torch.zeros(5, 3)]))
    assert torch.count_nonzero(output) == 0
    assert caller_keeps_subnormals()


def test_a_backward_pass_leaves_the_mode_of_every_thread_alone():
    layer, x = gatework.nn.LSTM(8, 64), torch.randn(40, 16, 8)
    seen: list[bool] = []

    def work() -> None:
        layer(x)[0][-1].sum().backward()
        seen.append(caller_keeps_subnormals())

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True, True, True]
    assert caller_keeps_subnormals()
