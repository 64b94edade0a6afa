from gatework.recipe import recipe_files
from support.command_line import run_here


def test_the_recipes_are_listed_shown_copied_and_checked(tmp_path):
    listed = run_here("recipes").stdout
    for name, file in recipe_files().items():
        assert f"\n{name} " in f"\n{listed}"
        assert run_here("recipes", "show", name).stdout == file.read_text(encoding="utf-8")
    done = run_here("recipes", "copy", "waves", "mine.toml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine.toml").read_text() == recipe_files()["waves"].read_text()
    checked = run_here("recipes", "check", "mine.toml", cwd=tmp_path)
    assert checked.stdout == 'mine.toml is right: a recipe of the task "regress"\n'


def test_a_wrong_recipe_is_one_sentence_with_every_problem(tmp_path):
    content = '[model]\nhiden = 3\nepochs = 2\n[forecast]\nhorizon = 3\n[training]\nclip = "x"\n'
    (tmp_path / "r.toml").write_text(content)
    done = run_here("recipes", "check", "r.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    for part in (
        'r.toml: unknown key "model.hiden" (did you mean "hidden"?)',
        'unknown key "model.epochs" (did you mean "training.epochs"?)',
        'unknown key "forecast" of the task "classify"',
        "training.clip is 'x', expected a number",
    ):
        assert part in done.stderr


def test_an_existing_file_is_kept_and_a_wrong_name_hinted(tmp_path):
    (tmp_path / "r.toml").write_text("mine")
    assert "exists already" in run_here("recipes", "copy", "waves", "r.toml", cwd=tmp_path).stderr
    assert (tmp_path / "r.toml").read_text() == "mine"
    assert "end its name in .toml" in run_here("recipes", "copy", "waves", "r.txt", cwd=tmp_path).stderr
    assert 'did you mean "waves"?' in run_here("recipes", "show", "wavs", cwd=tmp_path).stderr
