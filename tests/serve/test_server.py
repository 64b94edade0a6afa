"""The command in a process of its own: it listens, streams both ways, and answers everybody before it ends."""

import contextlib
import http.client
import itertools
import json
import signal
import socket
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from support import patience
from support.command_line import run_here
from support.forked import Forked


@pytest.fixture(scope="module")
def served():
    """Starts servers, each at a port of its own, and ends those that still run."""
    started = []

    def serve(*arguments):
        process = Forked("serve", *arguments, "--port", 0)
        started.append(process)
        return process

    yield serve
    for process in started:
        process.kill()
        process.communicate()


def listens(process):
    """The names that a server says it serves, once it says so; its port is kept."""
    line = process.stdout.readline()
    assert " at http://127.0.0.1:" in line, process.stderr.read()
    process.port = int(line.split("127.0.0.1:")[1].split()[0])
    return line.removeprefix("serving ").partition(" at ")[0]


@pytest.fixture(scope="module")
def server(runs, served):
    process = served(f"reviews={runs['texts'].path}", runs["sales"].path)
    assert listens(process) == "reviews, sales"
    yield process
    process.send_signal(signal.SIGTERM)
    assert "Traceback" not in process.communicate()[1]


def receive_until(connection, what):
    received = b""
    while what not in received:
        piece = connection.recv(4096)
        assert piece, received
        received += piece
    return received


def test_a_stream_is_answered_row_by_row_while_it_is_sent(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=patience.SECONDS) as stream:
        stream.sendall(b"POST /stream/reviews HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in (b"good", b"bad"):
            row = b'{"text": "' + word + b'"}\n'
            stream.sendall(b"%x\r\n%s\r\n" % (len(row), row))
            receive_until(stream, b'"label"')
        stream.sendall(b"0\r\n\r\n")
        receive_until(stream, b"0\r\n\r\n")


def test_a_socket_answers_in_order_however_its_frames_come(server, runs):
    words = ["good", "bad", "film", "never", "plot", "a bad film " * 200, "good " * 40, "film", "bad", "good"]
    expected = runs["texts"].predictor.stream()
    message = [json.dumps({"text": word}).encode() for word in words]
    text = [Frame(Opcode.TEXT, part).serialize(mask=True) for part in message]
    begun = Frame(Opcode.TEXT, message[4][:5], fin=False).serialize(mask=True)
    ended = Frame(Opcode.CONT, message[4][5:]).serialize(mask=True)
    ping = Frame(Opcode.PING, b"there").serialize(mask=True)
    # Alone; two at once; in pieces of a frame; in two frames; behind one that takes long; with others around.
    pieces = [text[0], text[1] + text[2], text[3][:1], text[3][1:9], text[3][9:], begun, ended]
    pieces += [text[5], text[6], text[7], ping, text[8] + ping, text[9]]
    with connect(f"ws://127.0.0.1:{server.port}/stream/reviews") as stream:
        for piece in pieces:
            stream.socket.sendall(piece)
            time.sleep(0.01)  # so that it comes alone
        for word in words:
            assert json.loads(stream.recv(timeout=patience.SECONDS)) == expected.answer({"text": word}, "a row")
        stream.socket.sendall(Frame(Opcode.TEXT, b'{"text": "\xff"}').serialize(mask=True))
        with pytest.raises(ConnectionClosed, match="1007"):
            stream.recv(timeout=patience.SECONDS)


def test_a_request_that_has_begun_is_answered_after_the_server_was_told_to_stop(runs, served):
    server = served(f"reviews={runs['texts'].path}")
    assert listens(server) == "reviews"
    body = b'{"text": "a good film"}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=patience.SECONDS) as connection:
        connection.sendall(
            b"POST /predict/reviews HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        receive_until(connection, b"100 Continue")
        server.send_signal(signal.SIGTERM)
        while True:  # until nobody is let in any more
            try:
                socket.create_connection(("127.0.0.1", server.port), timeout=patience.SECONDS).close()
            except ConnectionError:  # refused, or let go of as the door closed
                break
        connection.sendall(body)
        assert b"200 OK" in receive_until(connection, b'"probabilities"')
    assert server.wait() == 0
    assert server.stderr.read() == ""


def test_streams_end_with_a_line_that_says_so_when_the_server_stops(runs, served):
    """One waits for its client; over the other rows come as long as it is open."""
    server = served(f"reviews={runs['texts'].path}", "--timeout", 4)
    listens(server)
    begin = b"POST /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    row = b'15\r\n{"text": "good film"}\n\r\n'.replace(b"15", b"%x" % len('{"text": "good film"}\n'))
    told = b'{"error":"this server stops, and the stream with it; begin it anew"}\n'
    with contextlib.ExitStack() as stack:
        idle, busy = (
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=patience.SECONDS))
            for _ in range(2)
        )
        for stream in (idle, busy):
            stream.sendall(begin + row)
            receive_until(stream, b'"label"')
        server.send_signal(signal.SIGTERM)
        stopped, received = time.monotonic(), b""
        busy.settimeout(0.05)
        while told not in received:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                busy.sendall(row)
            with contextlib.suppress(TimeoutError):
                piece = busy.recv(4096)
                assert piece, "ended without a word"
                received += piece
        assert time.monotonic() - stopped > 2
        assert received.endswith(told + b"\r\n0\r\n\r\n")
        assert receive_until(idle, b"0\r\n\r\n").endswith(told + b"\r\n0\r\n\r\n")
    assert server.wait() == 0
    assert server.stderr.read() == ""


