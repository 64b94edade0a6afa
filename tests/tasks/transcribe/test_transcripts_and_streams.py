"""What a trained run writes: words with times in every form, one of given phrases, and the same from a stream."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
import torch

from gatework import training
from gatework.errors import DataError, UsageError
from gatework.nn import QuantizedLayer
from gatework.tasks.transcribe.options import SpeechOptions
from gatework.tasks.transcribe.streaming import StepStream
from gatework.tasks.transcribe.task import TranscribeTask
from gatework.tasks.transcribe.transcriber import AskedTranscript
from gatework.tasks.transcribe.transcript import FORMATS, LONGEST, Word, row_of, subtitles
from gatework.training.predictor import Predictor
from support import recordings
from support.bigrams import bigrams, written
from support.command_line import gatework

TEXT = "ab cab ba"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network that goes step by step and has learnt the tones."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = recordings.small(epochs=20, hidden=24, bidirectional=False)
    dataset = recordings.dataset(60, 12, SpeechOptions(units="letters", lookahead=2))
    return training.train("transcribe", dataset, out=folder / "run", recipe=recipe, threads=1)


@pytest.fixture(scope="module")
def wav(tmp_path_factory):
    return recordings.write(tmp_path_factory.mktemp("sound"), [TEXT])[0]


def pcm(wav) -> bytes:
    samples, _ = recordings.soundfile.read(wav, dtype="int16")
    return samples.tobytes()


def test_a_recording_is_written_down_with_the_time_of_every_word(run, wav):
    row = run.predict(wav).row(0, named=True)
    assert (row["audio"], row["text"]) == ("0.wav", TEXT)
    # A tenth of a second of silence, then a tenth a letter; a step is 40 ms, and a word may be told a step or two late.
    spans = [(0.1, 0.3), (0.4, 0.7), (0.8, 1.0)]
    for word, (start, end) in zip(row["words"], spans, strict=True):
        assert start - 0.04 <= word["start"] <= word["end"] <= end + 0.21
        assert 0 < word["confidence"] <= 1


class Pieces(io.BytesIO):
    """A pipe that gives so many bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self.size = size

    def read(self, count=-1):
        """At most `size` bytes."""
        return super().read(min(count, self.size) if count >= 0 else self.size)


@pytest.mark.parametrize(
    ("size", "has_language_model"), [(1, False), (997, False), (4096, False), (61, True), (4096, True)]
)
def test_a_stream_says_the_very_same_however_it_is_cut(run, wav, size, has_language_model, tmp_path):
    # One that would rather have an "a" behind every letter, and be done with a word there.
    unlike = {"": "c", " ": "c", "a": " ", "b": "a", "c": "a"}
    options = {"lm": written(tmp_path / "lm", bigrams(unlike)), "lm_weight": 2.0} if has_language_model else {}
    answers = [json.loads(line) for line in run.predictor.answer_bytes(Pieces(pcm(wav), size), **options)]
    words = [word for answer in answers for word in answer.get("words", [])]
    whole = run.predict(wav, **options).row(0, named=True)
    assert words == whole["words"]
    assert (whole["text"] == TEXT) != has_language_model
    assert any("partial" in answer for answer in answers)


def test_on_int8_a_stream_says_what_the_file_does(run, wav):
    small = Predictor(run, "int8")
    words = [word for line in small.answer_bytes(Pieces(pcm(wav), 997)) for word in json.loads(line).get("words", [])]
    row = small.answer(wav).row(0, named=True)
    assert (row["text"], row["words"]) == (TEXT, words)
    assert isinstance(small.network.recurrent, QuantizedLayer)


