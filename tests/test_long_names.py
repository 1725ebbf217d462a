"""Names that no disk takes: one sentence that says what to type, and nothing is written."""

import pytest

from ablate.cli.main import main

LONG = ["a" * 300, "é" * 200]  # 300 letters; 400 bytes in UTF-8


@pytest.mark.parametrize("name", LONG, ids=["letters", "bytes"])
@pytest.mark.parametrize("words", [("status",), ("compare",), ("import",)])
def test_a_name_too_long_is_told(tmp_path, monkeypatch, capsys, words, name):
    monkeypatch.chdir(tmp_path)
    assert main([*words, name]) == 2
    told = capsys.readouterr().err.strip()
    assert len(told.splitlines()) == 1
    assert "the name is too long for this disk: type one of 200 bytes at most" in told
    assert "the same again" not in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*LONG, "x\0y"], ids=["letters", "bytes", "nul"])
def test_a_trick_of_such_a_name_is_no_trick(capsys, name):
    assert main(["tricks", name]) == 2
    assert "There is no trick" in capsys.readouterr().err
