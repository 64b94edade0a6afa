"""Downloads from a server that runs in the test, and every way in which they fail."""

import contextlib
import hashlib
import http.server
import resource
import socket
import sys
import threading

import pytest

from gatework.data import download
from gatework.data.download import found_file, official_file
from gatework.errors import DataError

CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(http.server.BaseHTTPRequestHandler):
    """Serves the content well at /good, and badly elsewhere."""

    served = 0
    is_awake = threading.Event()

    def do_GET(self):
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        if self.path.startswith("/slow"):
            self.is_awake.wait()
        type(self).served += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # a client may have given up
            self.wfile.write(CONTENT[: 9000 if self.path.startswith("/truncated") else None])

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv("GATEWORK_DATA", raising=False)
    monkeypatch.setenv("GATEWORK_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


def left(cache) -> list[str]:
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_a_file_is_downloaded_once_and_kept(address, cache, capsys):
    before = Server.served
    for _ in range(2):
        found = official_file("set", f"{address}/good/file.bin", MD5)
        assert found.path == cache / "set" / "file.bin"
        assert found.path.read_bytes() == CONTENT
        assert found.notes == ()
    assert Server.served == before + 1
    assert left(cache) == ["file.bin"]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "downloading file.bin (1 MB)\n"


def test_a_terminal_sees_a_bar(address, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    official_file("set", f"{address}/good/file.bin", MD5)
    said = capsys.readouterr()
    assert said.out == ""
    assert "downloading file.bin" in said.err
    assert "1.0/1.0 MB" in said.err


def test_a_kept_file_that_was_damaged_is_downloaded_again(address, cache):
    path = official_file("set", f"{address}/good/file.bin", MD5).path
    path.write_bytes(b"damaged")
    assert official_file("set", f"{address}/good/file.bin", MD5).path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "md5", "sentence"),
    [
        ("good", "0" * 32, f"what was downloaded has another checksum than md5 {'0' * 32}; try again, or put the file"),
        ("truncated", MD5, r"could not be downloaded \(the connection ended early\); try again"),
        ("missing", MD5, r"could not be downloaded \(the server answered 404\); try again"),
    ],
)
def test_a_bad_download_is_one_sentence_and_leaves_nothing(address, cache, path, md5, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        official_file("set", f"{address}/{path}/file.bin", md5)
    assert "as set/file.bin and set GATEWORK_DATA" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert left(cache) == []


def test_no_network_is_one_sentence(cache):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file.bin"
        with pytest.raises(DataError, match="no connection to the server"):
            official_file("set", url, MD5)
    assert left(cache) == []


def test_a_server_that_does_not_answer_is_given_up(address, cache, monkeypatch):
    monkeypatch.setattr(download, "_TIMEOUT_SECONDS", 0.2)
    try:
        with pytest.raises(DataError, match=r"no answer within 0.2 seconds"):
            official_file("set", f"{address}/slow/file.bin", MD5)
    finally:
        Server.is_awake.set()
    assert left(cache) == []


def test_a_full_disk_is_one_sentence_and_leaves_nothing(address, cache):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(DataError, match=r"the disk is full: .*file.bin could not be written; free some room"):
            official_file("set", f"{address}/good/file.bin", MD5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert left(cache) == []


def test_a_cache_that_cannot_be_a_folder_is_one_sentence(address, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GATEWORK_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"could not be written .*; set GATEWORK_CACHE to a folder"):
        official_file("set", f"{address}/good/file.bin", MD5)


def test_the_own_folder_comes_first_and_another_checksum_is_told(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    path = tmp_path / "set" / "file.bin"
    monkeypatch.setenv("GATEWORK_DATA", str(tmp_path))
    path.write_bytes(CONTENT)
    assert official_file("set", "http://127.0.0.1:1/file.bin", MD5) == (path, ())
    path.write_bytes(b"other")
    found = official_file("set", "http://127.0.0.1:1/file.bin", MD5)
    assert found.path == path
    assert "its checksum is not that of the official file" in found.notes[0]


def test_whether_a_file_is_at_hand_is_told_without_a_download(tmp_path, monkeypatch):
    nowhere = "http://127.0.0.1:1/file.bin"
    monkeypatch.setenv("GATEWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GATEWORK_DATA", str(tmp_path))
    assert found_file("set", nowhere) is None
    for folder in (tmp_path / "cache", tmp_path):
        (folder / "set").mkdir(parents=True)
        (folder / "set" / "file.bin").write_bytes(CONTENT)
        assert found_file("set", nowhere) == folder / "set" / "file.bin"


def test_an_own_folder_that_is_missing_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEWORK_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"GATEWORK_DATA names .*nowhere, which is not a folder"):
        official_file("set", "http://127.0.0.1:1/file.bin", MD5)
