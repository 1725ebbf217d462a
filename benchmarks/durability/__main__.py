"""What a kill, a disk, damage and bad input do to a study: attacks, counted.

    python -m benchmarks.durability [--only damage kill ...] [--sample N] [--seed S]

Prints a line for every attack that found something and a table of counts; every count should be 0.
A whole run takes hours of one core; `--sample 60` takes so many of each kind, drawn by the seed.
`--match TEXT` takes the attacks whose name holds it: what was printed is found again by its name.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.durability import claims, damage, inputs, kill, rounds
from benchmarks.durability.attack import Tally, World, carried_out, sampled, table
from benchmarks.durability.times import times

BENCHES = {
    "kill": kill.kills,
    "errno": kill.errors,
    "damage": damage.attacks,
    "cache": damage.cache_attacks,
    "claims": claims.claims,
    "checkpoints": claims.checkpoints,
    "inputs": inputs.inputs,
    "plans": inputs.plans,
    "rounds": rounds.rounds,
}


def main(arguments: list[str] | None = None) -> None:
    parsed = parse(arguments)
    lines: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        for name in (name for name in parsed.only if name in BENCHES):
            attack_all(name, parsed, world, lines)
        if lines:
            print(f"\n{table(lines)}\n", flush=True)
        for line in times(Path(folder), parsed.trials) if "times" in parsed.only else ():
            print(line, flush=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    every = [*BENCHES, "times"]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=every, default=every)
    parser.add_argument("--match", nargs="+", default=[""], metavar="TEXT")
    parser.add_argument("--sample", type=int, metavar="N", help="of each kind; all without it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="attacks at a time")
    parser.add_argument("--trials", type=int, default=5000, help="of the study that is timed")
    return parser.parse_args(arguments)


def attack_all(
    name: str, parsed: argparse.Namespace, world: World, lines: dict[str, Tally]
) -> None:
    """Carry out the attacks of a kind, print what they find, count it."""
    start = time.monotonic()
    every = [a for a in BENCHES[name](world) if any(text in a.name for text in parsed.match)]
    chosen = sampled(every, parsed.sample, parsed.seed)
    for attack, found in carried_out(chosen, world, parsed.workers):
        lines.setdefault(attack.of, Tally()).add(found)
        for kind, told in found:
            print(f"- {kind}: {attack.name}: {told}", flush=True)
    took = f"{time.monotonic() - start:.0f} s"
    print(f"{name}: {len(chosen):,} of {len(every):,} attacks in {took}", flush=True)


if __name__ == "__main__":
    main()
