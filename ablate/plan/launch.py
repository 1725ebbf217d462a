"""A study from its config to its end: plan, write, print, launch workers until nothing is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from shlex import quote
from time import sleep
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ablate.config.tree import join_sources, resolved
from ablate.disk import mark
from ablate.errors import UserError
from ablate.plan.files import unfinished, working_on, write_plan
from ablate.plan.kin import of_plan
from ablate.plan.leftovers import clear
from ablate.plan.mend import damage, mend, mend_mirror
from ablate.plan.pause import paused, sentence, status_of
from ablate.plan.resources import device_of, workers_of
from ablate.plan.search_file import is_over, searches
from ablate.plan.show import search_size, show
from ablate.plan.study import Plan, plan_of
from ablate.plan.watch import LOOK_SECONDS, Watch
from ablate.runner.inputs import dataset_of, prepare
from ablate.runner.interrupt import Interrupt, StopFile
from ablate.runner.machine import Machine, check_writable, machine
from ablate.screen.letters import console, counted, say, tied
from ablate.store.claims import living, off
from ablate.store.layout import ended
from ablate.store.plan import STUDY, TUNED, read_plan
from ablate.store.record import told
from ablate.tracker import check_tracker
from ablate.trial import Trial

Launch = Callable[[int], Any]  # starts so many workers and returns when all have ended


def sweep(config: DictConfig, launch: Launch, slots: Callable[[], int | None]) -> None:
    """Run a study, or what is left of it.

    Args:
        config: The composed study, with Hydra's own node.
        launch: Starts workers.
        slots: Tells how many workers the launcher has room for, None where it does not know.

    Raises:
        UserError: The study is wrong; all reasons at once, nothing written.
        SystemExit: It was interrupted (128 + signal), or workers died (1).
    """
    join_sources(config.hydra.runtime.config_sources)
    refuse_one_seed(config.hydra.overrides.task)
    launcher: Any = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    config = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    tree = resolved(config)
    place = machine(tree)
    dataset = dataset_of(tree, place)
    plan, kin, whose = of_plan(plan_of(tree, dataset), place.out, tree["code"])
    check_tracker(tree["tracker"])
    search = planned_search(tree, plan, place.out, len(dataset.shape) == 1)
    room = slots() if tree["study"]["workers"] is None else None
    workers = workers_of(tree["study"], launcher, place.device, room)
    prepare(plan.trials[0], place)  # once, before many workers want the same cache
    check_writable(place.out)
    url = tree["search"]["storage"]
    mirror = [] if search is None else check_storage(url, place.out)
    with working_on(place.out, plan):
        change = write_plan(place.out, plan, {one.recorded.id for one in kin}, search)
        notes = [*filter(None, (change, whose, off(place.out))), *mirror, *mend(place.out)]
        clear(place.out)
        if mirror:
            tell_again(place.out)
        left = len(trainable(place.out, plan.trials)) + left_of_search(place.out)
        workers, is_here = min(workers, max(1, left)), "joblib" in launcher["_target_"]
        say("\n".join(dataset.sentences()))
        announce(plan, search, place, devices_of(place, workers, is_here), notes)
        if left:
            launch_all(plan, place, workers, launch, is_here)
    conclude(plan, place.out)


def devices_of(place: Machine, workers: int, is_here: bool) -> list[str]:
    """Return the device of each worker, as far as it is this machine that gives them out."""
    return [device_of(place.device, i) if is_here else place.device for i in range(workers)]


def planned_search(
    tree: Mapping[str, Any], plan: Plan, folder: Path, is_toy: bool
) -> dict[str, Any] | None:
    """Return what is searched before the arms are scored again, None for nothing.

    Args:
        tree: The composed study.
        plan: Its plan.
        folder: The results folder.
        is_toy: Whether the data are points.

    Raises:
        UserError: The search cannot be made so.
    """
    if tree["search"]["sampler"] is None:
        return None
    from ablate.plan.tune import search_plan  # Optuna takes its time to import

    return search_plan(tree, plan, folder, is_toy)


def check_storage(url: str | None, folder: Path) -> list[str]:
    """Refuse a storage that does not answer, before anything is trained.

    Returns:
        What was done to a file in the study that was damaged, in words.

    Raises:
        UserError: The sentence says why.
    """
    from ablate.search.storage import opened, url_of

    told = mend_mirror(folder) if url is None else []
    with opened(url_of(url, folder)):
        pass
    return told


def tell_again(folder: Path) -> None:
    """Tell Optuna's tools of a search that is over, where nobody else will."""
    from ablate.plan.tune import Tuning

    if is_over(folder):
        Tuning(folder).tell_again()


def left_of_search(folder: Path) -> int:
    """Return the searches that are not over, or the trials that are left of what follows them."""
    if not is_over(folder):
        return len(searches(folder))
    tuned = folder / TUNED
    return len(trainable(tuned, read_plan(tuned))) if (tuned / STUDY).is_file() else 0


def refuse_one_seed(overrides: Sequence[str]) -> None:
    """Refuse `seed=`, which a study would not use.

    Raises:
        UserError: The sentence says where a study's seeds stand.
    """
    for override in overrides:
        key, _, value = override.partition("=")
        if key == "seed":
            raise UserError(
                f"A study trains every arm under its seeds; type study.seeds=[{value}]."
            )


