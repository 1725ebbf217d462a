r"""The tables as LaTeX to be pasted into a paper; a comment names the packages that each needs.

A table that is too wide for the text of an article is broken inside its cells, and one that is too
long for a page becomes a `longtable`, which no page of two columns takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ablate.analysis.conditions import UNTOLD
from ablate.report import words
from ablate.report.printers.latex_columns import NUMBER, UNBROKEN, Columns, fitted
from ablate.report.shown import cut_short
from ablate.report.study import Study
from ablate.report.tables import effects as effect_tables
from ablate.report.tables.arms import BETTER
from ablate.screen.letters import counted

LETTERS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_\penalty50{}",  # where a long name may be broken if it must be
    "+": r"+\allowbreak{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\ensuremath{<}",
    ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}",
    '"': r"\textquotedblright{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": "-{}",  # two of them are no dash
    "±": r"\ensuremath{\pm}",
    "↓": r"\ensuremath{\downarrow}",
    "↑": r"\ensuremath{\uparrow}",
    "≤": r"\ensuremath{\leq}",
    words.ARROW: r"\ensuremath{\rightarrow}",
    words.TIMES: r"\ensuremath{\times}",
    words.MINUS: r"\ensuremath{-}",
    words.NONE: "--",
}
NOT_IN_OT1 = (0xD0, 0xD7, 0xDE, 0xF0, 0xF7, 0xFE)  # eth, thorn, and two signs
LATIN = "".join(chr(code) for code in range(0xC0, 0x100) if code not in NOT_IN_OT1)
STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))
SIGNIFICANT = ("better", "worse", "better together", "worse together", "trade-off")
INTERVAL = " [95 % CI]"  # said in the caption; a column has no room for it
MOST_LINES = 44  # of a page of an article, below a caption of eight lines
LABEL = re.compile(r"[^a-zA-Z0-9-]+")


def escape(text: str) -> str:
    r"""Return `text` as LaTeX prints it; letters that pdflatex lacks as their code, U+4E2D."""
    told = "".join(map(_piece, UNBROKEN.split(" ".join(text.split()))))
    return "{}" + told if told[:1] in ("[", "*") else told  # else they belong to the row before


def _piece(text: str) -> str:
    """Return a part of a text; a long word may be broken anywhere."""
    told = [LETTERS.get(letter) or _letter(letter) for letter in text]
    return (r"\allowbreak{}" if UNBROKEN.fullmatch(text) else "").join(told)


def _letter(letter: str) -> str:
    if " " <= letter <= "~" or letter in LATIN:
        return letter
    return rf"\texttt{{U+{ord(letter):04X}}}"


def stars(p: float, verdict: str) -> str:
    """Return the mark of an adjusted p; "" where the verdict does not rest on it.

    What is suspect, or not significant at its share of the planned looks, has none.
    """
    if verdict not in SIGNIFICANT:
        return ""
    return next((mark for limit, mark in STARS if p <= limit), "")


def arms_latex(study: Study) -> str:
    """Return the comparison of arms; bold is `better`, by the verdict and by nothing else."""
    screen = study.decisions.screen
    p = "p_bh" if screen else "p_holm"
    arm, mean, effect, _, *rest = words.headings(study.metric, screen)
    lines = [[arm, mean.split(" (")[0], effect.replace(INTERVAL, ""), *rest]]
    rows = []
    for row in study.table.to_dict("records"):
        arm, mean, effect, _, verdict, *rest = words.cells(row, screen)
        cells, mark = [arm, mean, effect, verdict, *rest], stars(row[p], verdict)
        lines.append([arm, mean, effect + mark, verdict, *rest])
        rows.append(_row(cells, row["verdict"] == "better", mark))
    return _table(lines, rows, _caption(study), _label(study, "arms"))


def answer_latex(study: Study) -> str:
    """Return the table of effects, shares or steps."""
    heads, *lines = effect_tables.short(effect_tables.lines(study.answer, study.metric))
    effect = next(i for i, text in enumerate(heads) if INTERVAL in text)
    judged = study.answer.table[["p_holm", "verdict"]].itertuples(index=False)
    marks = [*(stars(p, verdict) for p, verdict in judged), ""]  # shares end with their total
    rows = [
        _row(cells, any(cell in BETTER for cell in cells), mark, effect)
        for cells, mark in zip(lines, marks, strict=False)
    ]
    text = effect_tables.headline(study.answer, study.metric).replace("*", "").replace("`", "")
    caption = f"{escape(text + _tuned(study))} {_marks('Holm')}"
    heads = [text.replace(INTERVAL, "") for text in heads]
    marked = [
        [*cells[:effect], cells[effect] + mark, *cells[effect + 1 :]]
        for cells, mark in zip(lines, marks, strict=False)
    ]
    return _table([heads, *marked], rows, caption, _label(study, study.answer.kind))


def _row(cells: Sequence[str], bold: bool, mark: str, effect: int = 2) -> str:
    """Return a row; the name, its mean and its effect are bold, the effect has its mark."""
    told = [escape(cells[0]), *map(_unbroken, cells[1:])]
    if bold:
        told[: effect + 1] = [rf"\textbf{{{cell}}}" for cell in told[: effect + 1]]
    told[effect] += rf"\textsuperscript{{{mark}}}" if mark else ""
    return " & ".join(told) + r" \\"


def _heading(text: str) -> str:
    return escape(text).replace(r" \ensuremath", r"~\ensuremath")  # a sign stays with its word


def _unbroken(cell: str) -> str:
    """Return a cell that may be broken before an interval or between words, not in a number."""
    told = escape(cell)
    if cell.startswith(words.ABOUT):
        return told.replace(LETTERS[words.ABOUT], r"\ensuremath{\sim}", 1)
    return told.replace(" ", "~").replace("~[", " [") if NUMBER.match(cell) else told


def _caption(study: Study) -> str:
    mean = "Geometric mean" if study.metric.is_ratio else "Mean"
    lower = "higher" if study.metric.higher_is_better else "lower"
    unit = study.decisions.unit
    over = counted(study.units["seed"].nunique(), "training seed" if unit == "seed" else unit)
    change = "ratio" if study.metric.is_ratio else "difference"
    adjusted = "Benjamini-Hochberg" if study.decisions.screen else "Holm"
    data = study.conditions["data"]["name"]
    on = "" if data == UNTOLD else f" on {data}"
    unpaired, cut = study.decisions.unpaired, cut_short(study.table)
    pairing, test = ("unpaired", "Welch") if unpaired else (f"paired by {unit}", "Student")
    interval = f", with its own 95 % interval ({test}'s t)."
    if study.decisions.one_search:
        interval = f". {words.OF_ONE_SEARCH}"
    text = (
        f"{mean} ± standard deviation of {study.metric.name} over {over}{on} ({lower} is better), "
        f"and the {change} to {study.reference}, {pairing}{interval} "
        "Bold: better by the verdict, whose interval excludes no change; bold arms are not "
        "compared with each other. Inconclusive is not equal. Cost: seconds of a done trial over "
        f"the reference's, ± SD over {unit}s; one digit where that is not known."
        f"{f' {cut}' if cut else ''}"
    )
    return f"{escape(text + _tuned(study))} {_marks(adjusted)}"


def _tuned(study: Study) -> str:
    tuned = " Every arm at the best setting of its search, on seeds that no search has seen."
    return tuned if study.plan.get("search") else ""


def _label(study: Study, kind: str) -> str:
    return f"{'tuned-' if study.plan.get('search') else ''}{kind}-{study.metric.name}"


def _marks(adjusted: str) -> str:
    told = ", ".join(
        rf"\textsuperscript{{{mark}}}\,$p \leq {limit:g}$" for limit, mark in reversed(STARS)
    )
    return f"{told}, adjusted for all rows ({escape(adjusted)}); no mark without a verdict."


def _table(lines: Sequence[Sequence[str]], rows: Sequence[str], caption: str, label: str) -> str:
    """Return the table of `rows`, as a float, or over several pages where it is long.

    Args:
        lines: Texts, headings first, to measure the columns by.
        rows: As LaTeX, without the headings.
        caption: As LaTeX.
        label: After `tab:`.
    """
    columns = fitted(lines)
    heads = " & ".join(map(_heading, lines[0])) + r" \\"
    caption = rf"\caption{{{caption}}}\label{{tab:{LABEL.sub('-', label)}}}"
    build = _float if columns.lines <= MOST_LINES else _pages
    return "\n".join(build(columns, heads, rows, caption)) + "\n"


def _float(columns: Columns, heads: str, rows: Sequence[str], caption: str) -> list[str]:
    return [
        r"% needs \usepackage{booktabs,array}",
        r"\begin{table}",
        rf"\centering{columns.font}\setlength{{\tabcolsep}}{{{columns.gap}pt}}",
        caption,
        r"\smallskip",
        rf"\begin{{tabular}}{{{columns.told}}}",
        r"\toprule",
        heads,
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def _pages(columns: Columns, heads: str, rows: Sequence[str], caption: str) -> list[str]:
    return [
        r"% needs \usepackage{booktabs,array,longtable}, and text in one column",
        r"\begingroup",
        rf"{columns.font}\setlength{{\tabcolsep}}{{{columns.gap}pt}}",
        r"\setlength{\LTcapwidth}{\linewidth}",
        rf"\begin{{longtable}}{{{columns.told}}}",
        rf"{caption}\\",
        r"\toprule",
        heads,
        r"\midrule",
        r"\endfirsthead",
        r"\toprule",
        heads,
        r"\midrule",
        r"\endhead",
        r"\midrule",
        rf"\multicolumn{{{columns.places}}}{{r@{{}}}}{{continued on the next page}}\\",
        r"\endfoot",
        r"\bottomrule",
        r"\endlastfoot",
        *rows,
        r"\end{longtable}",
        r"\endgroup",
    ]
