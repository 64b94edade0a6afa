"""What a request costs the server: gatework serve beside handlers that people write, on one text classifier.

    python benchmarks/serve.py                 # every side, 64 clients, one stream, 10,000 sessions; a minute or two
    python benchmarks/serve.py --seconds 20

The handlers call torch from Starlette, and torch and onnxruntime from FastAPI where that is installed.

Each side is a process of one thread that answers texts of 200 words by an embedding of 10,000 words, an LSTM of 128
units and two classes; this process asks. Reported is the processor time of the server per request, which other work on
the machine moves less than the time that passes, and beside it requests a second and how long an answer took.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from websockets.asyncio.client import connect

from gatework import export, tasks
from gatework._files import write_json, write_tensors
from gatework.data.dataset import Dataset, Split
from gatework.data.text import Texts
from gatework.recipe import Recipe
from gatework.training.completing import create
from gatework.training.run import Run

WORDS, STEPS, UNITS = 10_000, 200, 128
SESSIONS = 10_000
STREAMS = 16

# What people write first: one request, one call of torch, in a thread so that the event loop goes on.
PLAIN = """
import sys
import msgspec, torch, uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

torch.set_num_threads(1)
weights = torch.load(sys.argv[1])
vocabulary = {f"w{k}": k for k in range(weights["embedding.weight"].shape[0])}
embedding = torch.nn.Embedding(*weights["embedding.weight"].shape)
embedding.weight.data = weights["embedding.weight"]
lstm = torch.nn.LSTM(128, 128)
lstm.load_state_dict({n.removeprefix("recurrent."): w for n, w in weights.items() if n.startswith("recurrent.")})
output = torch.nn.Linear(128, 2)
output.load_state_dict({n.removeprefix("output."): w for n, w in weights.items() if n.startswith("output.")})

def answer(text):
    with torch.inference_mode():
        x = torch.tensor([vocabulary.get(word, 0) for word in text.lower().split()])
        h = lstm(embedding(x)[:, None])[1][0][-1]
        return output(h).softmax(-1)[0].tolist()

async def predict(request):
    body = msgspec.json.decode(await request.body())
    return JSONResponse({"probabilities": await run_in_threadpool(answer, body["text"])})

app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
config = uvicorn.Config(app, port=int(sys.argv[2]), log_level="error", access_log=False)
uvicorn.Server(config).run()
"""

# As FastAPI's own pages write it: a pydantic model in, a plain function that runs in a thread.
FASTAPI = """
import sys
import numpy as np, uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

folder, port, engine = sys.argv[1:]
vocabulary = {f"w{k}": k + 2 for k in range(WORDS)}
if engine == "torch":
    import torch
    torch.set_num_threads(1)
    weights = torch.load(f"{folder}/plain.pt")
    embedding = torch.nn.Embedding.from_pretrained(weights["embedding.weight"])
    lstm = torch.nn.LSTM(128, 128)
    lstm.load_state_dict({n.removeprefix("recurrent."): w for n, w in weights.items() if n.startswith("recurrent.")})
    output = torch.nn.Linear(128, 2)
    output.load_state_dict({n.removeprefix("output."): w for n, w in weights.items() if n.startswith("output.")})
    def scores(tokens):
        with torch.inference_mode():
            return output(lstm(embedding(torch.tensor(tokens))[:, None])[1][0][-1])[0].numpy()
else:
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(f"{folder}/model.onnx", options)
    def scores(tokens):
        return session.run(None, {"inputs": np.array([tokens]), "lengths": np.array([len(tokens)])})[0][0]

class Asked(BaseModel):
    text: str

class Answer(BaseModel):
    probabilities: list[float]

app = FastAPI()

@app.post("/predict")
def predict(asked: Asked) -> Answer:
    likely = np.exp(scores([vocabulary.get(word, 1) for word in asked.text.lower().split()]))
    return Answer(probabilities=(likely / likely.sum()).tolist())

uvicorn.run(app, port=int(port), log_level="error", access_log=False)
""".replace("WORDS", str(WORDS - 2))


ECHO = """
import sys, uvicorn

