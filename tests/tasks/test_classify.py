import copy
import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn import metrics as measures
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from torch.nn.functional import cross_entropy, log_softmax

from gatework import compare, train
from gatework._files import read_json, read_tensors, write_tensors
from gatework.data import load
from gatework.data.dataset import Batch, Dataset, Provenance, Split
from gatework.data.inputs import SeriesInputs
from gatework.data.series import Scale, SeriesEncoder
from gatework.data.text import TextEncoder, Texts, Vocabulary
from gatework.errors import DataError, RunError
from gatework.options import DataOptions, ModelOptions
from gatework.reports import write_run_report
from gatework.tasks import get
from gatework.tasks._terms import Terms
from gatework.tasks._tfidf import Tfidf
from gatework.tasks.classify.beside import Candidate
from gatework.tasks.classify.calibration import calibration_error, joined, temperature
from gatework.tasks.classify.linear import linear_classifiers, refitted
from gatework.tasks.classify.metrics import answers_of, chances_of, confusion_matrix, metrics, probabilities
from gatework.tasks.classify.model import Classifier
from gatework.tasks.classify.stored import from_arrays, to_arrays
from gatework.tasks.classify.task import ClassifyTask
from gatework.training import Run

ENCODER = SeriesEncoder(Scale.identity(1))
TWO = ClassifyTask(ENCODER, ("no", "yes"))
THREE = ClassifyTask(ENCODER, ("a", "b", "c"))
PROVENANCE = Provenance("here", "yours", "0")


def dataset_of(texts: list[str], labels: list[int], classes=("no", "yes")) -> Dataset:
    part = Split(Texts.of(texts), np.array(labels))
    return Dataset("x", "text", part, part, part, PROVENANCE, classes)


def test_metrics_of_two_classes_by_hand():
    outputs = np.array([[0.0, 1], [0, -1], [0, 2], [0, 0.5]])
    metrics = TWO.metrics(answers_of(outputs, np.array([1, 0, 0, 1])))
    # Predicted yes, no, yes, yes: F1 is 2/3 and 4/5. Two of the four pairs of a yes and a no are in order.
    assert metrics["accuracy"] == 0.75
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert metrics["roc_auc"] == 0.5


def test_metrics_of_three_classes_by_hand():
    outputs = np.array([[9.0, 0, 0], [0, 9, 0], [0, 0, 8], [1, 0, 9]])
    metrics = THREE.metrics(answers_of(outputs, np.array([0, 1, 2, 1])))
    assert metrics["accuracy"] == 0.75
    assert metrics["macro_f1"] == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)
    # One against the rest, as pairs in order: a 3 of 3; b 2 of 4, its second example last; c 2 of 3.
    assert metrics["roc_auc"] == pytest.approx((1 + 2 / 4 + 2 / 3) / 3)


def test_the_area_under_the_curve_is_left_out_where_a_class_has_no_example():
    assert "roc_auc" not in THREE.metrics(answers_of(np.eye(3), np.array([0, 1, 1])))
    assert "roc_auc" not in TWO.metrics(answers_of(np.array([[0, np.nan], [0, 1]]), np.array([0, 1])))


def test_log_probabilities_and_logits_have_the_same_metrics():
    logits = np.random.default_rng(0).normal(size=(50, 2))
    targets = np.arange(50) % 2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert TWO.metrics(answers_of(logits, targets)) == pytest.approx(
        TWO.metrics(answers_of(np.log(probabilities), targets))
    )


def test_the_confusion_matrix_has_true_classes_in_rows():
    matrix = confusion_matrix(answers_of(np.eye(3)[[1, 1, 0]], np.array([0, 1, 0])))
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_predictions_name_the_class_and_its_probability():
    (row,) = TWO.rows(np.log(np.array([[0.25, 0.75]], dtype=np.float32)), TWO.blank(1)).to_dicts()
    assert row["label"] == "yes"
    assert row["probability"] == pytest.approx(0.75)
    assert row["probabilities"] == pytest.approx({"no": 0.25, "yes": 0.75})
    json.dumps(row)


def test_the_loss_is_the_mean_negative_log_probability():
    batch = Batch(torch.zeros(2, 1, 1), torch.ones(2), torch.tensor([0, 1]))
    loss = TWO.loss_of(torch.log(torch.tensor([[0.5, 0.5], [0.75, 0.25]])), batch)
    assert loss.weight == 2
    assert loss.mean().item() == pytest.approx((np.log(2) + np.log(4)) / 2)


