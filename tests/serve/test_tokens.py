"""States that clients hold: any process with the key goes on from them, and nothing else is believed."""

import base64
import time

import numpy as np
import pytest
from starlette.testclient import TestClient

from gatework.errors import DataError, UsageError
from gatework.serve import Limits
from gatework.serve._application import application_of, service_of
from gatework.serve._door import read_keys
from gatework.serve._tokens import Belonging, State, StateTokens, read_signing_keys
from support.networks import run as network_run

KEY, NEW, FOREIGN = (letter * 32 for letter in ("k", "n", "f"))
WORDS = ["good", "film", "never slow", "bad"]
ROWS = [{"0": 0.5, "1": -1.0}, {"0": 2.5, "1": 0.25}, {"0": -0.5, "1": 3.0}]


def client_of(runs, *keys, limits=None, may_ask=()):
    service = service_of(runs, limits or Limits(), signing=[key.encode() for key in keys])
    return TestClient(application_of(service, may_ask), base_url="http://localhost")


def ask(client, path="/predict", **body):
    return client.post(path, json=body)


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """A network that carries more than its layers do."""
    folder = tmp_path_factory.mktemp("pooled") / "run"
    return network_run(folder, kind="series", variables=2, pooling="attention", layers=2, cell="gru")


def test_a_sequence_goes_on_in_whichever_process_has_the_key(runs, pooled):
    served = {"texts": runs["texts"], "pooled": pooled}
    examples = {"texts": [{"text": word} for word in WORDS], "pooled": [{"row": row} for row in ROWS]}
    with client_of(served, KEY) as one, client_of(served, NEW, KEY) as other:
        for name, bodies in examples.items():
            stream, state = served[name].predictor.stream(), {"return_state": True}
            for place, body in enumerate(bodies):
                # The first process is gone after a row; the other signs with a new key, and believes the old one.
                reply = ask(one if place == 0 else other, f"/predict/{name}", **body, **state).json()
                expected = stream.answer(body.get("row", body), "row")
                assert reply["answers"] == [expected], (name, place)
                state = {"state": reply["state"]}
        assert ask(one, "/predict/pooled", row=ROWS[0], **state).json()["error"].startswith('"state" was not signed')


def test_a_state_is_believed_for_its_age_and_where_another_clock_is_a_little_ahead(monkeypatch):
    belonging = Belonging("net", b"digest", -1)
    tokens = StateTokens([KEY.encode()], age=100.0)
    now = time.time()
    for given, refusal in (
        (0, ""),
        (-99, ""),
        (-101, "more than 100 s ago"),
        (59, ""),
        (61, "61 s ahead of"),
    ):
        monkeypatch.setattr(time, "time", lambda at=now + given: at)
        token = tokens.seal(State([np.arange(3, dtype=np.float32)], 2), belonging)
        monkeypatch.setattr(time, "time", lambda: now)
        if not refusal:
            state = tokens.open(token, belonging)
            assert (state.rows, state.arrays[0].tolist()) == (2, [0.0, 1.0, 2.0])
        else:
            with pytest.raises(DataError, match=refusal):
                tokens.open(token, belonging)


def test_a_sequence_is_not_a_session_and_held_by_its_client_too(runs):
    with client_of({"texts": runs["texts"]}, KEY) as client:
        both = ask(client, text="good", session="mine", return_state=True)
        assert (both.status_code, "give one of them" in both.json()["error"]) == (400, True)


def test_the_inference_protocol_takes_and_gives_states(runs):
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["good"]}
    with client_of({"texts": runs["texts"]}, KEY) as client:
        path, given = "/v2/models/texts/infer", {"return_state": True}
        for place, whole in enumerate((["good"], ["good", "good"])):
            reply = client.post(path, json={"inputs": [tensor], "parameters": given}).json()
            stream = runs["texts"].predictor.stream()
            expected = [stream.answer({"text": word}, "row") for word in whole][-1]
            assert reply["outputs"][1]["data"] == [expected["probability"]], place
            given = {"state": reply["parameters"]["state"]}


def test_nothing_but_an_own_fresh_token_is_believed(runs, tmp_path):
    again = network_run(tmp_path / "again", bidirectional=False, padding="mask", seed=1)
    with client_of({"a": runs["texts"], "b": runs["texts"]}, KEY) as client:
        token = ask(client, "/predict/a", text="good", return_state=True).json()["state"]
        content = base64.urlsafe_b64decode(token)
        places = range(0, len(content), 7)
        changed = [content[:k] + bytes([content[k] ^ 1]) + content[k + 1 :] for k in places]
        wrong = [base64.urlsafe_b64encode(each).decode() for each in changed]
        for state in (*wrong, token[:-4], token + "AAAA", "é", "", "*", 7, [token], "A" * 300_000):
            reply = ask(client, "/predict/a", text="bad", state=state)
            assert reply.status_code == 400, state
            assert reply.json()["error"].startswith('"state" '), reply.json()
        assert "belongs to another model" in ask(client, "/predict/b", text="bad", state=token).json()["error"]
        assert "return_state is true or false" in ask(client, "/predict/a", text="bad", return_state=1).json()["error"]
        assert ask(client, "/predict/a", text="bad", state=token).status_code == 200
    with client_of({"a": again}, KEY) as client:
        assert "another training" in ask(client, text="bad", state=token).json()["error"]
    with client_of({"a": runs["texts"]}, KEY, limits=Limits(state_age=-1.0)) as client:
        assert "was given more than -1 s ago" in ask(client, text="bad", state=token).json()["error"]
    with client_of({"a": runs["texts"]}) as client:
        assert "was not signed" in ask(client, text="bad", state=token).json()["error"], "a key of its own"
    file = tmp_path / "keys"
    file.write_text(f"{KEY}\n")
    with client_of({"a": runs["texts"]}, KEY, may_ask=read_keys(file)) as client:
        client.headers["x-api-key"] = KEY
        assert "another key" in ask(client, text="bad", state=token).json()["error"]


def test_what_cannot_be_given_away_is_one_sentence(runs):
    with client_of({"sensor": runs["sensor"]}, KEY) as client:
        reply = ask(client, row={"time": "2024-03-13T12:00:00", "units": 1.0}, return_state=True)
        assert reply.status_code == 400
        assert reply.json()["error"] == 'the state of "sensor" cannot be given away; go on by a session'


def test_keys_that_sign_are_long_and_may_be_several(tmp_path):
    file = tmp_path / "keys"
    file.write_text(f"# new\n{NEW}\n{KEY}\n")
    assert read_signing_keys(file) == (NEW.encode(), KEY.encode())
    file.write_text("short\n")
    with pytest.raises(UsageError, match="each of 32 characters at least"):
        read_signing_keys(file)
    with pytest.raises(UsageError, match="a text file with one key a line was expected"):
        read_signing_keys(tmp_path / "none")
