"""One self-contained HTML file: works from a file:// path, asks no network for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ablate.analysis.metric import Metric
from ablate.report import effect_tables, words
from ablate.report.answer_section import HALF_NORMAL, answer_text, beside
from ablate.report.behind import arms_behind, trials_behind
from ablate.report.charts import charts, curve_panels
from ablate.report.grids import grids
from ablate.report.page import Section, answer, legend, question
from ablate.report.study import Study

TONES = {"better": "good", "better together": "good", "worse": "bad", "worse together": "bad"}
OWN = ("answer", "arms", "curves", "samples")  # sections that the page shows in its own way
WHISKER_WIDTH = 130  # pixels
FAR = 20.0  # times the usual reach of an interval: what lies beyond would squeeze all others


JOINS = re.compile(r"(?<=[+,_=])")  # behind these a name may be broken


class Whisker(NamedTuple):
    """An interval as pixels of `WHISKER_WIDTH`.

    Attributes:
        zero: Where no change is.
        at: The effect.
        low: Lower end; None without an interval.
        high: Upper end.
        beyond: -1 or 1 if the effect lies outside, to the left or to the right; else 0.
    """

    zero: float
    at: float
    low: float | None
    high: float | None
    beyond: int


class Row(NamedTuple):
    """One row: texts, where its numbers lead, its verdict's tone, its interval."""

    cells: list[str]
    leads_to: str
    tone: str
    whisker: Whisker | None


class Table(NamedTuple):
    """A table to be sorted and filtered.

    Attributes:
        name: Its id in the page.
        caption: What it is.
        headings: One a column; the column of verdicts is called so.
        effect: Place of the column of effects; its interval is drawn beside it.
        rows: In their order.
    """

    name: str
    caption: str
    headings: list[str]
    effect: int
    rows: list[Row]


def html_page(study: Study, told: list[Section]) -> str:
    """Return the whole of report.html; `told` are the sections of report.md."""
    places = {str(arm): f"trials-{place}" for place, arm in enumerate(study.table["arm"])}
    drawn = charts(study)
    after = {
        one.key: (one.title, markdown(one.lines, places)) for one in told if one.key not in OWN
    }
    return _environment().get_template("page.html.j2").render(
        title=question(study).replace("`", ""),
        question=inline(question(study)),
        answer=markdown([answer(study)], {}),
        facts=_facts(study),
        asked=_asked(study),
        asked_text=markdown(answer_text(study), places) if study.answer.kind != "arms" else "",
        beside=markdown([beside(study)], {}) if study.answer.kind != "arms" else "",
        arms=arms_table(study),
        legend=markdown(legend(study), {}),
        before={key: after.pop(key) for key in FIRST if key in after},
        after=after,
        charts=drawn,
        charts_data=[{"name": one.name, "figure": one.figure} for one in drawn],
        panels=curve_panels(study),
        grids=grids(study),
        names=list(places),
        half_normal=HALF_NORMAL,
        behind=_behind(study),
        as_json=as_json,
        plotly=Markup(get_plotlyjs()),
    )


FIRST = ("unanswered", "outlook", "reasons", "ranks", "refused", "doubts")


def arms_table(study: Study) -> Table:
    """Return the comparison of arms."""
    screen = study.decisions.screen
    rows = study.table.to_dict("records")
    lines = [words.headings(study.metric, screen), *(words.cells(row, screen) for row in rows)]
    return table("arms", "Arms against the reference", lines, study.table, "trials", study.metric)


def _asked(study: Study) -> Table | None:
    """Return the table of effects, shares or steps."""
    if study.answer.kind == "arms" or study.answer.table.empty:
        return None
    caption = {"effects": "Effects of tricks", "shares": "Shares of tricks", "steps": "Steps"}
    lines = effect_tables.lines(study.answer, study.metric)
    kind = study.answer.kind
    leads = {"effects": "effect", "shares": "share", "steps": "step"}[kind]
    return table(kind, caption[kind], lines, study.answer.table, leads, study.metric)


