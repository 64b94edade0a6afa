from support.fuzzed_folders import COMPARISON, STOPPED, made, run


def test_a_folder_changed_at_random_is_used_or_refused_in_a_sentence(tmp_path) -> None:
    # A forecaster, which is as soon spoilt and takes longest to train, is left to `make fuzz`.
    folders = made(tmp_path, ("detect", "regress" + STOPPED, COMPARISON))
    for seed in range(9):
        assert run(seed, folders, tmp_path) in ("used", "refused")