def test_what_is_said_is_never_further_behind_than_a_step_and_what_it_waits_for(run, wav):
    stream, sound, seen = run.task.byte_stream(run.network, run.recipe), pcm(wav), []
    stack, stages = run.task.stack, run.network.recurrent.num_layers + 1
    last = stack * (stages - 1) // stages
    for start in range(0, len(sound), 160):
        seen += [answer["partial"] for answer in stream.answer_bytes(sound[start : start + 160]) if "partial" in answer]
        frames = max(0, 1 + (start // 2 + 80 - 200) // 80)
        # A step is worked off in even parts with its last frame and with those of the next step but the last one.
        assert stream.done == max(0, (frames - last) // stack - 2)
    assert len(set(seen)) > 3, "a guess at each letter"


class Output:
    """The place of a network in a stream: steps of which the log-probabilities are known, so many at a time."""

    def __init__(self, log_probs: np.ndarray, count: int) -> None:
        self.log_probs, self.at, self.count = log_probs, 0, count
        self.loudness: list[float] = []

    def accept(self, frames, is_end=False):
        """The next steps, in which the sound swells and sinks."""
        rows = self.log_probs[self.at : self.at + self.count]
        self.loudness = [10.0 * (step % 2) for step in range(self.at, self.at + len(rows))]
        self.at += len(rows)
        return rows


@pytest.mark.parametrize("count", [1, 7])
def test_a_word_without_an_end_is_cut_alike_in_a_stream_and_in_a_file(run, count):
    stream, units = run.task.byte_stream(run.network, run.recipe), run.task.alphabet.units
    log_probs = np.log(np.full((2001, len(units) + 1), 0.001, np.float32))
    steps = np.arange(len(log_probs))
    log_probs[steps, [1 + units.index("ab"[step % 2]) for step in steps]] = np.log(0.99)
    log_probs[400] = log_probs[401] = np.log(0.001)
    log_probs[400, 1 + units.index(" ")] = log_probs[401, 1 + units.index("c")] = np.log(0.99)
    stream.steps, words, waiting = Output(log_probs, count), [], 0
    while stream.steps.at < len(log_probs):
        words += [word for answer in stream.answer_bytes(b"") for word in answer.get("words", [])]
        waiting = max(waiting, len(stream.letters))
    words += [word for answer in stream.finish() for word in answer.get("words", [])]
    frames = np.repeat(10.0 * (steps % 2), run.task.stack)[:, None]
    assert words == [asdict(word) for word in stream.transcriber.words(log_probs, frames)]
    lengths = [len(word["word"]) for word in words]
    assert max(lengths) == LONGEST
    assert sum(lengths) > 1990, "few letters are left out by the language"
    assert waiting < LONGEST + count


def test_a_stream_at_another_rate_is_resampled(run, tmp_path):
    file = recordings.write(tmp_path, [TEXT], rate=16000)[0]
    answers = run.predictor.answer_bytes(io.BytesIO(pcm(file)), input_rate=16000)
    assert " ".join(json.loads(line).get("text", "") for line in answers).split() == TEXT.split()


def test_one_of_given_phrases_is_chosen_with_how_sure_that_is(run, wav, tmp_path):
    (tmp_path / "phrases.txt").write_text("ba ba\nab cab ba\nac\n")
    row = run.predict(wav, phrases=str(tmp_path / "phrases.txt")).row(0, named=True)
    assert row["text"] == TEXT
    assert row["confidence"] > 0.5
    (tmp_path / "strange.txt").write_text("xyz\n")
    with pytest.raises(UsageError, match='phrase "xyz" cannot be written'):
        run.predict(wav, phrases=str(tmp_path / "strange.txt"))
    with pytest.raises(UsageError, match="--boost in place of --phrases"):
        list(run.predictor.answer_bytes(io.BytesIO(pcm(wav)), phrases=str(tmp_path / "phrases.txt")))
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(DataError, match="holds no phrase"):
        run.predict(wav, phrases=str(tmp_path / "empty.txt"))


def test_a_network_that_reads_from_the_end_cannot_stream_and_is_searched_more_widely(run, tmp_path):
    def beam(of, **options):
        return of.task.transcriber(of.network, AskedTranscript(**options)).reader.beam

    recipe, letters = recordings.small(epochs=1), SpeechOptions(units="letters")
    ends = training.train("transcribe", recordings.dataset(12, 4, letters), out=tmp_path, recipe=recipe, threads=1)
    with pytest.raises(UsageError, match="needs the whole recording; train one with --no-bidirectional"):
        list(ends.predictor.answer_bytes(io.BytesIO(b"")))
    assert (beam(ends), beam(ends, beam=8), beam(run), beam(run, beam=8)) == (256, 8, 32, 8)


def test_a_recording_that_cannot_be_read_is_left_out_where_that_is_asked_for(run, tmp_path):
    recordings.write(tmp_path / "a", [TEXT, "ba"])
    (tmp_path / "a" / "2.wav").write_bytes(b"no sound")
    with pytest.raises(DataError, match=r"2\.wav is no recording"):
        run.predict(tmp_path / "a")
    split = run.predictor.read(tmp_path / "a", skip_bad=True)
    assert split.notes[0].startswith("1 recording left out as bad, the first because")
    assert run.predictor.rows(split)["text"].to_list() == [TEXT, "ba"]
    with pytest.raises(DataError, match=r"2\.wav is no recording"):
        run.predictor.read(tmp_path / "a" / "2.wav", skip_bad=True)


def test_a_run_is_measured_on_new_recordings(run, tmp_path):
    scores = run.evaluate(recordings.write_pairs(tmp_path / "new", [TEXT, "ba cab"]))
    assert scores.metrics["wer"] == 0
    assert scores.test["reference"].to_list() == [TEXT, "ba cab"]


WORDS = [Word("so", 0.5, 0.75, 0.9), Word('"it"', 0.8, 1.0, 0.5), Word("is", 3661.25, 3661.5, 0.7)]


def test_every_form_is_written_as_its_readers_expect_it():
    rows = [row_of("x.wav", WORDS)]
    assert FORMATS["text"](rows) == 'so "it" is\n'
    assert FORMATS["srt"](rows) == (
        '1\n00:00:00,500 --> 00:00:01,000\nso "it"\n\n2\n01:01:01,250 --> 01:01:01,500\nis\n'
    )
    assert FORMATS["vtt"](rows).startswith('WEBVTT\n\n00:00:00.500 --> 00:00:01.000\nso "it"\n\n01:01:01.250')
    assert json.loads(FORMATS["json"](rows))[0]["words"][2]["start"] == 3661.25
    grid = FORMATS["TextGrid"](rows)
    assert grid.startswith('File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3661.5\n')
    assert '0.8\n1.0\n"""it"""\n' in grid
    assert FORMATS["TextGrid"]([row_of("x.wav", [])]).endswith('\n1\n0.0\n0.001\n""\n'), "one interval, of nothing"


def test_a_subtitle_fills_at_most_two_lines():
    words = [Word("word", 0.4 * k, 0.4 * k + 0.3, 1.0) for k in range(100)]
    assert max(len(text) for _, _, text in subtitles(words)) <= 84


def test_the_command_prints_text_and_writes_subtitles(run, wav, tmp_path):
    assert gatework("predict", run.path, wav)[1] == f"{TEXT}\n"
    assert gatework("predict", run.path, wav, wav)[1] == f"0.wav: {TEXT}\n" * 2
    gatework("predict", run.path, wav, "--out", tmp_path / "x.srt")
    assert "-->" in (tmp_path / "x.srt").read_text()
    assert gatework("predict", run.path, wav, "--format", "vtt")[1].startswith("WEBVTT")
    silent = np.zeros(8000, np.float32)
    recordings.soundfile.write(tmp_path / "silence.wav", silent, 8000)
    assert gatework("predict", run.path, tmp_path / "silence.wav")[1].strip() == ""


def test_known_words_are_laid_beside_the_sound(run, tmp_path):
    folder = recordings.write_pairs(tmp_path / "new", [TEXT, "ba"])
    (folder / "1.txt").write_text("ab " * 40)
    _, rows = run.predictor.align(folder)
    # As for what is written down without the text: a tenth of a second of silence, then a tenth a letter.
    spans = [(0.1, 0.3), (0.4, 0.7), (0.8, 1.0)]
    for word, (start, end) in zip(rows["words"][0], spans, strict=True):
        assert start - 0.04 <= word["start"] <= word["end"] <= end + 0.17
    assert rows["words"].list.len().to_list() == [3, 0], "a text that does not fit has no times"
    code, out, _ = gatework("align", run.path, folder, "--out", tmp_path / "grids")
    assert (code, out) == (0, f"2 files in {tmp_path / 'grids'}\n")
    assert 'class = "TextGrid"' in (tmp_path / "grids" / "0.TextGrid").read_text()
    assert gatework("align", run.path, folder, "--format", "doc")[0] == 2
    shutil.copytree(folder, tmp_path / "people" / "ann")
    shutil.copytree(folder, tmp_path / "people" / "bob")
    assert gatework("align", run.path, tmp_path / "people", "--out", tmp_path / "apart")[0] == 0
    written = sorted(str(file.relative_to(tmp_path / "apart")) for file in (tmp_path / "apart").rglob("*.TextGrid"))
    assert written == ["ann/0.TextGrid", "ann/1.TextGrid", "bob/0.TextGrid", "bob/1.TextGrid"]


@pytest.mark.parametrize("count", [2, 11])
def test_what_waits_for_later_steps_says_what_the_whole_recording_does(count):
    task = TranscribeTask.fit(recordings.dataset(options=SpeechOptions(lookahead=3, stack=2)), recordings.small().data)
    torch.manual_seed(0)
    model = task.model(recordings.small(bidirectional=False).model).eval()
    with torch.no_grad():
        model.lookahead.weight.normal_()
        frames = torch.randn(2 * count, 12).numpy()
        whole = model(torch.from_numpy(frames)[None])[0].numpy()
    stream = StepStream(model)
    parts = [stream.accept(frames[:5]), stream.accept(frames[5:]), stream.accept(frames[:0], is_end=True)]
    # One step at a time is summed in another order than all at once.
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-4, atol=1e-5)
    assert len(parts[0]) == 0
    with pytest.raises(UsageError, match="lookahead is of a network in one direction"):
        task.model(recordings.small(bidirectional=True).model)