def table(
    name: str,
    caption: str,
    lines: Sequence[list[str]],
    frame: pd.DataFrame,
    leads_to: str,
    metric: Metric,
) -> Table:
    """Return a table of `lines`, headings first, one for each row of `frame`; further ones follow.

    Args:
        name: Its id.
        caption: What it is.
        lines: Texts.
        frame: Columns effect, low, high, verdict.
        leads_to: Row 0 leads to `leads_to-0`.
        metric: Whose effects they are.
    """
    headings, *texts = lines
    whiskers = _whiskers(frame, metric)
    rows = [
        Row(cells, f"{leads_to}-{place}", TONES.get(verdict, ""), whisker)
        for place, (cells, verdict, whisker) in enumerate(
            zip(texts, frame["verdict"], whiskers, strict=False)
        )
    ]
    rows += [Row(cells, "", "", None) for cells in texts[len(rows) :]]
    effect = next(i for i, text in enumerate(headings) if "[95 % CI]" in text)
    return Table(name, caption, headings, effect, rows)


def _whiskers(frame: pd.DataFrame, metric: Metric) -> list[Whisker | None]:
    """Return the intervals on one scale, logarithmic for ratios."""
    ends = metric.forward(frame[["effect", "low", "high"]].to_numpy(dtype="float64"))  # [N, 3]
    reach = np.nanmax(np.abs(ends), axis=1, initial=0.0)
    if not (reach > 0).any():
        return [None] * len(frame)
    limit = FAR * float(np.median(reach[reach > 0]))
    inside = np.clip(np.nan_to_num(ends), -limit, limit)
    low, high = 1.05 * min(inside.min(), -limit / 9), 1.05 * max(inside.max(), limit / 9)
    pixels = (np.clip(ends, low, high) - low) / (high - low) * WHISKER_WIDTH
    beyond = (ends[:, 0] > high).astype(int) - (ends[:, 0] < low)
    zero = round(-low / (high - low) * WHISKER_WIDTH, 1)
    return [_whisker(zero, row, int(out)) for row, out in zip(pixels, beyond, strict=True)]


def _whisker(zero: float, pixels: np.ndarray, beyond: int) -> Whisker | None:
    at, low, high = (round(float(one), 1) for one in pixels)
    if not np.isfinite(at):
        return None
    known = np.isfinite(low + high)
    return Whisker(zero, at, low if known else None, high if known else None, beyond)


def _facts(study: Study) -> list[tuple[str, str]]:
    conditions = study.conditions
    return [
        ("Data", str(conditions["data"]["name"])),
        ("Model", str(conditions["model"]["name"])),
        ("Budget", f"{int(conditions['budget']['images']):,} images a trial"),
        ("Arms", str(len(study.table))),
        ("Seeds", str(study.final["seed"].nunique())),
        ("Trials", str(len(study.final))),
        ("Failed", str(len(study.failed))),
    ]


def _behind(study: Study) -> list[Any]:
    found = trials_behind(study.table, study, "trials")
    if study.answer.kind == "steps":
        return [*trials_behind(study.answer.table, study, "step"), *found]
    return [*arms_behind(study), *found] if study.answer.kind != "arms" else found


def as_json(value: object) -> Markup:
    """Return `value` as JSON that cannot end the script it stands in."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)  # noqa: S704 - no letter that markup is made of is left


def markdown(lines: Sequence[str], places: Mapping[str, str]) -> Markup:
    """Return Markdown as HTML; in tables an arm's name leads to its trials."""
    tokens = _reader().parse("\n".join(lines))
    for row_start, inline_token in _first_cells(tokens):
        name = "".join(child.content for child in inline_token.children or [])
        if name in places and row_start:
            opened = Token("link_open", "a", 1, attrs={"href": f"#{places[name]}"})
            closed = Token("link_close", "a", -1)
            inline_token.children = [opened, *(inline_token.children or []), closed]
    text = _reader().renderer.render(tokens, _reader().options, {})
    text = text.replace("<table>", '<div class="wide"><table>')
    return Markup(text.replace("</table>", "</table></div>"))


def _first_cells(tokens: Sequence[Token]) -> list[tuple[bool, Token]]:
    """Return the text of every body row's first cell."""
    found = []
    for i, token in enumerate(tokens[:-2]):
        if token.type == "tr_open" and tokens[i + 1].type == "td_open":
            found.append((True, tokens[i + 2]))
    return found


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
    return Markup("<wbr>").join(JOINS.split(name))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ablate.report", "web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = breakable
    return environment
