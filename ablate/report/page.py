"""One self-contained HTML file: works from a file:// path, asks no network for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ablate.report import words
from ablate.report.answer_section import HALF_NORMAL, answer_text, beside
from ablate.report.drilldown import Behind, Beside, arms_behind, by_seed, trials_behind
from ablate.report.figures.charts import charts, curve_panels
from ablate.report.figures.grids import grids
from ablate.report.headline import answers
from ablate.report.printers.html import WIDTH, answer_table, arms_table, changed_table
from ablate.report.prose import Section, legend, question
from ablate.report.shown import shown
from ablate.report.study import Study
from ablate.report.tables.tuned import about, changed_text

FIRST = (
    "unanswered",
    "outlook",
    "reasons",
    "ranks",
    "refused",
    "doubts",
    "tuned-reasons",
    "search",
)  # before the curves
OWN = (
    "answer",
    "arms",
    "curves",
    "samples",
    "tuned-answer",
    "tuned-arms",
    "changed",
)  # sections that the page shows in its own way
TUNED = "tuned-"  # begins the names of what belongs to the tuned study
JOINS = re.compile(r"(?<=[+,=])")  # behind these a name may be broken
INSIDE = re.compile(r"(?<=[+,=_])")  # and behind these if a part is very long


def html_page(study: Study, told: list[Section]) -> str:
    """Return the whole of report.html; `told` are the sections of report.md."""
    places = {str(arm): f"trials-{place}" for place, arm in enumerate(study.table["arm"])}
    drawn = charts(study)
    after = {
        one.key: (one.title, markdown(one.lines, places)) for one in told if one.key not in OWN
    }
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=inline(question(study)).striptags(),
            question=inline(question(study)),
            answer=markdown(answers(study), {}),
            tuned=_tuned(study),
            facts=_facts(study),
            asked=answer_table(study),
            asked_text=markdown(answer_text(study), places) if study.answer.kind != "arms" else "",
            beside=markdown([beside(study)], {}) if study.answer.kind != "arms" else "",
            arms=arms_table(study.table, study.metric, study.decisions),
            legend=markdown(legend(study), {}),
            before={key: after.pop(key) for key in FIRST if key in after},
            after=after,
            charts=drawn,
            charts_data=[{"name": one.name, "figure": one.figure} for one in drawn],
            panels=curve_panels(study),
            grids=grids(study),
            names=list(places),
            chosen=chosen(study.table),
            width=WIDTH,
            half_normal=HALF_NORMAL,
            behind=_behind(study),
            as_json=as_json,
            plotly=Markup(get_plotlyjs()),
        )
    )


def chosen(table: pd.DataFrame) -> list[int]:
    """Return the places of the reference and of one arm, the surest of all: these curves open."""
    others = table[table["arm"] != table["reference"]]
    if others.empty:
        return [0]
    sure = others["p_holm"].fillna(np.inf).to_numpy()
    return [0, int(np.flatnonzero(table["arm"] != table["reference"])[sure.argmin()])]


def _facts(study: Study) -> list[tuple[str, str]]:
    conditions, images = study.conditions, shown(study, ",")
    return [
        ("Data", str(conditions["data"]["name"])),
        ("Model", str(conditions["model"]["name"])),
        ("Budget", f"{images} images a trial" if images else "not told"),
        ("Arms", str(len(study.table))),
        ("Seeds", str(study.final["seed"].nunique())),
        ("Trials", _both(study, lambda one: len(one.final))),
        ("Failed", _both(study, lambda one: len(one.failed))),
    ]


def _both(study: Study, count: Callable[[Study], int]) -> str:
    """Return a count, and where there is a tuned study that of both."""
    own = str(count(study))
    return own if study.tuned is None else f"{own} untuned, {count(study.tuned)} tuned"


def _tuned(study: Study) -> dict[str, Any] | None:
    """Return what the page shows of the tuned study."""
    tuned = study.tuned
    if tuned is None:
        return None
    is_arms = tuned.answer.kind == "arms"
    return {
        "title": "Tuned: every arm at the best setting of its search",
        "about": markdown([about(tuned)], {}),
        "asked": answer_table(tuned, TUNED),
        "asked_text": "" if is_arms else markdown(answer_text(tuned), {}),
        "arms": arms_table(tuned.table, tuned.metric, tuned.decisions, TUNED),
        "legend": markdown(legend(tuned), {}),
        "changed": changed_table(study, TUNED),
        "changed_text": markdown(changed_text(study), {}),
    }


def _behind(study: Study) -> list[Behind]:
    if study.tuned is None:
        return _behind_one(study)
    untuned = {arm: Beside("untuned, same seed", one) for arm, one in by_seed(study).items()}
    theirs = _behind_one(study.tuned, TUNED, [untuned])
    return [*_behind_one(study), *(one._replace(title=f"tuned: {one.title}") for one in theirs)]


def _behind_one(
    study: Study, prefix: str = "", further: Sequence[Mapping[str, Beside]] = ()
) -> list[Behind]:
    if study.answer.kind == "steps":
        return trials_behind(study, prefix, [_rungs(study), *further])
    found = trials_behind(study, prefix, further)
    return [*arms_behind(study, prefix), *found] if study.answer.kind != "arms" else found


def _rungs(study: Study) -> dict[str, Beside]:
    """Return rung -> the one before, where that is not the reference already."""
    values = by_seed(study)
    rows = study.answer.table[["arm", "reference"]].itertuples(index=False)
    return {
        str(arm): Beside(f"{before}, same seed", values[str(before)])
        for arm, before in rows
        if before not in (arm, study.reference)
    }


def as_json(value: object) -> Markup:
    """Return `value` as JSON that cannot end the script it stands in."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def markdown(lines: Sequence[str], places: Mapping[str, str]) -> Markup:
    """Return Markdown as HTML; in tables an arm's name leads to its trials."""
    tokens = _reader().parse("\n".join(lines))
    for inline_token in _first_cells(tokens):
        name = "".join(child.content for child in inline_token.children or [])
        if name in places:
            opened = Token("link_open", "a", 1, attrs={"href": f"#{places[name]}"})
            told = Token("html_inline", "", 0, content=str(breakable(name)))
            inline_token.children = [opened, told, Token("link_close", "a", -1)]
    text = _reader().renderer.render(tokens, _reader().options, {})
    text = text.replace("<table>", '<div class="wide"><table>')
    return Markup(text.replace("</table>", "</table></div>"))


def _first_cells(tokens: Sequence[Token]) -> list[Token]:
    """Return the text of every body row's first cell."""
    starts = zip(tokens, tokens[1:], tokens[2:], strict=False)
    return [text for row, cell, text in starts if (row.type, cell.type) == ("tr_open", "td_open")]


def inline(text: str) -> Markup:
    """Return one line of Markdown as HTML without a paragraph around it."""
    return Markup(_reader().renderInline(text))


@cache
def _reader() -> MarkdownIt:
    """Return a reader of the Markdown that reports are written in: no HTML, links or images."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    return reader.disable(["link", "image", "autolink", "reference"])


def breakable(name: str) -> Markup:
    """Return a name that may be broken behind what joins its parts."""
    long = max(map(len, JOINS.split(name))) > words.LONG_WORD
    return Markup("<wbr>").join((INSIDE if long else JOINS).split(name))


def unbroken(heading: str) -> str:
    """Return a heading whose interval stays in one line."""
    return heading.replace("[95 % CI]", "[95\N{NO-BREAK SPACE}%\N{NO-BREAK SPACE}CI]")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ablate.report", "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"breakable": breakable, "unbroken": unbroken}
    return environment
