import pytest

from gatework.reports.folders import Metric
from gatework.reports.formatting import aligned, number, with_spread
from gatework.reports.scales import Axis


@pytest.mark.parametrize(
    ("mean", "std", "text"),
    [
        (0.001862, 0.000043, "0.00186 ± 0.00004"),
        (0.001862, 0.000123, "0.00186 ± 0.00012"),
        (0.86234, 0.0041, "0.862 ± 0.004"),
        (0.5, 0.0, "0.500"),
        (123456.0, 789.0, "123,456 ± 789"),
        (0.9996, 0.000001, "0.9996 ± 0.000001"),
    ],
)
def test_a_mean_has_the_digits_that_its_spread_supports(mean, std, text):
    assert with_spread(Metric(mean, std, (mean, mean))) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (float("nan"), "—"),
        (float("inf"), "∞"),
        (0, "0"),
        (5121, "5,121"),
        (0.0063, "0.00630"),
        (1.5e-7, "1.50 × 10⁻⁷"),
        (1234.5, "1,234"),
    ],
)
def test_a_number_has_three_significant_digits(value, text):
    assert number(value) == text


def test_decimal_points_stand_below_each_other():
    assert aligned(["1.5", "12.25", "7"]) == ["\u20071.5", "12.25", "\u20077"]


SPREADS = ((0.0018, 0.14), (0.5, 0.9), (3.0,), (0.0, 0.0), (1e-9, 5.0), (-2.0, 4.0), (1e-12, 3e-12), (1e7, 2e7), ())


@pytest.mark.parametrize("values", SPREADS)
def test_a_scale_holds_its_values_and_has_readable_ticks(values):
    scale = Axis.over(values)
    assert all(0 < scale.at(v) < 100 for v in values)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 8
    assert len({label for _, label in ticks}) == len(ticks)
    assert [at for at, _ in ticks] == sorted(at for at, _ in ticks)


def test_ticks_of_a_linear_scale_have_equally_many_decimals():
    assert [label for _, label in Axis(0.00178, 0.00223, False).ticks(4)] == ["0.0018", "0.0020", "0.0022"]


def test_equal_factors_are_equally_far_apart_on_a_logarithmic_scale():
    scale = Axis.over([0.001, 1.0])
    assert scale.is_log
    assert scale.at(0.1) - scale.at(0.01) == pytest.approx(scale.at(0.01) - scale.at(0.001), abs=0.02)
