"""The losses over large vocabularies, against the whole softmax in double precision and by finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck
from torch.nn.functional import cross_entropy, linear

from gatework.errors import KindError, TensorError, UsageError
from gatework.nn import AdaptiveSoftmax, SampledSoftmax, linear_cross_entropy
from gatework.nn.softmax import _blocks
from gatework.scan import kernels

ROWS, WIDTH, VOCABULARY = 37, 6, 50
EPS = torch.finfo(torch.float64).eps
EPS_SINGLE = torch.finfo(torch.float32).eps
BOUND = 100 * VOCABULARY * EPS  # sums of so many terms around 1, several times over


@pytest.fixture(autouse=True)
def blocks_of_few_rows(monkeypatch):
    monkeypatch.setattr(_blocks, "_BLOCK", 16 * VOCABULARY)


def tensors(seed: int = 0, with_bias: bool = True):
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    targets = torch.randint(VOCABULARY, (ROWS,), generator=generator)
    return drawn(ROWS, WIDTH), drawn(VOCABULARY, WIDTH), targets, drawn(VOCABULARY) if with_bias else None


def whole(features, weight, targets, bias, **options):
    return cross_entropy(linear(features, weight, bias), targets, **options)


def slopes(loss, *inputs):
    return torch.autograd.grad(loss, [t for t in inputs if t is not None])


@pytest.mark.parametrize("options", [{}, {"reduction": "sum"}, {"label_smoothing": 0.2}, {"ignore_index": 3}])
@pytest.mark.parametrize("with_bias", [True, False])
def test_the_loss_in_blocks_is_that_of_the_whole_softmax(options, with_bias):
    x, weight, targets, bias = tensors(with_bias=with_bias)
    if "ignore_index" in options:
        targets[::5] = 3
    ours = linear_cross_entropy(x, weight, targets, bias, **options)
    theirs = whole(x, weight, targets, bias, **options)
    assert abs(ours - theirs) <= ROWS * BOUND
    for a, b in zip(slopes(3 * ours, x, weight, bias), slopes(3 * theirs, x, weight, bias), strict=True):
        assert (a - b).abs().max() <= ROWS * BOUND


def test_each_rows_loss_has_its_own_derivative():
    x, weight, targets, bias = tensors()
    targets[4] = -100
    factor = torch.linspace(0, 2, ROWS, dtype=torch.float64)
    ours = linear_cross_entropy(x.view(1, ROWS, WIDTH), weight, targets[None], bias, reduction="none")
    theirs = whole(x, weight, targets, bias, reduction="none")
    assert ours.shape == (1, ROWS)
    assert (ours[0] - theirs).abs().max() <= BOUND
    pairs = zip(slopes((factor * ours).sum(), x, weight), slopes((factor * theirs).sum(), x, weight), strict=True)
    assert all((a - b).abs().max() <= ROWS * BOUND for a, b in pairs)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_the_derivative_is_that_of_finite_differences(reduction):
    x, weight, targets, bias = tensors()

    def loss(x, weight, bias):
        return linear_cross_entropy(x, weight, targets, bias, reduction=reduction, label_smoothing=0.1)

    assert gradcheck(loss, (x, weight, bias), fast_mode=reduction == "mean")


def test_a_second_derivative_is_refused():
    x, weight, targets, _ = tensors()
    losses = (lambda: linear_cross_entropy(x, weight, targets), lambda: sampled()(x, targets))
    for loss in (*losses, lambda: adaptive()(x, targets)):
        with pytest.raises(UsageError, match="has no second derivative"):
            torch.autograd.grad(loss(), x, create_graph=True)


def test_the_derivatives_of_many_rows_at_once_are_refused_in_a_sentence():
    x, weight, targets, _ = tensors()
    losses = linear_cross_entropy(x, weight, targets, reduction="none")
    with pytest.raises(UsageError, match="derivatives of one result at a time; leave out vectorize=True"):
        torch.autograd.grad(losses, x, torch.eye(losses.numel()).unflatten(1, losses.shape), is_grads_batched=True)


@pytest.mark.parametrize("frozen", [0, 1])
def test_only_the_gradients_that_are_wanted_are_made(frozen):
    x, weight, targets, bias = tensors()
    (x, weight)[frozen].requires_grad_(False)
    linear_cross_entropy(x, weight, targets, bias).backward()
    assert ((x.grad is None), (weight.grad is None)) == ((True, False), (False, True))[frozen]
    with torch.no_grad():
        assert not linear_cross_entropy(x, weight, targets, bias).requires_grad


def test_no_rows_at_all_have_no_mean():
    x, weight, _, _ = tensors()
    none = torch.full((ROWS,), -100)
    for loss in (SampledSoftmax(nn.Parameter(weight.detach()), 3), AdaptiveSoftmax(nn.Parameter(weight.detach()), [5])):
        assert loss.double()(x, none).isnan()
    assert linear_cross_entropy(x, weight, none).isnan()
    assert linear_cross_entropy(x, weight, none, reduction="sum") == 0
    assert (linear_cross_entropy(x, weight, none, reduction="none") == 0).all()


def sampled(with_bias: bool = True, negatives: int = 20, **options) -> SampledSoftmax:
    torch.manual_seed(3)
    loss = SampledSoftmax(nn.Parameter(torch.randn(VOCABULARY, WIDTH).double()), negatives, bias=with_bias, **options)
    if loss.bias is not None:
        nn.init.normal_(loss.bias)
    return loss


def spelt_out(loss: SampledSoftmax, x, targets, drawn, corrections):
    """The formula of the docstring, row by row."""
    logits, total = linear(x, loss.weight, loss.bias), 0
    for row, target in enumerate(targets):
        others = drawn != target
        right = logits[row, target]
        total = total - right + torch.cat([right[None], logits[row, drawn[others]] + corrections[others]]).logsumexp(0)
    return total / len(targets)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("proposal", ["log-uniform", "unigram"])
def test_the_sampled_loss_is_its_formula(with_bias, proposal):
    counts = torch.arange(VOCABULARY) if proposal == "unigram" else None
    loss = sampled(with_bias, proposal=proposal, counts=counts)
    x, _, targets, _ = tensors()
    state = torch.get_rng_state()
    ours = loss(x, targets)
    torch.set_rng_state(state)
    drawn, corrections = loss.sample()
    assert set(targets.tolist()) & set(drawn.tolist())
    theirs = spelt_out(loss, x, targets, drawn, corrections)
    assert abs(ours - theirs) <= ROWS * BOUND
    inputs = (x, loss.weight, loss.bias)
    for a, b in zip(slopes(3 * ours, *inputs), slopes(3 * theirs, *inputs), strict=True):
        assert (a - b).abs().max() <= ROWS * BOUND


def test_the_derivative_of_the_sampled_loss_is_that_of_finite_differences():
    loss, (x, weight, targets, bias) = sampled(), tensors()

    def sampled_again(x, weight, bias):
        torch.manual_seed(1)
        values = dict(zip(("weight", "bias"), (weight, bias), strict=True))
        return torch.func.functional_call(loss, values, (x, targets))

    assert gradcheck(sampled_again, (x, weight, bias), fast_mode=True)


@pytest.mark.parametrize("proposal", ["log-uniform", "unigram"])
def test_many_samples_give_the_whole_softmax(proposal):
    counts = 1 + torch.arange(VOCABULARY) if proposal == "unigram" else None
    loss = sampled(negatives=400_000, proposal=proposal, counts=counts)
    x, _, targets, _ = tensors()
    exact = whole(x, loss.weight, targets, loss.bias)
    estimate = loss(x, targets)
    # The rarest token is drawn some 1,000 times, so that its share is known to some 3 %, and the sum better than that.
    assert abs(estimate - exact) < 0.01
    for a, b in zip(slopes(estimate, x, loss.weight), slopes(exact, x, loss.weight), strict=True):
        assert (a - b).norm() < 0.02 * b.norm()
    assert loss.eval()(x, targets).item() == pytest.approx(exact.item(), abs=BOUND)


def test_tokens_are_drawn_as_often_as_they_should():
    loss = sampled(negatives=100_000)
    tokens, corrections = loss.sample()
    expected = 100_000 * loss.shares[tokens]
    times = corrections.exp() * expected
    assert times.sum().item() == pytest.approx(100_000)
    # The 0.999 quantile of chi-square with 49 degrees of freedom.
    assert ((times - expected) ** 2 / expected).sum() < 85.4
    assert loss.shares.sum().item() == pytest.approx(1)


def test_an_embedding_that_is_shared_gets_both_gradients():
    embedding = nn.Embedding(VOCABULARY, WIDTH)
    targets = torch.randint(VOCABULARY, (ROWS,))
    for loss in (SampledSoftmax(embedding.weight, 7), AdaptiveSoftmax(embedding.weight, [10])):
        assert loss.weight is embedding.weight
        model = nn.ModuleList([embedding, loss])
        assert len([p for p in model.parameters() if p.shape == embedding.weight.shape]) == 1
        embedding.weight.grad = None
        loss(embedding(targets), targets).backward()
        assert embedding.weight.grad.abs().sum() > 0


def adaptive(with_bias: bool = True) -> AdaptiveSoftmax:
    torch.manual_seed(5)
    loss = AdaptiveSoftmax(nn.Parameter(torch.randn(VOCABULARY, WIDTH).double()), [8, 9, 30], bias=with_bias).double()
    for parameter in loss.parameters():
        nn.init.normal_(parameter)
    return loss


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("rows", ["everywhere", "head", "last cluster"])
def test_the_adaptive_loss_is_that_of_its_probabilities(with_bias, rows):
    loss, (x, _, targets, _) = adaptive(with_bias), tensors()
    targets = {"everywhere": targets, "head": targets % 8, "last cluster": 30 + targets % 20}[rows]
    logarithms = loss.log_prob(x)
    assert (logarithms.exp().sum(-1) - 1).abs().max() <= BOUND
    ours, theirs = loss(x, targets), -logarithms.gather(1, targets[:, None]).mean()
    assert abs(ours - theirs) <= BOUND
    inputs = (x, *loss.parameters())
    for a, b in zip(slopes(3 * ours, *inputs), slopes(3 * theirs, *inputs), strict=True):
        assert (a - b).abs().max() <= ROWS * BOUND


def test_the_derivative_of_the_adaptive_loss_is_that_of_finite_differences():
    loss, (x, _, targets, _) = adaptive(), tensors()
    names = [name for name, _ in loss.named_parameters()]

    def again(x, *parameters):
        return torch.func.functional_call(loss, dict(zip(names, parameters, strict=True)), (x, targets))

    parameters = [p.detach().clone().requires_grad_() for p in loss.parameters()]
    assert gradcheck(again, (x, *parameters), fast_mode=True)


@pytest.mark.parametrize("kind", ["full", "sampled", "adaptive"])
def test_single_precision_is_as_accurate_as_torch(kind):
    x, weight, targets, bias = tensors()
    exact = whole(x, weight, targets, bias).item()
    single = [t.detach().float() for t in (x, weight, bias)]
    if kind == "full":
        theirs = abs(whole(single[0], single[1], targets, single[2]).item() - exact)
        ours = abs(linear_cross_entropy(single[0], single[1], targets, single[2]).item() - exact)
        assert ours <= 2 * theirs + 8 * torch.finfo(torch.float32).eps
        return
    loss = sampled(False) if kind == "sampled" else adaptive(False)
    torch.manual_seed(2)
    exact = loss(x, targets).item()
    torch.manual_seed(2)
    assert loss.float()(single[0], targets).item() == pytest.approx(exact, rel=64 * torch.finfo(torch.float32).eps)


def test_the_logits_are_never_there_at_once():
    """The largest tensor that is made on the way has the elements of a block, not of rows times vocabulary."""
    x, weight, targets, bias = tensors()
    largest = 0

    class Noting(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            nonlocal largest
            result = func(*args, **(kwargs or {}))
            for tensor in result if isinstance(result, tuple | list) else (result,):
                if isinstance(tensor, torch.Tensor):
                    largest = max(largest, tensor.numel())
            return result

    models = sampled(), adaptive()
    losses = (lambda: linear_cross_entropy(x, weight, targets, bias), *(lambda m=m: m(x, targets) for m in models))
    for loss in losses:
        with Noting():
            loss().backward()
    assert WIDTH * VOCABULARY <= largest <= 16 * VOCABULARY < ROWS * VOCABULARY


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"features": torch.zeros(4, 5)}, TensorError, "features .4, 5. and weight .9, 3. were given"),
        ({"features": torch.zeros(3)}, TensorError, "features .3,. and weight"),
        ({"targets": torch.zeros(5, dtype=torch.int64)}, TensorError, "targets are .5,., expected .4,."),
        ({"targets": torch.zeros(4)}, KindError, "targets torch.float32, expected"),
        ({"features": torch.zeros(4, 3).double()}, KindError, "features are torch.float64, weight torch.float32"),
        ({"targets": torch.tensor([0, 9, 1, 2])}, UsageError, "a target is 9, expected 0 to 8"),
        ({"targets": torch.tensor([0, -1, 1, 2])}, UsageError, "a target is -1, expected 0 to 8"),
    ],
)
def test_a_wrong_call_is_a_sentence(change, error, sentence):
    given = {"features": torch.zeros(4, 3), "targets": torch.zeros(4, dtype=torch.int64), **change}
    for loss in (SampledSoftmax((9, 3), 2), AdaptiveSoftmax((9, 3), [2])):
        with pytest.raises(error, match=f"{type(loss).__name__}: .*{sentence}"):
            loss(given["features"], given["targets"])
    with pytest.raises(error, match=f"linear_cross_entropy: .*{sentence}"):
        linear_cross_entropy(given["features"], torch.zeros(9, 3), given["targets"])


def test_a_wrong_option_is_a_sentence():
    x, weight, targets, _ = tensors()
    for make, sentence in (
        (lambda: linear_cross_entropy(x, weight, targets, weight), "bias is .50, 6., expected .50,."),
        (lambda: linear_cross_entropy(x, weight, targets, reduction="max"), 'reduction="max"'),
        (lambda: linear_cross_entropy(x, weight, targets, label_smoothing=2), "label_smoothing=2"),
        (lambda: SampledSoftmax((9, 3), 0), "negatives is 0, expected 1 or more"),
        (lambda: SampledSoftmax((9, 3), proposal="unigram"), 'proposal="unigram" without counts'),
        (lambda: SampledSoftmax((9, 3), counts=torch.ones(9)), 'proposal="log-uniform" with counts'),
        (lambda: SampledSoftmax((9, 3), proposal="unigram", counts=torch.ones(8)), "counts are .8,., expected .9,."),
        (lambda: SampledSoftmax((9, 3), proposal="unigram", counts=torch.zeros(9)), "or all 0"),
        (lambda: AdaptiveSoftmax((9, 3), [0]), "cutoffs are .0., expected ascending"),
        (lambda: AdaptiveSoftmax((9, 3), [5, 4]), "cutoffs are .5, 4., expected ascending"),
        (lambda: AdaptiveSoftmax((9, 3), [9]), "below the vocabulary's 9"),
        (lambda: AdaptiveSoftmax((9, 3), []), "cutoffs are .., expected"),
    ):
        with pytest.raises(UsageError, match=sentence):
            make()


# Sizes that fill neither a vector, nor a tile, nor a block of rows: features, columns, rows.
RAGGED = [(1, 2, 1), (24, 90, 50), (33, 131, 47), (70, 17, 129)]


@pytest.mark.parametrize("rounds", [True, False])
@pytest.mark.parametrize("isa", kernels.supported_isas())
@pytest.mark.parametrize(("width", "columns", "rows"), RAGGED)
def test_every_instruction_set_gives_the_loss_and_gradients_of_its_factors(isa, width, columns, rows, rounds):
    torch.manual_seed(0)
    x, weight, bias = torch.randn(rows, width), torch.randn(columns, width), torch.randn(columns)
    targets, smoothing = torch.randint(columns, (rows,)), 0.1
    factors = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
    with kernels.use_isa(isa):
        loss = linear_cross_entropy(
            *factors[:2], targets, factors[2], reduction="sum", label_smoothing=smoothing, rounds_factors=rounds
        )
    loss.backward()
    exact = [(tensor.bfloat16() if rounds else tensor).double() for tensor in (x, weight)]
    logits = linear(*exact, bias.double())
    right = cross_entropy(logits, targets, reduction="sum", label_smoothing=smoothing).item()
    assert abs(loss.item() - right) <= EPS_SINGLE * width * (rows + right)
    slope = logits.softmax(1) - smoothing / columns
    slope = slope - (1 - smoothing) * nn.functional.one_hot(targets, columns)
    # Rounded to 8 bits, a slope is off by half of the last at most.
    off = 2.0**-8 if rounds else 0.0
    for got, turned, other in ((factors[0], slope, exact[1]), (factors[1], slope.t(), exact[0])):
        bound = (off + EPS_SINGLE * (width + max(columns, rows))) * (turned.abs() @ other.abs() + 1)
        assert ((got.grad - turned @ other).abs() <= bound).all()
    assert (factors[2].grad - slope.sum(0)).abs().max() <= EPS_SINGLE * (width + rows) * (slope.abs().sum(0).max() + 1)


def test_the_kernels_give_the_same_on_any_number_of_threads():
    torch.manual_seed(0)
    x, weight, bias, targets = torch.randn(400, 64), torch.randn(900, 64), torch.randn(900), torch.randint(900, (400,))
    threads, given = torch.get_num_threads(), []
    for count in (1, 2, 3):
        factors = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
        torch.set_num_threads(count)
        try:
            loss = linear_cross_entropy(*factors[:2], targets, factors[2], reduction="sum", rounds_factors=True)
        finally:
            torch.set_num_threads(threads)
        loss.backward()
        given.append([loss.detach(), *(factor.grad for factor in factors)])
    for other in given[1:]:
        assert all(torch.equal(a, b) for a, b in zip(given[0], other, strict=True))
