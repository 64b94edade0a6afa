"""torch.compile without graph breaks, and torch.export with a batch and a time of any size."""

import io
import warnings

import pytest
import torch
from torch.export import Dim

import gatework
from gatework import cells
from support.drop_ins import DropIn, tensors

STACK = {"num_layers": 2, "bidirectional": True}
LENGTHS = torch.tensor([2, 5, 0])


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def compiled(layer: torch.nn.Module):
    """The layer as one graph, with the gradient's graph, run by torch's own operators: no C++ compiler to wait for."""
    return torch.compile(layer, fullgraph=True, backend="aot_eager", dynamic=True)


def same(first, second) -> None:
    for mine, other in zip(tensors(first), tensors(second), strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize("drop_in", [DropIn("GRU"), DropIn("LSTM", {"proj_size": 3})], ids=str)
def test_a_layer_compiles_into_one_graph_and_its_gradients_agree(drop_in: DropIn):
    _, layer = drop_in.pair(3, 4, **STACK, dtype=torch.float64)
    quick = compiled(layer)
    x = torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True)
    same(quick(x), layer(x))
    for run in (quick, layer):
        layer.zero_grad()
        run(x)[0].pow(2).sum().backward()
        gradients = [x.grad, *(p.grad for p in layer.parameters())]
        x.grad = None
        if run is quick:
            expected = gradients
    same(gradients, expected)


@pytest.mark.parametrize(
    "options",
    [{"recurrent_dropout": 0.3, "zoneout": {"h": 0.2}}, {"layer_norm": True, "clip": 0.5}, {"weight_drop": 0.5}],
    ids=lambda o: "+".join(o),
)
def test_what_acts_around_the_cell_compiles_into_one_graph(options: dict):
    # One layer of two scans: how layers follow each other is another test's, and each scan takes half a second.
    around = gatework.nn.ScanOptions(**options)
    layer = gatework.nn.LSTM(3, 4, bidirectional=True, options=around, dtype=torch.float64)
    quick = compiled(layer)
    leaves = [torch.randn(5, 2, 3, dtype=torch.float64, requires_grad=True), *layer.parameters()]
    found = []
    for run in (quick, layer):
        torch.manual_seed(6)
        output, states = run(leaves[0])
        found.append([output, *states, *torch.autograd.grad(output.pow(2).sum(), leaves)])
    same(*found)
    layer.eval()
    same(compiled(layer)(leaves[0]), layer(leaves[0]))


def test_a_layer_with_options_exports():
    options = gatework.nn.ScanOptions(recurrent_dropout=0.3, zoneout=0.2, layer_norm=True, clip=1.0)
    layer = gatework.nn.LSTM(3, 4, 2, options=options).eval()
    x = torch.randn(5, 2, 3)
    program = torch.export.export(layer, (x,), dynamic_shapes=({0: Dim("time", min=1), 1: Dim("batch", min=1)},))
    longer = torch.randn(9, 4, 3)
    same(program.module()(longer), layer(longer))


def test_compiled_lengths_give_the_same_results_whatever_the_lengths():
    layer = gatework.nn.LSTM(3, 4, **STACK)
    quick = compiled(layer)
    x = torch.randn(5, 3, 3, requires_grad=True)
    for lengths in (LENGTHS, torch.tensor([5, 5, 5]), torch.tensor([0, 0, 1])):
        results = [run(x, lengths=lengths) for run in (quick, layer)]
        same(*results)
        leaves = [x, *layer.parameters()]
        same(*(torch.autograd.grad(output.pow(2).sum(), leaves) for output, _ in results))


def test_another_time_and_batch_need_no_new_graph():
    layer = gatework.nn.GRU(3, 4)
    graphs = []

    def count(graph, _):
        graphs.append(graph)
        return graph

    quick = torch.compile(layer, fullgraph=True, backend=count, dynamic=True)
    for time, batch in ((5, 2), (7, 4), (50, 9)):
        x = torch.randn(time, batch, 3)
        same(quick(x), layer(x))
    assert len(graphs) == 1
    scans = [node for node in graphs[0].graph.nodes if "gatework" in str(node.target)]
    assert len(scans) == 1, "time is not unrolled"


def test_traces_steps_and_a_layer_inside_a_model_compile():
    layer = gatework.nn.LSTM(3, 4, bidirectional=True)
    x = torch.randn(5, 2, 3)
    same(list(compiled(layer.trace)(x).values()), list(layer.trace(x).values()))
    stream = gatework.nn.LSTM(3, 4)
    same(compiled(stream.step)(x[0]), stream.step(x[0]))
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), gatework.nn.GRU(3, 4))
    same(compiled(model)(x), model(x))


def test_the_default_compiler_gives_the_same_numbers():
    layer = gatework.nn.GRU(3, 4).eval()
    x = torch.randn(5, 2, 3)
    # Here, as it takes a second to import.
    from torch._inductor import config

    # A header compiled ahead is for many graphs, and this is one.
    once = config.patch(cpp_cache_precompile_headers=False, compile_threads=1)
    with warnings.catch_warnings(), torch.no_grad(), once:
        warnings.simplefilter("ignore")  # the compiler's own dependencies
        same(torch.compile(layer, fullgraph=True)(x), layer(x))


class Classifier(torch.nn.Module):
    def __init__(self, cell: str) -> None:
        super().__init__()
        self.layer = gatework.nn.recurrent(cell, 3, 4, **STACK, batch_first=True)
        self.head = torch.nn.Linear(8, 2)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        return self.head(self.layer(x, lengths=lengths)[0].amax(1))


@pytest.mark.parametrize("cell", cells.BUILT_IN)
def test_an_exported_model_takes_any_batch_and_time(cell: str):
    model = Classifier(cell).eval()
    batch, time = Dim("batch"), Dim("time")
    program = torch.export.export(model, (torch.randn(2, 5, 3),), dynamic_shapes={"x": {0: batch, 1: time}})
    for shape in ((4, 9, 3), (1, 1, 3)):
        x = torch.randn(shape)
        same(program.module()(x), model(x))


@pytest.mark.parametrize("strict", [False, True])
def test_an_exported_model_takes_lengths_and_survives_saving(strict: bool):
    model = Classifier("lstm").eval()
    batch, time = Dim("batch"), Dim("time")
    shapes = {"x": {0: batch, 1: time}, "lengths": {0: batch}}
    example = (torch.randn(2, 5, 3), torch.tensor([1, 2]))
    program = torch.export.export(model, example, dynamic_shapes=shapes, strict=strict)
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    x, lengths = torch.randn(4, 9, 3), torch.tensor([3, 9, 0, 4])
    same(torch.export.load(file).module()(x, lengths), model(x, lengths))
