"""Tables as people have them: each way to write one gives the frame that pandas has written."""

import bz2
import gzip
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest

from ablate.errors import UserError
from ablate.importer.file import read_file
from tests.importer.test_table import plain, save

FRAME = plain({"reference": [20.0, 21.5], "sn": [16.25, 17.0], "gp": [18.0, 18.5]})


def read(folder, content, name="theirs.csv", **options):
    """Return what is read from a file of `content`."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_file(path, **options)


def same(found, expected=FRAME):
    """Check that text reads as the numbers and names of `expected`."""
    assert list(found) == list(expected)
    for name in expected:
        numeric = pd.api.types.is_numeric_dtype(expected[name])
        got = pd.to_numeric(found[name]) if numeric else found[name].astype("str")
        np.testing.assert_array_equal(got, expected[name], err_msg=name)


TEXT = FRAME.to_csv(index=False)
ROWS = FRAME.to_dict("records")
WRITTEN = {
    "utf-8 with a mark": ("a.csv", TEXT.encode("utf-8-sig")),
    "utf-16": ("a.csv", TEXT.encode("utf-16")),
    "utf-16 without a mark": ("a.csv", TEXT.encode("utf-16-le")),
    "utf-16 the other way": ("a.csv", TEXT.encode("utf-16-be")),
    "utf-32": ("a.csv", TEXT.encode("utf-32")),
    "Windows lines": ("a.csv", TEXT.replace("\n", "\r\n").encode()),
    "Excel's first line": ("a.csv", ("sep=;\r\n" + FRAME.to_csv(index=False, sep=";")).encode()),
    "tabs": ("a.tsv", FRAME.to_csv(index=False, sep="\t").encode()),
    "bars": ("a.txt", FRAME.to_csv(index=False, sep="|").encode()),
    "blank rows": ("a.csv", ("\n,,,\n" + TEXT.replace("\n", "\n , ,,\n") + "\n\n").encode()),
    "blank columns": ("a.csv", FRAME.assign(**{"": None, " ": " "}).to_csv(index=False).encode()),
    "gz": ("a.csv.gz", gzip.compress(TEXT.encode())),
    "gz by another name": ("a.csv", gzip.compress(TEXT.encode())),
    "bz2": ("a.csv.bz2", bz2.compress(TEXT.encode())),
    "JSON lines": ("a.jsonl", "\n".join(map(json.dumps, ROWS)).encode()),
    "JSON lines by another name": ("a.log", "\n".join(map(json.dumps, ROWS)).encode()),
    "JSON records": ("a.json", json.dumps(ROWS, indent=1).encode()),
    "JSON columns": ("a.json", json.dumps(FRAME.to_dict("list")).encode()),
    "pandas' own JSON": ("a.json", FRAME.to_json().encode()),
    "JSON lines in gz": ("a.jsonl.gz", gzip.compress("\n".join(map(json.dumps, ROWS)).encode())),
}


@pytest.mark.parametrize(("name", "content"), WRITTEN.values(), ids=WRITTEN)
def test_each_way_to_write_a_table_is_read(tmp_path, name, content):
    same(read(tmp_path, content, name))


def test_a_letter_of_windows_is_read_and_told(tmp_path):
    found = read(tmp_path, TEXT.replace("sn", "Größe").encode("cp1252"))
    assert "Größe" in set(found["arm"]) and found.attrs["read"] == "text in cp1252"


def test_a_workbook_is_read_and_its_sheet_is_asked_for_only_where_there_are_several(tmp_path):
    one, two = tmp_path / "one.xlsx", tmp_path / "two.xlsx"
    FRAME.to_excel(one, index=False, startrow=2, startcol=1)  # blank rows and a blank column
    same(read_file(one))
    with pd.ExcelWriter(two) as book:
        FRAME.to_excel(book, sheet_name="runs", index=False)
        FRAME.assign(value=1.0).to_excel(book, sheet_name="old", index=False)
    same(read_file(two, "runs"))
    with pytest.raises(UserError, match="has the sheets runs, old; type --sheet NAME"):
        read_file(two)
    with pytest.raises(UserError, match="no sheet 'ran'; type --sheet with one of runs, old"):
        read_file(two, "ran")


def test_a_formula_that_nobody_computed_is_no_empty_cell(tmp_path):
    book = openpyxl.Workbook()
    for row in (["arm", "seed", "metric", "value"], ["a", 0, "fid", "=1+1"]):
        book.active.append(row)
    book.save(tmp_path / "theirs.xlsx")
    with pytest.raises(UserError, match="formula without its value in cell D2"):
        read_file(tmp_path / "theirs.xlsx")


@pytest.mark.parametrize("index", [["arm"], ["arm", "seed"], list(FRAME)[:3]])
def test_an_index_of_parquet_is_columns(tmp_path, index):
    FRAME.set_index(index).to_parquet(tmp_path / "theirs.parquet")
    same(read_file(tmp_path / "theirs.parquet")[list(FRAME)])


def test_kinds_of_parquet_columns_that_are_no_text(tmp_path):
    odd = FRAME.assign(
        arm=FRAME["arm"].str.encode("utf-8"), metric=FRAME["metric"].astype("category")
    )
    same(read_file(save(tmp_path, odd, "theirs.parquet")))
    lists = FRAME.assign(arm=[[1, 2]] * len(FRAME))
    assert read_file(save(tmp_path, lists, "lists.parquet"))["arm"].nunique() == 1


def test_digits_of_json_are_kept(tmp_path):
    text = '{"arm": "a", "value": 0.1000000000000000055511151231257827, "on": true, "x": null}'
    found = read(tmp_path, text, "a.jsonl")
    assert found["value"][0] == "0.1000000000000000055511151231257827"
    assert found["on"][0] == "true" and found["x"].isna().all()


def test_what_lies_deeper_in_json_has_its_path_as_a_name(tmp_path):
    text = '{"results": {"fid50k_full": 5.25}, "metric": "fid50k_full", "snapshot_pkl": "n.pkl"}'
    found = read(tmp_path, text, "metric-fid50k_full.jsonl")
    assert found["results.fid50k_full"].tolist() == ["5.25"]


BROKEN = {
    "no JSON": ("a.json", '{"arm": '),
    "a number": ("a.json", "3"),
    "no rows": ("a.json", "[]"),
    "nothing": ("a.csv", ""),
    "zeros": ("a.csv", "\0\0\0\0"),
    "half a gz": ("a.csv.gz", gzip.compress(TEXT.encode())[:-20]),
    "no workbook": ("a.xlsx", b"PK\x03\x04 no"),
    "no zip": ("a.xlsx", "text"),
    "no Parquet": ("a.parquet", b"PAR1 no"),
    "an old workbook": ("a.xls", b"\xd0\xcf\x11\xe0"),
    "a quote that does not end": ("a.csv", 'arm,seed\n"a,0\n'),
    "a cell too many": ("a.csv", "arm,seed\na,0,1\n"),
    "a column twice": ("a.csv", "arm,arm \na,0\n"),
    "blanks only": ("a.csv", "arm,seed\n , \n"),
}


@pytest.mark.parametrize(("name", "content"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, name, content):
    with pytest.raises(UserError) as caught:
        read(tmp_path, content, name)
    assert len(str(caught.value).splitlines()) == 1 and name in str(caught.value)
