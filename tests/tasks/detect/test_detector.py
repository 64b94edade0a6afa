"""Trained detectors: what is plainly anomalous is found, why is said, and nothing depends on later rows."""

import dataclasses
import json
import re

import numpy as np
import polars as pl
import pytest

from gatework.data.reading import Reading
from gatework.errors import DataError, RunError, UsageError
from gatework.tasks.detect.detector import Detector, read_rows
from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.streaming import DetectStream
from gatework.training import Run, resume, train
from support.sensors import SETTINGS, SPIKE, payments, sensor, spiked

RUNS = ("forecast_run", "pair_run", "restoring_run")


def answers(run, frame):
    return Detector.of(run).answers(read_rows(frame, run.recipe, run.task).series[0])


def new_rows(run):
    return spiked(variables=len(run.task.variables))


@pytest.mark.parametrize("name", RUNS)
def test_a_spike_is_flagged_and_has_the_highest_score(name, request):
    run = request.getfixturevalue(name)
    found = answers(run, new_rows(run))
    peak = int(np.nanargmax(found.scores))
    assert SPIKE <= peak < SPIKE + run.task.settings.smooth + 1
    assert found.scores[peak] > 0.5
    assert np.nanmin(found.scores) >= 0
    assert np.nanmax(found.scores) <= 1


def test_the_cause_is_the_variable_that_spiked_and_its_band_is_left(pair_run):
    found = answers(pair_run, new_rows(pair_run))
    assert pair_run.task.variables[found.causes[SPIKE]] == "other"
    actual = new_rows(pair_run)["other"][SPIKE]
    assert actual > found.high[SPIKE, 1] > found.expected[SPIKE, 1] > found.low[SPIKE, 1]


def test_what_was_read_is_told_in_rows(forecast_run):
    frame = sensor()
    dataset = forecast_run.task.load(frame, forecast_run.recipe)
    first, second = forecast_run.task.about(dataset)
    counts = [int(count.replace(",", "")) for count in re.findall(r"[ ,]([\d,]+) (?:rows )?for", first)]
    assert len(counts) == 3
    assert sum(counts) == len(frame)
    assert second == f"{len(dataset.train):,} windows of them to learn from"


