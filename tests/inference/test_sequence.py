"""Networks on arrays beside the same ones in torch: the same states to the last bit, the same answers to rounding."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from gatework._files import read_tensors, write_tensors
from gatework.cells import BUILT_IN, REGISTRY
from gatework.cells.shapes import SHAPES
from gatework.errors import UsageError
from gatework.inference._rows import ScanRows
from gatework.inference.sequence import SequenceNetwork, Sizes
from gatework.nn import quantize
from gatework.nn.model import SequenceModel
from gatework.options import ModelOptions
from gatework.training.predictor import Predictor
from support.networks import run as network_run

LENGTHS = np.array([3, 7, 1, 7, 5, 2])
EPS = float(np.finfo(np.float32).eps)
POOLINGS = ("mean", "max", "concat", "attention")
CONFIGS = [
    *(ModelOptions(cell=cell, hidden=5, layers=2) for cell in BUILT_IN),
    *(ModelOptions(hidden=8, pooling=pooling, bidirectional=True, layers=2) for pooling in ("last", "concat")),
    *(ModelOptions(cell="gru", hidden=16, embedding=3, pooling=kind) for kind in POOLINGS),
]


def both(config: ModelOptions, sizes: Sizes) -> tuple[SequenceModel, SequenceNetwork]:
    torch.manual_seed(1)
    model = SequenceModel(config, vocabulary=sizes.vocabulary, inputs=sizes.inputs, outputs=sizes.outputs).eval()
    weights = {name: weight.numpy() for name, weight in model.state_dict().items()}
    assert SequenceNetwork.fits(config, sizes, weights)
    return model, SequenceNetwork(config, sizes, weights)


def most_rounding(model: SequenceModel, sequence: torch.Tensor, steps: int) -> np.ndarray:
    """The bound of two sums in different orders over steps and then over units, by output."""
    weight = model.output.weight.abs()
    terms = steps + weight.shape[1]
    return (2 * terms * EPS * (weight.sum(1) * sequence.abs().max() + model.output.bias.abs())).detach().numpy()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.cell}-{c.pooling}-{c.bidirectional}")
@torch.no_grad()
def test_answers_are_those_of_the_network_in_torch(config):
    random = np.random.default_rng(0)
    is_text = config.pooling != "last"
    sizes = Sizes(11, None, 3) if is_text else Sizes(None, 2, 3)
    model, network = both(config, sizes)
    shape = (len(LENGTHS), LENGTHS.max())
    inputs = random.integers(0, 11, shape) if is_text else random.normal(size=(*shape, 2)).astype(np.float32)

    tensors = torch.from_numpy(inputs), torch.from_numpy(LENGTHS)
    sequence, last = model.states(*tensors)
    rounding = most_rounding(model, sequence, LENGTHS.max())
    outputs = network.outputs(inputs, LENGTHS)
    assert (abs(outputs - model(*tensors).numpy()) <= rounding).all()
    for k, length in enumerate(LENGTHS):
        alone = network.outputs(inputs[k : k + 1, :length], LENGTHS[k : k + 1])
        assert (alone[0] == outputs[k]).all(), "depends on the batch"
    if not is_text:
        rows = ScanRows.of(LENGTHS)
        ends = network.layers.over(np.ascontiguousarray(rows.packed(inputs)), rows)[1]
        assert (ends == last.numpy()[:, rows.order]).all()
    if not config.bidirectional:
        whole, _ = network.follow(inputs[1], None)
        first, carried = network.follow(inputs[1, :3], None)
        steps = [first]
        for step in inputs[1, 3:]:
            output, carried = network.follow(step[None], carried)
            steps.append(output)
        expected = model.follow(torch.from_numpy(inputs[1]))[0].numpy()
        assert (abs(np.concatenate(steps) - expected) <= rounding).all()
        assert (abs(whole - expected) <= rounding).all()
        if not is_text:
            assert (whole[-1] == network.outputs(inputs[1:2], LENGTHS.max(keepdims=True))[0]).all()


@pytest.mark.parametrize("bidirectional", [False, True])
@torch.no_grad()
def test_int8_answers_are_those_of_the_quantized_network_in_torch(bidirectional):
    config, sizes = ModelOptions(hidden=20, layers=2, bidirectional=bidirectional), Sizes(None, 2, 3)
    model, network = both(config, sizes)
    network, made = network.quantized(), quantize(model)
    inputs = np.random.default_rng(0).normal(size=(len(LENGTHS), LENGTHS.max(), 2)).astype(np.float32)
    tensors = torch.from_numpy(inputs), torch.from_numpy(LENGTHS)
    sequence, last = made.states(*tensors)
    rows = ScanRows.of(LENGTHS)
    ends = network.layers.over(np.ascontiguousarray(rows.packed(inputs)), rows)[1]
    assert (ends == last.numpy()[:, rows.order]).all()
    outputs, rounding = network.outputs(inputs, LENGTHS), most_rounding(made, sequence, LENGTHS.max())
    assert (abs(outputs - made(*tensors).numpy()) <= rounding).all()
    assert not (abs(outputs - model(*tensors).numpy()) <= rounding).all()
    for k, length in enumerate(LENGTHS):
        alone = network.outputs(inputs[k : k + 1, :length], LENGTHS[k : k + 1])
        assert (alone[0] == outputs[k]).all(), "depends on the batch"
    if not bidirectional:
        whole, _ = network.follow(inputs[1], None)
        first, carried = network.follow(inputs[1, :3], None)
        steps = [first]
        for step in inputs[1, 3:]:
            output, carried = network.follow(step[None], network.from_arrays(network.to_arrays(carried)))
            steps.append(output)
        assert (np.concatenate(steps) == whole).all()


def test_a_run_answers_on_int8_and_says_where_it_cannot(tmp_path):
    run = network_run(tmp_path / "texts", bidirectional=False, padding="mask")
    texts = ["a good film", "never loved it"]
    exact, made = run.predictor, Predictor(run, "int8")
    differences = exact.answer(texts)["probability"] - made.answer(texts)["probability"]
    assert 0 < differences.abs().max() < 0.02
    (torch_says,) = run.task.predict(made.network, made.read(texts[:1])).to_dicts()
    assert torch_says["probability"] == pytest.approx(made.answer(texts[:1])["probability"][0], rel=20 * EPS)
    with pytest.raises(UsageError, match='weights is "int4", expected float32 or int8'):
        Predictor(run, "int4")


@torch.no_grad()
def test_a_sequence_that_begins_with_one_step_begins_from_zeros():
    """Of a size whose memory the allocator writes into as soon as nobody holds it."""
    model, network = both(ModelOptions(hidden=128), Sizes(None, 2, 1))
    steps, carried = np.ones((4, 2), np.float32), None
    for k, expected in enumerate(network.follow(steps, None)[0]):
        output, carried = network.follow(steps[k : k + 1], carried)
        assert output[0] == pytest.approx(expected, abs=float(most_rounding(model, torch.ones(1), 4)[0]))


def test_what_does_not_fit_is_left_to_torch():
    config, sizes = ModelOptions(hidden=4), Sizes(None, 2, 1)
    model, _ = both(config, sizes)
    weights = {name: weight.numpy() for name, weight in model.state_dict().items()}
    for other in (ModelOptions(hidden=4, zoneout=0.1), ModelOptions(hidden=4, layer_norm=True), ModelOptions(hidden=3)):
        assert not SequenceNetwork.fits(other, sizes, weights)
    name = "recurrent.weight_hh_l0"
    for wrong in (weights[name][:-1], weights[name].astype(np.float64)):
        assert not SequenceNetwork.fits(config, sizes, weights | {name: wrong})
    assert not SequenceNetwork.fits(config, sizes, {key: w for key, w in weights.items() if key != name})


def test_the_sizes_of_cells_are_those_of_their_equations():
    parts = ("input_gates", "recurrent_gates", "unit_weights", "states")
    for name in BUILT_IN:
        assert SHAPES[name] == tuple(len(getattr(REGISTRY[name], part)) for part in parts), "run make cells"
    assert list(SHAPES) == list(BUILT_IN)


def test_a_run_is_served_and_predicted_without_torch(tmp_path):
    pytest.importorskip("msgspec", reason='msgspec is not installed: pip install "gatework[serve]"')
    run = network_run(tmp_path / "texts", bidirectional=False, padding="mask")
    program = f"""
