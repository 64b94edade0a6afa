from support.fuzzed_folders import learnable
from support.fuzzed_options import run


def test_random_options_of_a_command_are_taken_or_refused_in_a_sentence(tmp_path) -> None:
    # The tasks that are as soon trained; the others are left to `make fuzz`.
    asked = {task: given for task, given in learnable(tmp_path).items() if task in ("classify", "detect", "regress")}
    ends = [run(seed, asked, tmp_path / str(seed)) for seed in range(12)]
    assert set(ends) == {"done", "refused"}