def test_a_task_comes_back_from_json():
    task = get("classify").fit(dataset_of(["good", "bad bad"], [1, 0]), DataOptions(max_tokens=5, padding="pre"))
    assert ClassifyTask.from_state(json.loads(json.dumps(task.state()))) == task


def test_a_single_class_is_an_error():
    with pytest.raises(DataError, match='every training example of "x" has the same class "yes"'):
        get("classify").fit(dataset_of(["one", "two"], [1, 1]), DataOptions())


def test_values_are_sent_to_the_other_task():
    with pytest.raises(DataError, match='train it with the task "regress"'):
        get("classify").fit(load("waves", DataOptions()), DataOptions())


@pytest.mark.parametrize("pairs", [False, True])
def test_tfidf_features_are_those_of_scikit_learn(pairs):
    texts = ["a b a", "b c d", "", "a b c", "d a b b"]
    reference = TfidfVectorizer(
        sublinear_tf=True, min_df=2, ngram_range=(1, 2 if pairs else 1), token_pattern=r"(?u)\b\w+\b"
    )
    expected = reference.fit_transform(texts).toarray()
    features, train = Tfidf.fit(Texts.of(texts), pairs=pairs)
    found = train.toarray()
    columns = sorted(map(tuple, found.T))
    np.testing.assert_allclose(columns, sorted(map(tuple, expected.T)), rtol=1e-12)
    others = ["c a unknown a b", ""]
    new, new_expected = features(Texts.of(others)).toarray(), reference.transform(others).toarray()
    np.testing.assert_allclose(sorted(map(tuple, new.T)), sorted(map(tuple, new_expected.T)), rtol=1e-12)


def test_a_stream_says_the_probabilities_of_a_table_to_the_bit():
    for classes in range(2, 10):
        scores = np.random.default_rng(classes).normal(0, 4, (300, classes)).astype(np.float32)
        assert [chances_of(each) for each in scores] == probabilities(scores).tolist()


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_figures_are_those_of_scikit_learn_with_ties_and_classes_that_nobody_answers(classes):
    random = np.random.default_rng(classes)
    for examples in (classes, 7, 40, 300):
        targets = random.permutation(np.arange(examples) % classes)
        # Of few values, so that many examples are equally likely; the last class is never the likeliest.
        scores = random.integers(0, 4, (examples, classes)).astype(np.float32)
        scores[:, -1] -= 4
        chances, answered = probabilities(scores), scores.argmax(axis=1)
        f1 = measures.f1_score(targets, answered, labels=range(classes), average="macro", zero_division=0)
        area = measures.roc_auc_score(targets, chances[:, 1] if classes == 2 else chances, multi_class="ovr")
        found = metrics(answers_of(scores, targets))
        # A mean of so many shares, each rounded once or twice.
        expected = {"accuracy": (answered == targets).mean(), "macro_f1": f1, "roc_auc": area}
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-14, abs=0)


def test_baselines_of_the_built_in_sentences_reach_what_is_known_of_them():
    dataset = load("sentence-polarity", DataOptions())
    task = get("classify").fit(dataset, DataOptions())
    found = {b.name: task.metrics(b.answers)["accuracy"] for b in task.baselines(dataset)}
    assert found["majority class"] == 0.5
    # Bags of words are known to reach 0.76 to 0.78 in ten folds; one standard error of 1,066 sentences is 0.013.
    assert found["TF-IDF + logistic regression"] > 0.74
    assert found["TF-IDF bigrams + logistic regression"] > 0.74
    assert found["NB-SVM trigrams"] > 0.75


def test_baselines_of_series_with_classes_see_every_step():
    random = np.random.default_rng(0)
    values = random.normal(size=(300, 5, 1)).astype(np.float32)
    part = Split(SeriesInputs.of(values), (values[:, 2, 0] > 0).astype(np.int64))
    dataset = Dataset("x", "series", part, part, part, PROVENANCE, ("low", "high"))
    task = get("classify").fit(dataset, DataOptions())
    by_name = {b.name: task.metrics(b.answers)["accuracy"] for b in task.baselines(dataset)}
    assert by_name["logistic regression"] > 0.95
    assert by_name["majority class"] < 0.6


def test_texts_of_punctuation_alone_still_have_baselines():
    dataset = dataset_of(["...", ",", "", "-"], [0, 1, 0, 1])
    task = get("classify").fit(dataset, DataOptions())
    assert [len(b.answers) for b in task.baselines(dataset)] == [4, 4, 4, 4, 4]


