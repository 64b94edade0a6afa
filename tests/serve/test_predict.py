"""Answers for people, and for clouds that ask in their own way."""

import json

import polars as pl
import pytest
from starlette.testclient import TestClient

import gatework
from gatework.errors import UsageError
from gatework.serve import Limits
from gatework.serve._application import application_of, service_of
from gatework.serve._model import ServedModel

TEXTS = ["good film", "a slow plot , never good", "bad"]
SERIES = [[[0.5, 1.0], [1.5, -2.0], [0.25, 3.0]], [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]]


def test_texts_are_answered_as_predict_answers_them(client, runs):
    answers = client.post("/predict/texts", json={"texts": TEXTS}).json()["answers"]
    expected = runs["texts"].predict(TEXTS).to_dicts()
    assert [a["label"] for a in answers] == [e["label"] for e in expected]
    # What follows the kernels is computed for each text alone, and so differs by a few roundings of a softmax.
    assert [a["probability"] for a in answers] == pytest.approx([e["probability"] for e in expected], abs=1e-6)


def test_one_text_is_answered_by_one_row(client):
    reply = client.post("/predict/texts", content=b'{"text": "good"}')
    assert reply.status_code == 200
    assert [set(row) for row in reply.json()["answers"]] == [{"label", "probability", "probabilities"}]


def test_series_are_answered_alone_and_several_at_once(client):
    several = client.post("/predict/series", json={"instances": SERIES}).json()["answers"]
    alone = [client.post("/predict/series", json={"series": one}).json()["answers"][0] for one in SERIES]
    assert several == alone


def test_a_forecast_needs_no_body_and_takes_its_options(client, runs):
    answers = client.post("/predict/sales").json()["answers"]
    assert answers == runs["sales"].predict().to_dicts()
    shorter = client.post("/predict/sales", json={"options": {"horizon": 2}}).json()["answers"]
    assert len(shorter) == 2
    refused = client.post("/predict/sales", json={"options": {"horizon": "2"}})
    assert (refused.status_code, refused.json()["error"]) == (400, "forecast.horizon is '2', expected a whole number")


