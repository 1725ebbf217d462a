"""Files that were made to do harm, and names that would steer a terminal."""

import csv
import gzip
import os
import sys
import time

import pytest

import ablate.data.idx
import ablate.importer.file
from ablate.data.fetch import Source, fetch
from ablate.data.idx import read_idx
from ablate.errors import UserError
from ablate.report.tables.arms import csv as to_csv
from ablate.screen.letters import visible

ROWS = "arm,seed,metric,value\n" + "".join(
    f"{arm},{seed},fid,{10 + seed + (arm != 'reference')}\n"
    for arm in ("reference", "{arm}") for seed in range(3)
)  # fmt: skip
STEERING = ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b2J", "a\rb", "abc\x08\x08", "\u202egnp"]


def test_what_steers_a_terminal_is_shown_as_letters():
    assert (
        visible("a\x1b[31mb\n\tc\u202ed\x9be\x7f") == r"a\x1b[31mb" + "\n\t" + r"c\u202ed\x9be\x7f"
    )
    assert visible("ä 漢 ± …") == "ä 漢 ± …"


@pytest.mark.parametrize("arm", STEERING)
def test_an_imported_name_steers_no_terminal(arm, place):
    file = place.path / "t.csv"
    file.write_text(ROWS.replace("{arm}", f'"{arm}"'), newline="")
    shown = ""
    for words in (["import", "t.csv", "-o", "r"], ["compare", "r"],
                  ["report", "r", "--summary"], ["compare", "r", "--arms", f"x{arm}"]):  # fmt: skip
        place.type(*words)
        shown += place.out + place.err
        assert "Traceback" not in shown
    assert not set(shown) & {"\x1b", "\x07", "\x9b", "\x08", "\r", "\u202e"}


@pytest.mark.parametrize("sign", "=+-@\uff1d\uff0b\uff0d\uff20")
@pytest.mark.parametrize("before", ["", " "])
def test_no_text_is_a_formula_to_a_spreadsheet(sign, before):
    import pandas as pd

    text = f"{before}{sign}HYPERLINK(1)"
    frame = pd.DataFrame({"arm": [text, "r1"], "value": [-1.5, 2.0]})
    rows = list(csv.reader(to_csv(frame).splitlines()))
    assert rows == [["arm", "value"], [f"'{text}", "-1.5"], ["r1", "2.0"]]


def test_a_bomb_is_not_unpacked(place, monkeypatch):
    monkeypatch.setattr(ablate.importer.file, "MOST_BYTES", 10_000)
    (place.path / "t.csv.gz").write_bytes(gzip.compress(b"a" * 1_000_000))
    (place.path / "tt.csv.gz").write_bytes(gzip.compress(gzip.compress(b"a" * 1_000_000)))
    (place.path / "t.csv").write_bytes(b"arm,value\n" + b"a,1\n" * 10_000)
    for name in ("t.csv.gz", "tt.csv.gz", "t.csv"):
        assert place.type("import", name, "-o", "r") == 2
        assert "unpacks to more than 10,000 bytes" in place.err


def test_a_table_of_thousands_of_columns_is_told_at_once(place):
    names = [f"m{n}" for n in range(5000)]
    (place.path / "t.csv").write_text(",".join(names) + "\n" + ",".join("1" for _ in names))
    start = time.process_time()
    assert place.type("import", "t.csv", "-o", "r") == 2
    assert time.process_time() - start < 10
    assert "has 5,000 columns" in place.err


def test_json_that_is_too_deep_is_told(place):
    (place.path / "deep.json").write_text("[" * 50_000)
    assert place.type("import", "deep.json", "-o", "r") == 2
    assert "cannot be read as JSON" in place.err


def test_an_idx_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(ablate.data.idx, "MOST_BYTES", 10_000)
    file = tmp_path / "train-images-idx3-ubyte.gz"
    file.write_bytes(gzip.compress(bytes(1_000_000)))
    with pytest.raises(UserError, match="unpacks to more than 10,000 bytes"):
        read_idx(file, 3)


STUDIES = {
    "itself": "a: &a [*a]\ndefaults: [study]\n",
    "laughs": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ndefaults: [study]\n",
    "deep": "defaults: [study]\nx: " + "[" * 400 + "]" * 400,
    "long": "defaults: [study]\nx:\n" + "".join(f"  k{n}: 1\n" for n in range(60_000)),
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_yaml_that_grows_is_refused(name, place):
    (place.path / "s.yaml").write_text(STUDIES[name])
    start = time.process_time()
    assert place.type("plan", "s.yaml") == 2
    assert time.process_time() - start < 10
    assert ("inside an anchor" if name in ("itself", "laughs") else "deeper than") in place.err


def test_an_alias_of_a_list_is_read(place):
    from ablate.cli.hydra_app import node_of

    (place.path / "s.yaml").write_text("defaults: [study]\na: &a [1, 2]\nb: *a\n")
    assert node_of(place.path / "s.yaml")["b"] == [1, 2]


def test_a_command_line_without_an_end_is_refused(place):
    for words in (["seed=1"] * 60_000, ["x=" + "[" * 500 + "]" * 500], ["x=" + "a" * 200_000]):
        start = time.process_time()
        assert place.type("train", *words) == 2
        assert time.process_time() - start < 10
        assert ("put " in place.err or "***" in place.err) and len(place.err) < 400


def test_a_folder_of_images_with_links_in_circles_and_pipes_is_read(tmp_path):
    from PIL import Image

    from ablate.data import load

    for n in range(6):
        Image.new("L", (8, 8), 40 * n).save(tmp_path / f"{n}.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "nothing.png").symlink_to("nothing.png")
    found = load("image_folder", root=tmp_path, channels=1)
    assert len(found.train) + len(found.held_out) == 6


@pytest.mark.parametrize("file", ["t.csv", "t.parquet", "s.yaml"])
def test_a_pipe_is_no_file(file, place):
    os.mkfifo(place.path / file)
    words = ["plan", file] if file == "s.yaml" else ["import", file]
    assert place.type(*words) == 2
    assert "There is no file" in place.err


def test_a_download_without_an_end_is_stopped(tmp_path, monkeypatch):
    import http.server
    import threading

    class Endless(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(bytes(2**16))
            except OSError:
                pass

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(sys.modules[fetch.__module__], "MOST_BYTES", 2**21)
    try:
        sources = {"x": Source(f"http://127.0.0.1:{server.server_port}/", {"f": "md5:" + "0" * 32})}
        with pytest.raises(UserError, match="sends more than 2,097,152 bytes"):
            fetch("x", tmp_path, sources=sources)
    finally:
        server.shutdown()
        server.server_close()
    assert not list(tmp_path.rglob("*"))