def test_terms_are_the_runs_of_words_that_two_texts_have():
    texts = ["a b c a b c", "x a b c", "b c", "", "c a b x"]
    for longest in (1, 2, 3):
        reference = CountVectorizer(min_df=2, ngram_range=(1, longest), token_pattern=r"(?u)\b\w+\b")
        expected = reference.fit_transform(texts).toarray()
        terms, counts = Terms.fit(Texts.of(texts), longest)
        assert sorted(map(tuple, counts.toarray().T)) == sorted(map(tuple, expected.T))
        assert (terms.counts(Texts.of(texts)) != counts).nnz == 0, "the same texts give the same counts again"
        others = ["q a b c a", "", "x a b"]
        new, new_expected = terms.counts(Texts.of(others)).toarray(), reference.transform(others).toarray()
        assert sorted(map(tuple, np.vstack([counts.toarray(), new]).T)) == sorted(
            map(tuple, np.vstack([expected, new_expected]).T)
        )


def test_log_count_ratios_weigh_words_of_one_class_against_the_other():
    texts, labels = ["good good fun", "good film", "bad film", "bad dull film"], [1, 1, 0, 0]
    dataset = dataset_of(texts, labels)
    *_, nb_svm, spelt = linear_classifiers(dataset)
    assert spelt.name == "NB-SVM words and spelling"
    assert (spelt.scores(Texts.of(["goood", "badd"])).argmax(axis=1) == [1, 0]).all(), "no word of them is known"
    assert nb_svm.name == "NB-SVM trigrams"
    # Only "good" and "bad" differ: each is in two texts of its class and in none of the other; "film" is in 1 and 2.
    scores = nb_svm.scores(Texts.of(["good", "bad", "nothing known", "good film", "film"]))
    assert scores.shape == (5, 2)
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1)
    assert scores[0].argmax() == scores[3].argmax() == 1
    assert scores[1].argmax() == 0
    assert scores[0, 1] > scores[3, 1], "a word of the other class speaks against it"


def test_linear_classifiers_of_many_classes_leave_out_one_without_examples():
    texts = [f"{word} {k}" for word in ("red", "green", "blue") for k in range(6)]
    labels = np.repeat([0, 1, 3], 6)
    part = Split(Texts.of(texts), labels)
    dataset = Dataset("x", "text", part, part, part, PROVENANCE, ("a", "b", "never", "d"))
    for linear in linear_classifiers(dataset):
        scores = linear.scores(part.inputs)
        assert (scores.argmax(axis=1) == labels).all(), linear.name
        assert (scores[:, 2] == scores[:, 2].min()).all()
        assert np.isfinite(scores).all()


def test_a_temperature_makes_sure_answers_as_sure_as_they_are_right():
    random = np.random.default_rng(0)
    scores = random.normal(size=(4000, 3)) * 2
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    targets = (chances.cumsum(axis=1) < random.random((4000, 1))).sum(axis=1)
    assert temperature(3 * scores, targets) == pytest.approx(3, rel=0.1)
    # The groups' errors by chance: 0.5 * sqrt(2 / pi / n) for n = 4000 / 15 of each.
    assert calibration_error(scores, targets) < 0.03 < 0.1 < calibration_error(3 * scores, targets)


def test_the_calibration_error_by_hand():
    scores = np.log(np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]))
    # Of the two that are sure by 0.9 one is right, of the two by 0.6 both are: (0.4 + 0.4) / 2.
    assert calibration_error(scores, np.array([0, 1, 1, 1])) == pytest.approx(0.4)


def test_a_handful_of_examples_does_not_make_answers_certain():
    scores = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert 0.4 < temperature(scores, np.array([0, 1])) < 1


def test_the_better_scores_have_the_larger_weight():
    random = np.random.default_rng(1)
    targets = random.integers(0, 2, 2000)
    right, noise = np.eye(2)[targets] + random.normal(size=(2000, 2)) / 2, random.normal(size=(2000, 2))
    other = np.eye(2)[targets] + random.normal(size=(2000, 2)) / 2
    assert joined([right, noise], targets).shares[0] > 0.85
    assert joined([noise, right], targets).shares[0] < 0.15
    assert 0.3 < joined([right, other], targets).shares[0] < 0.7
    assert joined([right, noise, other], targets).shares[1] < 0.15
    assert joined([right, noise, other], targets, is_equal=True).shares == pytest.approx([1 / 3] * 3)
    # A set of scores that is spread twice as widely counts no more for it.
    one, two, three = joined([right, 2 * noise, other], targets, is_equal=True).factors
    spread = [np.std(scores - scores.mean(axis=1, keepdims=True)) for scores in (right, 2 * noise, other)]
    assert one * spread[0] == pytest.approx(two * spread[1]) == pytest.approx(three * spread[2])
    together = joined([right, other], targets).of([right, other])
    alone, together = (float((scores.argmax(1) == targets).mean()) for scores in (right, together))
    assert together > alone + 0.02


