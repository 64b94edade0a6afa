"""Streams and sessions: the lines of `predict --stream`, with carried state."""

import json

import polars as pl
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gatework.serve import Limits
from gatework.serve._application import application_of, service_of
from gatework.serve._rows import Pace

WORDS = ["good", "film", "never", "bad plot"]


def streamed(run, rows):
    stream = run.predictor.stream()
    return [stream.answer(row, "a row") for row in rows]


def test_lines_are_answered_as_predict_stream_answers_them(client, runs):
    rows = runs["sensor"].backtest.select(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S"), "units").head(40)
    expected = streamed(runs["sensor"], rows.to_dicts())
    for body in (rows.write_csv(), rows.write_ndjson()):
        reply = client.post("/stream/sensor", content=body)
        assert [json.loads(line) for line in reply.text.splitlines()] == expected


def test_a_socket_answers_row_by_row_and_a_wrong_row_counts_for_nothing(client, runs):
    expected = streamed(runs["texts"], [{"text": word} for word in WORDS])
    with client.websocket_connect("ws://localhost/v2/models/texts/stream") as socket:
        answers = []
        for word in WORDS:
            socket.send_text(json.dumps({"text": word}))
            answers.append(socket.receive_json())
            socket.send_text('{"other": 1, "another": 2}')
            assert 'has no column "text"' in socket.receive_json()["error"]
        assert answers == expected


def test_a_session_goes_on_between_requests(client, runs):
    expected = streamed(runs["texts"], [{"text": word} for word in WORDS])
    bodies = [{"session": "me", "text": word} for word in WORDS]
    answers = [client.post("/predict/texts", json=body).json()["answers"][0] for body in bodies]
    assert answers == expected
    client.post("/predict/texts", json={"session": "me", "text": "film", "end": True})
    again = client.post("/predict/texts", json=bodies[0]).json()["answers"][0]
    assert again == expected[0]


def test_a_network_that_reads_backwards_cannot_stream(client):
    reply = client.post("/stream/both", content='{"text": "good"}')
    assert reply.status_code == 400
    assert "needs the whole sequence" in reply.json()["error"]
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("ws://localhost/stream/both") as socket:
        socket.receive_text()
    assert "needs the whole sequence" in closed.value.reason


def test_sessions_are_limited_and_idle_ones_forgotten(runs):
    service = service_of({"texts": runs["texts"]}, Limits(sessions=3, idle=3600))
    with TestClient(application_of(service), base_url="http://localhost") as client:
        replies = [client.post("/predict", json={"session": k, "text": "good"}) for k in range(4)]
        assert [reply.status_code for reply in replies] == [200, 200, 200, 503]
        assert replies[3].json()["error"].startswith("3 sessions are under way")
        assert "gatework_sessions 3" in client.get("/metrics").text
        for session in service.sessions._by_key.values():
            session.used -= 3601
        assert "gatework_sessions 0" in client.get("/metrics").text
        assert client.post("/predict", json={"session": 9, "text": "good"}).status_code == 200


def test_a_session_that_could_not_begin_is_not_kept(client, service):
    before = len(service.sessions)
    reply = client.post("/predict/sensor", json={"session": "new", "row": {"units": 1}})
    assert reply.status_code == 400
    assert len(service.sessions) == before


def test_the_pace_of_rows_falls_at_once_and_rises_slowly():
    pace = Pace()
    told = []
    for seconds in (1.0, 0.5, 0.6, 100.0):
        pace._count(seconds)
        told.append(pace.seconds)
    # A row that other work held up counts as four times the mean at most, and one in twenty.
    assert told == pytest.approx([1.0, 0.5, 0.505, 0.505 + 0.05 * 3 * 0.505])