STOPPED_AS_IT_LISTENS = """
import signal
from gatework.cli import main
from gatework.serve import _server

listening = _server._listening

def stopped_at_once(host, port):
    listener = listening(host, port)
    signal.raise_signal(signal.SIGTERM)
    return listener

_server._listening = stopped_at_once
main()
"""


def test_a_server_that_is_told_to_stop_before_it_answers_anybody_stops(runs):
    # A server's loop and its signals are a process's own: this one may hold a browser's loop.
    stopped = Forked("serve", runs["texts"].path, "--port", 0, code=STOPPED_AS_IT_LISTENS)
    assert stopped.communicate()[1] == ""
    assert stopped.returncode == 0


class Sequence(threading.Thread):
    """A client that holds its own state, and asks the next server where one is gone; some rows later it has enough."""

    def __init__(self, ports, words):
        super().__init__()
        self.ports, self.words, self.asked, self.answers = iter(ports), itertools.cycle(words), [], []
        self.moved, self.failure = None, None
        self.connection = http.client.HTTPConnection("127.0.0.1", next(self.ports), timeout=patience.SECONDS)

    def run(self):
        given = {"return_state": True}
        try:
            while self.moved is None or len(self.answers) < self.moved + 20:
                self.asked.append(next(self.words))
                reply = self.ask({"text": self.asked[-1], **given})
                self.answers += reply["answers"]
                given = {"state": reply["state"]}
        except Exception as failure:
            self.failure = failure
        finally:
            self.connection.close()

    def ask(self, body):
        while True:
            try:
                self.connection.request("POST", "/predict", json.dumps(body))
                reply = self.connection.getresponse()
                content = json.loads(reply.read())
                assert reply.status == 200, content
                return content
            except (OSError, http.client.HTTPException):
                self.connection.close()
            # A server that nobody has asked for some seconds closes a connection, and answers on another.
            try:
                self.connection.connect()
            except ConnectionError:
                assert self.moved is None, "neither server answers"
                self.moved = len(self.answers)
                self.connection.port = next(self.ports)


def test_sequences_of_a_server_that_is_killed_under_load_go_on_elsewhere(runs, served, tmp_path):
    """Nobody's state is lost with the process, and every answer is that of one stream from its start to its end."""
    (tmp_path / "keys").write_text("k" * 32)
    servers = [served(runs["texts"].path, "--state-key-file", tmp_path / "keys") for _ in range(2)]
    assert [listens(process) for process in servers] == ["texts"] * 2
    words = ("good", "film", "never slow", "bad", "plot")
    clients = [Sequence([process.port for process in servers], words[k % 5 :] + words[: k % 5]) for k in range(6)]
    for client in clients:
        client.start()
    while min(len(client.answers) for client in clients) < 10:
        time.sleep(0.001)
        assert not any(client.failure for client in clients)
    servers[0].kill()
    for client in clients:
        client.join()
    assert [client.failure for client in clients] == [None] * 6
    for client in clients:
        assert client.moved >= 10
        stream = runs["texts"].predictor.stream()
        assert client.answers == [stream.answer({"text": word}, "row") for word in client.asked]


def test_another_address_needs_keys(runs):
    done = run_here("serve", runs["texts"].path, "--host", "0.0.0.0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--host 0.0.0.0 lets others on the network ask; give --api-key-file FILE too" in done.stderr


def test_what_cannot_be_served_is_one_sentence(runs, tmp_path):
    folder = runs["texts"].path
    twice = run_here("serve", folder, folder)
    assert twice.stderr == 'gatework: two runs are named "texts"; name one as NAME=RUN\n'
    empty = tmp_path / "rate=0.1"
    empty.mkdir()
    for given in (empty, f"one={empty}"):
        assert run_here("serve", given).stderr.startswith(f"gatework: {empty}"), "the mark belongs to the folder"
    named = run_here("serve", f"a/b={folder}")
    assert '"a/b" cannot stand in an address' in named.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_here("serve", folder, "--port", port)
    assert f"nothing can listen at 127.0.0.1:{port}: address already in use" in done.stderr
