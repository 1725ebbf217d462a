import re
import shutil
import string
import subprocess
from itertools import combinations

import numpy as np
import pytest

from ablate.analysis.conditions import UNTOLD
from ablate.report.folder import contents
from ablate.report.printers.latex import LATIN, answer_latex, arms_latex, escape, stars
from ablate.report.study import gather
from tests.analysis.designs import study
from tests.report.designs import write_design
from tests.report.test_designs import FOUR, PLANS
from tests.store.synthetic import write_study

NASTY = ["[x]", "*", "50%_$#&{}~^\\", "<b>", "--|", "`'\"", "=1+1", "语言", "é ß", "a & b \\\\ c"]


@pytest.fixture(scope="module")
def pdflatex():
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")


def compiled(folder, *tables):
    source = "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage{booktabs,array,longtable}",
            r"\begin{document}",
            *tables,
        ]
    )
    folder.mkdir(exist_ok=True)
    (folder / "paper.tex").write_text(source + "\n\\end{document}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = ended.stdout.decode(errors="replace")
    assert ended.returncode == 0, log[-2000:]
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \((.*?)pt too wide", log)]
    assert max(wide, default=0.0) <= 1.0, log
    return log


@pytest.mark.usefixtures("pdflatex")
@pytest.mark.parametrize("name", ["full", "once", "shapley", "ladder"])
def test_the_tables_of_every_design_compile(tmp_path, name):
    plan, seeds, _ = PLANS[name]
    found = gather([write_design(tmp_path / name, plan, seeds)])
    assert "1 page" in compiled(tmp_path / "paper", arms_latex(found), answer_latex(found))


TRICKS = ["batch_norm", "ema_g", "label_smooth", "noisy_labels", "instance_noise", "spectral_norm",
          "minibatch_stddev"]  # fmt: skip
SETS = ["+".join(one) for size in (1, 2, 3, 7) for one in combinations(TRICKS, size)]
ODD = ["SomeoneElsesMethodInOneLongWord" * 2, "no_" + "x" * 60, "m" * 12, "a b " * 20]


def wide(names, seeds=3):
    """Return arm -> values whose table is as wide as tables get: marks, bold, many digits."""
    base = np.exp(np.random.default_rng(0).normal(0, 0.02, (len(names), seeds)))
    return dict(zip(names, (1777.7 * base * np.linspace(0.5, 2, len(names))[:, None]).tolist(),
                    strict=True))  # fmt: skip


@pytest.mark.usefixtures("pdflatex")
@pytest.mark.parametrize(
    ("names", "is_long"),
    [
        (["r1", "ema_g"], False),
        ([f"without {name}" for name in TRICKS], False),
        ([f"-{name}" for name in TRICKS] + ["+".join(TRICKS)], False),
        ([*ODD, *SETS[-24:]], True),
        (ODD, False),
        ([f"trick_{k}" for k in range(48)], True),
    ],
)
def test_no_name_makes_a_table_too_wide_and_a_long_one_goes_over_pages(tmp_path, names, is_long):
    found = gather([write_study(tmp_path / "r", wide(["reference", *dict.fromkeys(names)]))])
    told = arms_latex(found)
    assert (r"\begin{longtable}" in told) == is_long == ("(1 page" not in compiled(tmp_path, told))


def test_a_caption_does_not_tell_what_nobody_told(place):
    rows = [f"{arm},0,fid,{value}" for arm, value in (("plain", 9), ("r1", 8))]
    (place.path / "theirs.csv").write_text("\n".join(["arm,seed,metric,value", *rows]))
    assert place.type("import", "theirs.csv", "--reference", "plain") == 0, place.err
    told = arms_latex(gather([place.path / "results" / "theirs"]))
    assert "deviation of fid over 1 training seed (lower is better)" in told and UNTOLD not in told


@pytest.mark.usefixtures("pdflatex")
def test_every_letter_compiles(tmp_path):
    rows = [f"{escape(text)} & 1 \\\\" for text in [*NASTY, string.printable, LATIN]]
    table = ["\\begin{tabular}{>{\\raggedright}p{5cm}l}", *rows, "\\end{tabular}"]
    compiled(tmp_path / "paper", *table)


def test_nothing_of_a_name_is_latex():
    told = escape("50%_$#&{}~^\\<")
    assert told.startswith(r"50\%\_\penalty50{}\$\#\&\{\}\textasciitilde{}")
    assert escape("语") == r"\texttt{U+8BED}" and escape("a\n b") == "a b"
    assert escape("[x]").startswith("{}[")


@pytest.mark.parametrize(
    ("p", "mark"),
    [(0.0009, "***"), (0.009, "**"), (0.05, "*"), (0.0501, ""), (float("nan"), "")],
)
def test_marks(p, mark):
    assert stars(p, "better") == stars(p, "trade-off") == mark
    for verdict in ("suspect", "inconclusive", "reference", "too few seeds", "described"):
        assert stars(p, verdict) == ""


def test_bold_and_marks_say_what_the_verdict_says(tmp_path):
    values = {"reference": [20.0, 22.0, 19.0], "r1": [10.0, 11.1, 9.4], "top_k": [5.0, 30.0, 9.0]}
    found = gather([write_study(tmp_path / "r", values)])
    lines = {line.split(" &")[0]: line for line in arms_latex(found).splitlines() if " & " in line}
    better, open_ = lines[r"\textbf{r1}"], lines[r"top\_\penalty50{}k"]
    assert r"\textsuperscript{*" in better and "better" in better
    assert "superscript" not in open_ and "textbf" not in open_  # its mean is the best of all
    caption = next(line for line in arms_latex(found).splitlines() if "caption" in line)
    assert r"\textsuperscript{***}\,$p \leq 0.001$, adjusted for all rows (Holm)" in caption


def test_a_cost_of_one_digit_is_about(tmp_path):
    found = gather([write_study(tmp_path / "r", wide(["reference", "~r1"]))])
    row = next(line for line in arms_latex(found).splitlines() if "r1" in line and " & " in line)
    assert row.endswith(r"\ensuremath{\sim}1 \\") and r"\textasciitilde{}r1" in row
    assert "one digit where that is not known" in arms_latex(found)


def test_a_report_holds_its_tables(tmp_path, monkeypatch):
    for figure in ("curves_figure", "samples_figure"):
        monkeypatch.setattr(f"ablate.report.folder.{figure}", lambda study: None)
    found = gather([write_design(tmp_path / "r", study(FOUR, design="shapley"), 3)])
    files = contents(found)
    assert files["table.tex"] == arms_latex(found).encode()
    assert files["shares.tex"] == answer_latex(found).encode()
