"""Requests that begin and do not go on, or have no end, and lines of a stream that are answered where they come in."""

import asyncio
import json

import pytest
import uvicorn
from uvicorn.server import ServerState

from gatework.serve._application import application_of
from gatework.serve._http import HttpProtocol
from support.apart import apart


class Wire(asyncio.Transport):
    """A connection that keeps what is written to it."""

    def __init__(self):
        super().__init__()
        self.written, self.is_open = b"", True

    def write(self, data):
        self.written += data

    def close(self):
        self.is_open = False

    def is_closing(self):
        return not self.is_open

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


def answer_to(service, pieces, seconds=30.0, wait=0.0):
    """What a client receives that sends some pieces, and whether it may go on."""

    async def scenario():
        protocol, wire = HttpProtocol(uvicorn.Config(application_of(service)), ServerState(), {}), Wire()
        protocol.seconds = seconds
        protocol.connection_made(wire)
        for piece in pieces:
            if wire.is_open:
                protocol.data_received(piece)
        await asyncio.sleep(wait)
        while protocol.tasks and wire.is_open:
            await asyncio.sleep(0.001)
        received = wire.written, wire.is_open
        protocol.connection_lost(None)
        return received

    return apart(lambda: asyncio.run(scenario()))


START = b"POST /predict/texts HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize("pieces", [[START, *[b"X: y\r\n" * 1000] * 20], [START + b"X: ", *[b"y" * 10_000] * 20]])
def test_headers_without_an_end_are_refused(service, pieces):
    written, is_open = answer_to(service, pieces)
    assert written.startswith(b"HTTP/1.1 431 ")
    assert b'{"error":"the first line and the headers are longer than 65,536 bytes"}' in written
    assert not is_open


CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n"


@pytest.mark.parametrize("piece", [b"X: y\r\n" * 1000, b"y" * 6000], ids=["trailers", "one of them"])
def test_what_comes_behind_a_body_has_an_end_and_is_for_nobody(service, piece):
    written, is_open = answer_to(service, [CHUNKED + b"0\r\nX: ", *[piece] * 20])
    assert written.startswith(b"HTTP/1.1 400 ")
    assert b"more than 65,536 bytes between two pieces of the body or behind it" in written
    assert not is_open
    written, is_open = answer_to(service, [CHUNKED + b"0\r\nContent-Type: text/csv\r\n\r\n"])
    assert (b"the body is a list; a JSON object was expected" in written, is_open) == (True, True)


def test_a_body_of_any_length_may_come_in_small_chunks(service):
    written, is_open = answer_to(service, [CHUNKED, *[b"1;why=not\r\n \r\n" * 500] * 20, b"0\r\n\r\n"])
    assert (b"the body is a list; a JSON object was expected" in written, is_open) == (True, True)


def test_a_request_that_does_not_go_on_is_given_up_and_one_that_came_is_not(service):
    written, is_open = answer_to(service, [START], seconds=0.01, wait=0.1)
    assert (written[:13], is_open) == (b"HTTP/1.1 408 ", False)
    assert answer_to(service, [], seconds=0.01, wait=0.1) == (b"", False)
    asked = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    written, is_open = answer_to(service, [asked, asked[:9], asked[9:]], seconds=0.01, wait=0.1)
    assert (written.count(b"200 OK"), is_open) == (2, True)


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(service):
    written, is_open = answer_to(service, [START + b"Content-Length: 20001\r\n\r\n"])
    assert written.startswith(b"HTTP/1.1 413 ")
    assert b"the body is larger than 20,000 bytes" in written
    assert is_open


def test_a_whole_line_is_answered_where_it_comes_in_and_all_lines_in_order_however_they_come(service, runs):
    rows = [{"text": text} for text in ("good", "bad", "film", "never", "plot", "a bad film " * 60, "é", "good", "bad")]
    lines = [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]
    # Alone; two at once; in two pieces; too long for it, and one right behind; alone again; without an end.
    pieces = [lines[0], lines[1] + lines[2], lines[3][:5], lines[3][5:], lines[4], lines[5], lines[6], b"\n", b"\xff\n"]
    pieces += [lines[7], lines[8].strip()]
    answered = [0, 1, 3, 3, 4, 5, 5, 7, 7, 8, 9]  # before each piece; the one right behind does not wait
    start = b"POST /stream/texts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    model, expected = service.models["texts"], runs["texts"].predictor.stream()

    async def scenario():
        protocol, wire = HttpProtocol(uvicorn.Config(application_of(service)), ServerState(), {}), Wire()
        service.worker.start()
        protocol.connection_made(wire)
        protocol.data_received(start)
        is_at_once = []
        for piece, count in zip(pieces, answered, strict=True):
            while wire.written.count(b"}\n") < count or not wire.written:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0)
            model.pace.seconds, before = 1e-5, len(wire.written)
            protocol.data_received(b"%x\r\n%b\r\n" % (len(piece), piece))
            is_at_once.append(len(wire.written) > before)
        protocol.data_received(b"0\r\n\r\n")
        while protocol.tasks:
            await asyncio.sleep(0.001)
        service.worker.stop()
        protocol.connection_lost(None)
        return wire.written.decode(), is_at_once

    written, is_at_once = apart(lambda: asyncio.run(scenario()))
    assert [piece for piece, is_one in zip(pieces, is_at_once, strict=True) if is_one] == [lines[0], lines[4], lines[7]]
    said = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert [each["error"] for each in said if "error" in each] == ["a line is no UTF-8, which was expected"]
    for row, answer in zip(rows, (each for each in said if "error" not in each), strict=True):
        exact = expected.answer(row, "a row")
        assert (answer["label"], answer["probability"]) == (
            exact["label"],
            pytest.approx(exact["probability"], rel=1e-6),
        )