def test_a_forecaster_that_needs_to_know_what_comes_is_served_and_asked_with_it(tmp_path):
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 4, 28), eager=True).dt.to_string()
    steps = range(len(days))
    table = pl.DataFrame({"day": days, "promo": [k % 3 // 2 for k in steps], "sold": [k % 7 for k in steps]})
    named = {"time": "day", "target": "sold", "known": "promo", "horizon": 2, "epochs": 1}
    run = gatework.train("forecast", table, out=tmp_path / "run", hidden=4, blend=False, threads=1, **named)
    with TestClient(application_of(service_of({"promoted": run}, Limits())), base_url="http://localhost") as client:
        assert client.get("/openapi.json").status_code == client.get("/v2/models/promoted").status_code == 200
        refused = client.post("/predict/promoted")
        assert refused.status_code == 400
        assert 'has no value in the column "promo", said to be known ahead' in refused.json()["error"]
        rows = [{"day": day, "promo": 1, "sold": None} for day in ("2024-04-29", "2024-04-30")]
        answers = client.post("/predict/promoted", json={"rows": rows}).json()["answers"]
    assert [row["day"] for row in answers] == ["2024-04-29", "2024-04-30"]


def test_rows_may_come_as_objects_as_csv_and_as_lines(client, runs):
    table = runs["sensor"].backtest.select(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S"), "units").head(30)
    expected = runs["sensor"].predict(table).to_dicts()
    bodies = {
        "application/json": pl.DataFrame({"rows": [table.to_dicts()]}).write_ndjson(),
        "text/csv": table.write_csv(),
        "application/x-ndjson": table.write_ndjson(),
    }
    for kind, body in bodies.items():
        reply = client.post("/predict/sensor", content=body, headers={"Content-Type": kind})
        assert reply.status_code == 200, reply.text
        assert reply.json()["answers"] == expected


def test_a_text_with_ends_of_lines_in_it_is_one_row(client):
    texts = ["good\nfilm, bad", 'a "good"\u2028plot', "bad\x0cfilm", '5" never']
    csv = 'text\r\n"good\nfilm, bad"\r\n"a ""good""\u2028plot"\r\nbad\x0cfilm\r\n\r\n5" never\r\n'
    lines = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    for kind, body in (("text/csv", csv), ("application/x-ndjson", lines)):
        reply = client.post("/predict/texts", content=body.encode(), headers={"Content-Type": kind})
        assert [answer["text"] for answer in reply.json()["answers"]] == texts
    marked = "\ufeff" + json.dumps({"texts": texts})
    assert len(client.post("/predict/texts", content=marked.encode()).json()["answers"]) == 4
    reply = client.post("/predict/texts", content=b'text,n\n"a\nb",1\nc\n', headers={"Content-Type": "text/csv"})
    assert reply.json()["error"] == "the stream, line 4 has 1 fields, expected 2: text, n"


def test_known_answers_give_the_metrics_of_evaluate(client, runs):
    table = pl.DataFrame({"text": TEXTS, "label": ["positive", "negative", "negative"]})
    reply = client.post("/evaluate/texts", json={"rows": table.to_dicts()}).json()
    assert reply["metrics"] == runs["texts"].evaluate(table).metrics


def test_clouds_ask_by_frames(client):
    expected = client.post("/predict/texts", json={"texts": TEXTS}).json()["answers"]
    split = {"dataframe_split": {"columns": ["text"], "data": [[text] for text in TEXTS]}}
    records = {"dataframe_records": [{"text": text} for text in TEXTS]}
    for body in (split, records):
        predictions = client.post("/invocations/texts", json=body).json()["predictions"]
        assert [row["label"] for row in predictions] == [row["label"] for row in expected]
    assert client.post("/invocations/texts", json={"instances": TEXTS}).json()["predictions"] == expected
    assert len(client.post("/invocations/sales", json={"params": {"horizon": 2}}).json()["predictions"]) == 2
    both = client.post("/invocations/texts", json=split | records)
    assert both.json()["error"] == "the body has both dataframe_split and dataframe_records; give one of them"
    unread = client.post("/invocations/sales", json={"inputs": [[1, 2]]})
    assert 'the body has "inputs", which nothing reads' in unread.json()["error"]
    assert client.get("/ping").status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("texts", b"{", "the body is no JSON"),
        ("texts", b'["a"]', "the body is a list; a JSON object was expected"),
        ("texts", b'{"text": 1}', "text 0 (counted from 0) is a number; a string was expected"),
        ("texts", b'{"texts": []}', "there are no texts; at least one was expected"),
        ("texts", b'{"text": "a", "texts": ["b"]}', "the body has both text and texts; give one of them"),
        ("texts", b'{"series": [1]}', '"texts" takes texts or rows, not series'),
        ("texts", b"{}", '"texts" takes texts or rows, not nothing'),
        ("texts", b'{"text": "a", "options": {"horizon": 1}}', '"texts" has no option "horizon": there is none'),
        ("texts", b'{"text": "a", "options": []}', '"options" is a list; an object as {"horizon": 3} was expected'),
        ("texts", b'{"text": "a", "end": true}', "end belongs to a session; give its name too"),
        ("sales", b'{"horizon": 2}', 'the body has "horizon", which nothing reads: there is text, texts'),
        ("sales", b'{"rowz": [{"units": 1}]}', 'the body has "rowz", which nothing reads: did you mean "row"?'),
        ("series", b'{"series": [[1, true]]}', "a series holds true or false; numbers were expected"),
        ("series", b'{"series": [1, 2]}', "each step of the series has 1 value, expected one for each of 2 variables"),
        ("series", b'{"series": [[1, 2], [3]]}', "a series is a list of numbers"),
        ("series", b'{"series": [["1", "2"]]}', "a series is a list of numbers"),
        ("series", b'{"series": [[1, 1e300]]}', "is not a finite number"),
        ("sensor", b'{"rows": [{"units": 1}]}', 'the data frame has no column "time"'),
        ("sensor", b'{"rows": [{"time": [1], "units": 1}]}', 'column "time", row 0 (counted from 0) is a list'),
        ("nobody", b"{}", 'there is no model "nobody"'),
        ("", b"{}", "which model? Name it at the end of the address: texts, both, series, sales, writer, sensor"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(client, path, body, sentence):
    reply = client.post(f"/predict/{path}" if path else "/predict", content=body)
    assert reply.status_code in (400, 404)
    assert sentence in reply.json()["error"]


def test_a_writer_goes_on_from_prompts_within_bounds(client):
    options = {"length": 20, "seed": 3, "stop": ["\n"]}
    answers = client.post("/predict/writer", json={"texts": ["The gate", "A cell"], "options": options}).json()[
        "answers"
    ]
    assert [row["prompt"] for row in answers] == ["The gate", "A cell"]
    much = client.post("/predict/writer", json={"text": "a", "options": {"length": 100_000}})
    assert "values are asked for at once, expected at most" in much.json()["error"]
    file = client.post("/predict/writer", json={"options": {"prompt_file": "/etc/passwd"}})
    assert (file.status_code, 'has no option "prompt_file"' in file.json()["error"]) == (400, True)


def test_a_task_that_says_nothing_of_strangers_is_not_served(runs, monkeypatch):
    monkeypatch.setattr(type(runs["texts"].task), "takes", ())
    with pytest.raises(UsageError, match='a run of the task "classify" cannot be served'):
        ServedModel("texts", runs["texts"])


def test_a_text_is_never_taken_for_the_name_of_a_file(client, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("text\nnobody may read this\n")
    reply = client.post("/predict/texts", json={"text": str(secret)})
    assert len(reply.json()["answers"]) == 1
    assert "nobody" not in reply.text


def test_a_column_that_is_empty_throughout_is_no_failure(client):
    reply = client.post("/predict/texts", json={"rows": [{"text": "good film", "remark": None}]})
    assert (reply.status_code, len(reply.json()["answers"])) == (200, 1)
