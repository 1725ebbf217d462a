"""Configs of many jobs: what differs in numbers alone is composed once, and numbers are set.

Hydra takes a tenth of a second to compose a job, twice: a sweeper looks whether all can be composed
before a launcher composes them. After the groups are chosen it sets values one by one in the order
in which they are typed; so numbers that nothing else touches can as well be set afterwards.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf, open_dict

Key = tuple[str | tuple[str], ...]  # what was typed; of numbers, which key alone


class ByValue:
    """Hydra's loader of configs, with a memory; whatever else is asked of it goes to the loader.

    A config that `load_sweep_config` or `task` returns is good until the next one is asked for.
    """

    def __init__(self, loader: ConfigLoader) -> None:
        self.hydra = loader
        self.parse = lru_cache(maxsize=None)(OverridesParser.create().parse_override)
        self.is_group = lru_cache(lambda key: bool(loader.get_group_options(key)))
        self.whole: dict[Key, DictConfig | None] = {}  # None: numbers are not all there is to set
        self.tasks: dict[Key, DictConfig] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.hydra, name)

    def load_sweep_config(
        self, master_config: DictConfig, sweep_overrides: Sequence[str]
    ) -> DictConfig:
        """Return the config of a job, equal to the one that Hydra composes."""
        words = list(sweep_overrides)
        parsed = [self.parse(word) for word in words]
        key = self.key_of(parsed)
        known = self.whole.get(key) if key is not None else None
        if known is None:
            config = self.hydra.load_sweep_config(master_config, words)
            if key is not None and key not in self.whole:
                good = all(is_leaf(config, o.key_or_group) for o in numbers(parsed))
                self.whole[key] = copy.deepcopy(config) if good else None
            return config
        put(known, parsed)
        job, told = known.hydra.job, known.hydra.overrides.task
        for i, override in enumerate(parsed):
            if is_number(override):
                told[i] = words[i]
        rule = job.config.override_dirname
        hidden = set(rule.exclude_keys)
        shown = sorted(words[i] for i, o in enumerate(parsed) if o.key_or_group not in hidden)
        job.override_dirname = rule.item_sep.join(shown).replace("=", rule.kv_sep)
        return known

    def task(self, master_config: DictConfig, overrides: Sequence[str]) -> DictConfig | None:
        """Return the config of a job without Hydra's node; None where Hydra must compose it."""
        parsed = [self.parse(word) for word in overrides]
        key = self.key_of(parsed)
        if key is None:
            return None
        if key not in self.whole:
            self.load_sweep_config(master_config, overrides)
        whole = self.whole[key]
        if whole is None:
            return None
        if key not in self.tasks:
            self.tasks[key] = copy.deepcopy(whole)
            with open_dict(self.tasks[key]):
                del self.tasks[key]["hydra"]
        put(self.tasks[key], parsed)
        return self.tasks[key]

    def key_of(self, parsed: Sequence[Override]) -> Key | None:
        """Return what jobs share that differ in numbers alone, None where order matters."""
        if any(o.type is not OverrideType.CHANGE or o.is_hydra_override() for o in parsed):
            return None
        set_keys = [o.key_or_group for o in numbers(parsed)]
        others = [o for o in parsed if not is_number(o)]
        trees = [o.key_or_group for o in others if not self.is_choice(o)]
        if any(self.is_group(key) for key in set_keys) or any(
            f"{key}.".startswith(f"{tree}.") for key in set_keys for tree in trees
        ):
            return None
        return tuple((o.key_or_group,) if is_number(o) else str(o.input_line) for o in parsed)

    def is_choice(self, override: Override) -> bool:
        """Return whether an override chooses among files, which comes before any value is set."""
        return self.is_group(override.key_or_group) and not isinstance(override.value(), dict)


def is_number(override: Override) -> bool:
    """Return whether an override sets one number or switch."""
    if override.package is not None or override.is_sweep_override():
        return False
    return isinstance(override.value(), int | float)


def numbers(parsed: Sequence[Override]) -> list[Override]:
    """Return the overrides that set one number or switch each."""
    return [override for override in parsed if is_number(override)]


def is_leaf(config: DictConfig, key: str) -> bool:
    """Return whether a key holds one value."""
    return not OmegaConf.is_config(OmegaConf.select(config, key))


def put(config: DictConfig, parsed: Sequence[Override]) -> None:
    """Set the numbers, as Hydra does."""
    for override in numbers(parsed):
        OmegaConf.update(config, override.key_or_group, override.value(), merge=True)
