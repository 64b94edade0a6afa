"""The commands as a person runs them: real files, and real processes where a process is what matters."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from gatework import training
from gatework.options import TASKS
from gatework.scan import triton_kernels
from gatework.training import Predictor
from support.command_line import gatework, run_forked, run_here, run_process
from support.networks import run as network_run


def reviews(path: Path, rows: int = 120) -> Path:
    texts = [f"it was {('dull', 'lovely')[k % 2]} number {k} 😀 电影" for k in range(rows)]
    frame = pl.DataFrame({"review": texts, "sentiment": [("bad", "good")[k % 2] for k in range(rows)]})
    (frame.write_parquet if path.suffix == ".parquet" else frame.write_csv)(path)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    reviews(folder / "reviews.csv")
    done = run_process(
        *("train", "classify", "reviews.csv", "--text", "review", "--label", "sentiment", "--out", "run"),
        *("--hidden", 8, "--epochs", 12, "--learning-rate", 0.02, "--json"),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["metrics"]["test_accuracy"] == 1.0
    assert "epoch 12" in done.stderr or "epoch" in done.stderr
    return folder


def test_help_is_quick_because_nothing_heavy_is_imported():
    code = "import sys\nfrom gatework.cli import main\ntry: main()\nexcept SystemExit: pass\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert "compare" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"torch", "polars", "plotly", "sklearn", "scipy", "pandas", "numpy"}


STOPPED_AS_IT_STARTS = """
import sys
from importlib.abc import MetaPathFinder

