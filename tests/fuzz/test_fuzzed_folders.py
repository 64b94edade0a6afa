import pytest

from support.fuzzed_folders import made, run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return made(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_a_run_folder_changed_at_random_is_used_or_refused_in_a_sentence(first, runs, tmp_path) -> None:
    for seed in range(first, first + 20):
        assert run(seed, runs, tmp_path) in ("used", "refused")
