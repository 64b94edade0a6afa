"""Requests that nobody means well: none is a failure of the server."""

import json
import random

import pytest

PATHS = [
    *(f"/predict/{name}" for name in ("texts", "both", "series", "sales", "sensor", "writer", "nobody", "", "%00")),
    *(f"/v2/models/{name}/infer" for name in ("texts", "series", "sales", "sensor", "writer")),
    *(
        f"/{kind}/{name}"
        for kind in ("invocations", "stream", "evaluate")
        for name in ("texts", "series", "sensor", "sales")
    ),
]
KINDS = ["application/json", "text/csv", "application/x-ndjson", "", "text/plain; charset=x"]
LEAVES = [
    None, True, False, 0, -1, 1.5, 10**400, 1e308, -1e308, 2**63, "", "good", "\0", "\ud800", "é" * 50, "1e999", "NaN",
    "/etc/passwd",     "2024-01-01", "9999-99-99", [], {}, [[]], [None], [[1, 2], [3]], [[[1.0, 2.0]]],
    {"a": {"b": []}}, ["a", 1, None],
    [{"time": "2024-01-01", "units": 1}], [{"time": "x", "units": None}], [{"time": 0, "units": "1,5"}],
    [1, 2, 3], [[1, 2]] * 3,
]  # fmt: skip
NAMES = [
    *(
        "text",
        "texts",
        "series",
        "row",
        "rows",
        "instances",
        "options",
        "session",
        "end",
        "inputs",
        "outputs",
        "parameters",
    ),
    *(
        "id",
        "dataframe_split",
        "dataframe_records",
        "columns",
        "data",
        "name",
        "shape",
        "datatype",
        "horizon",
        "time",
        "units",
    ),
]


def hostile_value(draw, depth=0):
    if depth > 2 or draw.random() < 0.5:
        return draw.choice(LEAVES)
    if draw.random() < 0.3:
        return [hostile_value(draw, depth + 1) for _ in range(draw.randrange(4))]
    return {draw.choice(NAMES): hostile_value(draw, depth + 1) for _ in range(draw.randrange(4))}


def hostile_tensors(draw):
    tensors = [
        {
            "name": draw.choice(["text", "series", "time", "units", "x"]),
            "datatype": draw.choice(["BYTES", "FP32", "FP64", "INT64", "BOOL", "X"]),
            "shape": draw.choice([[1], [2], [1, 1], [1, 2, 2], [-1], [], [0], [2**62, 4], [1, 0, 2]]),
            "data": draw.choice(
                [["a"], [1.0], [1, 2], [[[1.0, 2.0], [3.0, 4.0]]], [], [None], [True], [10**400], ["2024-01-01"]]
            ),
        }
        for _ in range(draw.randrange(1, 3))
    ]
    parameters = {
        name: draw.choice([1, "s", True, False, None, -1, [], 10**30, 0.5])
        for name in ("sequence_id", "sequence_start", "sequence_end", "timeout")
        if draw.random() < 0.4
    }
    return {"inputs": tensors, "parameters": parameters}


def hostile_body(draw):
    kind = draw.random()
    if kind < 0.45:
        return json.dumps({draw.choice(NAMES): hostile_value(draw) for _ in range(draw.randrange(1, 4))}).encode()
    if kind < 0.75:
        return json.dumps(hostile_tensors(draw)).encode()
    if kind < 0.85:
        lines = [json.dumps(hostile_value(draw)) for _ in range(draw.randrange(4))]
        return "\n".join(["time,units", *lines] if draw.random() < 0.5 else lines).encode()
    if kind < 0.9:
        return b"[" * 5000 + b"]" * 5000
    return draw.randbytes(draw.randrange(60))


def test_no_request_makes_the_server_fail(client):
    """A few hundred requests of the right words in wrong places; a failure would be raised here."""
    draw, seen = random.Random(0), set()
    for _ in range(600):
        path, body, kind = draw.choice(PATHS), hostile_body(draw), draw.choice(KINDS)
        reply = client.request(draw.choice(["POST"] * 9 + ["GET"]), path, content=body, headers={"Content-Type": kind})
        assert reply.status_code < 500, (path, kind, body, reply.text)
        if reply.status_code >= 400:
            assert set(reply.json()) == {"error"}, reply.text
            assert "\n" not in reply.json()["error"]
        seen.add(reply.status_code)
    # Some are answered, some are refused.
    assert {200, 400, 404, 405} <= seen


@pytest.mark.parametrize("message", [b"\xff\xfe", b"", b"{", b"a,b\n1\n", b"[1]", b'{"text": {"a": 1}}', b"[" * 20_000])
def test_no_message_ends_a_stream(client, message):
    with client.websocket_connect("ws://localhost/stream/texts") as socket:
        socket.send_bytes(b'{"text": "bad"}')
        socket.receive_json()
        socket.send_bytes(message)
        socket.send_bytes(b'{"text": "good"}')
        while "label" not in socket.receive_json():
            pass
