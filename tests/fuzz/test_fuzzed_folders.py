from support.fuzzed_folders import made, run


def test_a_run_folder_changed_at_random_is_used_or_refused_in_a_sentence(tmp_path) -> None:
    # A forecaster, which is as soon spoilt and takes longest to train, is left to `make fuzz`.
    runs = made(tmp_path, ("detect", "classify"))
    for seed in range(12):
        assert run(seed, runs, tmp_path) in ("used", "refused")