def launch_all(plan: Plan, place: Machine, workers: int, launch: Launch, one_fate: bool) -> None:
    """Launch workers, and again where some died, until nothing is left that can be trained.

    What others train in the same folder is waited for.

    Args:
        plan: The study.
        place: Where.
        workers: How many.
        launch: Starts them.
        one_fate: Whether all workers end when one dies. There is then one worker from the second
            death on, so that a trial that kills its workers is found out, and no other is blamed.

    Raises:
        SystemExit: Interrupted.
    """
    stop, seen, deaths = StopFile(place.out, mark()), None, 0
    stop.clear()
    with Interrupt(stop.ask) as interrupt, Watch(place.out, plan.trials, plan.images):
        while not interrupt.code:
            error = attempt(launch, 1 if one_fate and deaths > 1 else workers, interrupt)
            state = situation(place.out, plan)
            if state == seen:
                break  # another launch would change nothing
            seen = state
            if error is not None:
                deaths += 1
                say(f"A worker died ({error}); what was under way goes on at its last checkpoint.")
            elif not await_others(place.out, plan, interrupt):
                break
    stop.clear()
    clear(place.out)
    if interrupt.code:
        say(what_is_left(place.out, plan.trials))
        raise SystemExit(interrupt.code)


def await_others(folder: Path, plan: Plan, interrupt: Interrupt) -> bool:
    """Wait while workers of somebody else have all that is left; return whether some is free."""
    told, tuned = False, folder / TUNED
    while True:
        left = trainable(folder, plan.trials)
        if (tuned / STUDY).is_file():
            left += trainable(tuned, read_plan(tuned))
        if not left:
            return False
        held = living(folder, sure=True) | living(tuned, sure=True)
        theirs = held.keys() & {trial.id for trial in left}
        if len(theirs) < len(left) or interrupt.code:
            return True
        if not told:
            say(f"Waiting for {counted(len(theirs), 'trial')} that others train in {folder}.")
            told = True
        sleep(LOOK_SECONDS)


def trainable(folder: Path, trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials without results, but for those of arms that are paused."""
    resting = paused(folder, trials)
    return [trial for trial in unfinished(folder, trials) if trial.arm not in resting]


def situation(folder: Path, plan: Plan) -> tuple[int, int, int, list[str]]:
    """Return what a launch changes even if it fails: what is left, what is there, and claims."""
    claims = sorted(path.name for path in (folder / "claims").glob("[!.]*"))
    left = len(unfinished(folder, plan.trials))
    return left, left_of_search(folder), len(ended(folder)), claims


def attempt(launch: Launch, workers: int, interrupt: Interrupt) -> str | None:
    """Launch and wait; return what ended it, None where every worker came back.

    Raises:
        UserError: A worker met something that a person has to mend.
    """
    try:
        returned = launch(workers)
    except (UserError, HydraException, OmegaConfBaseException):
        raise
    except KeyboardInterrupt:  # also of a worker that Ctrl-C met before it could ignore it
        if interrupt.twice:
            raise
        return "KeyboardInterrupt"
    except Exception as error:  # launchers have errors of their own for a worker that was killed
        return f"{type(error).__name__}"
    for job in returned:
        _ = job.return_value  # raises what the worker raised
    return None


def announce(
    plan: Plan,
    search: Mapping[str, Any] | None,
    place: Machine,
    devices: Sequence[str],
    changes: Sequence[str],
) -> None:
    """Print the plan, who works on it (the device of each), and what is finished."""
    show(plan, console())
    if search is not None:
        say(search_size(plan, search))
    for change in changes:
        say(f"Note: {change}")
    done = len(plan.trials) - len(unfinished(place.out, plan.trials))
    workers = f"{counted(len(devices), 'worker')} on {', '.join(dict.fromkeys(devices))}"
    say(f"{workers}; {done} finished before.")


def conclude(plan: Plan, folder: Path) -> None:
    """Print what the study has come to.

    Raises:
        SystemExit: Trials are left.
    """
    tell(folder, plan.trials)
    tuned = folder / TUNED
    if (tuned / STUDY).is_file():
        tell(tuned, read_plan(tuned), "Tuned: ")
    if trainable(folder, plan.trials) or left_of_search(folder):
        say(what_is_left(folder, plan.trials))
        raise SystemExit(1)
    places = quote(str(folder)), quote(f"reports/{folder.name}")
    say("Next: " + tied("ablate report {} -o {}".format(*places)))


def what_is_left(folder: Path, trials: Sequence[Trial]) -> str:
    """Return how many trials have not ended, and what goes on with them."""
    left, also = len(unfinished(folder, trials)), ""
    if not is_over(folder):
        also = f", and the search of {counted(len(searches(folder)), 'arm')}"
    elif more := left_of_search(folder):
        also = f", and {more:,} at tuned settings"
    verb = "is" if left == 1 else "are"
    total = counted(len(trials), "trial")
    return f"{left:,} of {total} {verb} left{also}; the same command goes on."


def tell(folder: Path, trials: Sequence[Trial], before: str = "") -> None:
    """Print how trials have ended."""
    broken = damage(folder, [trial.id for trial in trials])
    left = {trial.id for trial in unfinished(folder, trials)} | broken.keys()
    statuses = [status_of(folder, t)["status"] for t in trials if t.id not in left]
    counts = Counter(statuses)
    words = ", ".join(f"{n:,} {status}" for status, n in counts.most_common()) or "none"
    ended_ones = f"{len(statuses):,} of {counted(len(trials), 'trial')}"
    say(f"{before}{ended_ones}: {words}. Results in {folder}")
    if broken:
        say(told(broken))
    if counts["crashed"]:
        say(f"What crashed left a trace: {folder}/trials/*/traceback.txt")
    resting = paused(folder, trials)
    for arm in {trial.arm: None for trial in trials if trial.id in left}:
        if arm in resting:
            say(sentence(arm, resting[arm], folder))
