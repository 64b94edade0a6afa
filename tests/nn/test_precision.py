from pathlib import Path

import pytest
import torch

import gatework
from gatework.nn.precision import precision_here, train_in_bfloat16
from gatework.options import ModelOptions
from gatework.scan import kernels
from gatework.tasks.generate.model import LanguageModel
from support.texts import small, text

TOKENS = torch.arange(60).reshape(3, 20) % 7


def gradients(model, layers_dtype):
    with torch.autocast("cpu", torch.bfloat16, enabled=layers_dtype == torch.bfloat16):
        sequence, _ = model.recurrent(model.embedding(TOKENS.t()))
    model.projection(sequence.float()).sum().backward()
    return [p.grad for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_only_the_layers_of_a_network_in_training_multiply_in_bfloat16(cell):
    def network():
        torch.manual_seed(0)
        return LanguageModel(ModelOptions(cell=cell, hidden=16, layers=2, embedding=8), [1] * 7)

    rounded, plain = network(), network()
    train_in_bfloat16(rounded)
    features, states = rounded(TOKENS)
    assert {features.dtype, *(state.dtype for state in states)} == {torch.float32}
    features.sum().backward()
    made = [p.grad for p in rounded.parameters() if p.grad is not None]
    for own, under_autocast in zip(made, gradients(plain, torch.bfloat16), strict=True):
        torch.testing.assert_close(own, under_autocast, rtol=0, atol=0)
    with torch.no_grad():
        torch.testing.assert_close(rounded.eval()(TOKENS)[0], plain.eval()(TOKENS)[0], rtol=0, atol=0)
    assert not torch.is_autocast_enabled("cpu")


def test_a_layer_that_fails_leaves_no_autocast_behind():
    model = LanguageModel(ModelOptions(hidden=4, embedding=4), [1] * 7)
    train_in_bfloat16(model)
    with pytest.raises(gatework.errors.GateworkError):
        model.recurrent(torch.zeros(3, 2, 5))
    assert not torch.is_autocast_enabled("cpu")


def test_a_run_keeps_the_precision_that_auto_stood_for(tmp_path):
    recipe = small(precision="auto")
    run = gatework.train("generate", text(tmp_path, 600), out=tmp_path / "run", recipe=recipe, epochs=1)
    assert run.recipe.training.precision == precision_here("auto")
    assert (precision_here("auto") == "bfloat16") == kernels.gains_by_bfloat16()


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="the processor's maker is read where Linux tells it")
def test_auto_is_bfloat16_where_the_processor_is_faster_in_it():
    usable, is_of_intel = kernels.supported_isas(), "GenuineIntel" in Path("/proc/cpuinfo").read_text()
    is_faster = "avx512_amx" in usable or ("avx512_bf16" in usable and not is_of_intel)
    assert precision_here("auto") == ("bfloat16" if is_faster else "float32")
    with kernels.use_isa(usable[0]):
        assert precision_here("auto") == "float32"