def test_scores_that_are_sometimes_surely_wrong_are_mixed_and_others_added():
    random = np.random.default_rng(2)
    targets = random.integers(0, 3, 4000)
    one, other = (2 * np.eye(3)[targets] + random.normal(size=(4000, 3)) for _ in range(2))
    assert not joined([one, other], targets).heat, "of independent evidence the sum is right"
    loud = one * np.where(random.random(4000) < 0.1, 12.0, 1.0)[:, None]
    way = joined([loud, other], targets)
    assert way.heat
    share = math.log(way.shares[0]), math.log(way.shares[1])
    logs = [log_softmax(torch.from_numpy(f * s), 1) for f, s in zip(way.factors, (loud, other), strict=True)]
    wanted = torch.logaddexp(logs[0] + share[0], logs[1] + share[1]) / way.heat
    np.testing.assert_allclose(way.of([loud, other]), wanted, rtol=1e-12)
    losses = [float(cross_entropy(torch.from_numpy(s), torch.from_numpy(targets))) for s in (way.of([loud, other]),
              *(s / temperature(s, targets) for s in (loud, other)))]  # fmt: skip
    assert losses[0] < min(losses[1:]) - 0.02


@pytest.mark.parametrize("classes", [2, 3])
def test_a_linear_classifier_comes_back_from_its_tensors(classes):
    texts = [f"{word} film {word} {k}" for word in ("red", "green", "blue")[:classes] for k in range(4)]
    labels = np.repeat(np.arange(classes), 4)
    part = Split(Texts.of(texts), labels)
    dataset = Dataset("x", "text", part, part, part, PROVENANCE, ("a", "b", "c")[:classes])
    for linear in linear_classifiers(dataset):
        again = from_arrays(to_arrays(linear), classes)
        assert (again.name, again.about) == (linear.name, linear.about)
        others = Texts.of(["red film", "", "blue unknown film 1"])
        np.testing.assert_allclose(again.scores(others), linear.scores(others), atol=1e-5)
    broken = to_arrays(linear)
    with pytest.raises(ValueError, match="do not fit"):
        from_arrays(broken | {"weights": broken["weights"][1:]}, classes)
    with pytest.raises(ValueError, match="lacks 'words'"):
        from_arrays({name: tensor for name, tensor in broken.items() if name != "words"}, classes)


@pytest.fixture(scope="module")
def blended(tmp_path_factory):
    """A run whose network learns little, so that the linear classifier answers with it."""
    out = tmp_path_factory.mktemp("blend") / "run"
    small = load("sentence-polarity", DataOptions()).limited(400)
    return small, train("classify", small, out=out, epochs=1, hidden=4, embedding=4, threads=1)


def test_a_run_answers_with_the_blend_and_shows_the_network_and_the_linear_classifier_beside_it(blended):
    dataset, run = blended
    answer, (simple,) = run.summary["answer"], run.summary["simple"]
    assert set(answer["validation"]) == {"network", simple, "weighted mean"}
    assert answer["refitted"] == simple
    page = write_run_report(run.path).read_text(encoding="utf-8")
    assert f"{simple} then learnt from the training and the validation part together" in page
    assert answer["weights"][simple] > answer["weights"].get("network", 0)
    assert min(answer["validation"], key=answer["validation"].get) == "weighted mean"
    assert run.summary["metrics"]["test_accuracy"] > run.summary["network"]["test_accuracy"]
    assert set(run.scores.baselines) == {"network alone", simple}
    scores = run.evaluate(dataset.test)
    of_test = {name.removeprefix("test_"): value for name, value in run.summary["metrics"].items()}
    assert scores.metrics == pytest.approx(of_test, rel=1e-5)
    rows = run.predict(list(dataset.test.inputs.strings[:5]))
    shown = run.task.rows(run.scores.answers["scores"].to_numpy()[:5], run.task.blank(5))
    assert rows["label"].to_list() == shown["label"].to_list()
    np.testing.assert_allclose(rows["probability"].to_numpy(), shown["probability"].to_numpy(), atol=1e-5)


