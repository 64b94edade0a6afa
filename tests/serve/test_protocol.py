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


@pytest.mark.parametrize(
    ("datatype", "low", "high"),
    [("INT8", -128, 127), ("UINT8", 0, 255), ("INT32", -(2**31), 2**31 - 1), ("UINT64", 0, 2**64 - 1)],
)
def test_a_number_is_one_of_its_datatype_or_refused(client, datatype, low, high):
    def asked(value):
        return infer(client, "series", tensor("series", datatype, [1, 1, 2], [value, 1]))

    assert {asked(value).status_code for value in (low, high)} == {200}
    for value in (low - 1, high + 1, 1.5, True):
        assert f"which is no {datatype}" in asked(value).json()["error"]


def test_a_number_beyond_single_precision_is_no_fp32(client):
    reply = infer(client, "series", tensor("series", "FP32", [1, 1, 2], [1e39, 1.0]))
    assert "holds 1e+39, which is no FP32" in reply.json()["error"]


@pytest.mark.parametrize("shape", [[0, 2**62], [2**62, 0], [0, 1, 2]])
def test_a_series_without_values_is_refused_whatever_its_shape(client, shape):
    reply = infer(client, "series", tensor("series", "FP64", shape, []))
    assert (reply.status_code, "has no values" in reply.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"sequence_start": True}, "give its sequence_id too"),
        ({"sequence_id": 0, "sequence_end": True}, "give its sequence_id too"),
        ({"sequence_start": True, "return_state": True}, "give its sequence_id too"),
        ({"sequence_start": "yes"}, "sequence_start is true or false"),
        ({"sequence_id": False}, "the name of a session is a text or a whole number"),
        ({"sequence_id": []}, "the name of a session is a text or a whole number"),
    ],
)
def test_what_only_a_sequence_has_is_not_passed_over(client, parameters, sentence):
    reply = infer(client, "series", tensor("series", "FP32", [1, 1, 2], [0.5, 1.0]), parameters=parameters)
    assert (reply.status_code, sentence in reply.json()["error"]) == (400, True), reply.text


def test_a_request_of_no_sequence_may_say_so(client):
    series, none = tensor("series", "FP32", [1, 1, 2], [0.5, 1.0]), {"sequence_start": False, "sequence_end": False}
    plain = outputs(infer(client, "series", series))
    for name in (0, "", None):
        assert outputs(infer(client, "series", series, parameters={"sequence_id": name, **none})) == plain


def test_options_of_a_prediction_are_parameters(client):
    assert outputs(infer(client, "sales", parameters={"horizon": 2}))["forecast"]["shape"] == [2]
    assert "horizon" in infer(client, "sales", parameters={"horizon": "long"}).json()["error"]
