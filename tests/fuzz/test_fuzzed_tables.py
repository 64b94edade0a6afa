import pytest

from support.fuzzed_tables import run


@pytest.mark.parametrize("seed", range(12))
def test_a_table_of_any_kind_is_answered_or_refused_in_a_sentence(seed, tmp_path) -> None:
    assert run(seed, tmp_path).partition(":")[0] in ("answered", "refused")