def test_a_blend_is_chosen_by_the_validation_part_alone(blended):
    dataset, run = blended
    model, alone = run.network, replace(run.task, chosen=None)
    other = replace(dataset, test=Split(dataset.test.inputs, 1 - dataset.test.targets))
    found = []
    for data in (dataset, other):
        alone.calibrate(model, data, ())
        chosen = alone.blended(model, data, ()).blend
        found.append((chosen, {name: tensor.clone() for name, tensor in model.joining.state_dict().items()}))
    (one, first), (two, second) = found
    assert one == two
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_mean_is_named_only_where_a_mean_answers(blended):
    inputs, joining = blended[0].validation.inputs, copy.deepcopy(blended[1].network.joining)
    (linear,) = joining.voices
    right = linear.scores(inputs).argmax(axis=1)
    wrong = np.eye(2)[1 - right]
    blend = joining.join([Candidate(linear, linear.scores(inputs), lambda: linear)], wrong, right)
    assert blend.name == linear.short_name
    assert list(blend.validation) == [linear.short_name, "network"]


def test_a_linear_classifier_is_fitted_again_to_the_training_and_validation_part():
    first, second = (
        Split(Texts.of(["good fun"] * 4 + ["bad"] * 4), np.repeat([1, 0], 4)),
        Split(Texts.of(["good fun", "new new", "bad", "new"] * 2), np.array([1, 1, 0, 1] * 2)),
    )
    dataset = Dataset("x", "text", first, second, first, PROVENANCE, ("no", "yes"))
    for linear in linear_classifiers(dataset):
        again = refitted(linear, dataset)
        assert again.learnt.strength == linear.learnt.strength
        new = Texts.of(["new"])
        assert again.scores(new)[0, 1] > linear.scores(new)[0, 1] + 0.1, "a word of the validation part is known"


def test_without_a_blend_the_network_answers_alone(blended, tmp_path):
    dataset, run = blended
    alone = train("classify", dataset, out=tmp_path / "run", epochs=1, hidden=4, embedding=4, threads=1, blend=False)
    assert "answer" not in alone.summary
    assert alone.summary["metrics"] == run.summary["network"]


def test_a_damaged_linear_classifier_is_one_sentence(blended, tmp_path):
    _, run = blended
    copy = shutil.copytree(run.path, tmp_path / "run")
    tensors, _ = read_tensors(copy / "model.safetensors")
    write_tensors(
        copy / "model.safetensors", tensors | {"joining.linear_weights": tensors["joining.linear_weights"][1:]}
    )
    with pytest.raises(RunError, match=r"model\.safetensors does not fit the network"):
        _ = Run.open(copy).network


def test_a_comparison_shows_networks_alone_and_with_the_linear_classifier(tmp_path):
    small = load("sentence-polarity", DataOptions()).limited(300)
    compare(small, out=tmp_path / "c", cells=["gru"], seeds=1, epochs=1, hidden=4, embedding=4)
    content = read_json(tmp_path / "c" / "comparison.json")
    kinds = {entry["name"]: entry["kind"] for entry in content["entries"]}
    (blend,) = [name for name, kind in kinds.items() if kind == "blend"]
    assert kinds["gru"] == "network"
    assert blend == "gru, blended"
    assert f"network and simple methods together ({blend}) come to a test accuracy of" in content["verdict"]
    assert blend in (tmp_path / "c" / "report.html").read_text()


def test_an_adversarial_step_also_learns_from_word_vectors_moved_where_that_hurts():
    torch.manual_seed(0)
    config = ModelOptions(hidden=6, embedding=5, pooling="attention")
    model = Classifier(config, vocabulary=20, inputs=None, classes=2)
    inputs, lengths, targets = torch.randint(0, 20, (4, 7)), torch.tensor([7, 3, 1, 5]), torch.tensor([0, 1, 1, 0])
    plain, moved = model.withstanding(lambda scores: cross_entropy(scores, targets), 0.1, inputs, lengths).chunk(2)
    assert torch.equal(plain, model(inputs, lengths))
    each = [cross_entropy(scores.detach(), targets, reduction="none") for scores in (plain, moved)]
    assert (each[1] > each[0]).all(), "every text is harder where it was moved to"
    task = ClassifyTask(TextEncoder(Vocabulary(("a",)), 0, "mask"), ("no", "yes"), adversarial=0.1)
    batch = Batch(inputs, lengths, targets)
    both = task.loss(model.train(), batch).total.item()
    assert both == pytest.approx(float((each[0].sum() + each[1].sum()) / 2), rel=1e-5)
    assert task.loss(model.eval(), batch).total.item() == pytest.approx(float(each[0].sum()), rel=1e-5)