class Stopped(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Stopped())
from gatework.cli import main
main()
"""


def test_a_command_that_is_stopped_while_it_starts_says_so():
    done = subprocess.run([sys.executable, "-c", STOPPED_AS_IT_STARTS, "doctor"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "gatework: stopped\n")


def test_plain_values_are_read_without_pydantic_and_wrong_ones_refused_as_before(tmp_path):
    code = "import sys\nfrom gatework.cli import main\ntry: main()\nexcept SystemExit: pass\nprint(*sys.modules)"
    given = ["serve", "nowhere", "--port", "8000", "--timeout", "2", "--api-key-file", "keys.txt"]
    done = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, cwd=tmp_path)
    assert "nowhere is not there" in done.stderr
    assert "pydantic" not in done.stdout.split()
    for name, value in (("port", "70000"), ("port", "many"), ("timeout", "-1")):
        code, _, err = gatework("serve", "nowhere", f"--{name}", value)
        assert code == 2
        assert f"Invalid value for '--{name}'" in err


@pytest.mark.parametrize("task", TASKS.built_in)
def test_the_help_of_a_task_shows_every_option_of_its_recipes_and_no_other(task):
    shown = run_here("train", task, "--help").stdout
    for option in TASKS[task].shown:
        assert len(re.findall(rf"^  --{option.flag}(?= )", shown, re.MULTILINE)) == 1
    flags = set(re.findall(r"^  --([a-z-]+)", shown, re.MULTILINE))
    others = {o.flag for other in TASKS.values() for o in other.options} - {o.flag for o in TASKS[task].shown}
    assert not flags & others
    assert TASKS[task].example in re.sub(r" \\\n +", " ", shown)


@pytest.mark.parametrize("command", ["check", "tune", "compare"])
def test_the_help_of_a_command_shows_how_it_is_called_itself(command):
    shown = re.sub(r" \\\n +", " ", run_here(command, "--help").stdout)
    examples = [line.split() for line in shown.partition("Examples:\n")[2].splitlines()]
    for task in TASKS.built_in:
        (words,) = [words for words in examples if task in words]
        assert words[:2] == ["gatework", command]
        assert ("--out" in words) == (command != "check")


def test_a_usage_line_has_braces_around_choices_alone():
    for command in ("train", "tune", "predict", "inspect", "report", "serve", "export", "learn"):
        usage = run_here(command, "--help").stdout.splitlines()[0]
        assert "{" not in usage
        assert usage == usage.replace("folder", "")


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        ("gatework tra", ["train"]),
        ("gatework train trans", ["translate", "transcribe"]),
        ("gatework train forecast --hor", ["--horizon"]),
        ("gatework export --o", ["--out"]),
    ],
)
def test_a_shell_completes_commands_tasks_and_the_options_of_a_task(line, completions, monkeypatch):
    monkeypatch.setenv("_GATEWORK_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    code, out, _ = gatework()
    assert (code, out.split()) == (0, completions)


def test_the_whole_list_of_commands_fits_a_terminal_uncut(monkeypatch):
    shown = run_process("--help", columns=80).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown.replace("[ARGS]...", "")


def test_a_text_a_file_and_standard_input_are_predicted(trained):
    one = run_here("predict", trained / "run", "a lovely film, lovely 😀")
    assert one.returncode == 0, one.stderr
    assert one.stdout.startswith("good  ")
    table = run_here("predict", trained / "run", "reviews.csv", cwd=trained)
    assert table.stdout.splitlines()[0] == "review,sentiment,label,probability,probability of bad,probability of good"
    assert len(table.stdout.splitlines()) == 121
    out = run_here("predict", trained / "run", "reviews.csv", "--out", "p.parquet", cwd=trained)
    assert out.returncode == 0, out.stderr
    assert pl.read_parquet(trained / "p.parquet")["label"].to_list()[:2] == ["bad", "good"]
    lines = run_forked("predict", trained / "run", "--json", stdin="dull\n\nlovely\n")
    assert [row["label"] for row in json.loads(lines.stdout)][::2] == ["bad", "good"]
    cut = run_forked("predict", trained / "run", "--json", stdin="dull\u2028film\r\nlovely")
    assert [row["label"] for row in json.loads(cut.stdout)] == ["bad", "good"]


def test_a_text_is_no_path_however_long_it_is_and_where_it_is_asked(trained):
    for text in ("lovely " * 14_000, ""):  # the folder has Parquet files in it
        done = run_here("predict", trained / "run", text, cwd=trained)
        assert done.returncode == 0, done.stderr[-200:]


def test_evaluation_on_a_file_with_answers(trained):
    done = run_here("evaluate", trained / "run", "reviews.csv", "--json", cwd=trained)
    content = json.loads(done.stdout)
    assert content["metrics"]["accuracy"] > 0.95
    assert "network alone" in content["baselines"] or len(content["baselines"]) == 1


def test_layers_on_int8_answer_nearly_the_same_and_what_has_no_such_form_says_so(trained, tmp_path):
    answers = {}
    for weights in ("float32", "int8"):
        done = run_here("predict", trained / "run", "reviews.csv", "--json", "--weights", weights, cwd=trained)
        answers[weights] = pl.DataFrame(json.loads(done.stdout))
    exact, rounded = answers["float32"], answers["int8"]
    assert exact["label"].equals(rounded["label"])
    assert 0 < (exact["probability"] - rounded["probability"]).abs().max() < 0.02
    forward = network_run(tmp_path / "forward", bidirectional=False, padding="mask")
    line = '{"text": "good"}\n'
    streamed = run_here("predict", forward.path, "--stream", "--weights", "int8", stdin=line)
    assert json.loads(streamed.stdout)["probability"] == Predictor(forward, "int8").answer("good")["probability"][0]
    measured = run_here("evaluate", trained / "run", "reviews.csv", "--json", "--weights", "int8", cwd=trained)
    assert json.loads(measured.stdout)["metrics"]["accuracy"] > 0.95
    zoneout = network_run(tmp_path / "zoneout", zoneout=0.1).path
    for command in ("predict", "serve"):
        code, out, err = gatework(command, zoneout, *(["a film"] if command == "predict" else []), "--weights", "int8")
        assert (code, out) == (2, "")
        assert "has no int8 form" in err
    code, out, err = gatework("evaluate", trained / "run", "--weights", "int8")
    assert (code, out) == (2, "")
    assert "--weights int8 is about a FILE" in err
    assert gatework("predict", trained / "run", "a film", "--weights", "int4")[0] == 2


def test_evaluation_shows_every_class_and_writes_every_answer(trained):
    done = run_here("evaluate", "run", "--out", "test.csv", cwd=trained)
    assert done.returncode == 0, done.stderr
    rows = pl.read_csv(trained / "test.csv")
    assert f"{len(rows)} examples" in done.stdout
    assert {"text", "actual", "label", "is_right", "probability"} <= set(rows.columns)
    assert (rows["actual"] == rows["label"]).equals(rows["is_right"])
    table = [line.split() for line in done.stdout.splitlines()]
    for name, count in rows["actual"].value_counts().iter_rows():
        assert [name, str(count)] in [line[:2] for line in table]
    done = run_here("evaluate", "run", "reviews.csv", "--out", "all.parquet", cwd=trained)
    assert done.returncode == 0, done.stderr
    assert len(pl.read_parquet(trained / "all.parquet")) == len(pl.read_csv(trained / "reviews.csv"))


def test_predictions_are_drawn_into_a_page(trained):
    done = run_here("predict", "run", "reviews.csv", "--plot", "drawn.html", "--out", "drawn.csv", cwd=trained)
    assert done.returncode == 0, done.stderr
    text = (trained / "drawn.html").read_text(encoding="utf-8")
    assert "Predicted classes" in text
    counts = dict(pl.read_csv(trained / "drawn.csv")["label"].value_counts().iter_rows())
    chart = json.loads(text.partition('id="data">')[2].partition("</script>")[0])["charts"][0]
    assert dict(zip(chart["positions"], chart["bars"], strict=True)) == counts


def test_the_report_of_a_run_is_one_page_with_what_its_test_part_shows(trained):
    done = run_here("report", trained / "run")
    assert done.returncode == 0, done.stderr
    text = Path(done.stdout.strip()).read_text()
    assert text.startswith("<!doctype html>")
    assert 'id="confusion-title"' in text
    assert re.search(r'<p class="verdict">[^<]+<', text)
    assert re.search(r"Test accuracy 1(\.0+)? after \d+ epochs", text)
    # Plotly's whole bundle alone is 4.6 MB.
    assert len(text) < 1_600_000
    done = run_here("report", trained / "run", "--out", trained / "pages/run.html")
    assert (done.returncode, Path(done.stdout.strip())) == (0, trained / "pages/run.html"), done.stderr
    assert (trained / "pages/run.html").read_text() == text


def test_a_name_that_is_not_utf8_is_one_sentence_before_anything_is_trained(trained, tmp_path):
    name = os.fsdecode(b"\xff.csv")
    shutil.copy(trained / "reviews.csv", tmp_path / name)
    columns = ("--text", "review", "--label", "sentiment", "--epochs", 1, "--hidden", 2)
    for data, out in ((name, "run"), (trained / "reviews.csv", os.fsdecode(b"\xff"))):
        done = run_here("train", "classify", data, *columns, "--out", out, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("gatework: ")) == (1, 1)
        assert "is not valid UTF-8, in which a run is written; rename it" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    done = run_here("predict", trained / "run", name, "--plot", "page.html", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "page.html\n")  # the picture in place of the table


BAD = [
    (["compare", "wavs", "--out", "x"], 2, 'no data set and no file "wavs": did you mean "waves"?'),
    (["compare", "waves", "--cells", "rnn,lstn", "--out", "x"], 2, 'there is no cell "lstn": did you mean "lstm"?'),
    (["compare", "waves", "--cells", "lstm,lstm", "--out", "x"], 2, "each once"),
    (["compare", "waves", "--seeds", "0", "--out", "x"], 2, "seeds is 0, expected 1 or more"),
    (["compare", "waves", "--match", "size", "--out", "x"], 2, 'match is "size", expected units or parameters'),
    (["compare", "waves", "--epochs", "0", "--out", "x"], 2, "training.epochs is 0, expected at least 1"),
    (["compare", "waves", "--cell-clip", "3", "--out", "x"], 2, 'the cell "rnn" has no cell state c for cell_clip'),
    (["compare", "waves", "--zoneout", "c=0.1", "--out", "x"], 2, 'the cell "rnn" has no state "c" for zoneout'),
    (["compare", "waves", "--zoneout", "c:0.1", "--out", "x"], 2, '"c:0.1" is neither a share as 0.1, nor'),
    (["compare", "waves", "--weight-drop", "1", "--out", "x"], 2, "model.weight_drop is 1.0, expected at least 0"),
    (
        ["train", "regress", "waves", "--cell", "indrnn", "--recurrent-dropout", "0.2", "--out", "x"],
        2,
        'the cell "indrnn" has no recurrent product for recurrent_dropout to act on; leave it out, or choose another',
    ),
    (["compare", "memory", "--zoneout", "0.1", "--out", "x"], 2, "leave out --zoneout"),
    (["compare", "waves", "--hiden", "3", "--out", "x"], 2, 'there is no option "--hiden" (did you mean "--hidden"?)'),
    (["compare", "waves", "--out", "occupied"], 1, "occupied exists already and holds something else"),
    (["train", "classify", "reviews.csv", "--out", "x"], 2, "--text"),
    (["train", "classify", "rewiews.csv", "--text", "review", "--label", "sentiment", "--out", "x"], 1, "reviews.csv"),
    (["train", "classify", "reviews.csv", "--text", "reviw", "--label", "sentiment", "--out", "x"], 1, '"review"?'),
    (["train", "classify", "one.csv", "--text", "review", "--label", "sentiment", "--out", "x"], 1, "two classes"),
    (["train", "classify", "holes.csv", "--text", "review", "--label", "sentiment", "--out", "x"], 1, "row"),
    (["train", "classify", "empty.csv", "--text", "review", "--label", "sentiment", "--out", "x"], 1, "empty"),
    (["train", "classify", "latin.csv", "--text", "review", "--label", "sentiment", "--out", "x"], 1, "UTF-8"),
    (["train", "--resume", "nowhere"], 1, "nowhere is not there: a run folder"),
    (["train", "--resume", "occupied"], 1, "occupied is not a run folder"),
    (["train", "--resume", "run", "--epochs", "3"], 2, "--resume takes everything from the run folder"),
    (["train", "classify"], 2, "FILE, --out missing"),
    (["train", "classify", "reviews.csv"], 2, "--out is missing: name the run folder to write"),
    (["train", "clasify", "reviews.csv"], 2, 'did you mean "classify"?'),
    (["evaluate"], 2, "RUN is missing; see gatework evaluate --help"),
    (["evaluate", "run", "--out"], 2, "--out needs a value"),
    (["compare", "waves", "--seeds", "many", "--out", "x"], 2, "'--seeds': a whole number is expected"),
    (["recipes", "show", "waves", "sales"], 2, '"sales" is too much: what has blanks needs quotes'),
    (["inspect", "reviews.csv"], 1, "is a file: a run folder"),
    (
        ["train", "classify", "reviews.csv", "--text", "review", "--label", "sentiment", "--out", "occupied"],
        1,
        "not empty",
    ),
    (["evaluate", "occupied"], 1, "is not a run folder"),
    (["evaluate", "reviews.csv"], 1, "is a file: a run folder"),
    (["predict", "run", "reviews.csv", "--out", "p.xls"], 2, "expected one of .csv, .json, .jsonl, .parquet"),
    (["report", "occupied"], 1, "occupied"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"), BAD, ids=lambda v: " ".join(v) if isinstance(v, list) else None
)
def test_bad_input_is_one_sentence_and_leaves_nothing_behind(trained, monkeypatch, arguments, code, sentence):
    monkeypatch.chdir(trained)
    (trained / "occupied").mkdir(exist_ok=True)
    (trained / "occupied" / "holiday.jpg").write_bytes(b"mine")
    reviews(trained / "one.csv").write_text("review,sentiment\n" + "good,yes\n" * 30)
    (trained / "holes.csv").write_text("review,sentiment\n" + "good,yes\nbad,no\nso,\n" * 30)
    (trained / "empty.csv").write_text("")
    (trained / "latin.csv").write_bytes("review,sentiment\ngrün,ja\n".encode() + "schön,nein\n".encode("latin-1"))
    before = sorted(trained.rglob("*"))
    ended, out, err = gatework(*arguments)
    assert ended == code, err
    assert sentence in err
    assert "Traceback" not in err
    assert out == ""
    told = [line for line in err.splitlines() if not line.startswith(("Usage:", "Try "))]
    assert len(told) == 1, err
    assert sorted(trained.rglob("*")) == before


def test_a_process_that_fails_ends_with_the_code_and_one_sentence(tmp_path):
    done = run_process("compare", "waves", "--cells", "rnn,lstn", "--out", "x", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'gatework: there is no cell "lstn": did you mean "lstm"?\n'
    assert not list(tmp_path.iterdir())


def test_a_corrupt_file_in_a_run_is_named(trained, tmp_path):
    import shutil

    for name in ("model.safetensors", "task.json", "recipe.toml", "summary.json"):
        broken = tmp_path / name.partition(".")[0]
        shutil.copytree(trained / "run", broken)
        (broken / name).write_bytes(b"\xff\x00 garbage")
        done = run_here("predict", broken, "a film")
        assert done.returncode == 1
        assert f"{broken / name} is" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_comparison_of_a_persons_own_file_prints_a_table_a_verdict_and_the_report(trained):
    arguments = ("--text", "review", "--label", "sentiment", "--cells", "rnn,lstm", "--seeds", 1, "--epochs", 1)
    done = run_here(
        "compare", "reviews.csv", *arguments, "--hidden", 4, "--jobs", 1, "--out", "comparison", cwd=trained
    )
    assert done.returncode == 0, done.stderr
    assert "TF-IDF + logistic regression" in done.stdout
    assert "test accuracy of the networks" in done.stdout
    content = json.loads((trained / "comparison" / "comparison.json").read_text())
    assert content["task"] == "classify"
    assert (trained / "comparison" / "report.html").exists()


@pytest.mark.parametrize(
    ("name", "has_triton", "line"),
    [
        (None, True, "GPU: none that torch can use"),
        ("Made 100", True, "GPU: Made 100, Triton"),
        ("Made 100", False, 'GPU: Made 100, no Triton, so that other cells are slow: pip install "gatework[gpu]"'),
    ],
)
def test_doctor_names_the_gpu_and_what_computes_there(name, has_triton, line, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: name is not None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: name)
    monkeypatch.setattr(triton_kernels, "is_there", lambda: has_triton)
    assert line in run_here("doctor").stdout.splitlines()


@pytest.mark.parametrize(("name", "says"), [(sys.executable, sys.executable), ("nowhere", "CXX names nowhere, which")])
def test_doctor_names_what_compiles_cells_of_ones_own(name, says, monkeypatch):
    monkeypatch.setenv("CXX", name)
    (line,) = (line for line in run_here("doctor", "--json").stdout.splitlines() if "of your own" in line)
    assert (os.path.realpath(says) if os.path.isabs(says) else says) in line


GPU_IS_FULL = (
    "CUDA out of memory. Tried to allocate 22.00 MiB. GPU 0 has a total capacity of 79.18 GiB of which 15.19 MiB is "
    "free. Process 570 has 66.00 MiB memory in use."
)
SHORT_OF_MEMORY = [
    (
        lambda: raised(torch.OutOfMemoryError(GPU_IS_FULL)),
        "the GPU is short of memory (22.00 MiB asked for, 15.19 MiB of 79.18 GiB free); end what else uses it, take a "
        "smaller --batch-size, or train on the processor (--device cpu)",
    ),
    (
        lambda: raised(RuntimeError("CUDA error: out of memory\nSearch for `cudaErrorMemoryAllocation'")),
        "the GPU is short",
    ),
    (
        lambda: raised(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`")),
        "the GPU is short",
    ),
    (
        lambda: torch.empty(1 << 48),
        "this machine is short of memory (1.00 PiB asked for); end what else uses",
    ),
    (
        lambda: np.empty(1 << 48),
        "this machine is short of memory (2.00 PiB asked for); end what else uses it, or take a",
    ),
    (
        lambda: bytearray(1 << 60),
        "this machine is short of memory; end what else uses it, or take a smaller --batch-size or --hidden",
    ),
]


def raised(error):
    raise error


@pytest.mark.parametrize(("work", "sentence"), SHORT_OF_MEMORY, ids=lambda v: v[:20] if isinstance(v, str) else "")
def test_too_little_memory_is_one_sentence_that_says_whose(work, sentence, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *_, **__: work())
    done = run_here("train", "classify", "x.csv", "--out", "run")
    assert done.returncode == 1
    assert sentence in " ".join(done.stderr.split())


@pytest.mark.parametrize("words", [("--resume", "run"), ("--resume=run",)], ids=" ".join)
def test_a_run_that_was_short_of_memory_goes_on_by_the_same_command(words, monkeypatch):
    monkeypatch.setattr(training, "resume", lambda *_, **__: raised(torch.OutOfMemoryError(GPU_IS_FULL)))
    done = run_here("train", *words)
    assert "end what else uses it, then give the same command" in " ".join(done.stderr.split())


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM], ids=errno.errorcode.get)
@pytest.mark.parametrize("words", [("--out", "run"), ("--out=run",)], ids=" ".join)
def test_a_place_that_cannot_be_written_to_asks_for_another_one(words, number, monkeypatch):
    refusal = PermissionError(number, "Permission denied", "run")
    monkeypatch.setattr(training, "train", lambda *_, **__: raised(refusal))
    done = run_here("train", "classify", "x.csv", *words)
    assert "run: permission denied; choose another --out" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "has no place (no space left on device); free some room"),
        (OSError(errno.EROFS, "Read-only file system", "ro/.run.8320.yro3wgip.tmp"), "ro/run: read-only file system"),
    ],
    ids=["standard output", "a folder that is not whole"],
)
def test_a_full_or_closed_disk_is_named_as_a_person_knows_it(refusal, sentence, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *_, **__: raised(refusal))
    done = run_here("train", "classify", "x.csv", "--out", "ro/run")
    assert sentence in " ".join(done.stderr.split())
    assert "tmp" not in done.stderr


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_stop_names_the_command_that_works_next(is_begun, tmp_path, monkeypatch):
    out = tmp_path / "my run"

    def stopped(*_, **__):
        if is_begun:
            out.mkdir()
            (out / "recipe.toml").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", stopped)
    done = run_here("train", "classify", "x.csv", "--out", out)
    assert done.returncode == 130
    assert (f"gatework train --resume '{out}'" in " ".join(done.stderr.split())) is is_begun
    assert ("the same command starts again" in " ".join(done.stderr.split())) is not is_begun
