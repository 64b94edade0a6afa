import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatework.errors import RunError, UsageError
from gatework.inside.memory import DEFAULT, QUICK, MemoryPlan, compare_memory
from gatework.inside.memory.experiment import measure, read_outcomes
from gatework.inside.memory.learning import Outcome, climb
from gatework.inside.memory.problems import ITEMS, PROBLEMS, TEST_DIGITS, Adding, Copy, Permuted, Pixels, Rows
from gatework.inside.memory.results import summary

TINY = MemoryPlan(
    cells=("rnn", "lstm"), seeds=2, spans={"adding": (4, 6)}, batches={"adding": 8}, hidden=4, batch_size=4
)


@settings(max_examples=40)
@given(st.integers(4, 60), st.integers(0, 1000))
def test_an_adding_sequence_is_as_hochreiter_and_schmidhuber_define_it(span, seed):
    drawn = Adding(span).draw(np.random.default_rng(seed), 20)
    values, marks = drawn.inputs[..., 0], drawn.inputs[..., 1]
    lengths = drawn.lengths.tolist()
    assert min(lengths) >= span
    assert max(lengths) <= span + span // 10
    assert values.abs().max() <= 1
    for b, length in enumerate(lengths):
        where = (marks[:, b] == 1).nonzero().flatten().tolist()
        assert len(where) == 2
        assert min(where) < 10
        assert max(where) < max(span // 2, 2)
        assert set(marks[:length, b].tolist()) <= {1.0, 0.0, -1.0}
        assert marks[0, b] != 0
        assert marks[length - 1, b] == -1
        assert (marks[length:, b] == 0).all()
        expected = 0.5 + values[where, b].sum() / 4
        assert drawn.targets[b] == pytest.approx(expected.item(), abs=1e-6)
    exact = drawn.targets.unsqueeze(1)
    assert Adding(span).solved(exact + 0.039, drawn) == 1.0
    assert Adding(span).solved(exact + 0.041, drawn) == 0.0


def test_a_copy_sequence_asks_for_its_symbols_after_the_blanks():
    drawn = Copy(7).draw(np.random.default_rng(0), 3)
    tokens = drawn.inputs.argmax(-1)
    assert tokens.shape == (2 * ITEMS + 7, 3)
    assert torch.equal(tokens[:ITEMS], drawn.targets)
    assert (tokens[ITEMS : ITEMS + 6] == 8).all()
    assert (tokens[ITEMS + 6] == 9).all()
    assert (tokens[ITEMS + 7 :] == 8).all()
    right = torch.nn.functional.one_hot(drawn.targets, 8).float()
    assert Copy(7).solved(right, drawn) == 1.0
    right[2, 1] = 0
    right[2, 1, (drawn.targets[2, 1] + 1) % 8] = 1
    assert Copy(7).solved(right, drawn) == pytest.approx(2 / 3)


def test_digits_are_read_by_rows_pixels_and_in_a_fixed_order():
    random = np.random.default_rng
    rows = Rows(8).draw(random(0), 1, is_test=True)
    pixels = Pixels(64).draw(random(1), 1, is_test=True)
    permuted = Permuted(64).draw(random(2), 1, is_test=True)
    assert rows.inputs.shape == (8, TEST_DIGITS, 8)
    assert torch.equal(rows.inputs.transpose(0, 1).reshape(TEST_DIGITS, 64), pixels.inputs[..., 0].T)
    assert torch.equal(rows.targets, permuted.targets)
    assert not torch.equal(pixels.inputs, permuted.inputs)
    assert torch.equal(pixels.inputs.sort(0).values, permuted.inputs.sort(0).values)
    train = Rows(8).draw(random(3), 500).inputs.transpose(0, 1).reshape(500, 64)
    test = {digit.numpy().tobytes() for digit in rows.inputs.transpose(0, 1).reshape(TEST_DIGITS, 64)}
    assert not any(digit.contiguous().numpy().tobytes() in test for digit in train)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_problem_can_be_learnt_a_little(name):
    plan = MemoryPlan(
        spans={name: (2 if name in ("adding", "copy") else 8,)}, batches={name: 150}, hidden=16, cells=("gru",)
    )
    ladder = plan.ladders[0]
    (outcome,) = climb(ladder, 0.95)
    chance = {"adding": 0.16, "copy": 8.0**-ITEMS}.get(name, 0.1)
    assert outcome.solved > 2 * chance
    assert outcome == dataclasses.replace(climb(ladder, 0.95)[0], seconds=outcome.seconds)


def test_the_budget_ends_early_once_enough_is_right():
    plan = MemoryPlan(spans={"digits, rows": (8,)}, batches={"digits, rows": 2000}, hidden=32, cells=("lstm",))
    (outcome,) = climb([dataclasses.replace(plan.ladders[0][0], enough=0.5)], 0.95)
    assert outcome.batches < 2000
    assert outcome.batches % 100 == 0
    assert outcome.solved > 0.4


def test_a_network_goes_on_to_longer_spans_with_what_it_learnt():
    plan = MemoryPlan(spans={"adding": (2, 3, 4)}, batches={"adding": 100}, hidden=16, cells=("gru",))
    climbed = climb(plan.ladders[0], least=0)
    assert [outcome.trial.span for outcome in climbed] == [2, 3, 4]
    (anew,) = climb(plan.ladders[0][2:], least=0)
    assert climbed[-1].solved > anew.solved


def test_a_ladder_stops_at_the_first_span_that_is_not_learnt(tmp_path):
    told: list[Outcome] = []
    outcomes = measure(TINY, tmp_path / "memory", told=told.append)
    # Eight batches teach nothing: every ladder ends on its first rung.
    assert [(o.trial.cell, o.trial.seed, o.trial.span) for o in outcomes] == [
        ("rnn", 0, 4), ("lstm", 0, 4), ("rnn", 1, 4), ("lstm", 1, 4)
    ]  # fmt: skip
    assert told == outcomes
    together = measure(TINY, tmp_path / "together", workers=2)
    assert [(o.trial, o.solved) for o in together] == [(o.trial, o.solved) for o in outcomes]


def test_what_was_measured_before_an_interruption_is_kept(tmp_path):
    first = measure(TINY, tmp_path / "memory")
    file = tmp_path / "memory" / "outcomes.jsonl"
    kept = file.read_text().splitlines()[:3]
    file.write_text("".join(line + "\n" for line in kept))
    told: list[Outcome] = []
    again = measure(TINY, tmp_path / "memory", told=told.append)
    assert [(o.trial.cell, o.trial.seed) for o in told] == [("lstm", 1)]
    assert [(o.trial, o.solved, o.batches) for o in again] == [(o.trial, o.solved, o.batches) for o in first]


def outcomes_of(plan, solved):
    return [
        Outcome(trial, share, 10, 1.0)
        for ladder in plan.ladders
        for trial, share in zip(ladder, solved[ladder[0].problem, ladder[0].cell, ladder[0].seed], strict=False)
    ]


def test_the_summary_says_which_span_each_cell_learns():
    plan = dataclasses.replace(
        TINY, spans={"adding": (4, 6), "digits, rows": (8,)}, batches={"adding": 8, "digits, rows": 8}
    )
    solved = {
        ("adding", "rnn", 0): [0.99, 0.2], ("adding", "rnn", 1): [0.5],
        ("adding", "lstm", 0): [1.0, 0.97], ("adding", "lstm", 1): [0.96, 1.0],
        ("digits, rows", "rnn", 0): [0.9], ("digits, rows", "rnn", 1): [0.8],
        ("digits, rows", "lstm", 0): [0.97], ("digits, rows", "lstm", 1): [0.95],
    }  # fmt: skip
    found = summary(plan, outcomes_of(plan, solved))
    rnn, lstm = found["problems"][0]["cells"]
    assert (rnn["longest"], lstm["longest"]) == ([4, 0], [6, 6])
    assert rnn["shares"] == [[0.99, 0.5], [0.2, None]]
    assert found["verdict"] == (
        "Adding, longest span: lstm learns the longest tried, 6, with every seed; "
        "rnn nothing to 4, depending on the seed. Digits, rows, test accuracy: lstm 96.0 %, rnn 85.0 %."
    )


def test_a_persons_own_cell_is_measured_under_its_own_name(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import gatework\nfrom torch import sigmoid, tanh\n\n\n@gatework.cell\ndef Leaky(a_z, a_h, h):\n"
        "    z = sigmoid(a_z)\n    return {'h': z * h + (1 - z) * tanh(a_h)}\n"
    )
    plan = dataclasses.replace(TINY, cells=("lstm", f"{tmp_path}/mine.py:Leaky", "indrnn"), seeds=1)
    report = compare_memory(tmp_path / "memory", plan, workers=2, is_quiet=True)
    content = json.loads((tmp_path / "memory" / "memory.json").read_text())
    assert content["title"] == "memory: lstm, Leaky, indrnn"
    assert [cell["name"] for cell in content["problems"][0]["cells"]] == ["lstm", "Leaky", "indrnn"]
    assert "Leaky" in content["verdict"]
    page = report.read_text()
    assert all(f"var(--cell-{name})" in page for name in ("lstm", "other-0", "other-1"))
    assert {outcome.trial.cell for outcome in read_outcomes(tmp_path / "memory")} == set(plan.cells)
    before = (tmp_path / "memory" / "outcomes.jsonl").read_bytes()
    compare_memory(tmp_path / "memory", plan, workers=2, is_quiet=True)
    assert (tmp_path / "memory" / "outcomes.jsonl").read_bytes() == before


def test_the_report_shows_every_share(tmp_path, show):
    report = compare_memory(tmp_path / "memory", TINY, workers=1, is_quiet=True, command="gatework compare memory")
    page = show(report)
    shares = [f"{100 * o.solved:.0f} %" for o in read_outcomes(tmp_path / "memory")]
    assert sorted(page.locator("td .share").all_inner_texts()) == sorted(shares)
    assert page.locator("td .untried").count() == 4
    assert "none, none" in page.inner_text("table.memory")
    assert json.loads((tmp_path / "memory" / "memory.json").read_text())["verdict"] in page.inner_text(".verdict")


def test_what_cannot_be_measured_is_refused(tmp_path):
    with pytest.raises(UsageError, match='no cell "lstn"'):
        MemoryPlan(cells=("lstn",))
    with pytest.raises(UsageError, match="seeds is 0"):
        MemoryPlan(seeds=0)
    (tmp_path / "file").write_text("something")
    with pytest.raises(RunError, match="holds something else"):
        measure(TINY, tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "plan.json").write_text(json.dumps(QUICK.state()))
    with pytest.raises(RunError, match="another plan"):
        measure(TINY, tmp_path / "other")
    (tmp_path / "other" / "plan.json").write_text(json.dumps(TINY.state()))
    (tmp_path / "other" / "outcomes.jsonl").write_text("{")
    with pytest.raises(RunError, match="is corrupt"):
        measure(TINY, tmp_path / "other")


def test_the_quick_plan_is_the_beginning_of_the_whole_one_so_that_the_two_never_contradict():
    assert QUICK.seeds < DEFAULT.seeds
    for problem, spans in QUICK.spans.items():
        assert spans == DEFAULT.spans[problem][: len(spans)]
    # Each ladder is climbed by itself, so that equal trials have equal outcomes.
    whole = {
        ladder[0].problem: ladder for ladder in DEFAULT.ladders if ladder[0].seed == 0 and ladder[0].cell == "lstm"
    }
    for ladder in QUICK.ladders:
        if ladder[0].cell == "lstm":
            assert ladder == whole[ladder[0].problem][: len(ladder)]


def test_both_plans_measure_what_the_comparison_is_for():
    for plan in (DEFAULT, QUICK):
        assert set(plan.spans) == set(plan.batches)
        assert all(list(spans) == sorted(spans) for spans in plan.spans.values())
    assert max(DEFAULT.spans["adding"]) >= 100
