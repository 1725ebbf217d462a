"""Bad inputs, and random plans: no traceback, and an answer in ten seconds."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ablate.config.catalog import conf_root, entry
from benchmarks.durability.ask import PATIENCE, ask, stretched
from benchmarks.durability.attack import OTHER, Attack, Found, World, judged
from benchmarks.durability.studies import TINY

INPUTS, PLANS = 216, 300
SMALL = [word for word in TINY if not word.startswith(("hydra/", "study.", "out="))]
VALUES = (
    "inf", "-inf", "nan", "-1", "0", "1e21", "1e400", "-1e21", "1e-300", "0.5", "1e12",
    "99999999999999999999", "", "null", "true", "[]", "{}", "[1,[2]]", "{a:1}", "x", "'a b'",
    "${seed}", "${nothing}", "/", ".", "..", "\\x00", "\uff58\uff1d\uff11", "é" * 300,
    "range(0,1e9)", "[0,1e21]", "0x10", "1_000", "01", "+1", "1,2",
)  # fmt: skip
KEYS = (
    "seed", "device", "out", "cache", "code", "operator", "rung", "trick", "preset", "data",
    "model", "metric", "budget", "tracker", "train.batch_size", "train.latent_dim",
    "train.precision", "train.channels_last", "model.width", "model.depth", "budget.images",
    "budget.evaluations", "budget.samples", "budget.curve_points", "metric.extractor",
    "metric.split", "metric.neighbours", "data.name", "trick.adam.lr", "trick.adam.beta1",
    "trick.ema_g.halflife_images",
)  # fmt: skip
OF_STUDY = (
    "study.design", "study.tricks", "study.always", "study.factors", "study.seeds",
    "study.resolution", "study.runs", "study.permutations", "study.subsets", "study.draw",
    "study.presets", "study.arms", "study.analysis.metric", "study.analysis.margin",
    "study.analysis.looks", "study.analysis.detect", "study.analysis.variance", "study.workers",
    "study.stack",
)  # fmt: skip
OF_SEARCH = (
    "search.trials", "search.seeds", "search.settings", "search.batch", "search.seed",
    "search.metric", "search.cost", "search.warm_start", "search.storage", "search.add",
    "search/sampler", "search/pruner",
)  # fmt: skip
ENDLESS = ("1e12", "99999999999999999999", "1e21")  # a budget that may be meant, and takes years


def inputs(world: World) -> Iterator[Attack]:
    """Yield 216: a third are typed at the commands that read, the others at those that train."""
    draw = random.Random(216)
    by_hand = list(typed_by_hand())
    drawn: list[tuple[str, ...]] = []
    trained = itertools.product(("train", "plan", "sweep"), (*KEYS, *OF_STUDY, *OF_SEARCH), VALUES)
    pool = [words for one in trained if (words := overridden(*one))]
    drawn = draw.sample(pool, INPUTS - len(by_hand))
    for words in [*by_hand, *drawn]:
        shown = " ".join(word for word in words if word not in SMALL)[:160]
        yield Attack(f"ablate {shown!r}", partial(typed, words), "short", "bad inputs")


def overridden(command: str, key: str, value: str) -> tuple[str, ...]:
    """Return a command with one bad value; none where it would train for years and rightly so."""
    if command == "train" and not key.startswith(("study", "search")):
        if key == "budget.images" and value in ENDLESS:
            return ()
        return ("train", *SMALL, "out=new", f"{key}={value}")
    if command == "train" or (command == "sweep" and key == "budget.images" and value in ENDLESS):
        return ()
    more = ["study.seeds=[0]", "out=new", "hydra/launcher=basic", "study.always=[adam]"]
    if key.startswith("search"):
        more += ["search=optuna", "search.trials=1", "search.seeds=[1000]"]
    return (command, "one_at_a_time", *SMALL, *more, f"{key}={value}")


def typed(words: tuple[str, ...], place: Path) -> Found:
    """Type a command beside a finished study and some files that are none."""
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    answer = ask(place, *words, patience=stretched(PATIENCE))
    if answer.code == 2 and (place / "new").exists():
        return [(OTHER, f"refused, and something was written: {answer.last}")]
    return judged(answer)


FILES = {
    "empty.csv": b"", "head.csv": b"arm,seed,fd\n", "nul.csv": b"arm,seed,fd\na,0,1\x00\n",
    "random.csv": random.Random(0).randbytes(999), "one.csv": b"arm,seed,fd\na,0,1\n",
    "inf.csv": b"arm,seed,fd\na,0,inf\na,1,nan\nb,0,-inf\nb,1,1e400\n",
    "seeds.csv": b"arm,seed,fd\na,1e21,1\na,nan,2\nb,0.5,3\nb,-1,4\n",
    "wide.csv": b"arm,seed," + b",".join(b"m%d" % i for i in range(5000)) + b"\na,0"
    + b",1" * 5000 + b"\n",
    "quotes.csv": b'arm,seed,fd\n"a,0,1\nb,0,2\n', "twice.csv": b"arm,arm,seed,fd\na,b,0,1\n",
    "tricks.csv": b"arm,seed,tricks,fd\na,0,{broken,1\nb,0,[1],2\n",
    "deep.json": b"[" * 50_000, "list.json": b"[1,2]", "null.json": b"null",
    "not.parquet": b"PAR1 is a name", "not.xlsx": b"PK\x03\x04 and no more", "not.gz": b"\x1f\x8b",
    "study.yaml": b"defaults: [study]\nbudget: [1]\n", "list.yaml": b"[1, 2]\n",
    "tab.yaml": b"a:\n\t- 1\n", "alias.yaml": b"a: &a [*a]\ndefaults: [study]\n",
    "bin.yaml": b"\x00\x01\x02", "none.yaml": b"", "defaults.yaml": b"defaults: 7\n",
    "deep.yaml": b"defaults: [study, _self_]\nbudget: " + b"{a: " * 400 + b"1" + b"}" * 400 + b"\n",
}  # fmt: skip


def typed_by_hand() -> Iterator[tuple[str, ...]]:
    """Yield commands with files and folders that are not what they should be."""
    folders = ("", ".", "/", "nowhere", "study/trials", "study/plan.jsonl", "cache", "empty.csv",
               "study\n", "a" * 5000)  # fmt: skip
    for command in (("status",), ("compare",), ("report", "--summary")):
        yield from ((*command, folder) for folder in folders)
    yield from (("report", "study", "-o", out) for out in ("/", ".", "", "study", "empty.csv/x",
                                                           "/proc/x", "study/trials"))  # fmt: skip
    yield from (("import", name, "-o", "new") for name in FILES if not name.endswith("yaml"))
    yield from (("plan", name) for name in FILES if name.endswith("yaml"))
    yield from (("compare", "study", *words) for words in (
        ("--metric", "nothing"), ("--reference", ""), ("--where", "x"), ("--where", "a=b"),
        ("--where", "=") , ("--arms", ""), ("--protocol", "x"), ("study",)))  # fmt: skip
    yield from (("retry", "study", "--status", word) for word in ("", "x", "crashed", "é"))
    yield from (("mark", "study", trial, "--sound", "--note", "x") for trial in ("", "x", "../.."))
    yield from (("tricks", name) for name in ("", "x", "../r1", "é"))
    yield from (("selftest", word) for word in ("device=cuda:99", "x", "rung=", "cache="))
    yield from (("data", "fetch", name, "--root", "new") for name in ("", "x", "../mnist"))
    yield from ((word,) for word in ("", "x", "-", "--", "--nothing"))


# -- random plans ------------------------------------------------------------------------------


def plans(world: World) -> Iterator[Attack]:
    """Yield 300 random studies; each is planned, not trained."""
    for n in range(PLANS):
        words = planned(random.Random(f"plan {n}"))
        yield Attack(f"ablate {' '.join(words)!r}", partial(typed_plan, words), "", "random plans")


def typed_plan(words: tuple[str, ...], place: Path) -> Found:
    """Plan a study."""
    return judged(ask(place, *words, patience=stretched(PATIENCE)))


def planned(draw: random.Random) -> tuple[str, ...]:
    """Return a command: a design over some tricks, most numbers good, some not."""
    tricks = draw.sample(NAMES, draw.randint(1, 6))
    words = ["plan", draw.choice(READY), f"trick=[{','.join(tricks)}]", "cache=cache"]
    words += draw.choice((["data=ring8", "model=mlp"], ["data=grid25", "model=mlp"], [RAW], [RAW]))
    words += [f"{key}={draw.choice(good)}" for key, good in GOOD.items() if draw.random() < 0.4]
    words += [f"study.always=[{draw.choice(tricks)}]"] * (draw.random() < 0.4)
    words += setting(tricks, draw) if draw.random() < 0.6 else []
    for key in draw.sample((*KEYS[14:], *OF_STUDY), draw.choice((0, 0, 1, 2))):
        words.append(f"{key}={draw.choice(VALUES)}")
    if draw.random() < 0.3:
        if draw.random() < 0.5:
            words.append(f"{draw.choice(OF_SEARCH)}={draw.choice(VALUES)}")
        words += ["search=optuna", f"search/sampler={draw.choice(SAMPLERS)}",
                  f"search.trials={draw.choice((0, 1, 4, '1e9'))}"]  # fmt: skip
    return tuple(words)


def setting(tricks: list[str], draw: random.Random) -> list[str]:
    """Return an override of a setting of one of the tricks."""
    trick = draw.choice(tricks)
    settings = sorted(entry(trick).settings)
    if not settings:
        return []
    value = draw.choice(("0", "1", "0.5", "2", "-1", "1e3", "none", *VALUES))
    return [f"trick.{trick}.{draw.choice(settings)}={value}"]


NAMES = sorted(file.stem for file in (conf_root() / "conf" / "trick").glob("*.yaml"))
READY = sorted(f.stem for f in (conf_root() / "sweeps").glob("*.yaml") if f.stem != "mnist")
RAW = "metric=raw"  # no classifier to be trained first
SAMPLERS = ("tpe", "gp", "cmaes", "qmc", "random", "grid")
GOOD: dict[str, tuple[str, ...]] = {
    "study.seeds": ("[0]", "[0,1,2]", "[7,8,9,10,11]", "range(0,50)", "[0,0]"),
    "study.design": ("one_at_a_time", "leave_one_out", "pairs", "ladder", "full_factorial",
                     "fractional_factorial", "plackett_burman", "shapley", "random_subsets"),
    "study.resolution": ("null", "3", "4", "5", "9"),
    "study.permutations": ("null", "2", "7", "1000000"),
    "study.subsets": ("null", "4", "1000", "1e9"),
    "study.analysis.looks": ("[]", "[3,5]", "[5,3]"),
    "study.analysis.margin": ("null", "5", "-5", "1e21"),
    "budget.images": ("640", "12800", "1e9", "1"),
    "budget.evaluations": ("1", "3", "1000000", "0"),
    "budget.samples": ("16", "1024", "1"),
    "train.batch_size": ("1", "16", "63", "100000"),
}  # fmt: skip
