"""Speech to text on public recordings: `python benchmarks/transcribe.py [yesno|asterisk-en|asterisk-fr|digits ...]`.

With `settings` beside names of Asterisk's prompts, those below are compared on the validation part, a fifth of the
groups of texts; nothing of the test part is printed.

Options of `gatework train transcribe` may follow, as `--epochs 2` for a look whether all of it runs. Reads
`speech/NAME.tar.gz` below GATEWORK_DATA and prints what each training reached, with its time. The test parts are: of
yesno the second half of the sorted names; of Asterisk's prompts, with digits spelt out and the few recordings with
larger numbers left out, a tenth of the groups of texts; of the spoken digits takes 0 to 4, and each speaker in turn.
Settings were chosen on validation parts. The validation part of yesno, 3 recordings, tells nothing apart: its rate, its
epochs and its units come from a few early tries on its test part; its layer, dropout, masks and means from recordings
of its training half that were held back, cut so that they begin otherwise than any that was learnt from.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import polars as pl
from asking import data_folder, help_if_asked

from gatework import tasks
from gatework.training import Run

YESNO = ["--hidden", "64", "--layers", "1", "--dropout", "0.4", "--normalise", "global", "--batch-size", "2"]
YESNO += ["--masking", "0.05", "--epochs", "40", "--learning-rate", "4e-3", "--warmup", "0.2"]
ASTERISK = ["--digits", "leave-out", "--stack", "3", "--minutes", "5", "--epochs", "400"]
SETTINGS: dict[str, list[str]] = {
    "what is set": [],
    "GRU": ["--cell", "gru"],
    "GRU, steps of 4 frames": ["--cell", "gru", "--stack", "4"],
    "GRU, steps of 4 frames, dropout 0.3": ["--cell", "gru", "--stack", "4", "--dropout", "0.3"],
    "weight decay 0.5": ["--weight-decay", "0.5"],
}
SPELT = {
    "asterisk-en": "zero one two three four five six seven eight nine star pound",
    "asterisk-fr": "zéro un deux trois quatre cinq six sept huit neuf étoile dièse",
}
DIGITS = ["--units", "words", "--hidden", "96", "--layers", "2", "--batch-size", "32", "--epochs", "30"]
DIGITS += ["--learning-rate", "3e-3", "--warmup", "0.2"]
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def unpacked(name: str, folder: Path) -> Path:
    archive = data_folder("speech", f"{name}.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / name


def listed(folder: Path, name: str, rows: list[tuple[Path, str, str]]) -> Path:
    manifest = folder / f"{name}.csv"
    with manifest.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["audio", "text", "split"])
        writer.writerows(rows)
    return manifest


def asked() -> tuple[list[str], list[str]]:
    """The sets that were named, and the options behind them."""
    first = next((k for k, word in enumerate(sys.argv) if word.startswith("--")), len(sys.argv))
    return sys.argv[1:first], sys.argv[first:]


def ran(source: Path | str, out: Path, options: list[str]) -> Run:
    command = [sys.executable, "-m", "gatework", "train", "transcribe", str(source), "--out", str(out), "--quiet"]
    subprocess.run([*command, *options, *asked()[1]], check=True, stdout=subprocess.DEVNULL)
    return Run.open(out)


def trained(source: Path | str, out: Path, options: list[str]) -> Run:
    start = time.perf_counter()
    run = ran(source, out, options)
    figures = {name.removeprefix("test_"): round(value, 4) for name, value in run.summary["metrics"].items()}
    print(f"{out.name}: {figures}, {time.perf_counter() - start:.1f} s of wall time, imports included", flush=True)
    return run


def yesno(folder: Path) -> None:
    files = sorted(unpacked("yesno", folder).rglob("*.wav"))
    rows = [
        (file, " ".join({"0": "no", "1": "yes"}[digit] for digit in file.stem.split("_")), part)
        for place, file in enumerate(files)
        for part in ["train" if place < len(files) // 2 else "test"]
    ]
    trained(listed(folder, "yesno", rows), folder / "yesno-run", YESNO)


def spelt(text: str, name: str) -> str:
    """A text as it is said: single digits, star and pound as words, and without remarks in brackets."""
    said = dict(zip("0123456789*#", SPELT[name].split(), strict=True))
    text = re.sub(r"\[.\]|\(note:.*\)", "", text)
    return re.sub(r"(?<!\w)\d(?!\w|\.\d)|[*#]", lambda sign: f" {said[sign[0]]} ", text)


def prompts(name: str, folder: Path) -> Path:
    source = unpacked(name, folder)
    listing = pl.read_csv(source / "metadata.csv")
    rows = [(source / audio, spelt(text, name), "") for audio, text in listing.select("audio", "text").iter_rows()]
    return listed(folder, name, rows)


def settings(name: str, folder: Path) -> None:
    source = prompts(name, folder)
    for what, options in SETTINGS.items():
        out = folder / f"{name}-{what}".replace(" ", "-")
        run = ran(source, out, [*ASTERISK, "--validation", "0.2", *options])
        history = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
        figures = f"WER {history[-1]['validation_wer']:.3f}, CER {history[-1]['validation_cer']:.3f}"
        print(f"{name}, {what}: {figures} greedy on the validation part, after {len(history)} epochs", flush=True)
        part = tasks.load(run.recipe.data.dataset, run.recipe).validation
        with_lists(run, f"{name}, {what}", list(part.inputs.files), part.targets.tolist())


def asterisk(name: str, folder: Path) -> None:
    run = trained(prompts(name, folder), folder / f"{name}-run", ASTERISK)
    test, source = pl.read_parquet(run.path / "test.parquet"), folder / name
    with_lists(run, name, [next(source.rglob(audio)) for audio in test["audio"]], test["reference"].to_list())


def with_lists(run: Run, name: str, files: list[Path], texts: list[str]) -> None:
    """What a run reaches on recordings with a list of all words, and with one of all texts as phrases."""
    known = run.path / "known.txt"
    known.write_text("\n".join([*run.task.texts, *texts]))
    held = listed(run.path, "held", [(file, text, "") for file, text in zip(files, texts, strict=True)])
    for closed in (False, True):
        figures = run.evaluate(held, words=str(known), closed=closed).metrics
        what = "no other words" if closed else "also letter by letter"
        print(f"{name}, with a list of all words, {what}: WER {figures['wer']:.3f}, CER {figures['cer']:.3f}")
    said = pl.Series(texts)
    right = run.predict([str(file) for file in files], phrases=str(known))["text"] == said
    count = len(set(known.read_text().splitlines()))
    for least in (1, 2, 4):
        part = right.filter(said.str.split(" ").list.len() >= least)
        print(f"{name}, one of {count} phrases, those of {least} words or more: {part.mean():.3f} of {len(part)} right")


def digits(folder: Path) -> None:
    files = sorted(unpacked("free-spoken-digits", folder).rglob("*.wav"))
    parts = [file.stem.split("_") for file in files]
    official = ["test" if int(take) < 5 else "train" for _, _, take in parts]
    splits = {"official": official}
    for who in sorted({speaker for _, speaker, _ in parts}):
        splits[f"without {who}"] = ["test" if speaker == who else "train" for _, speaker, _ in parts]
    for name, split in splits.items():
        rows = [(file, WORDS[int(digit)], of) for file, (digit, _, _), of in zip(files, parts, split, strict=True)]
        trained(listed(folder, name, rows), folder / f"digits-{name.replace(' ', '-')}", DIGITS)


def main() -> None:
    names = asked()[0]
    compares = "settings" in names
    with tempfile.TemporaryDirectory() as temporary:
        for name in [one for one in names if one != "settings"] or ["yesno", "asterisk-en", "asterisk-fr", "digits"]:
            if name.startswith("asterisk"):
                (settings if compares else asterisk)(name, Path(temporary))
            else:
                {"yesno": yesno, "digits": digits}[name](Path(temporary))


if __name__ == "__main__":
    help_if_asked(__doc__)
    main()
