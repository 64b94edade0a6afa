import subprocess
import sys

import pytest
import torch

from gatework._files import read_arrays
from gatework.decoding import Sampling
from gatework.errors import DataError, UsageError
from gatework.tasks.generate.drawing import drawn
from support.texts import run as trained


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("writing"))


def test_a_seed_writes_the_same_text_and_another_one_another(run):
    first, again, other = (run.predict("The ", length=80, seed=seed)["text"][0] for seed in (1, 1, 2))
    assert first == again != other
    assert len(first) == 80


def test_samples_differ_and_stand_in_rows(run):
    rows = run.predict("The ", length=40, samples=3, seed=0)
    assert rows["sample"].to_list() == [1, 2, 3]
    assert len(set(rows["text"])) == 3


def test_the_likeliest_token_needs_no_seed(run):
    assert len({run.predict("The ", length=30, temperature=0)["text"][0] for _ in range(2)}) == 1


def test_what_is_streamed_is_the_prompt_and_the_text(run):
    predictor = run.predictor
    split = predictor.read("The ", length=60, seed=3)
    assert "".join(predictor.pieces(split)) == "The " + predictor.rows(split)["text"][0] + "\n"


def test_a_text_ends_before_what_it_stops_at(run):
    whole = run.predict("The ", length=200, seed=4)["text"][0]
    stop = whole[50:53]
    stopped = run.predict("The ", length=200, seed=4, stop=stop)["text"][0]
    assert stopped == whole[: whole.find(stop)]


@pytest.mark.parametrize("prompt", ["", "x" * 100_000, "Ünïcode 日本 🙂 عربى", "\n", "\0"])
def test_every_prompt_is_gone_on_from(run, prompt):
    assert len(run.predict(prompt, length=10, seed=0)["text"][0]) == 10


def test_a_prompt_stands_in_a_file_too(run, tmp_path):
    file = tmp_path / "prompt.txt"
    file.write_text("The ")
    from_file = run.predict(prompt_file=str(file), length=20, seed=0)["text"][0]
    assert from_file == run.predict("The ", length=20, seed=0)["text"][0]
    with pytest.raises(UsageError, match="give one of them"):
        run.predict("The ", prompt_file=str(file))
    with pytest.raises(DataError, match="is not there"):
        run.predict(prompt_file=str(tmp_path / "none.txt"))


def test_options_out_of_their_range_are_one_sentence(run):
    with pytest.raises(UsageError, match="temperature is -1"):
        run.predict("a", temperature=-1.0)
    with pytest.raises(UsageError, match="takes no --horizon"):
        run.predict("a", horizon=3)
    with pytest.raises(DataError, match="0xff"):
        run.predict("a\udcff")


def kept(logits: list[float], count: int = 2000, **settings: object) -> set[int]:
    """The tokens that are drawn from these logits, step by step in torch."""
    sampling = Sampling(**settings)
    recent = torch.zeros(count, 1, dtype=torch.int64)
    return set(drawn(torch.tensor([logits]).expand(count, -1).clone(), recent, sampling, torch.Generator()).tolist())


def test_each_rule_keeps_the_tokens_it_promises():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().tolist()
    assert kept(logits) == {0, 1, 2, 3}
    assert kept(logits, top_k=2) == {0, 1}
    assert kept(logits, top_p=0.7) == {0, 1}
    assert kept(logits, min_p=0.4) == {0, 1}
    assert kept(logits, temperature=0.0) == {0}
    assert kept(logits, banned=(0, 1)) == {2, 3}


def test_the_native_loop_and_the_plain_one_take_the_same_likeliest_tokens(run, monkeypatch):
    settings = {"length": 60, "temperature": 0, "repetition_penalty": 1.3}
    native = run.predict("The king", **settings)["text"][0]

    def refuse(*_, **__):
        raise UsageError("no kernels")

    monkeypatch.setattr("gatework.tasks.generate.drawing.Writer", refuse)
    split = run.predictor.read("The king", **settings)
    assert run.task.predict(run.network, split)["text"][0] == native


@pytest.mark.parametrize("changes", [{}, {"cell": "gru", "level": "subword", "layers": 2}])
def test_texts_are_written_without_torch_and_are_those_that_torch_writes(run, tmp_path, changes):
    run = trained(tmp_path, **changes, epochs=1) if changes else run
    file = tmp_path / "write.py"
    settings = {"length": 120, "seed": 5, "samples": 2, "dry_multiplier": 0.8}
    file.write_text(
        "import sys\nfrom gatework.training import Run\n"
        f"run = Run.open({str(run.path)!r})\n"
        f"sys.stdout.buffer.write('|'.join(run.predict('The ', **{settings!r})['text']).encode())\n"
        "assert 'torch' not in sys.modules\n"
    )
    alone = subprocess.run([sys.executable, file], capture_output=True, check=True).stdout.decode()
    split = run.predictor.read("The ", **settings)
    assert alone.split("|") == run.task.predict(run.network, split)["text"].to_list()
    assert "".join(run.predictor.pieces(split)) == "".join(run.task.pieces(run.network, split))


@pytest.mark.parametrize("changes", [{"layer_norm": True}, {"hidden": 9}, {"bidirectional": True}])
def test_weights_of_another_network_are_left_to_torch(run, changes):
    weights = read_arrays(run.path / "model.safetensors")
    config = run.recipe.changed(**{f"model.{name}": value for name, value in changes.items()}).model
    assert run.task.inference(run.recipe.model, weights) is not None
    assert run.task.inference(config, weights) is None
