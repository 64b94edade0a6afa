import pytest

from gatework.pages.axes import Axis

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


@pytest.mark.parametrize("values", [(0.037, 0.078), (0.49, 1.02), (1.1, 2.3), (4.1, 9.7), (0.2, 0.9)])
def test_a_logarithmic_scale_of_less_than_a_decade_has_three_ticks_at_least(values):
    scale = Axis.over(values, log_from=2.0)
    assert scale.is_log
    assert len(scale.ticks()) >= 3
