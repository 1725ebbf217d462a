"""A sample of the attacks of `benchmarks.durability`, and the attacks themselves."""

import errno
import random
from pathlib import Path

import pytest

from benchmarks.durability import claims, damage, inputs, kill, studies
from benchmarks.durability.ask import ask, fresh
from benchmarks.durability.attack import (
    TRACEBACK,
    Attack,
    Tally,
    World,
    carried_out,
    sampled,
    table,
)
from benchmarks.durability.disk import Fault

QUICK = ("read", "status", "compare", "retry", "mark")  # the others take seconds


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


def drawn(world):
    """A few of each kind, those that take a second or less."""
    quick = (a for a in damage.attacks(world, ["short"]) if a.name.endswith(QUICK))
    answered = (a for a in claims.claims(world) if a.name.endswith(("status", "retry")))
    return [
        *sampled(kill.kills(world, ["short"]), 1, 0),
        *sampled(kill.errors(world, ["short"]), 2, 0),
        *sampled(quick, 14, 0),
        *sampled(answered, 6, 0),
        *sampled(inputs.inputs(world), 6, 0),
        *sampled(inputs.plans(world), 1, 0),
    ]


def test_a_sample_of_attacks_finds_nothing(world):
    found = {a.name: {kind for kind, _ in told} for a, told in carried_out(drawn(world), world)}
    assert len(found) == 30
    assert {name: kinds for name, kinds in found.items() if kinds} == {}


def test_a_kill_strikes_the_operation_that_it_is_told_to(world, tmp_path):
    """Of a command killed at its first rename, the plan is there beside its place alone."""
    place = fresh(world["short"], tmp_path / "killed")
    done = [o.split(maxsplit=1) for o in kill.operations("short", world)]
    first = [door for door, _ in done if kill.meets("before", door)].index("replace")
    (place / "study").rename(place / "whole")
    for kind, there in (("before", False), ("after", True)):
        struck = ask(place, *studies.STUDIES["short"], fault=Fault(kind, first))
        assert struck.code == -9
        assert (place / "study" / "plan.jsonl").exists() == there


def test_an_error_of_the_disk_is_met_where_it_is_told_to_and_a_full_disk_stays_full(tmp_path):
    once, lasting = Fault("EIO", 1), Fault("ENOSPC", 1)
    for fault, codes in ((once, [0, errno.EIO, 0]), (lasting, [0, errno.ENOSPC, errno.ENOSPC])):
        met = []
        for _ in range(3):
            try:
                fault.meet("fsync", "a file", lambda: 0)
                met.append(0)
            except OSError as error:
                assert error.filename is None  # of an open file the kernel tells no name
                met.append(error.errno)
        assert met == codes


@pytest.mark.parametrize("way", damage.WAYS)
def test_every_way_of_damage_leaves_another_file(world, tmp_path, way):
    place = fresh(world["short"], tmp_path / "copy")
    for name in ("status.json", "metrics.parquet", "samples.npz"):
        path = sorted(place.glob(f"study/trials/*/{name}"))[0]
        before = path.read_bytes()
        damage.WAYS[way](path, random.Random(0))
        assert not path.is_file() or path.read_bytes() != before


def test_a_table_that_changed_without_a_word_is_a_violation_and_one_with_a_word_is_none(world):
    case = damage.Case("short", "trials/0123456789abcdef/status.json", "deleted", "compare", world)
    whole = damage.Answer(0, "a 1\nb 2\n", "", (), 0.0)
    silent = damage.Answer(0, "a 1\n", "", (), 0.0)
    told = damage.Answer(0, "a 1\n", "0123456789abcdef is damaged\n", (), 0.0)
    assert case.compared(silent, whole, Path())[0][0] == "result violation"
    assert case.compared(told, whole, Path()) == case.compared(whole, whole, Path()) == []


def test_an_attack_counts_once_a_kind(world):
    tally = Tally()
    tally.add([(TRACEBACK, "KeyError"), (TRACEBACK, "TypeError")])
    tally.add([])
    line = table({"here": tally}).splitlines()[-1]
    assert line == "| here | 2 | 0 | 1 | 0 | 0 |"


def test_a_sample_is_that_of_its_seed_and_no_more_than_there_is():
    every = [Attack(str(n), lambda _: []) for n in range(9)]
    assert sampled(every, 3, 1) == sampled(every, 3, 1) != sampled(every, 3, 2)
    assert sampled(every, 99, 0) == sampled(every, None, 0) == every
