"""The Open Inference Protocol, as its specification has it."""

import pytest


def tensor(name, datatype, shape, data):
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def infer(client, model, *inputs, **more):
    return client.post(f"/v2/models/{model}/infer", json={"inputs": list(inputs), **more})


def outputs(reply):
    assert reply.status_code == 200, reply.text
    return {output["name"]: output for output in reply.json()["outputs"]}


def test_health_and_metadata(client):
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json()["ready"] is True
    server = client.get("/v2").json()
    assert server["name"] == "gatework"
    assert "sequence" in server["extensions"]
    metadata = client.get("/v2/models/series").json()
    assert metadata["inputs"] == [{"name": "series", "datatype": "FP64", "shape": [-1, -1, 2]}]
    assert client.get("/v2/models/sales/versions/1/ready").json()["ready"] is True
    assert client.get("/v2/models/sales/versions/2").status_code == 404
    quantiles = {output["name"] for output in client.get("/v2/models/sales").json()["outputs"]}
    assert {"time", "forecast", "q0.025"} <= quantiles


def test_texts_go_in_and_classes_with_probabilities_come_out(client):
    reply = infer(client, "texts", tensor("text", "BYTES", [2], ["good", "bad"]), id="7")
    found = outputs(reply)
    assert reply.json()["id"] == "7"
    assert (found["label"]["datatype"], found["label"]["shape"]) == ("BYTES", [2])
    assert (found["probabilities"]["shape"], found["probabilities"]["parameters"]) == (
        [2, 2],
        {"names": "negative, positive"},
    )
    people = client.post("/predict/texts", json={"texts": ["good", "bad"]}).json()["answers"]
    assert found["probability"]["data"] == [row["probability"] for row in people]


def test_series_may_be_flat_or_nested_and_outputs_chosen(client):
    nested = [[[0.5, 1.0], [1.5, 2.0]]]
    flat = outputs(infer(client, "series", tensor("series", "FP32", [1, 2, 2], [0.5, 1.0, 1.5, 2.0])))
    chosen = infer(client, "series", tensor("series", "FP32", [1, 2, 2], nested), outputs=[{"name": "value"}])
    assert outputs(chosen) == flat


def test_columns_of_a_table_are_tensors(client):
    time = [f"2024-04-01T{hour:02d}:00:00" for hour in range(20)]
    found = outputs(
        infer(client, "sensor", tensor("time", "BYTES", [20], time), tensor("units", "FP64", [20, 1], [0.5] * 20))
    )
    assert found["is_anomaly"]["datatype"] == "BOOL"
    assert found["time"]["data"][0] == "2024-04-01T00:00:00"


def test_a_sequence_goes_on_between_requests_and_ends(client):
    def step(values, **parameters):
        shape = [1, len(values) // 2, 2]
        return infer(client, "series", tensor("series", "FP32", shape, values), parameters=parameters)

    step([0.5, 1.0], sequence_id=42, sequence_start=True)
    last = outputs(step([1.5, 2.0, 0.25, -1.0], sequence_id=42, sequence_end=True))
    assert last["value"]["shape"] == [2]
    whole = outputs(infer(client, "series", tensor("series", "FP32", [1, 3, 2], [0.5, 1.0, 1.5, 2.0, 0.25, -1.0])))
    # One step after the other and all at once are the same sums in another order, in float32.
    assert last["value"]["data"][-1] == pytest.approx(whole["value"]["data"][0], rel=1e-5)
    gone = step([1.0, 1.0], sequence_id=42)
    assert gone.status_code == 400
    assert 'there is no session "42"' in gone.json()["error"]


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([], "takes texts or rows, not nothing"),
        ([tensor("text", "BYTES", [3], ["a"])], "has 1 values, its shape (3) says otherwise"),
        ([tensor("text", "BYTES", [1], [1])], "holds 1, which is no BYTES"),
        ([tensor("text", "FP8", [1], [1])], 'has the datatype "FP8"'),
        ([tensor("txt", "BYTES", [1], ["a"])], 'has no input "txt": did you mean "text"?'),
        ([tensor("text", "BYTES", [1], ["a"])] * 2, "two inputs have the same name"),
        ([{"name": "text"}], "Object missing required field `shape`"),
    ],
)
def test_wrong_tensors_are_refused_in_a_sentence(client, inputs, sentence):
    reply = infer(client, "texts", *inputs)
    assert reply.status_code == 400
    assert sentence in reply.json()["error"]


def test_an_output_that_there_is_not_is_named(client):
    reply = infer(client, "texts", tensor("text", "BYTES", [1], ["a"]), outputs=[{"name": "labels"}])
    assert reply.json()["error"] == 'there is no output "labels": did you mean "label"?'
