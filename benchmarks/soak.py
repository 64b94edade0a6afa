"""A server under more than it can do for long, and servers that are killed: what is too much is a 503, nothing is lost.

    python benchmarks/soak.py                          # ten minutes at 110 % of the capacity measured before
    python benchmarks/soak.py --minutes 1 --load 1.5
    python benchmarks/soak.py --kill                   # a minute in which one of two servers dies every five seconds

Requests come at a rate that does not depend on the answers (an open loop), over connections of this machine alone.
Every second one line: asked, answered, refused, the slowest hundredth of the answers, and the server's memory. The exit
status is 1 where an answer was neither 200 nor 503, or memory grew by more than a tenth after the first fifth.

With --kill, clients hold the states of their sequences and ask two servers, one of which gets SIGKILL again and again
and is started anew. A client that gets no answer asks the other one. The exit status is 1 where an answer is not to the
last bit that of one stream over the whole sequence.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import serve as bench
from gatework.training import Run

PORT, CLIENTS, CONNECTIONS = 8395, 32, 256
GROWTH = 1.1
# For --kill: ports, clients, rows of a sequence, seconds between two deaths.
TWO, HOLDERS, ROWS, EVERY = (8396, 8398), 16, 200, 5.0


async def capacity(messages: list[bytes], seconds: float) -> float:
    """Requests a second that are answered where some clients ask as fast as they can."""
    times = await bench.asked(PORT, messages, CLIENTS, seconds)
    return len(times) / seconds


async def flooded(messages: list[bytes], rate: float, seconds: float, process: subprocess.Popen[str]) -> bool:
    """Asks at a rate, and says how it goes; whether all was as it should be."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", PORT))
    codes: collections.Counter[int] = collections.Counter()
    times: list[float] = []
    memory: list[float] = []
    waiting: set[asyncio.Task[None]] = set()
    started, count, told = time.perf_counter(), 0, 0.0
    while (now := time.perf_counter() - started) < seconds:
        while count < now * rate:
            if free.empty():
                codes[0] += 1  # every connection waits: the client's own limit, asked of nobody
            else:
                task = asyncio.create_task(one(free, messages[count % len(messages)], codes, times))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            count += 1
        if now - told >= 1:
            told = now
            memory.append(bench.resident(process))
            slow = 1000 * float(np.quantile(times[-1000:], 0.99)) if times else float("nan")
            print(
                f"{now:5.0f} s  asked {count:,}  200: {codes[200]:,}  503: {codes[503]:,}  not sent: {codes[0]:,}  "
                f"p99 {slow:.0f} ms  {memory[-1]:.0f} MB",
                flush=True,
            )
        await asyncio.sleep(0.002)
    await asyncio.gather(*waiting)
    others = {code: number for code, number in codes.items() if code not in (0, 200, 503)}
    settled = memory[len(memory) // 5 :] or [0.0]
    print(f"others: {others or 'none'}; memory {settled[0]:.0f} to {max(settled):.0f} MB")
    return not others and max(settled) <= GROWTH * settled[0] and process.poll() is None


async def one(
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    message: bytes,
    codes: collections.Counter[int],
    times: list[float],
) -> None:
    """One request over a connection that is free."""
    reader, writer = free.get_nowait()
    started = time.perf_counter()
    writer.write(message)
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
    code = int(head.split(b" ", 2)[1])
    codes[code] += 1
    if code == 200:
        times.append(time.perf_counter() - started)
    free.put_nowait((reader, writer))


class Deaths:
    """Two servers that are killed in turn, and clients that hold their states.

    Args:
        run: What is served.
        folder: Where the key lies.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run, self.key = Run.open(run.path), folder / "keys"
        self.key.write_text(os.urandom(32).hex())
        self.processes = {port: self.server(port) for port in TWO}
        self.is_over, self.answered, self.moved, self.wrong, self.sequences = False, 0, 0, 0, 0

    def server(self, port: int) -> subprocess.Popen[str]:
        """A server that has the key."""
        command = [sys.executable, "-m", "gatework", "serve", str(self.run.path), "--port", str(port)]
        command += ["--state-key-file", str(self.key)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, text=True)

    async def over(self, seconds: float) -> bool:
        """Kills and asks for so long; whether every answer was right."""
        try:
            for port in TWO:
                await bench.listening(port)
            holders = [asyncio.create_task(self.hold(number)) for number in range(HOLDERS)]
            killed, end = 0, time.perf_counter() + seconds
            while time.perf_counter() < end:
                await asyncio.sleep(EVERY)
                port = TWO[killed % 2]
                self.processes[port].kill()
                self.processes[port].wait()
                self.processes[port] = self.server(port)
                killed += 1
                await bench.listening(port)
                print(f"killed {killed}, {self.answered:,} answers, {self.moved} times gone on elsewhere", flush=True)
            self.is_over = True
            await asyncio.gather(*holders)
        finally:
            for process in self.processes.values():
                process.kill()
        print(f"{self.sequences} sequences, {self.answered:,} answers, of which wrong: {self.wrong}")
        return self.wrong == 0 and self.moved > 0

    async def hold(self, number: int) -> None:
        """One client, which begins sequence after sequence."""
        place = number
        while not self.is_over:
            random = np.random.default_rng((number, self.sequences))
            words = [f"w{k}" for k in random.integers(0, bench.WORDS, ROWS)]
            answers, given = [], {"return_state": True}
            while len(answers) < ROWS and not self.is_over:
                message = bench.posted("/predict", json.dumps({"text": words[len(answers)], **given}).encode())
                try:
                    reply = await whole(TWO[place % 2], message)
                except (OSError, asyncio.IncompleteReadError):
                    place, self.moved = place + 1, self.moved + 1
                    await asyncio.sleep(0.05)
                    continue
                answers += reply["answers"]
                given = {"state": reply["state"]}
            stream = self.run.predictor.stream()
            right = [stream.answer({"text": word}, "row") for word in words[: len(answers)]]
            self.wrong += sum(answer != known for answer, known in zip(answers, right, strict=True))
            self.answered, self.sequences = self.answered + len(answers), self.sequences + 1


async def whole(port: int, message: bytes) -> dict[str, Any]:
    """The answer to one message over a connection of its own; a refusal is a failure of this program."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.closing(writer):
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        assert b" 200 " in head, body
        reply: dict[str, Any] = json.loads(body)
        return reply


def main() -> int:
    """Measures the capacity, then asks for more than that."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, help="10; 1 with --kill")
    parser.add_argument("--kill", action="store_true", help="kill servers whose clients hold their states")
    parser.add_argument("--load", type=float, default=1.1, help="the share of the capacity that is asked for")
    parser.add_argument("--queue", type=int, default=128, help="requests that may wait in the server")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = bench.classifier(Path(folder) / "texts")
        if given.kill:
            return 0 if asyncio.run(Deaths(run, Path(folder)).over(60 * (given.minutes or 1.0))) else 1
        command = [sys.executable, "-m", "gatework", "serve", str(run.path), "--port", str(PORT)]
        command += ["--max-queue", str(given.queue)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, text=True) as process:
            try:
                asyncio.run(bench.listening(PORT))
                messages = bench.requests(256, "/predict/texts")
                most = asyncio.run(capacity(messages, 5.0))
                print(f"capacity {most:.0f} requests/s; asking for {given.load * most:.0f}")
                is_well = asyncio.run(flooded(messages, given.load * most, 60 * (given.minutes or 10.0), process))
            finally:
                process.terminate()
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
