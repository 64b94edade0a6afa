"""What acts around a cell: its symbols mean torch's operations, and what is derived from them is their derivative."""

import re

import torch
from torch.nn.functional import layer_norm

from gatework.cells import _emit_options, options
from gatework.cells._derive import reverse, topological
from gatework.cells._symbol import Graph

UNITS = 7
ROW = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "rsqrt": torch.rsqrt,
    "mean": lambda values: values.mean(-1, keepdim=True),
}  # fmt: skip


def evaluated(output, known):
    """The value of a symbol, from tensors for some of the nodes that it is made of."""
    values = dict(known)
    for symbol in topological([output], known):
        if symbol.operation == "constant":
            values[symbol] = torch.tensor(symbol.value, dtype=torch.float64)
        else:
            values[symbol] = ROW[symbol.operation](*(values[a] for a in symbol.arguments))
    return values[output]


def test_the_norm_in_symbols_is_torchs_and_what_is_derived_from_it_is_the_derivative():
    graph, generator = Graph(options.__file__), torch.Generator().manual_seed(1)
    x, gain, bias, d = torch.randn(4, UNITS, dtype=torch.float64, generator=generator)
    x.requires_grad_()
    values, d_symbol = graph.input("values"), graph.input("d")
    normalised, scale = options.normalise(values)
    given = {values: x}
    expected = layer_norm(x, (UNITS,), gain, bias, options.EPSILON)
    result = options.scaled(evaluated(normalised, given), gain, bias)
    assert torch.allclose(result, expected, rtol=0, atol=1e-14)
    node = graph.apply("normalised", values)
    back = reverse(graph, {"output": node}, [(node, d_symbol)])[values]
    known = {
        node: evaluated(normalised, given),
        graph.apply("scale", values): evaluated(scale, given),
        d_symbol: d * gain,
    }
    (wanted,) = torch.autograd.grad(expected, x, d)
    assert torch.allclose(evaluated(back, known), wanted, rtol=0, atol=1e-13)


def test_a_row_is_read_once_for_each_mean_and_once_for_the_result():
    text = _emit_options.texts()["options.h"]
    norm = text[text.index("struct LayerNorm") : text.index("struct AfterStep")]
    forward, backward = norm.split("static void backward")[0], norm.split("static void backward")[1]
    assert forward.count("for (") == 3
    assert backward.count("for (") == 2
    assert len(re.findall(r"total_of", backward)) == 2


def test_in_evaluation_options_act_in_order_and_only_where_they_have_a_number():
    numbers = {"clip": {"c": 1.0}, "zoneout": {"c": 0.25}}
    previous, new = torch.tensor([2.0, 0.0]), torch.tensor([3.0, -0.5])
    assert options.evaluated("h", previous, new, numbers) is new
    assert options.evaluated("c", previous, new, numbers).tolist() == [1.25, -0.375]
