"""Names of an imported table are shown letter by letter, whatever they mean to Markdown."""

import random
import re
import string

import pandas as pd
import pytest
from markdown_it import MarkdownIt

from ablate.report.folder import report
from ablate.report.study import gather
from ablate.report.summary import summarize
from ablate.report.tables.arms import code, escape

NASTY = [
    "`", "a`b", "``a`", "a|b", "a\\|b", "\\", "a\\", "<b>", "a<!--", "&lt;", "&#64;x", "*x*", "_x_",
    "__x__", "a_b_c", "a_ b", "~~x~~", "[x](y)", "![x](y)", "[x]: y", "# x", "> x", "- x", "-x",
    "---", "- - -", "+ x", "+", "-", "=1+1", "@x", "1. x", "2) x", "1.", "12) x", "2026.", "$x$",
    "===", "{x}", "a b", "without a+b", "x ", "|", "<http://x.test>", "***", "a\nb", "::", "http",
]  # fmt: skip
DICE = random.Random(0)
NASTY += ["".join(DICE.choices(string.punctuation + " a1", k=9)) for _ in range(100)]
NASTY = [name for name in NASTY if name.strip()]
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shown(markdown, *kinds):
    """Return the text that a reader sees, after it was found inside blocks of these kinds alone."""
    tokens = READER.parse(markdown)
    assert [token.type for token in tokens if token.nesting == 1] == [f"{k}_open" for k in kinds]
    (inline,) = [token for token in tokens if token.type == "inline" and token.content]
    assert {child.type for child in inline.children} <= {"text", "text_special", "code_inline"}
    return "".join(child.content for child in inline.children)


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_shown_letter_by_letter_in_every_place(name):
    plain = " ".join(name.split())
    assert shown(f"- {escape(name)}", "bullet_list", "list_item", "paragraph") == plain
    assert shown(f"# {escape(name)}?", "heading") == plain + "?"
    assert shown(f"told: {escape(name)}.", "paragraph") == f"told: {plain}."
    cell = READER.parse(f"| a | b |\n| :-- | :-: |\n| {escape(name)} | 1 |")
    texts = [token for token in cell if token.type == "inline"][2:]
    assert len(texts) == 2 and "".join(one.content for one in texts[0].children) == plain
    assert {child.type for child in texts[0].children} <= {"text", "text_special"}


@pytest.mark.parametrize("name", NASTY)
def test_a_name_in_code_is_shown_letter_by_letter(name):
    plain = " ".join(name.split())
    assert shown(f"**Better: {code(name)}.**"[2:-2], "paragraph") == f"Better: {plain}."
    assert shown(f"# than {code(name)}?", "heading") == f"than {plain}?"


def test_usual_names_stay_readable():
    names = ["batch_norm+ema_g", "-batch_norm", "without r1", "r1 (r1.gamma=0.1)", "fd_raw", "=1+1"]
    assert [escape(name) for name in names] == names
    assert code("r1") == "`r1`"


def texts_of(markdown):
    """Return all texts of a report, and the tables' cells."""
    return [
        "".join(child.content for child in token.children)
        for token in READER.parse(markdown)
        if token.type == "inline"
    ]


def test_a_report_shows_the_names_of_an_imported_table(place):
    arms = ["`plain`", "a`b", "<b>x</b>", "- y", "``=1+1", "@z", "_w_", "a|b", "&lt;"]
    metric = "f*d*_[x](y)|`z`"
    rows = [
        {"arm": arm, "seed": seed, "metric": metric, "value": (20.0, 9.0)[k > 0] + 0.1 * seed + k,
         "data": "<i>d</i>", "scale": "ratio", "higher_is_better": False}
        for k, arm in enumerate(arms) for seed in range(3)
    ]  # fmt: skip
    (place.path / "theirs.csv").write_text(pd.DataFrame(rows).to_csv(index=False))
    assert place.type("import", "theirs.csv", "--reference", arms[0]) == 0, place.err
    folder = place.path / "results" / "theirs"
    text = (report([folder], place.path / "out") / "report.md").read_text()
    told = texts_of(text)
    assert told[0] == f"Which arms have a better {metric} than {arms[0]} on <i>d</i>?"
    better = [text.split(" is better than ")[0] for text in re.split(r"\), (?:and )?", told[1])]
    assert better[:4] == ["a`b", "<b>x</b>", "- y", "``=1+1"] and "and 3 more." in told[1]
    assert f"{metric} ↓ (geometric mean ± seed SD)" in told and set(arms) <= set(told)
    assert READER.render(text).count("<b>") == READER.render(text).count("<i>") == 0
    assert texts_of(summarize(gather([folder])))[0] == told[0]
    page = (place.path / "out" / "report.html").read_text()
    assert "<title>Which arms have a better f*d*_[x](y)|`z` than `plain` on &lt;i&gt;d" in page
    cells = pd.read_csv(place.path / "out" / "table.csv")["arm"]
    assert {cell.removeprefix("'") for cell in cells} == set(arms)
    assert not [cell for cell in cells if cell[0] in "=+-@"]
