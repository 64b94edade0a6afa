"""Triton's binary tensors: the same answers as by JSON, and a sentence to whoever sends what does not fit."""

import json
import struct

import numpy as np
import pytest

HEADER = "Inference-Header-Content-Length"


def send(client, model, request, tensors=b"", length=None):
    head = json.dumps(request).encode()
    headers = {HEADER: str(len(head)) if length is None else length}
    return client.post(f"/v2/models/{model}/infer", content=head + tensors, headers=headers)


def tensor(name, datatype, shape, size):
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": size}}


def received(reply):
    """The outputs of an answer, the bytes behind it in their places."""
    assert reply.status_code == 200, reply.text
    length = int(reply.headers[HEADER])
    answer, rest = json.loads(reply.content[:length]), reply.content[length:]
    for output in answer["outputs"]:
        size = output.get("parameters", {}).pop("binary_data_size", None)
        if size is not None:
            output["data"], rest = rest[:size], rest[size:]
    assert rest == b""
    return {output["name"]: output for output in answer["outputs"]}


def listed(*texts):
    return b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<i2"])
def test_numbers_go_in_and_out_as_bytes(client, dtype):
    values = np.random.default_rng(0).normal(1.0, 9.0, (3, 12, 2)).astype(dtype)
    kind = {"<f4": "FP32", "<f8": "FP64", "<i2": "INT16"}[dtype]
    request = {"inputs": [tensor("series", kind, values.shape, values.nbytes)]}
    whole = received(send(client, "series", request | {"parameters": {"binary_data_output": True}}, values.tobytes()))
    rows = client.post("/predict/series", json={"instances": values.tolist()}).json()["answers"]
    assert np.frombuffer(whole["value"]["data"], "<f8").tolist() == [row["value"] for row in rows]
    assert whole["value"]["shape"] == [3]


def test_texts_go_in_and_chosen_outputs_out_as_bytes(client):
    content = listed("good", "👍 bad", "")
    asked = [{"name": "label", "parameters": {"binary_data": True}}, {"name": "probability"}]
    found = received(
        send(client, "texts", {"inputs": [tensor("text", "BYTES", [3], len(content))], "outputs": asked}, content)
    )
    rows = client.post("/predict/texts", json={"texts": ["good", "👍 bad", ""]}).json()["answers"]
    assert found["label"]["data"] == listed(*(row["label"] for row in rows))
    assert found["probability"]["data"] == [row["probability"] for row in rows]


def test_bytes_that_do_not_fit_are_answered_by_a_sentence(client):
    text, four = listed("good"), struct.pack("<f", float("nan"))
    cases = [
        (tensor("text", "BYTES", [1], 99), text, None, "stands in place of"),
        (tensor("text", "BYTES", [1], len(text)), text + b"x", None, "bytes behind the JSON belong to no input"),
        (tensor("text", "BYTES", [1], len(text)), text[:-1] + b"\xff", None, "no list of texts"),
        (tensor("text", "BYTES", [1], 4), b"\xff\0\0\0", None, "no list of texts"),
        (tensor("text", "BYTES", [2], len(text)), text, None, "its shape (2) says otherwise"),
        (tensor("text", "FP16", [1], 2), b"ab", None, "are no FP16"),
        (tensor("series", "FP32", [1, 1], 3), b"abc", None, "are no FP32"),
        (tensor("series", "FP32", [1, 1], 4), four, None, "no finite number"),
        (tensor("text", "BYTES", [1], True), text, None, "is a number of bytes"),
        (tensor("text", "BYTES", [1], len(text)) | {"data": ["a"]}, text, None, "in place of"),
        (tensor("text", "BYTES", [1], len(text)), text, "99999", "expected the length of the JSON"),
        (tensor("text", "BYTES", [1], len(text)), text, "-1", "expected the length of the JSON"),
    ]
    for given, content, length, sentence in cases:
        reply = send(client, "texts", {"inputs": [given]}, content, length)
        assert (reply.status_code, sentence in reply.text) == (400, True), (given, reply.text)
