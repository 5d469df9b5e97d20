import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sixteen.datasets.archives.fetch import fetch
from sixteen.errors import UserError

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `content`; breaks the connection after each of `drops` bytes, then no more."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.drops, self.ranges = CONTENT, [], True
        self.asked: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/data.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        start = start if self.server.ranges else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.drops.pop(0)] if self.server.drops else body)

    def log_message(self, format, *args):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(url, to, attempts=3):
    fetch(url, to, SHA256, len(CONTENT), attempts=attempts, pause_seconds=0, timeout_seconds=5)


def test_the_file_is_fetched_into_a_new_folder(server, tmp_path):
    to = tmp_path / "fetched" / "data.bin"
    get(server.url, to)
    assert to.read_bytes() == CONTENT
    assert [path.name for path in to.parent.iterdir()] == ["data.bin"]


def test_a_broken_connection_is_taken_up_where_it_broke(server, tmp_path):
    server.drops = [300_000, 100_000]
    get(server.url, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=400000-"]


def test_the_next_call_takes_up_what_the_last_one_left(server, tmp_path):
    server.drops = [300_000]
    with pytest.raises(UserError, match=r"came 300000 in 1 attempts .*broke off"):
        get(server.url, tmp_path / "data.bin", attempts=1)
    get(server.url, tmp_path / "data.bin", attempts=1)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-"]


def test_a_server_without_ranges_makes_it_start_anew(server, tmp_path):
    server.ranges, server.drops = False, [300_000]
    get(server.url, tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_wrong_file_is_moved_aside_and_named(server, tmp_path):
    server.content = bytes(len(CONTENT))
    found = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(UserError, match=rf"data\.bin with .*{SHA256}, came .*{found}, kept as"):
        get(server.url, tmp_path / "data.bin")
    assert [path.name for path in tmp_path.iterdir()] == [f"data.bin.refused-{found[:8]}"]


def test_another_size_is_noticed_before_anything_is_written(server, tmp_path):
    server.content = b"<html>log in first</html>"
    with pytest.raises(UserError, match=rf"{server.url}, .*the server has 25 bytes"):
        get(server.url, tmp_path / "data.bin")
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_server_is_named_with_what_to_do_by_hand(server, tmp_path):
    server.server_close()
    to = tmp_path / "data.bin"
    with pytest.raises(UserError, match=rf"{server.url}, .*2 attempts .*at {to} \(sha256 {SHA256}"):
        get(server.url, to, attempts=2)


def test_a_file_put_there_by_hand_is_accepted_without_asking(server, tmp_path):
    (tmp_path / "data.bin").write_bytes(CONTENT)
    get(server.url, tmp_path / "data.bin")
    assert server.asked == []


def test_a_wrong_file_put_there_by_hand_is_kept_aside(server, tmp_path):
    (tmp_path / "data.bin").write_bytes(b"mine")
    with pytest.raises(UserError, match=r"came 4 bytes .*data\.bin\.refused-"):
        get(server.url, tmp_path / "data.bin")
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"mine"


def test_progress_is_plain_lines_without_a_terminal(server, tmp_path, capsys):
    get(server.url, tmp_path / "data.bin")
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == f"data.bin: 100 % of {len(CONTENT)} bytes"
    assert len(lines) <= 10
