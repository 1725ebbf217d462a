"""Downloads from a server on this machine: whole and checked, or absent."""

import contextlib
import functools
import hashlib
import http.server
import importlib
import logging
import threading
import time

import pytest

from ablate.data.fetch import SOURCES, Source, fetch
from ablate.errors import UserError

FILES = {"one.gz": b"1" * 1000, "two.gz": b"22" * 5000}


class Quiet(http.server.SimpleHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()


class Cut(Quiet):
    """Promises more bytes than it sends."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"1" * 400)


class Trickle(Quiet):
    """Sends a byte again and again, well within the time that a client waits for an answer."""

    chunked = False

    def do_GET(self):
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header(*("Transfer-Encoding", "chunked") if self.chunked else ("X", "no length"))
        self.end_headers()
        with contextlib.suppress(OSError):  # the other side is gone, as it should
            for _ in range(1500):  # 30 s
                self.wfile.write(b"1\r\n1\r\n" if self.chunked else b"1")
                time.sleep(0.02)


class TrickleInChunks(Trickle):
    chunked = True


@pytest.fixture(autouse=True)
def _quiet_pooch():
    logging.getLogger("pooch").setLevel("ERROR")


@pytest.fixture
def serve(tmp_path):
    """Starts a server of a folder and returns its address and what it was asked for."""
    (tmp_path / "public").mkdir()
    for name, content in FILES.items():
        (tmp_path / "public" / name).write_bytes(content)
    servers = []

    def start(handler=Quiet):
        asked: list[str] = []
        kind = type("Handler", (handler,), {"asked": asked})
        made = functools.partial(kind, directory=str(tmp_path / "public"))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), made)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def known(base_url: str, **wrong: str) -> dict[str, Source]:
    sums = {name: "md5:" + hashlib.md5(content).hexdigest() for name, content in FILES.items()}
    return {"made": Source(base_url, sums | wrong)}


@pytest.mark.parametrize("slash", ["", "/"])
def test_files_arrive_whole_once(tmp_path, serve, slash):
    address, asked = serve()
    for _ in range(2):
        folder = fetch("made", tmp_path / "a/b", address.rstrip("/") + slash, known("http://no/"))
        assert folder == tmp_path / "a/b/made"
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert asked == ["/one.gz", "/two.gz"]


def test_a_wrong_local_file_is_replaced(tmp_path, serve):
    address, _ = serve()
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "two.gz").write_bytes(b"half")
    assert (fetch("made", tmp_path, sources=known(address)) / "two.gz").read_bytes() == FILES["two.gz"]  # fmt: skip # noqa: E501


def test_a_wrong_checksum_leaves_only_what_was_right(tmp_path, serve):
    address, _ = serve()
    with pytest.raises(UserError, match=r"two\.gz is not the published one .*try again"):
        fetch("made", tmp_path, sources=known(address, **{"two.gz": "md5:" + "0" * 32}))
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["one.gz"]


def test_a_wrong_checksum_of_the_first_file_leaves_no_folder(tmp_path, serve):
    address, _ = serve()
    with pytest.raises(UserError, match="is not the published one"):
        fetch("made", tmp_path / "new", sources=known(address, **{"one.gz": "md5:" + "0" * 32}))
    assert not (tmp_path / "new/made").exists()


def test_a_cut_connection_leaves_nothing(tmp_path, serve):
    address, _ = serve(Cut)
    with pytest.raises(UserError, match=r"Could not download|is not the published one"):
        fetch("made", tmp_path / "new", sources=known(address))
    assert not (tmp_path / "new/made").exists()


@pytest.mark.parametrize("handler", [Trickle, TrickleInChunks])
def test_a_server_that_trickles_is_left(tmp_path, serve, monkeypatch, handler):
    monkeypatch.setattr(importlib.import_module("ablate.data.fetch"), "LOOK_SECONDS", 0.2)
    address, _ = serve(handler)
    start = time.monotonic()
    with pytest.raises(UserError, match=r"one\.gz sent \d+ bytes in 0\.2 s, .*another mirror"):
        fetch("made", tmp_path / "new", sources=known(address))
    assert time.monotonic() - start < 20  # of 30 s that it would trickle, and is left after 0.2 s
    assert not (tmp_path / "new/made").exists()


def test_no_server_and_no_file_are_told(tmp_path, serve):
    address, _ = serve()
    with pytest.raises(UserError, match=r"Could not download .*nowhere/one\.gz \(HTTPError\)"):
        fetch("made", tmp_path / "new", address + "nowhere", known(address))
    closed = "http://127.0.0.1:9/"
    with pytest.raises(UserError, match=r"\(ConnectionError\); check the connection, or put"):
        fetch("made", tmp_path / "new", closed, known(address))
    assert not (tmp_path / "new/made").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path, serve):
    address, _ = serve()
    (tmp_path / "made").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="give a folder that can be written"):
        fetch("made", tmp_path, sources=known(address))


@pytest.mark.parametrize("name", ["digits", "minst"])
def test_other_names_are_answered_with_the_known_ones(tmp_path, name):
    with pytest.raises(UserError, match="write one of cifar10, fashion_mnist, mnist"):
        fetch(name, tmp_path)


def test_every_known_file_has_a_sum():
    for source in SOURCES.values():
        assert source.base_url.startswith("https://")
        for checksum in source.files.values():
            kind, digits = checksum.split(":")
            assert kind == "md5"
            assert len(bytes.fromhex(digits)) == 16
