r"""The tables as LaTeX to be pasted into a paper: `\usepackage{booktabs,array}` is all it needs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ablate.report import effect_tables, words
from ablate.report.study import Study
from ablate.report.tables import BETTER

LETTERS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_\allowbreak{}",  # where a long name may be broken
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
INTERVAL = " [95 % CI]"  # said in the caption; a column has no room for it
NAME_WIDTH = 0.25  # of a line
LABEL = re.compile(r"[^a-zA-Z0-9-]+")


def escape(text: str) -> str:
    r"""Return `text` as LaTeX prints it; letters that pdflatex lacks as their code, U+4E2D."""
    told = "".join(LETTERS.get(letter) or _letter(letter) for letter in " ".join(text.split()))
    return "{}" + told if told[:1] in ("[", "*") else told  # else they belong to the row before


def _letter(letter: str) -> str:
    if " " <= letter <= "~" or letter in LATIN:
        return letter
    return rf"\texttt{{U+{ord(letter):04X}}}"


def stars(p: float) -> str:
    """Return the mark of an adjusted p; "" above 0.05 and where there is none."""
    return next((mark for limit, mark in STARS if p <= limit), "")


def arms_latex(study: Study) -> str:
    """Return the comparison of arms; bold is `better`, by the verdict and by nothing else."""
    screen = study.decisions.screen
    p = "p_bh" if screen else "p_holm"
    rows = []
    for row in study.table.to_dict("records"):
        arm, mean, effect, _, verdict, *rest = words.cells(row, screen)
        rows.append(
            _row([arm, mean, effect, verdict, *rest], row["verdict"] == "better", stars(row[p]))
        )
    arm, mean, effect, _, *rest = words.headings(study.metric, screen)
    heads = [arm, mean.split(" (")[0], effect.replace(INTERVAL, ""), *rest]
    return _float(heads, rows, _caption(study), f"arms-{study.metric.name}")


def answer_latex(study: Study) -> str:
    """Return the table of effects, shares or steps."""
    heads, *lines = effect_tables.short(effect_tables.lines(study.answer, study.metric))
    effect = next(i for i, text in enumerate(heads) if INTERVAL in text)
    marks = [stars(p) for p in study.answer.table["p_holm"]] + [""]  # shares end with their total
    rows = [
        _row(cells, any(cell in BETTER for cell in cells), mark, effect)
        for cells, mark in zip(lines, marks, strict=False)
    ]
    text = effect_tables.headline(study.answer, study.metric).replace("*", "").replace("`", "")
    caption = f"{escape(text)} {_marks('Holm')}"
    heads = [text.replace(INTERVAL, "") for text in heads]
    return _float(heads, rows, caption, f"{study.answer.kind}-{study.metric.name}")


def _row(cells: Sequence[str], bold: bool, mark: str, effect: int = 2) -> str:
    """Return a row; the name, its mean and its effect are bold, the effect has its mark."""
    told = [escape(cell) for cell in cells]
    if bold:
        told[: effect + 1] = [rf"\textbf{{{cell}}}" for cell in told[: effect + 1]]
    told[effect] += rf"\textsuperscript{{{mark}}}" if mark else ""
    return " & ".join(told) + r" \\"


def _caption(study: Study) -> str:
    mean = "Geometric mean" if study.metric.is_ratio else "Mean"
    lower = "higher" if study.metric.higher_is_better else "lower"
    seeds = study.final["seed"].nunique()
    change = "ratio" if study.metric.is_ratio else "difference"
    adjusted = "Benjamini-Hochberg" if study.decisions.screen else "Holm"
    text = (
        f"{mean} ± standard deviation of {study.metric.name} over {seeds} training seeds on "
        f"{study.conditions['data']['name']} ({lower} is better), and the {change} to "
        f"{study.reference}, paired by seed, with its own 95 % interval (Student's t). "
        "Bold: better by the verdict, whose interval excludes no change; bold arms are not "
        "compared with each other. Inconclusive is not equal. Cost: wall seconds of a done trial "
        "over the reference's."
    )
    return f"{escape(text)} {_marks(adjusted)}"


def _marks(adjusted: str) -> str:
    told = ", ".join(
        rf"\textsuperscript{{{mark}}}\,$p \leq {limit:g}$" for limit, mark in reversed(STARS)
    )
    return f"{told}, adjusted for all rows ({escape(adjusted)})."


def _float(headings: Sequence[str], rows: Sequence[str], caption: str, label: str) -> str:
    columns = rf">{{\raggedright\arraybackslash}}p{{{NAME_WIDTH}\linewidth}}" + "l" * (
        len(headings) - 1
    )
    heads = " & ".join(escape(heading) for heading in headings)
    lines = [
        r"% needs \usepackage{booktabs,array}",
        r"\begin{table}",
        r"\centering\footnotesize\setlength{\tabcolsep}{4pt}",
        rf"\caption{{{caption}}}",
        rf"\label{{tab:{LABEL.sub('-', label)}}}",
        r"\smallskip",
        rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"\toprule",
        rf"{heads} \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"