import sys
from gatework.cli import serve, predict
from gatework.serve import Limits, _server
from gatework.serve._application import service_of
from gatework.training import Predictor, Run
run = Run.open({str(run.path)!r})
service = service_of({{"texts": run}}, Limits(), weights="int8")
assert service.needing_torch == []
rows = Predictor(run, "int8").answer(["a good film", "bad"])
answer = service.models["texts"].stream().answer({{"text": "a good film"}}, "row 1")
print(sorted({{"torch", "scipy", "sklearn"}} & set(sys.modules)), answer["probability"] == rows["probability"][0])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[] True\n", done.stderr


def test_a_stream_is_as_sure_as_a_prediction_with_torch_and_without(tmp_path):
    run = network_run(tmp_path / "texts", bidirectional=False, padding="mask")
    file = run.path / "model.safetensors"
    tensors, _ = read_tensors(file)
    write_tensors(file, tensors | {"joining.temperature": torch.tensor(2.5, dtype=torch.float64)})
    words, text = ["never", "good", "film"], "never good film"
    (predicted,) = run.predict(text).to_dicts()
    for stream in (run.predictor.stream(), run.task.stream(run.network, run.recipe)):
        *_, last = [stream.answer({"text": word}, "row") for word in words]
        assert last["label"] == predicted["label"]
        assert last["probabilities"] == pytest.approx(predicted["probabilities"], rel=20 * EPS)
    (torch_says,) = run.task.predict(run.network, run.predictor.read(text)).to_dicts()
    assert torch_says["probabilities"] == pytest.approx(predicted["probabilities"], rel=20 * EPS)
