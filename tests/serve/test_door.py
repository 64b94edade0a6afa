"""Who is let in, and how much."""

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gatework.errors import UsageError
from gatework.serve._application import application_of
from gatework.serve._door import read_keys

KEY = "correct-horse-battery"


@pytest.fixture
def guarded(service, tmp_path):
    file = tmp_path / "keys.txt"
    file.write_text(f"# of tests\nanother-key-of-somebody\n{KEY}\n")
    with TestClient(application_of(service, read_keys(file)), base_url="http://example.org") as client:
        yield client


def test_without_a_key_only_health_is_told(guarded):
    assert guarded.get("/v2/health/ready").status_code == 200
    assert guarded.get("/ping").status_code == 200
    for path in ("/v2", "/metrics", "/openapi.json", "/v2/models/texts"):
        reply = guarded.get(path)
        assert (reply.status_code, reply.headers["www-authenticate"]) == (401, "Bearer")
        assert "needs a key" in reply.json()["error"]
    with pytest.raises(WebSocketDisconnect), guarded.websocket_connect("ws://localhost/stream/texts") as socket:
        socket.receive_text()


def test_a_request_names_one_host(client):
    reply = client.get("/v2", headers=[("Host", "localhost"), ("Host", "example.org")])
    assert (reply.status_code, "several hosts" in reply.json()["error"]) == (400, True)


def test_with_a_key_everything_is(guarded):
    for headers in ({"Authorization": f"Bearer {KEY}"}, {"X-API-Key": KEY}):
        assert guarded.get("/v2", headers=headers).status_code == 200
    assert guarded.get("/v2", headers={"Authorization": f"Bearer {KEY}x"}).status_code == 401


def test_the_page_may_be_loaded_to_type_the_key(guarded):
    page = guarded.get("/")
    assert page.status_code == 200
    assert "texts" not in page.text.replace("texts.js", "")


def test_sessions_of_different_keys_do_not_meet(guarded):
    mine, theirs = ({"Authorization": f"Bearer {key}"} for key in (KEY, "another-key-of-somebody"))
    body = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["good"]}]}
    started = body | {"parameters": {"sequence_id": "s", "sequence_start": True}}
    assert guarded.post("/v2/models/texts/infer", json=started, headers=mine).status_code == 200
    gone_on = body | {"parameters": {"sequence_id": "s"}}
    assert guarded.post("/v2/models/texts/infer", json=gone_on, headers=theirs).status_code == 400
    assert guarded.post("/v2/models/texts/infer", json=gone_on, headers=mine).status_code == 200


@pytest.mark.parametrize("content", ["", "# nothing\n", "short\n"])
def test_keys_that_could_be_guessed_are_refused(tmp_path, content):
    file = tmp_path / "keys.txt"
    file.write_text(content)
    with pytest.raises(UsageError, match="needs one key a line, each of 16 characters at least"):
        read_keys(file)


def test_a_page_from_elsewhere_cannot_ask_a_server_on_this_machine(client):
    assert client.get("/v2", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/v2", headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.get("/v2", headers={"Origin": "http://localhost"}).status_code == 200
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://localhost/stream/texts", headers={"Origin": "http://evil.example"}) as socket,
    ):
        socket.receive_text()


def test_limits_are_sentences(client):
    refusals = {
        413: (b'{"text": "' + b"a" * 20_000 + b'"}', "the body is larger than 20,000 bytes"),
        400: (b'{"text": "' + b"a" * 401 + b'"}', "has 401 characters, expected at most 400"),
    }
    for status, (body, sentence) in refusals.items():
        reply = client.post("/predict/texts", content=body)
        assert (reply.status_code, sentence in reply.json()["error"]) == (status, True)
    packed = client.post("/predict/texts", content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert (packed.status_code, packed.json()["error"]) == (415, 'the body is packed as "gzip"; send it as it is')
    many = client.post("/predict/texts", json={"texts": ["a"] * 51})
    assert many.json()["error"] == "there are 51 texts, expected at most 50; send them in several requests"
    rows = client.post("/predict/sensor", json={"rows": [{"a": 1}] * 401})
    assert rows.json()["error"] == "there are 401 rows, expected at most 400; send them in several requests"
    line = client.post("/stream/texts", content=b'{"text": "' + b"a" * 30_000 + b'"}')
    assert "longer than 20,000 bytes" in line.text
