"""Commands that nobody would type: every key that there is, with values that mean nothing.

A generator with a seed, so that what one of them does can be seen again.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from omegaconf import OmegaConf

from ablate.config.catalog import conf_root, entry, names

NUMBERS = (
    "inf", "-inf", "nan", ".inf", "1e400", "1e21", "-1e21", "1e308", "1e-320", "1e12", "1e9",
    "1000000000000", "100000000000000000000000", str(10**400), "-1", "0", "-0.0", "0.5", "1.5", "2",
    "3", "1_000", "0x10", "range(0,1e9)", "1e3", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", "-9223372036854775808",
)  # fmt: skip
OTHERS = (
    "null", "true", "false", "''", "abc", "[]", "{}", "[1]", "[inf]", "[nan,1]", "[1e21]",
    "[null]", "[[1],[2]]", "{a:1}", "{a:{b:inf}}", "[0,1,2]", "[0,0]", "[1e12,2]", "'1;2'",
    "${seed}", "${nothing}", "???", "'\\x1b[31m'", "\uff1d1", "[true]", "[a,b]", "[r1]", "['']",
)  # fmt: skip
GROUPS = {
    "data": ("digits", "ring8", "grid25", "point", "stacked", "mnist", "npy", "parquet"),
    "model": ("dcgan", "mlp", "resnet", "module"),
    "budget": ("screen", "confirm", "smoke"),
    "metric": ("default", "raw", "classifier"),
    "tracker": ("none", "wandb"),
    "search/sampler": ("tpe", "gp", "cmaes", "qmc", "random", "grid"),
    "search/pruner": ("none", "median", "asha", "hyperband", "wilcoxon"),
}
DESIGNS = (
    "one_at_a_time", "leave_one_out", "pairs", "ladder", "full_factorial", "fractional_factorial",
    "plackett_burman", "shapley", "random_subsets", "presets", "explicit",
)  # fmt: skip


@lru_cache
def keys_of(name: str) -> tuple[str, ...]:
    """Return the keys of a yaml of ours, those inside others with a dot."""
    content = OmegaConf.to_container(OmegaConf.load(conf_root() / "conf" / f"{name}.yaml"))
    return tuple(_flat(content, "")) if isinstance(content, dict) else ()


def _flat(node: Mapping[Any, Any], before: str) -> list[str]:
    found = []
    for key, value in node.items():
        if key != "defaults":
            found.append(f"{before}{key}")
            found += _flat(value, f"{before}{key}.") if isinstance(value, dict) else []
    return found


def random_command(seed: int) -> list[str]:
    """Return the words of a command behind `ablate`."""
    draw = random.Random(seed)
    studied = draw.random() < 0.7
    words = ["plan", "demo"] if studied else ["train"]
    tricks = draw.sample(sorted(names()), draw.choice((1, 2, 2, 3)))
    words += [f"trick=[{','.join(tricks)}]"]
    chosen = {group: files[0] for group, files in GROUPS.items() if "/" not in group}
    for group in draw.sample(sorted(GROUPS), draw.choice((0, 0, 1))):
        if "/" in group and not studied:
            continue
        chosen[group] = draw.choice(GROUPS[group])
        words += (["search=optuna"] if "/" in group else []) + [f"{group}={chosen[group]}"]
    places = [key for key in keys_of("config") if key != "trick"]
    for group, name in chosen.items():
        places += [f"{group.replace('/', '.')}.{key}" for key in keys_of(f"{group}/{name}")]
    for trick in tricks:
        places += 2 * [f"trick.{trick}.{key}" for key in entry(trick).settings]
    if studied:
        words.append(f"study.design={draw.choice(DESIGNS)}")
        places += 2 * list(keys_of("study"))
        if draw.random() < 0.4 or any("search/" in word for word in words):
            words += [] if "search=optuna" in words else ["search=optuna"]
            places += [f"search.{key}" for key in keys_of("search/optuna")]
    for _ in range(draw.choice((1, 1, 1, 1, 2, 3))):
        key = draw.choice(places)
        word = f"{key}={draw.choice(NUMBERS if draw.random() < 0.75 else OTHERS)}"
        words.append(word if draw.random() < 0.97 else f"+{word}")
    return words if studied or draw.random() < 0.85 else [words[0], "-m", *words[1:]]