async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": message["text"]})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while (message := await receive())["type"] != "http.disconnect" and message["more_body"]:
        if message["body"]:
            await send({"type": "http.response.body", "body": message["body"], "more_body": True})

options = {"ws": "websockets-sansio", "ws_per_message_deflate": False, "lifespan": "off"}
uvicorn.run(app, port=int(sys.argv[1]), log_level="critical", access_log=False, **options)
"""


def classifier(folder: Path) -> Run:
    """A run folder with fresh weights."""
    words = [f"w{k}" for k in range(WORDS)]
    part = Split(Texts.of([" ".join(words), *words[:9]]), np.arange(10) % 2)
    dataset = Dataset.of("words", part, part, part, ("negative", "positive"))
    recipe = Recipe(task="classify").changed(
        hidden=UNITS, embedding=128, vocabulary=WORDS, padding="mask", bidirectional=False, max_tokens=STEPS
    )
    task = tasks.get("classify").fit(dataset, recipe.data)
    run = create(folder, recipe, task, dataset.provenance.fingerprint, threads=1)
    torch.manual_seed(0)
    model = task.model(recipe.model)
    write_tensors(folder / "model.safetensors", model.state_dict())
    write_json(folder / "summary.json", {"metrics": {}, "parameters": sum(p.numel() for p in model.parameters())})
    torch.save(model.state_dict(), folder / "plain.pt")
    return run


def requests(count: int, path: str) -> list[bytes]:
    """Requests of random words, whole as they go over the wire."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(count):
        text = " ".join(f"w{k}" for k in random.integers(0, WORDS, STEPS))
        body = json.dumps({"text": text}).encode()
        found.append(posted(path, body))
    return found


