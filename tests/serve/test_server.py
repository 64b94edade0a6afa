"""The command in a process of its own: it listens, streams both ways, and answers everybody before it ends."""

import signal
import socket
import subprocess

import pytest
from websockets.sync.client import connect

from support.command_line import COMMAND, run_here


@pytest.fixture
def server(runs):
    command = [*COMMAND, "serve", f"reviews={runs['texts'].path}", str(runs["sales"].path), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line.startswith("serving reviews, sales at http://127.0.0.1:"), process.stderr.read()
    process.port = int(line.split("127.0.0.1:")[1].split()[0])
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def receive_until(connection, what):
    received = b""
    while what not in received:
        piece = connection.recv(4096)
        assert piece, received
        received += piece
    return received


def test_a_stream_is_answered_row_by_row_while_it_is_sent(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as stream:
        stream.sendall(b"POST /stream/reviews HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in (b"good", b"bad"):
            row = b'{"text": "' + word + b'"}\n'
            stream.sendall(b"%x\r\n%s\r\n" % (len(row), row))
            receive_until(stream, b'"label"')
        stream.sendall(b"0\r\n\r\n")
        receive_until(stream, b"0\r\n\r\n")
    with connect(f"ws://127.0.0.1:{server.port}/stream/reviews") as stream:
        for word in ("good", "bad"):
            stream.send(f'{{"text": "{word}"}}')
            assert '"label"' in stream.recv(timeout=20)


def test_a_request_that_has_begun_is_answered_after_the_server_was_told_to_stop(server):
    body = b'{"text": "a good film"}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(
            b"POST /predict/reviews HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        receive_until(connection, b"100 Continue")
        server.send_signal(signal.SIGTERM)
        while True:  # until nobody is let in any more
            try:
                socket.create_connection(("127.0.0.1", server.port), timeout=20).close()
            except ConnectionError:  # refused, or let go of as the door closed
                break
        connection.sendall(body)
        assert b"200 OK" in receive_until(connection, b'"probabilities"')
    assert server.wait(20) == 0
    assert server.stderr.read() == ""


def test_another_address_needs_keys(runs):
    done = run_here("serve", runs["texts"].path, "--host", "0.0.0.0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--host 0.0.0.0 lets others on the network ask; give --api-key-file FILE too" in done.stderr


def test_what_cannot_be_served_is_one_sentence(runs, tmp_path):
    folder = runs["texts"].path
    twice = run_here("serve", folder, folder)
    assert twice.stderr == 'gatework: two runs are named "texts"; name one as NAME=RUN\n'
    named = run_here("serve", f"a/b={folder}")
    assert '"a/b" cannot stand in an address' in named.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_here("serve", folder, "--port", port)
    assert f"nothing can listen at 127.0.0.1:{port}: address already in use" in done.stderr
