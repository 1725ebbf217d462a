"""Do the answers hold what they promise? Simulated studies through the functions of the analysis.

    python -m benchmarks.coverage [--studies 40] [--only intervals verdicts ...] [--seed 0]

Prints Markdown: percent with its standard error over studies. A promise stands in the title of its
table; a number in brackets was measured before, with thousands of studies. `!`: more than three
standard errors beyond it. `~`: beyond a promise by less. Both are named once more at the end. The
default takes about five minutes of one core. `intervals` draws as many studies a cell as asked for
(two or three times as many for a family-wise error), `curse` and `looks` four times as many;
`verdicts`, `factorial`, `shares`, `failing` and `opinions`, whose studies are analysed one by one,
half as many, and `broken_shares` a tenth. From `breaking` on, studies are computed as whole arrays
and the first of every set are held to what the analysis says of them.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.coverage.absent import burman, forbidden, missing, subsets
from benchmarks.coverage.arms import curse, intervals, looks, opinions, verdicts
from benchmarks.coverage.breaking import breaking, broken_arms, broken_pairs, broken_shares
from benchmarks.coverage.cells import tables
from benchmarks.coverage.designs import factorial, shares
from benchmarks.coverage.failures import failing, rates
from benchmarks.coverage.promised import promised
from benchmarks.coverage.tuned import tuned

BENCHES = {
    bench.__name__: bench
    for bench in (
        *(intervals, verdicts, factorial, shares, failing),
        *(curse, looks, rates, opinions, breaking),
        *(missing, forbidden, subsets),
        *(broken_arms, broken_shares, tuned, promised, burman),
        broken_pairs,
    )
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--only", nargs="+", choices=BENCHES, default=list(BENCHES))
    parser.add_argument("--seed", type=int, default=0)
    parsed = parser.parse_args(arguments)
    if parsed.studies < 4:
        parser.error(f"--studies={parsed.studies} leaves cells empty; ask for 4 or more.")
    print(f"{parsed.studies} studies, seed {parsed.seed}; percent ± standard error", flush=True)
    cells = []
    for place, (name, bench) in enumerate(BENCHES.items()):
        if name in parsed.only:
            found = list(bench(np.random.default_rng([parsed.seed, place]), parsed.studies))
            print("\n".join(tables(found)), flush=True)
            cells += found
    for mark, told in (("!", "More than three standard errors beyond"), ("~", "Beyond by less")):
        off = [one for one in cells if one.told().endswith(mark)]
        print(f"\n### {told}: {len(off)} of {len(cells)} numbers\n")
        for one in off:
            print(f"- {one.table}; {one.row}; {one.column}: {one.told()}")


if __name__ == "__main__":
    main()
