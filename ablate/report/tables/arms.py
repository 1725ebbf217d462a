"""The main table as Markdown, and everything at full precision as CSV."""

from __future__ import annotations

import io
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ablate.analysis.columns import COMPARISON, RANKS
from ablate.analysis.compare import compare
from ablate.analysis.decisions import Decisions
from ablate.analysis.describe import describe
from ablate.analysis.final import final_values
from ablate.analysis.metric import Metric, metric_of
from ablate.analysis.ranks import ranks
from ablate.errors import UserError
from ablate.report import words
from ablate.report.study import Study, declared_scale
from ablate.report.tables import effects as effect_tables
from ablate.screen.letters import visible
from ablate.store.schema import names

FORMULA = ("=", "+", "-", "@", "\t", "\r")
TESTS = (
    *("p_holm", "p_bh", "p_flip", "second_opinion"),
    *("p_equivalence", "p_failures_holm", "verdict", "reason"),
)
# In any place; an underscore beside a word; what begins a list, a heading or a quotation.
SPECIAL = re.compile(r"[\\|*`\[<&~$]|(?<![^\W_])_|_(?![^\W_])|^[#>]|^[-+](?=[\s-]|$)")
NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
TICKS = re.compile("`+")
BETTER = ("better", "better together")


def markdown(headings: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table, first column left, others centred."""
    rule = [":--"] + [":-:"] * (len(headings) - 1)
    return [f"| {' | '.join(line)} |" for line in (headings, rule, *rows)]


def escape(text: str) -> str:
    """Return `text` as Markdown shows it, letter by letter and on one line."""
    shown = visible(" ".join(text.split()))
    return NUMBERED.sub(r"\1\\\2", SPECIAL.sub(r"\\\g<0>", shown))


def code(text: str) -> str:
    """Return `text` as code in Markdown, letter by letter, outside of tables."""
    text = " ".join(text.split())
    fence = "`" * (1 + max(map(len, TICKS.findall(text)), default=0))
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def headings_of(texts: Sequence[str], metric: Metric) -> list[str]:
    """Return headings in which the name of the metric is shown letter by letter."""
    name = metric.name
    return [escape(name) + one.removeprefix(name) if one.startswith(name) else one for one in texts]


def main_table(study: Study) -> list[str]:
    """Return the comparison; bold is `better`, by the verdict and by nothing else."""
    rows, screen = [], study.decisions.screen
    for row in study.table.to_dict("records"):
        arm, *rest = words.cells(row, screen)
        cells = [escape(arm), *rest]
        if row["verdict"] == "better":
            cells = [f"**{cell}**" for cell in cells[:3]] + cells[3:]
        rows.append(cells)
    headings = words.headings(study.metric, screen, study.decisions.unit)
    return markdown(headings_of(headings, study.metric), rows)


def answer_table(study: Study) -> list[str]:
    """Return the table of what the design asks; bold is a verdict for the better."""
    heading, *lines = effect_tables.lines(study.answer, study.metric)
    rows = []
    for name, *rest in lines:
        bold = any(cell in BETTER for cell in rest)
        cells = [escape(name), *rest]
        rows.append([f"**{cell}**" for cell in cells[:2]] + cells[2:] if bold else cells)
    return markdown(headings_of(heading, study.metric), rows)


def rank_table(study: Study) -> list[str]:
    """Return ranks, and between which ranks each arm surely is; no lines under three arms."""
    if study.decisions.one_search:  # ranks are of searches then, not of arms
        return []
    table = ranks(study.units, study.metric, study.decisions)
    if len(table) < 3:
        return []
    rows = [
        [escape(row["arm"]), str(row["rank"]), f"{row['rank_low']} to {row['rank_high']}"]
        for row in table.to_dict("records")
    ]
    return markdown(["arm", "rank by mean", "surely (95 %, all at once)"], rows)


def outlook_table(study: Study) -> list[str]:
    """Return what the inconclusive comparisons could have seen; no lines if there are none."""
    open_ = study.table[study.table["verdict"] == "inconclusive"]
    open_ = open_[open_["variance"] != "welch"]  # not computed unpaired
    if open_.empty:
        return []
    kind = "ratio" if study.metric.is_ratio else "difference"
    headings = ["arm", "pairs", f"{kind} [95 % CI]", f"smallest {kind} it could see"]
    asked = study.metric.is_ratio or study.options.get("detect") is not None
    rows = []
    for row in open_.to_dict("records"):
        smallest = row["smallest_detectable"]
        decimals = words.decimals_for(0.0, smallest) - 1
        cells = [escape(str(row["arm"])), str(row["pairs"]), words.effect(row)]
        cells.append(words.number(smallest, max(decimals, 0)))
        rows.append(cells + ([_seeds(row)] if asked else []))
    if asked:
        headings.append(f"{study.decisions.unit}s needed for {detect_text(study)}")
    return markdown(headings, rows)


def detect_text(study: Study) -> str:
    """Return the effect that `seeds_needed` is computed for, as in `10 %`."""
    detect = study.options.get("detect")
    if study.metric.is_ratio:
        return f"{100 * (0.1 if detect is None else detect):g} %"
    return f"{detect:g}"


def _seeds(row: words.Row) -> str:
    low, high = (_count(row[name]) for name in ("seeds_needed", "seeds_needed_high"))
    return low if low == high else f"{low} to {high}"


def _count(seeds: float) -> str:
    return "> 100000" if math.isinf(seeds) else words.number(seeds, 0)


def failure_table(study: Study, most: int = 30) -> list[str]:
    """Return the failed trials, at most `most`, and how many more there are."""
    shown = study.failed.head(most)
    rows = [
        [escape(str(row[name])) for name in ("arm", "seed", "status", "reason", "images_shown")]
        for row in shown.to_dict("records")
    ]
    table = markdown(["arm", "seed", "ended as", "reason", "images shown"], rows)
    left = len(study.failed) - len(shown)
    return table if not left else [*table, "", f"{left} more failed; report.html has all trials."]


def other_metrics(study: Study) -> tuple[list[str], list[str]]:
    """Return a table of means of all further metrics, and sentences on those left out."""
    columns, left_out = {}, []
    for name in sorted(set(study.frame["metric"].dropna()) - {study.metric.name}):
        try:
            metric = metric_of(name, **declared_scale(study.plan, name))
            table = describe(
                final_values(study.frame, metric, study.options.get("generator")), metric
            )
        except UserError as error:
            left_out.append(str(error))
            continue
        heading = f"{name} {words.arrow(metric)}"
        rows = table.set_index("arm").to_dict("index")
        columns[heading] = {arm: words.spread(r["mean"], r["seed_sd"]) for arm, r in rows.items()}
    if not columns:
        return [], left_out
    body = [
        [escape(arm), *(column[arm] for column in columns.values())] for arm in study.table["arm"]
    ]
    return markdown(["arm", *(escape(name) for name in columns)], body), left_out


def everything(study: Study) -> pd.DataFrame:
    """Return all metrics and both generators, columns `role`, `columns.COMPARISON` and ranks.

    `role` is `primary` (tested), `secondary` (compared without a verdict: Holm and the verdict are
    for the one metric named in advance) or `other generator` (described).
    """
    if study.declared or study.decisions.one_search:
        parts = [study.table.assign(role="secondary")]
    else:
        ranked = ranks(study.units, study.metric, study.decisions)
        parts = [study.table.merge(ranked, on="arm", how="left").assign(role="primary")]
    for name in sorted(set(study.frame["metric"].dropna())):
        parts += _of_metric(study, name)
    columns = [*COMPARISON, *RANKS[1:]]
    whole = pd.concat(parts).reindex(columns=["role", *names(tuple(columns))])
    # described rows have no pairs, and a count must not become 3.0 for it
    return whole.astype({one.name: "Int64" for one in columns if one.dtype == "int64"})


def _of_metric(study: Study, name: str) -> Iterator[pd.DataFrame]:
    """Yield what stands in the CSV for metric `name` beside the main comparison."""
    is_primary = name == study.metric.name
    try:
        scale = declared_scale(study.plan, name)
        metric = study.metric if is_primary else metric_of(name, **scale)
        if not is_primary:
            options = {"generator": study.options.get("generator")} | scale
            declared = study.decisions
            pairing = Decisions(unpaired=declared.unpaired, repeats=declared.repeats)
            table = compare(study.frame, name, study.reference, decisions=pairing, **options)
            yield table.drop(columns=list(TESTS)).assign(role="secondary")
        yield from _other_generators(
            study, metric, study.options.get("protocol") if is_primary else None
        )
    except UserError:
        return  # said in the report, by `other_metrics`


def _other_generators(study: Study, metric: Metric, protocol: str | None) -> Iterator[pd.DataFrame]:
    """Yield each arm's values by the generator that is not its own."""
    own = final_values(study.frame, metric, study.options.get("generator"), protocol)
    shown = dict(zip(own["arm"], own["generator"], strict=True))
    rows = study.frame[study.frame["metric"] == metric.name]
    for arm, generator in sorted(set(zip(rows["arm"], rows["generator"], strict=True))):
        if generator != shown[arm]:
            of_arm = study.frame[study.frame["arm"] == arm]
            final = final_values(of_arm, metric, generator, protocol)
            yield describe(final, metric).assign(role="other generator")


def csv(frame: pd.DataFrame) -> str:
    """Return `frame` as CSV with all digits; no text is a formula to a spreadsheet."""
    safe = frame.copy()
    for name in safe.select_dtypes(include=["str", "object"]):
        safe[name] = safe[name].map(lambda text: _harmless(text) if isinstance(text, str) else text)
    return safe.to_csv(index=False, lineterminator="\n")


def parquet(frame: pd.DataFrame) -> bytes:
    """Return `frame` as Parquet: the same columns as the CSV, with their dtypes."""
    sink = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _harmless(text: str) -> str:
    begins = unicodedata.normalize("NFKC", text.lstrip(" "))[:1]  # a full-width sign is one too
    return f"'{text}" if begins and begins in FORMULA else text