def posted(path: str, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def begun(count: int) -> list[bytes]:
    """Requests that begin so many sessions."""
    found = []
    for k in range(count):
        body = json.dumps({"session": k, "text": f"w{k % WORDS}"}).encode()
        found.append(posted("/predict/texts", body))
    return found


async def asked(port: int, messages: list[bytes], clients: int, seconds: float, most: int = sys.maxsize) -> list[float]:
    """How long each answer took, asked by some clients at once, each message at most so often."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        place = number
        while time.perf_counter() < end and place < most * len(messages):
            started = time.perf_counter()
            writer.write(messages[place % len(messages)])
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            assert b" 200 " in head, body
            times.append(time.perf_counter() - started)
            place += clients
        writer.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return times


async def streamed(port: int, process: subprocess.Popen[str], kind: str, streams: int, seconds: float) -> float:
    """Processor time of a row, in seconds: the median of short spells, each stream a row at a time.

    Args:
        port: The port.
        process: The server.
        kind: "ndjson" or "websocket".
        streams: How many streams there are at once.
        seconds: How long.
    """
    open_one = {"ndjson": posting, "websocket": talking}[kind]
    async with contextlib.AsyncExitStack() as stack:
        asks = [await stack.enter_async_context(open_one(port)) for _ in range(streams)]

        async def spell(ask: Callable[[bytes], Awaitable[None]]) -> None:
            for k in range(64 // streams):
                await ask(b'{"text": "w%d"}' % (7 * k))

        end, each = time.perf_counter() + seconds, []
        while time.perf_counter() < end:
            before = used(process)
            await asyncio.gather(*map(spell, asks))
            each.append((used(process) - before) / (64 // streams * streams))
    return statistics.median(each)


@contextlib.asynccontextmanager
async def posting(port: int) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """A request that stays open: what sends a row and waits for its answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")

    async def ask(row: bytes) -> None:
        writer.write(b"%x\r\n%s\n\r\n" % (len(row) + 1, row))
        await reader.readuntil(b"}\n\r\n")

    yield ask
    writer.close()


@contextlib.asynccontextmanager
async def talking(port: int) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """A WebSocket: what sends a row and waits for its answer."""
    async with connect(f"ws://127.0.0.1:{port}/stream", compression=None) as socket:

        async def ask(row: bytes) -> None:
            await socket.send(row.decode())
            await socket.recv()

        yield ask


def streams_of(port: int, process: subprocess.Popen[str], seconds: float) -> None:
    """Prints what a row of a stream takes, over each protocol."""
    for kind in ("ndjson", "websocket"):
        times = [asyncio.run(streamed(port, process, kind, count, seconds / 4)) for count in (1, STREAMS)]
        one, several = (1e6 * each for each in times)
        print(f"{f'  a row, {kind}':<22} {one:6.0f} us CPU in one stream, {several:.0f} us in {STREAMS} at once")


def echoed(port: int, seconds: float) -> None:
    """Prints what a row takes in a server that gives back what comes: what no server on uvicorn can be below."""
    with subprocess.Popen([sys.executable, "-c", ECHO, str(port)], text=True) as process:
        try:
            asyncio.run(listening(port))
            print("a bare uvicorn that gives back what comes")
            streams_of(port, process, seconds)
        finally:
            process.terminate()


def used(process: subprocess.Popen[str]) -> float:
    """Processor time of the threads that a process has, in seconds, to the microsecond."""
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def resident(process: subprocess.Popen[str]) -> float:
    """Megabytes that a process has in memory."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


async def listening(port: int) -> None:
    """Waits until a server answers."""
    while True:
        try:
            (await asyncio.open_connection("127.0.0.1", port))[1].close()
            return
        except OSError:
            await asyncio.sleep(0.02)


def measured(name: str, command: list[str], port: int, path: str, seconds: float, clients: int) -> None:
    """Starts a server, asks it, and prints a line."""
    # An installed package has its bytecode; the environment of whoever measures may forbid it.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}
    started = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            asyncio.run(listening(port))
            ready, start = time.perf_counter() - started, used(process)
            messages = requests(256, path)
            asyncio.run(asked(port, messages, 4, 1.0))
            before = used(process)
            times = asyncio.run(asked(port, messages, clients, seconds))
            each = 1000 * (used(process) - before) / len(times)
            p50, p99 = 1000 * statistics.median(times), 1000 * float(np.quantile(times, 0.99))
            print(
                f"{name:<22} {each:6.2f} ms CPU a request, {len(times) / seconds:6.0f} requests/s, "
                f"p50 {p50:.1f} ms, p99 {p99:.1f} ms; ready after {ready:.1f} s ({start:.1f} s CPU), "
                f"{resident(process):.0f} MB"
            )
            if path == "/predict/texts":
                streams_of(port, process, seconds)
                size, before = resident(process), used(process)
                asyncio.run(asked(port, begun(SESSIONS), clients, 600, most=1))
                print(
                    f"{f'  {SESSIONS:,} sessions':<22} {resident(process) - size:6.1f} MB more, "
                    f"{1e6 * (used(process) - before) / SESSIONS:.0f} us CPU to begin one"
                )
        finally:
            process.terminate()


def cold(run: Run) -> None:
    """Prints what one prediction takes from the command line, Python's start included."""
    command = [sys.executable, "-m", "gatework", "predict", str(run.path), "w1 w2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    best = math.inf
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"{'gatework predict, cold':<22} {best:6.2f} s CPU")


def main() -> None:
    """Measures both sides."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--clients", type=int, default=64)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = classifier(Path(folder) / "texts")
        serve = [sys.executable, "-m", "gatework", "serve", str(run.path), "--port", "8391"]
        plain = [sys.executable, "-c", PLAIN, str(run.path / "plain.pt"), "8392"]
        sides: list[Callable[[], None]] = [
            partial(measured, "gatework serve", serve, 8391, "/predict/texts", given.seconds, given.clients),
            partial(measured, "a plain torch handler", plain, 8392, "/predict", given.seconds, given.clients),
        ]
        if find_spec("fastapi"):
            print(export.run(Run.open(run.path).predictor, "onnx", run.path / "model.onnx"))
            for port, engine in enumerate(("torch", "onnxruntime"), 8393):
                command = [sys.executable, "-c", FASTAPI, str(run.path), str(port), engine]
                name, load = f"FastAPI, {engine}", (given.seconds, given.clients)
                sides.append(partial(measured, name, command, port, "/predict", *load))
        for side in sides:
            side()
        echoed(8399, given.seconds)
        cold(run)


if __name__ == "__main__":
    main()
