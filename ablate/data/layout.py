"""Which files are for training and which are held out, read from names of any kind of set.

    train/cat/1.png, test/cat/2.png              cat/train/1.png, cat/test/2.png
    Training/1.png, Testing/2.png                seg_train/1.png, seg_test/2.png
    default/train/0000.parquet, default/test/... split=train/0.parquet, split=test/0.parquet
    mnist_train.parquet, mnist_test.parquet      train_1.png, test_1.png

The test half is never trained on without a word: what cannot be told apart is refused by name.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ablate.data.reading import Reading
from ablate.errors import UserError

Parts = tuple[str, ...]  # folders below the root, and the name of the file

TRAIN, TEST, VALIDATION = "train", "test", "validation"
WORDS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("test", "testing"), TEST),
    **dict.fromkeys(
        ("val", "valid", "validation", "dev", "eval", "evaluation", "holdout", "heldout"),
        VALIDATION,
    ),
}
PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")  # of seg_train, trainA, TRAIN, val2017
SHARD = re.compile(r"-\d+-of-\d+.*")  # train-00000-of-00002-a09b74b3ef9c3b56


@dataclass(frozen=True)
class Layout:
    """Where each file belongs.

    Attributes:
        parts: Of every file, without the part that named its split.
        train: Numbers of the files to train on.
        held_out: Numbers of the files that are held out; empty where no name says so.
        reading: What was left out, and how names were read.
    """

    parts: Sequence[Parts]
    train: Sequence[int]
    held_out: Sequence[int]
    reading: Reading


def split_word(name: str) -> tuple[str, Parts] | None:
    """The split that a name speaks of and what else it says, None for none or several.

    `Seg_TRAIN2017` is (train, (seg, 2017)).
    """
    name = re.sub("^split=", "", re.sub(r"(?i)(held|hold)[-_ ]out", "heldout", name))
    pieces = [piece.lower() for piece in PIECES.findall(name)]
    found = [piece for piece in pieces if piece in WORDS]
    if len(found) != 1:
        return None
    return WORDS[found[0]], tuple(piece for piece in pieces if piece not in WORDS)


def layout(parts: Sequence[Parts], place: Path, shards: bool) -> Layout:
    """Read the splits of files from their names.

    Args:
        parts: Of each file below `place`.
        place: What holds them, for messages.
        shards: Whether files hold many images: their names are then no image's own, and one that
            speaks of a split means it.

    Raises:
        UserError: Only held-out files, or names that can be read in two ways.
    """
    found = Layout(parts, range(len(parts)), (), Reading())
    for level in range(max((len(each) for each in parts), default=1) - 1):
        names = Counter(each[level] for each in parts if len(each) > level + 1)
        loose = sum(len(each) <= level + 1 for each in parts)
        halves = _halves(names, loose, level, place)
        if halves is not None:
            return _by_folder(parts, level, halves)
        found = replace(found, reading=found.reading + _train_as_label(names, level))
    return (_by_shard if shards else _by_prefix)(found, place)


def _halves(names: Collection[str], loose: int, level: int, place: Path) -> dict[str, str] | None:
    """Folder -> its split, of the folders of one level that make up two halves; None for none."""
    words = {name: word for name in names if (word := split_word(name)) is not None}
    pairs = [
        rest
        for rest in sorted({rest for _, rest in words.values()})
        if {split == TRAIN for split, other in words.values() if other == rest} == {True, False}
    ]
    if len(pairs) > 1:
        raise UserError(
            f"{place} holds several pairs of splits ({_listed(words)}); say data.root=FOLDER with "
            "one pair alone."
        )
    if pairs:
        return {name: split for name, (split, rest) in words.items() if rest == pairs[0]}
    held_out = [name for name, (split, rest) in words.items() if split != TRAIN and not rest]
    if not held_out:
        return None
    beside = sorted(set(names) - set(held_out))
    if not beside and not loose:
        raise UserError(
            f"{place} holds no training images, only {_listed(held_out)}; to train on a held-out "
            f"half say so: data.root={place / held_out[0] if level == 0 else 'FOLDER'}."
        )
    raise UserError(
        f"{place} holds {_listed(held_out)} but no train/ beside it"
        f"{f' (there is {_listed(beside)})' if beside else ''}; move the training images into "
        f"train/, or {held_out[0]}/ away."
    )


def _by_folder(parts: Sequence[Parts], level: int, halves: Mapping[str, str]) -> Layout:
    """Files by the folder of `level` that they lie in; validation goes where there is a test."""
    chosen = TEST if TEST in halves.values() else VALIDATION
    folders = [f"{each[level]}/" if len(each) > level + 1 else "in no split" for each in parts]
    splits = [halves.get(folder.removesuffix("/")) for folder in folders]
    left = Counter(
        folder
        for folder, split in zip(folders, splits, strict=True)
        if split not in (TRAIN, chosen)
    )
    rest = [each[:level] + each[level + 1 :] for each in parts]
    train, held_out = (
        [at for at, split in enumerate(splits) if split == s] for s in (TRAIN, chosen)
    )
    for half in (train, held_out):
        _drop_repeated(rest, half, level)
    said = _said(_of(halves, TRAIN), _of(halves, chosen))
    return Layout(rest, train, held_out, Reading(left, (said,)))


def _drop_repeated(parts: list[Parts], half: Sequence[int], level: int) -> None:
    """Drop a split that is said twice, seg_train/seg_train/cat/1.png: it is no label."""
    names = {parts[at][level] if len(parts[at]) > level + 1 else "" for at in half}
    if len(names) == 1 and split_word(*names) is not None:
        for at in half:
            parts[at] = parts[at][:level] + parts[at][level + 1 :]


def _by_shard(found: Layout, place: Path) -> Layout:
    """Parquet files by their own names; where none is called train, all but the held-out are."""
    names = [each[-1] for each in found.parts]
    stems = [SHARD.sub("", PurePosixPath(name).stem) for name in names]
    both = [
        name
        for name, stem in zip(names, stems, strict=True)
        if len({WORDS[p.lower()] for p in PIECES.findall(stem) if p.lower() in WORDS}) > 1
    ]
    if both:
        raise UserError(
            f"{place / both[0]} is named after two splits; rename it so that it is one's."
        )
    splits = [(split_word(stem) or ("", ()))[0] for stem in stems]
    chosen = TEST if TEST in splits else VALIDATION
    held_out = [at for at, split in enumerate(splits) if split == chosen]
    train = [at for at, split in enumerate(splits) if split == TRAIN]
    train = train or [at for at, split in enumerate(splits) if not split]
    if not train:
        raise UserError(
            f"{place} holds no train*.parquet"
            + (f", only {_listed(names, '')}" if names else "")
            + "; say data.root=FOLDER with the shards of the set, or data.root=FILE."
        )
    left = Counter(names[at] for at in set(range(len(names))) - {*train, *held_out})
    said: tuple[str, ...] = ()
    if held_out or left:
        said = (_said({names[at] for at in train}, {names[at] for at in held_out}, ""),)
    reading = found.reading + Reading(left, said)
    return replace(found, train=train, held_out=held_out, reading=reading)


def _by_prefix(found: Layout, place: Path) -> Layout:
    """Images by the first word of their names, where every name begins with one of both halves."""
    del place
    splits = [WORDS.get((PIECES.findall(each[-1]) or [""])[0].lower()) for each in found.parts]
    halves = {split for split in splits if split}
    if None in splits or TRAIN not in halves or len(halves) < 2:
        return found
    chosen = TEST if TEST in halves else VALIDATION
    left = sum(split not in (TRAIN, chosen) for split in splits)
    return replace(
        found,
        train=[at for at, split in enumerate(splits) if split == TRAIN],
        held_out=[at for at, split in enumerate(splits) if split == chosen],
        reading=found.reading
        + Reading(
            {VALIDATION: left} if left else {},
            (f"images named {TRAIN}... are trained on, those named {chosen}... are held out",),
        ),
    )


def _train_as_label(names: Collection[str], level: int) -> Reading:
    words = [name for name in names if split_word(name) == (TRAIN, ())]
    beside = sorted(set(names) - set(words))
    if level > 0 or not words or not beside:
        return Reading()
    return Reading(
        notes=(f"{_listed(words)} is read as a label, like {_listed(beside)} beside it",)
    )


def _of(halves: Mapping[str, str], split: str) -> list[str]:
    return [name for name, other in halves.items() if other == split]


def _said(train: Collection[str], held_out: Collection[str], end: str = "/") -> str:
    """Which names are for what, in words."""

    def verb(names: Collection[str]) -> str:
        return "is" if len(names) == 1 else "are"

    sentence = f"{_listed(train, end)} {verb(train)} trained on"
    return sentence + (f", {_listed(held_out, end)} {verb(held_out)} held out" if held_out else "")


def _listed(names: Collection[str], end: str = "/", most: int = 4) -> str:
    """Names in words; of many the first."""
    shown = [f"{name}{end}" for name in sorted(names)]
    if len(shown) > most:
        shown[most - 1 :] = [f"{len(shown) - most + 1} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
