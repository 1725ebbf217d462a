"""What a user wrote is part of a trial's identity: what counts, and what does not."""

import ast
import hashlib
import sys
import textwrap

import pytest

from ablate.config import revision, sources
from ablate.config.catalog import names, trick_class
from ablate.config.sources import code_of, digest, hashes
from ablate.errors import UserError
from ablate.trial import Trial

NETS = """
    from torch import nn
    from .parts import WIDTH
    import numpy

    class G(nn.Module):
        def forward(self, z):
            return z
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write modules of a package `own`; each call is as if in a fresh process."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sources, "_hashed", {})

    def write(**modules):
        folder = tmp_path / "own"
        folder.mkdir(exist_ok=True)
        for name, text in {"__init__": "", **modules}.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(text))
        for name in [m for m in sys.modules if m.split(".")[0] == "own"]:
            del sys.modules[name]
        sources._hashed.clear()
        return digest("own.nets.G")

    yield write
    for name in [m for m in sys.modules if m.split(".")[0] == "own"]:
        del sys.modules[name]


def test_all_modules_of_the_users_own_count_and_no_others(package):
    package(nets=NETS, parts="WIDTH = 16", unused="X = 1")
    assert sorted(hashes("own.nets.G")) == ["own", "own.nets", "own.parts"]


@pytest.mark.parametrize(
    "changed",
    [
        {"nets": NETS.replace("return z", "return 2 * z")},
        {"nets": NETS.replace("return z", "return -z")},
        {"nets": NETS + "\n    X = 3\n"},
        {"parts": "WIDTH = 24"},
        {"parts": "WIDTH = 16.0"},
        {"parts": "WIDTH = '16'"},
        {"__init__": "import os"},
    ],
)  # fmt: skip
def test_code_that_may_do_something_else_is_another_source(package, changed):
    before = package(nets=NETS, parts="WIDTH = 16")
    assert package(**{"nets": NETS, "parts": "WIDTH = 16"} | changed) != before


@pytest.mark.parametrize(
    "changed",
    [
        {"parts": "# sixteen\nWIDTH = 16  # units"},
        {"parts": '"""Sizes."""\n\nWIDTH   =   (16)'},
        {"nets": NETS.replace("def forward", '"""A net."""\n        def forward')},
        {"unused": "X = 2"},
    ],
)
def test_comments_docstrings_layout_and_strangers_are_no_other_source(package, changed):
    before = package(nets=NETS, parts="WIDTH = 16", unused="X = 1")
    assert package(**{"nets": NETS, "parts": "WIDTH = 16", "unused": "X = 1"} | changed) == before


@pytest.mark.parametrize(
    "line",
    [
        "from own.parts import WIDTH",
        "from own import parts",
        "import own.parts",
        "import own.parts as p",
        "from . import parts",
        "def late():\n    from .parts import WIDTH",
        "try:\n    from .parts import WIDTH\nexcept ImportError:\n    pass",
    ],
)
def test_an_import_is_found_however_it_is_written(package, line):
    package(nets=f"{line}\nclass G: pass", parts="WIDTH = 1")
    assert "own.parts" in hashes("own.nets.G")


def test_modules_that_import_each_other_are_read_once(package):
    package(nets="from . import parts\nclass G: pass", parts="import own.nets")
    assert sorted(hashes("own.nets.G")) == ["own", "own.nets", "own.parts"]


def test_a_hash_is_of_what_this_process_runs(package, tmp_path):
    package(nets="class G: pass")
    import own.nets  # noqa: F401

    before = digest("own.nets.G")
    (tmp_path / "own" / "nets.py").write_text("class G: x = 1")
    assert digest("own.nets.G") == before  # the module in memory is the old one
    del sys.modules["own.nets"]
    assert digest("own.nets.G") != before


def test_a_hash_does_not_hang_on_the_version_of_python(package):
    """The syntax is told without what later versions of Python add to it."""
    package(nets="def f(a, b=2):\n    return a + b\nclass G: pass")
    expected = [
        "Module",
        {"body": [
            ["FunctionDef", {
                "name": "f",
                "args": ["arguments", {"args": [["arg", {"arg": "a"}], ["arg", {"arg": "b"}]],
                                       "defaults": [["Constant", {"value": "2"}]]}],
                "body": [["Return", {"value": ["BinOp", {
                    "left": ["Name", {"id": "a", "ctx": ["Load", {}]}], "op": ["Add", {}],
                    "right": ["Name", {"id": "b", "ctx": ["Load", {}]}]}]}]],
            }],
            ["ClassDef", {"name": "G", "body": [["Pass", {}]]}],
        ]},
    ]  # fmt: skip
    text = str(sources.canonical(expected)).encode()
    assert hashes("own.nets.G")["own.nets"] == hashlib.sha256(text).hexdigest()[:16]
    assert "type_params" not in sources.canonical(sources.plain(ast.parse("class A: pass")))


@pytest.mark.parametrize(
    ("text", "told"),
    [("class G(", "SyntaxError"), ("1 / 0", "ZeroDivisionError"), ("import nowhere", "nowhere")],
)
def test_a_module_that_cannot_be_imported_is_one_sentence(package, text, told):
    with pytest.raises(UserError, match=told):
        package(nets=text)


# -- ours -----------------------------------------------------------------------------------------


def test_first_revisions_leave_the_id_as_it_was():
    assert code_of(names(), {"name": "dcgan"}) == {}
    old = Trial({}, 3, {"name": "d"}, {"name": "m"}, {"images": 1}, {}, {})
    content = (
        '{"budget":{"images":1},"data":{"name":"d"},"metric":{},"model":{"name":"m"},"seed":3,'
        '"train":{},"tricks":{}}'
    )
    assert old.id == hashlib.sha256(content.encode()).hexdigest()[:16]


@pytest.mark.parametrize("part", ["core", "metric", "model", "trick.r1"])
def test_a_later_revision_is_another_trial(monkeypatch, part):
    if part.startswith("trick"):
        monkeypatch.setattr(trick_class("r1"), "revision", 2)
    elif part == "model":
        monkeypatch.setitem(revision.MODELS, "dcgan", 2)
    else:
        monkeypatch.setattr(revision, part.upper(), 2)
    assert code_of(["r1"], {"name": "dcgan"}) == {part: 2}
    assert code_of([], {"name": "mlp"}) == ({part: 2} if part in ("core", "metric") else {})


def test_a_users_trick_that_builds_on_ours_moves_with_it(monkeypatch, package):
    package(nets="class G: pass", mine="from ablate.tricks.r1 import R1\nclass Mine(R1): pass")
    monkeypatch.setattr(sources, "entry", lambda name: type("E", (), {"target": "own.mine.Mine"}))
    monkeypatch.setattr(sources, "trick_class", lambda name: trick_class("r1"))
    before = code_of(["mine"], {"name": "mlp"})
    monkeypatch.setattr(trick_class("r1"), "revision", 2)
    assert code_of(["mine"], {"name": "mlp"}) == {"trick.mine": f"{before['trick.mine']}@2"}
