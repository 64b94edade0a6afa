"""A server under more than it can do for long: nothing but 503 above its capacity, and memory that stays as it was.

    python benchmarks/soak.py                          # ten minutes at 110 % of the capacity measured before
    python benchmarks/soak.py --minutes 1 --load 1.5

Requests come at a rate that does not depend on the answers (an open loop), over connections of this machine alone.
Every second one line: asked, answered, refused, the slowest hundredth of the answers, and the server's memory. The exit
status is 1 where an answer was neither 200 nor 503, or memory grew by more than a tenth after the first fifth.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import serve as bench

PORT, CLIENTS, CONNECTIONS = 8395, 32, 256
GROWTH = 1.1


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


def main() -> int:
    """Measures the capacity, then asks for more than that."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--load", type=float, default=1.1, help="the share of the capacity that is asked for")
    parser.add_argument("--queue", type=int, default=128, help="requests that may wait in the server")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = bench.classifier(Path(folder) / "texts")
        command = [sys.executable, "-m", "gatework", "serve", str(run.path), "--port", str(PORT)]
        command += ["--max-queue", str(given.queue)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, text=True) as process:
            try:
                asyncio.run(bench.listening(PORT))
                messages = bench.requests(256, "/predict/texts")
                most = asyncio.run(capacity(messages, 5.0))
                print(f"capacity {most:.0f} requests/s; asking for {given.load * most:.0f}")
                is_well = asyncio.run(flooded(messages, given.load * most, 60 * given.minutes, process))
            finally:
                process.terminate()
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