@pytest.mark.parametrize("name", RUNS)
def test_no_answer_depends_on_a_later_row(name, request):
    run = request.getfixturevalue(name)
    frame = new_rows(run)
    whole, part = answers(run, frame), answers(run, frame.head(500))
    np.testing.assert_array_equal(whole.scores[:400] > 0.5, part.scores[:400] > 0.5)
    np.testing.assert_allclose(whole.scores[:500], part.scores, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", [*RUNS, "labelled_run"])
def test_rows_answered_one_by_one_get_the_answers_of_the_file(name, request):
    run = request.getfixturevalue(name)
    frame = payments(accounts=2, seed=5) if name == "labelled_run" else new_rows(run).head(120)
    rows = read_rows(frame, run.recipe, run.task).series[0]
    detector = Detector.of(run)
    at_once = detector.answers(rows)
    watch = detector.watch(rows.name)
    single = [watch.answer(rows.values[k : k + 1], rows.stamps[k : k + 1]) for k in range(len(rows))]
    # One step at a time adds in another order than a whole sequence: float32 over a recurrence.
    np.testing.assert_allclose([one.scores[0] for one in single], at_once.scores, rtol=1e-3, atol=1e-5)


def test_a_missing_value_has_no_score_and_the_next_one_has(forecast_run):
    frame = spiked().with_columns(value=pl.when(pl.int_range(pl.len()) == 300).then(None).otherwise(pl.col("value")))
    found = answers(forecast_run, frame)
    assert np.isnan(found.scores[300])
    assert np.isfinite(found.scores[301])
    assert not (found.scores[295:310] > 0.5).any()


def test_a_higher_sensitivity_flags_no_fewer_rows(forecast_run):
    detector = Detector.of(forecast_run)
    rows = read_rows(spiked(), forecast_run.recipe, forecast_run.task).series[0]
    flagged = []
    for sensitivity in (0.5, 1.0, 3.0):
        settings = dataclasses.replace(forecast_run.task.settings, sensitivity=sensitivity)
        task = dataclasses.replace(forecast_run.task, settings=settings)
        flagged.append(int((Detector(detector.network, task).answers(rows).scores > 0.5).sum()))
    assert flagged == sorted(flagged)
    assert flagged[0] < flagged[-1]


def test_predictions_are_one_row_per_row_in_the_order_of_the_table(forecast_run):
    frame = spiked().sample(fraction=1.0, shuffle=True, seed=0)
    rows = forecast_run.predict(frame).to_dicts()
    assert [row["value"] for row in rows] == frame["value"].to_list()
    assert {"time", "value", "score", "is_anomaly", "span", "cause", "kind", "expected", "low", "high"} == set(rows[0])
    told = forecast_run.task.summary(pl.DataFrame(rows, infer_schema_length=None))
    assert any("value is" in line and "expected" in line for line in told)


@pytest.mark.parametrize("changes", [{"time": 3}, {"series": "id"}, {"target": None}])
def test_a_detector_has_a_column_for_each_role(forecast_run, changes):
    with pytest.raises(ValueError, match="the columns are"):
        dataclasses.replace(forecast_run.task, columns={**forecast_run.task.columns, **changes})


def test_spans_are_told_even_where_there_is_none(forecast_run):
    rows = [{"span": None, "score": None}, *[{"span": None, "score": 0.1}] * 4]
    assert forecast_run.task.summary(pl.DataFrame(rows, infer_schema_length=None)) == [
        "No span is anomalous; 4 of 5 rows have a score."
    ]


def test_labels_put_the_detector_and_simple_ones_into_one_table(forecast_run):
    found = forecast_run.evaluate(spiked(), label="anomaly")
    assert found.metrics["span_recall"] == 1.0
    simple = {"no change", "training range", "robust z-score", "seasonal difference", "isolation forest"}
    assert set(found.baselines) == simple | {"matrix profile"}
    assert all(scores["false_alarms_per_week"] >= 0 for scores in (found.metrics, *found.baselines.values()))
    assert all(set(metrics) == set(found.metrics) for metrics in found.baselines.values())


def test_measuring_by_labels_of_nothing_is_refused(forecast_run):
    with pytest.raises(DataError, match="no row is labelled"):
        forecast_run.evaluate(spiked().with_columns(anomaly=pl.lit(0)), label="anomaly")


def test_labels_may_be_truths_and_any_other_value_is_named(forecast_run):
    frame = spiked()
    as_numbers = forecast_run.evaluate(frame, label="anomaly").metrics
    truths = frame.with_columns(pl.col("anomaly").cast(pl.Boolean))
    texts = frame.with_columns(anomaly=pl.when(pl.col("anomaly") == 1).then(pl.lit("True")).otherwise(pl.lit("0.0")))
    for same in (truths, texts):
        assert forecast_run.evaluate(same, label="anomaly").metrics == as_numbers
    for wrong, sentence in (("-1", 'is "-1"'), ("yes", 'is "yes"'), (None, "is empty")):
        marked = frame.head(10).with_columns(pl.Series("anomaly", ["0"] * 9 + [wrong]))
        with pytest.raises(DataError, match=f"row 9 .*{sentence}, expected 0"):
            forecast_run.evaluate(marked, label="anomaly")


def test_options_that_a_detector_does_not_take_are_refused(tmp_path):
    for name, value in (("horizon", 3), ("missing", "zero"), ("known", "a")):
        with pytest.raises(UsageError, match=f"--{name}"):
            train("detect", sensor(), out=tmp_path / "run", target="value", **SETTINGS | {name: value})
    assert not (tmp_path / "run").exists()


def test_what_is_irregular_is_told_before_training_and_kept_in_the_run(tmp_path):
    from gatework.training import Progress

    class Listener(Progress):
        heard = ()

        def noted(self, notes):
            self.heard = tuple(notes)

    frame = pl.concat([sensor(100), sensor(10)]).filter(pl.int_range(pl.len()) != 50)
    listener = Listener()
    run = train("detect", frame, out=tmp_path / "run", target="value", progress=listener, **SETTINGS | {"context": 90})
    told = " ".join(listener.heard)
    for part in ("out of order", "10 rows have the time", "1 gaps in time", "The context is 65 rows"):
        assert part in told
    kept = json.loads((run.path / "environment.json").read_text())["notes"]
    assert tuple(kept) == listener.heard
    assert run.task.read(frame, run.recipe).notes == listener.heard[:-1]


def test_labels_are_learnt_from_what_came_before_where_no_row_shows_it(labelled_run):
    metrics = labelled_run.summary["metrics"]
    # A fifth of the rows is labelled, and no row says so by itself: a rule on the row alone stays near that share.
    assert metrics["test_labelled_share"] < 0.3
    assert metrics["test_average_precision"] > 0.7
    dataset = labelled_run.task.load(payments(), labelled_run.recipe)
    for baseline in labelled_run.task.baselines(dataset):
        assert labelled_run.task.metrics(baseline.answers)["average_precision"] < 0.5


def test_a_labelled_run_flags_new_accounts(labelled_run):
    frame = payments(accounts=10, seed=9)
    rows = labelled_run.predict(frame).to_dicts()
    flagged = np.array([row["is_anomaly"] for row in rows])
    truth = frame["fraud"].to_numpy() > 0
    assert 2 * (flagged & truth).sum() / (flagged.sum() + truth.sum()) > 0.6


def test_a_run_reopened_answers_the_same(pair_run):
    again = Run.open(pair_run.path)
    assert again.task.settings == pair_run.task.settings
    frame = new_rows(pair_run)
    np.testing.assert_array_equal(answers(again, frame).scores, answers(pair_run, frame).scores)


def test_a_resumed_run_ends_with_the_same_network(tmp_path, forecast_run):
    class Interrupt(KeyboardInterrupt):
        pass

    from gatework.training import Progress

    class Stopper(Progress):
        def epoch_done(self, label, record):
            if record["epoch"] == 1:
                raise Interrupt

    path = tmp_path / "run"
    with pytest.raises(Interrupt):
        train("detect", sensor(), out=path, target="value", progress=Stopper(), **SETTINGS)
    again = resume(path, sensor())
    for name, tensor in forecast_run.network.state_dict().items():
        assert (again.network.state_dict()[name] == tensor).all(), name


def test_series_are_scaled_by_themselves_and_answered_apart(tmp_path):
    small, large = sensor(200), sensor(200, seed=3).with_columns(value=pl.col("value") * 1000)
    both = pl.concat([small.with_columns(id=pl.lit("small")), large.with_columns(id=pl.lit("large"))])
    run = train("detect", both, out=tmp_path / "run", series="id", target="value", **SETTINGS)
    detector = Detector.of(run)
    alone = detector.answers(read_rows(both.filter(pl.col("id") == "large"), run.recipe, run.task).series[0])
    together = detector.answers(read_rows(both, run.recipe, run.task).series[1])
    np.testing.assert_array_equal(alone.scores, together.scores)
    assert run.task.scales.of("large").std[0] > 100 * run.task.scales.of("small").std[0]
    assert run.task.scales.of("a stranger") == run.task.scales.pooled


def test_a_constant_series_is_quiet_until_it_changes(tmp_path):
    frame = sensor(300).with_columns(value=pl.lit(7.0))
    run = train("detect", frame, out=tmp_path / "run", target="value", **SETTINGS)
    found = answers(run, frame.with_columns(value=pl.when(pl.int_range(pl.len()) == 200).then(9.0).otherwise(7.0)))
    assert not (found.scores[:200] > 0.5).any()
    assert found.scores[200] > 0.5


def test_a_stream_answers_csv_and_json_alike(forecast_run):
    frame = spiked().head(60).with_columns(pl.col("time").dt.to_string("%Y-%m-%d %H:%M:%S"))
    lines = frame.select("time", "value").write_csv().splitlines()
    objects = frame.select("time", "value").write_ndjson().splitlines()
    by_csv = list(forecast_run.predictor.answer_lines(lines))
    by_json = list(forecast_run.predictor.answer_lines(objects))
    assert by_csv == by_json
    assert len(by_csv) == 60
    first, last = json.loads(by_csv[0]), json.loads(by_csv[-1])
    # Nothing is expected of the first row, which rules on its value judge alone.
    assert first["value"]["expected"] is None
    assert set(last["value"]) == {"value", "expected", "low", "high"}


def test_a_stream_answers_each_row_before_it_reads_the_next(forecast_run):
    seen = []

    def lines():
        yield "time,value"
        for k in range(3):
            seen.append(k)
            yield f"2024-01-01 0{k}:00:00,20.{k}"

    stream = forecast_run.predictor.answer_lines(lines())
    next(stream)
    assert seen == [0]
    next(stream)
    assert seen == [0, 1]


def test_a_stream_says_where_a_span_starts_once(forecast_run):
    stream = DetectStream(Detector.of(forecast_run), Reading())
    frame = spiked().with_columns(pl.col("time").dt.to_string("%Y-%m-%d %H:%M:%S"))
    found = [stream.answer(row, "a row") for row in frame.select("time", "value").iter_rows(named=True)]
    flagged = [k for k, answer in enumerate(found) if answer["is_anomaly"]]
    starts = [k for k, answer in enumerate(found) if answer["is_start"]]
    assert SPIKE in starts
    assert sum(SPIKE <= k < SPIKE + 20 for k in starts) == 1
    assert len(starts) < len(flagged)


def test_a_stream_of_one_series_holds_memory_flat(forecast_run):
    import tracemalloc

    stream = DetectStream(Detector.of(forecast_run), Reading())
    values = spiked()["value"].to_list()

    def feed(count):
        for k in range(count):
            stream.answer({"time": f"2024-01-01 {k % 24:02d}:00:00", "value": values[k % 600]}, "a row")

    feed(300)
    tracemalloc.start()
    feed(600)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Less than 100 bytes a row: nothing of a row is kept.
    assert held < 60_000


BAD_LINES = {
    "a text": (["time,value", "2024-01-01 00:00:00,warm"], 'standard input, column "value": line 2 is "warm"'),
    "infinite": (["time,value", "2024-01-01 00:00:00,inf"], 'column "value": line 2 is "inf", infinite'),
    "no time": (["time,value", "soon,1"], 'standard input, column "time": line 2 is "soon"'),
    "a field too many": (["time,value", "2024-01-01 00:00:00,1,2"], "standard input, line 2 has 3 fields"),
    "no such column": (["time,other", "2024-01-01 00:00:00,1"], 'has no column "value"'),
    "broken JSON": (['{"time": '], "standard input, line 1 is no JSON object"),
    "no table at all": (["time,val\rue", "1"], "standard input, line 1 is no CSV"),
    "nothing": ([], "standard input holds no rows"),
    "a header alone": (["time,value"], "standard input holds no rows"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_named(name, forecast_run):
    lines, sentence = BAD_LINES[name]
    with pytest.raises(DataError) as caught:
        list(forecast_run.predictor.answer_lines(lines))
    assert sentence in str(caught.value)


def with_value(at, value):
    frame = sensor(100).with_columns(pl.col("value").cast(pl.String))
    return frame.with_columns(
        value=pl.when(pl.int_range(pl.len()) == at).then(pl.lit(value)).otherwise(pl.col("value"))
    )


BAD_TABLES = {
    "empty": (sensor(100).clear(), "empty"),
    "one row": (sensor(1), "has 1 row"),
    "a few rows": (sensor(12), "at least 20"),
    "infinite": (with_value(70, "inf"), "infinite"),
    "a text": (with_value(70, "warm"), 'is "warm", expected a number'),
    "no time column": (sensor(100).rename({"time": "when"}), 'no column "time"'),
    "no value column": (sensor(100).rename({"value": "temperature"}), 'no column "value"'),
    "a time that does not parse": (
        sensor(100).with_columns(time=pl.lit("yesterday")),
        "expected a date or time",
    ),
    "all values missing": (sensor(100).with_columns(value=pl.lit(None, dtype=pl.Float64)), "is empty over"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_bad_table_is_refused_in_a_sentence_and_leaves_nothing_behind(name, tmp_path):
    frame, sentence = BAD_TABLES[name]
    with pytest.raises(DataError) as caught:
        train("detect", frame, out=tmp_path / "run", target="value", **SETTINGS)
    assert sentence in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_labels_of_one_kind_cannot_be_learnt(tmp_path):
    frame = payments(accounts=10).with_columns(fraud=pl.lit(0))
    with pytest.raises(DataError, match="same label"):
        train("detect", frame, out=tmp_path / "run", time="time", series="account", target="amount", label="fraud")


def test_the_run_of_another_task_is_refused(tmp_path):
    frame = pl.DataFrame({f"t{k}": np.random.default_rng(k).normal(size=30) for k in range(4)} | {"y": np.arange(30.0)})
    run = train("regress", frame, out=tmp_path / "run", target="y", epochs=1, hidden=2)
    with pytest.raises(RunError, match='task "regress", expected "detect"'):
        Detector.of(run)


def test_settings_out_of_range_are_refused():
    from gatework.recipe import Recipe

    with pytest.raises(UsageError, match=r"detect\.sensitivity"):
        Recipe().changed(task="detect", sensitivity=0.0)
    with pytest.raises(UsageError, match=r"detect\.threshold"):
        Recipe().changed(task="detect", threshold="spot")
    assert Recipe().changed(task="detect", smooth=3).section(DetectOptions) == DetectOptions(smooth=3)
