"""Language models of tinyshakespeare beside a small GPT: `python benchmarks/generate.py --minutes 1 4 12`.

The text (1,115,394 characters) is the file `text/tinyshakespeare.txt` of GATEWORK_DATA, or --file. gatework learns from
the first 90 %, less 20 pieces of them (4.5 % of the text) on which it chooses, and is measured on the last 10 %, the
state carried. The GPT is what nanoGPT's documentation trains on a laptop, written here in plain torch: 4 layers of 4
heads, 128 wide, contexts of 64 characters, 12 of them a step, 2,000 steps, AdamW at 1e-3; it learns from the first 90 %
and is measured on the last 10 % with a full context before each character that has one. The time of the processor is
printed beside that of the clock, since other programs share the machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from asking import data_folder
from runs import settings, take_settings
from torch import Tensor, nn
from torch.nn import functional

import gatework
from gatework.training import Progress, Run

CONTEXT, BATCH, WIDTH, HEADS, LAYERS = 64, 12, 128, 4, 4


class FirstSample(Progress):
    """Notes when the first text was shown, counted from the start."""

    def __init__(self) -> None:
        self.clock, self.shown = time.perf_counter(), 0.0

    def epoch_done(self, label: str, record: dict[str, object]) -> None:
        self.shown = self.shown or time.perf_counter() - self.clock


def train(file: Path, minutes: float, threads: int | None, changes: dict[str, object]) -> Run:
    """Trains for so many minutes and prints what came of it."""
    first, processor, out = FirstSample(), time.process_time(), Path(tempfile.mkdtemp()) / "run"
    run = gatework.train("generate", file, out=out, minutes=minutes, threads=threads, progress=first, **changes)
    processor, clock = time.process_time() - processor, time.perf_counter() - first.clock
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    recipe, metrics = run.recipe.to_dict(), run.summary["metrics"]
    step = recipe["training"]["batch_size"] * recipe["generate"]["window"]
    validation = min(line["validation_nats_per_character"] for line in lines)
    print(
        f"gatework {recipe['model']['layers']} x {recipe['model']['hidden']}, {minutes:g} minutes: "
        f"{metrics['test_nats_per_character']:.4f} nats, {metrics['test_mixed_nats_per_character']:.4f} with n-grams, "
        f"{validation:.4f} on the validation part; {run.summary['steps_per_second'] * step:,.0f} characters/s, "
        f"{processor / clock:.2f} processors; first text after {first.shown:.0f} s; "
        f"{run.summary['parameters']:,} parameters",
        flush=True,
    )
    return run


def write(run: Run, texts: int, count: int) -> None:
    """Prints how fast a run writes."""
    started = time.perf_counter(), time.process_time()
    written = sum(map(len, run.predict("ROMEO:", length=count, samples=texts, seed=0)["text"]))
    clock, processor = time.perf_counter() - started[0], time.process_time() - started[1]
    speeds = f"{written / clock:,.0f} characters/s, {written / processor:,.0f} of processor time"
    print(f"gatework writes {texts} texts: {speeds}")


class Block(nn.Module):
    """One layer of the GPT."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.attention(self.first(x)).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).flatten(-2))
        return x + self.narrow(functional.gelu(self.wide(self.second(x))))


class Gpt(nn.Module):
    """A GPT over characters whose output shares the embedding's matrix."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.token, self.place = nn.Embedding(vocabulary, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks, self.norm = nn.Sequential(*(Block() for _ in range(LAYERS))), nn.LayerNorm(WIDTH)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.token(tokens) + self.place.weight[: tokens.shape[1]]
        return functional.linear(self.norm(self.blocks(x)), self.token.weight)


def gpt(text: str, steps: int) -> None:
    """Trains the GPT, measures it and lets it write; prints what came of it."""
    characters = sorted(set(text))
    data = torch.tensor([characters.index(c) for c in text])
    train, test = data[: int(0.9 * len(data))], data[int(0.9 * len(data)) :]
    torch.manual_seed(0)
    model = Gpt(len(characters))
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    started = time.perf_counter(), time.process_time()
    for step in range(steps):
        share = max(step - 100, 0) / max(steps - 100, 1)
        rate = 1e-3 * (step + 1) / 100 if step < 100 else 1e-4 + 4.5e-4 * (1 + np.cos(np.pi * share))
        for group in optimizer.param_groups:
            group["lr"] = rate
        starts = torch.randint(len(train) - CONTEXT - 1, (BATCH, 1)) + torch.arange(CONTEXT + 1)
        taken = train[starts]
        loss = functional.cross_entropy(model(taken[:, :-1]).flatten(0, 1), taken[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    clock, processor = time.perf_counter() - started[0], time.process_time() - started[1]
    speed = BATCH * CONTEXT * steps / clock
    print(
        f"GPT {LAYERS} x {WIDTH}, {steps} steps: {_nats(model, test):.4f} nats; {clock:.0f} s, "
        f"{speed:,.0f} characters/s, {processor / clock:.2f} processors; "
        f"{sum(p.numel() for p in model.parameters()):,} parameters",
        flush=True,
    )
    _timed(lambda: _continue(model, 300), 300)


@torch.no_grad()
def _nats(model: Gpt, test: Tensor) -> float:
    """The mean over the test part's characters from the context's length on, each with the context before it."""
    half = CONTEXT // 2
    places = torch.arange(0, len(test) - CONTEXT - 1, half)[:, None] + torch.arange(CONTEXT + 1)
    total, count = 0.0, 0
    for rows in places.split(256):
        taken = test[rows]
        logits = model(taken[:, :-1])[:, half:]
        total += float(functional.cross_entropy(logits.flatten(0, 1), taken[:, half + 1 :].flatten(), reduction="sum"))
        count += logits.shape[0] * logits.shape[1]
    return total / count


@torch.no_grad()
def _continue(model: Gpt, length: int) -> None:
    tokens = torch.zeros(1, 1, dtype=torch.int64)
    for _ in range(length):
        chances = (model(tokens[:, -CONTEXT:])[:, -1] / 0.8).softmax(-1)
        tokens = torch.cat([tokens, torch.multinomial(chances, 1)], dim=1)


def _timed(action: Callable[[], None], count: int) -> None:
    started = time.perf_counter(), time.process_time()
    action()
    clock, processor = time.perf_counter() - started[0], time.process_time() - started[1]
    print(f"GPT writes 1 text: {count / clock:,.0f} characters/s, {count / processor:,.0f} of processor time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="*", default=[1.0, 4.0, 12.0])
    parser.add_argument("--file", type=Path)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--steps", type=int, default=2000, help="steps of the GPT; 0 leaves it out")
    take_settings(parser)
    given = parser.parse_args()
    file = given.file or data_folder("text", "tinyshakespeare.txt")
    changes = settings(given)
    if given.threads:
        torch.set_num_threads(given.threads)
    for minutes in given.minutes:
        run = train(file, minutes, given.threads, changes)
        write(run, 1, 4000)
        write(run, 64, 500)
    if given.steps:
        gpt(file.read_text(encoding="utf-8"), given.steps)


if __name__ == "__main__":
    main()
