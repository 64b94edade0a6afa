"""The description of a server, and what the server really takes and answers."""

import itertools
import re

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from gatework.serve import Limits
from gatework.serve._application import application_of, service_of


@pytest.fixture(scope="module")
def asked(runs):
    """A client, and the description that it is given."""
    service = service_of(runs, Limits(body=20_000, examples=3, length=400))
    with TestClient(application_of(service), base_url="http://localhost") as client:
        yield client, client.get("/openapi.json").json()


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def schema_of(document, operation, media="application/json"):
    return operation["requestBody"]["content"][media]["schema"]


def answered_as_described(client, document, path, method, **sent):
    """The status; the media type and the body of an answer are those of the description."""
    operation = document["paths"][path][method]
    reply = client.request(method, path, **sent)
    described = operation["responses"][str(reply.status_code)]["content"]
    media = reply.headers["content-type"].partition(";")[0]
    assert media in described, (path, media)
    if media == "application/json":
        schema = described[media]["schema"] | {"components": document["components"]}
        Draft202012Validator(schema).validate(reply.json())
    return reply.status_code


def test_every_address_that_is_read_answers_as_described(asked):
    client, document = asked
    paths = [path for path, method, _ in operations(document) if method == "get"]
    assert len(paths) == 7 + 2 * 6
    for path in paths:
        assert answered_as_described(client, document, path, "get") == 200


def test_every_schema_is_one(asked):
    for _, _, operation in operations(asked[1]):
        bodies = operation.get("requestBody", {"content": {}})["content"].values()
        answers = [body for reply in operation["responses"].values() for body in reply["content"].values()]
        for body in (*bodies, *answers):
            Draft202012Validator.check_schema(body.get("schema", {}))


TEXT, SERIES = "a good film", [[0.5, 1.0], [1.5, -2.0]]
ROW = {"time": "2024-03-13T12:00:00", "units": 0.5}
BESIDE = {"session": "a", "end": True, "return_state": True, "state": "x", "options": {"horizon": 2}, "other": 1}
BODIES = {
    "texts": [{"text": TEXT}, {"texts": [TEXT, ""]}, {"instances": [TEXT]}, {"rows": [{"text": TEXT}]}],
    "both": [{"text": TEXT}, {"row": {"text": TEXT}}, {"instances": [{"text": TEXT}]}],
    "series": [{"series": SERIES}, {"instances": [SERIES, SERIES]}],
    "sales": [{}, {"rows": [ROW]}, {"row": ROW}],
    "writer": [{}, {"text": "The"}, {"texts": ["The", "A"]}],
    "sensor": [{"rows": [ROW]}, {"row": ROW}],
}
WRONG = [
    [], 1, {"text": 1}, {"texts": []}, {"texts": TEXT}, {"texts": [TEXT] * 4}, {"text": "x" * 401},
    {"text": TEXT, "texts": [TEXT]}, {"series": []}, {"series": [1.0, 2.0]}, {"series": [[1.0, True]]},
    {"series": "1"}, {"series": SERIES * 201}, {"instances": []}, {"instances": [[[1.0]]]}, {"rows": {}},
    {"rows": []}, {"rows": [1]}, {"rows": [{}]}, {"rows": [{"text": [1]}]}, {"options": {"horizon": "2"}},
    {"dataframe_split": {"columns": ["a"], "data": [[1]]}}, {"options": 1}, {"options": {"nothing": 2}},
    {"end": True}, {"session": 1.5, "text": TEXT},
]  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_what_the_description_forbids_is_refused_and_what_is_answered_is_allowed(asked, name):
    client, document = asked
    path = f"/predict/{name}"
    validator = Draft202012Validator(schema_of(document, document["paths"][path]["post"]))
    beside = [{}, *({key: value} for key, value in BESIDE.items()), {"session": "a", "state": "x"}]
    beside += [{"session": "a", "end": True}, {"return_state": True, "end": True}, {"return_state": True, "end": False}]
    bodies = [body | more for body, more in itertools.product(BODIES[name], beside)]
    accepted = 0
    for body in (*bodies, *WRONG):
        status = answered_as_described(client, document, path, "post", json=body)
        is_accepted = status == 200
        assert status in (200, 400), (status, body)
        assert not is_accepted or validator.is_valid(body), body
        # Whether a state is one of the server's, or a row one of this table, no schema can say.
        if not is_accepted and not (isinstance(body, dict) and {"state", "row", "rows", "instances"} & set(body)):
            assert not validator.is_valid(body), body
        accepted += is_accepted
    assert accepted >= len(BODIES[name])


def test_the_examples_are_allowed_and_answered(asked):
    client, document = asked
    count = 0
    for path, method, operation in operations(document):
        body = operation.get("requestBody", {"content": {}})["content"].get("application/json", {})
        if "example" in body:
            Draft202012Validator(body["schema"]).validate(body["example"])
            assert answered_as_described(client, document, path, method, json=body["example"]) == 200
            count += 1
    assert count == 2 * sum(model["example"] is not None for model in document["x-models"]) > 0


@pytest.mark.parametrize("name", BODIES)
def test_each_address_is_described_where_the_run_has_an_answer(asked, name):
    client, document = asked
    model = next(model for model in document["x-models"] if model["name"] == name)
    answers = client.post(f"/stream/{name}", content=b"")
    assert (answers.status_code == 200) == (f"/stream/{name}" in document["paths"])
    assert ("rows" in model["takes"]) == (f"/evaluate/{name}" in document["paths"])
    needed = document["paths"][f"/predict/{name}"]["post"]["requestBody"]["required"]
    assert needed == (client.post(f"/predict/{name}").status_code != 200)


def test_tensors_and_frames_are_answered_as_described(asked):
    client, document = asked
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [TEXT]}
    for more in (
        {},
        {"id": "7"},
        {"parameters": {"sequence_id": 5, "sequence_start": True}},
        {"outputs": [{"name": "label"}]},
    ):
        body = {"inputs": [tensor], **more}
        path = "/v2/models/texts/infer"
        Draft202012Validator(schema_of(document, document["paths"][path]["post"])).validate(body)
        assert answered_as_described(client, document, path, "post", json=body) == 200
    as_bytes = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    assert answered_as_described(client, document, "/v2/models/texts/infer", "post", json=as_bytes) == 200
    frames = [
        {"dataframe_split": {"columns": ["text"], "data": [[TEXT]]}},
        {"dataframe_records": [{"text": TEXT}]},
        {"instances": [TEXT]},
    ]
    validator = Draft202012Validator(schema_of(document, document["paths"]["/invocations/texts"]["post"]))
    for body in frames:
        validator.validate(body)
        assert answered_as_described(client, document, "/invocations/texts", "post", json=body) == 200
    assert not validator.is_valid(frames[0] | frames[1])


def test_every_address_of_the_server_is_described(asked):
    client, document = asked
    described = {re.sub(r"/(texts|both|series|sales|writer|sensor)", "/{name}", path) for path in document["paths"]}
    app = client.app.app
    addresses = {route.path for route in app.routes if hasattr(route, "methods")}
    # Without a name where there is one run; with a version; and the stream in the manner of the protocol.
    others = {a for a in addresses if "{version}" in a or a.endswith("/{name}/stream")}
    unnamed = {"/predict", "/evaluate", "/stream", "/invocations"}
    assert addresses - others - unnamed - {"/v2/models/{name}/stream"} - described <= {"/stream/{name}"} - described
