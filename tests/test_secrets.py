"""Whatever is secret in what was typed shows up nowhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.config.catalog import conf_root, names
from ablate.config.messages import explain
from ablate.errors import UserError
from ablate.runner.provenance import provenance
from ablate.secrets import HIDDEN, forget, hidden, is_secret, said
from tests.plan import forks
from tests.small import SMALL

ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}

# What is typed, and the parts of it that nobody may read.
SHAPES = [
    ("search.storage=postgresql://bob:Zq7rX@host:5432/db", ["Zq7rX"]),
    ("search.storage=postgresql://host/db?user=bob&password=Zq7rX", ["Zq7rX"]),
    ("search.storage=postgresql://host/db?password=Zq7rX&sslmode=require", ["Zq7rX"]),
    ("search.storage=postgresql+psycopg://bob:Zq7rX@host/db", ["Zq7rX"]),
    ("search.storage=postgresql://bob:Zq7@rX9k@host/db", ["Zq7", "rX9k"]),
    ("search.storage=postgresql://bob:Zq7:rX9k@host/db", ["Zq7", "rX9k"]),
    ("search.storage=postgresql://bob:Zq7/rX9k@host/db", ["Zq7", "rX9k"]),
    ("search.storage=postgresql://bob:Zq7%40rX9k@host/db", ["Zq7", "rX9k"]),
    ("search.storage=postgresql://bob:Zq7?rX9k#Lm3@host/db", ["Zq7", "rX9k", "Lm3"]),
    ("search.storage='postgresql://bob:Zq7 rX9k@host/db'", ["Zq7", "rX9k"]),
    ("search.storage=\"postgresql://bob:Zq7'rX9k@host/db\"", ["Zq7", "rX9k"]),
    ("search.storage=postgresql://bob:{Zq7rX}[9k]@host/db", ["Zq7rX", "9k"]),
    ("search.storage=postgresql://bob:Zq7ßé漢rX@host/db", ["Zq7", "漢"]),
    ("search.storage=postgresql://bob:Zq7rX", ["Zq7rX"]),  # the rest was forgotten
    ("search.storage=postgresql%3A%2F%2Fbob%3AZq7rX%40host%2Fdb", ["Zq7rX"]),
    ("search.storage=redis://:Zq7rX@host:6379/0", ["Zq7rX"]),
    ("search.storage=rediss://default:Zq7rX@host", ["Zq7rX"]),
    ("search.storage=mysql+pymysql://bob:Zq7rX@[::1]:3306/db", ["Zq7rX"]),
    ("search.storage=host=h dbname=d password=Zq7rX user=bob", ["Zq7rX"]),
    ("data.root=https://Zq7rX9kLm3@github.com/them/data", ["Zq7rX9kLm3"]),
    ("data.root=https://oauth2:Zq7rX9k@gitlab.com/them/data", ["Zq7rX9k"]),
    ("data.root=s3://AKIAIOSFODNN7EXAMPLE:Zq7/rX+9k@bucket/x", ["AKIAIOSFODNN7EXAMPLE", "Zq7"]),
    ("data.root=https://a.blob.core.windows.net/c?sv=2024&sig=Zq7%2BrX%3D", ["Zq7%2BrX%3D"]),
    ("data.root=https://h/x?X-Amz-Signature=Zq7rX&X-Amz-Credential=Lm3k", ["Zq7rX", "Lm3k"]),
    ("data.root=https://h/x?token=Zq7rX", ["Zq7rX"]),
    ("data.root=https://h/x?pass%77ord=Zq7rX", ["Zq7rX"]),
    ("data.root=https://h/x#access_token=Zq7rX&expires=9", ["Zq7rX"]),
    ("tracker.api_key=Zq7rX9kLm3", ["Zq7rX9kLm3"]),
    ("+tracker.apiKey='Zq7 rX9k'", ["Zq7", "rX9k"]),
    ("++tracker.key-file.secret=Zq7rX", ["Zq7rX"]),
    ("AWS_SECRET_ACCESS_KEY=Zq7/rX+9k=", ["Zq7", "rX"]),
    ("+env.AWS_SESSION=Zq7rX", ["Zq7rX"]),
    ("+hydra.job.env_set.WANDB_API_KEY=Zq7rX9k", ["Zq7rX9k"]),
    ("+hydra.job.env_set.HARMLESS=Zq7rX9k", ["Zq7rX9k"]),
    ("+hydra.job.env_set={A: Zq7rX9k, B: Lm3k}", ["Zq7rX9k", "Lm3k"]),
    ("hydra.launcher.setup=[\"export PGPASSWORD='Zq7 rX9k'\"]", ["Zq7", "rX9k"]),
    ("+x={\"password\": \"Zq7, rX9k}\", \"n\": 1}", ["Zq7", "rX9k"]),
    ("+x='{\\\"db\\\": {\\\"dbPwd\\\": \\\"Zq7rX\\\"}}'", ["Zq7rX"]),
    ("+x={a: {token: [Zq7rX, Lm3k]}}", ["Zq7rX", "Lm3k"]),
    ("+x={headers: {Authorization: Bearer Zq7rX.Lm3k}}", ["Zq7rX.Lm3k"]),
    ("+x=ghp_Zq7rX9kLm3Zq7rX9kLm3", ["ghp_Zq7rX9kLm3Zq7rX9kLm3"]),
    ("+x=eyJhbGciOiJI.eyJzdWIiOiIx.Zq7rX9k", ["eyJhbGciOiJI.eyJzdWIiOiIx.Zq7rX9k"]),
    ("tracker=wandb://bob:Zq7rX@host", ["Zq7rX"]),
    ("out=bob:Zq7rX@host", ["Zq7rX"]),
    ("+x.passphrase=1234567", ["1234567"]),
]  # fmt: skip
HARMLESS = [
    "trick=[label_smooth,ema_g]", "trick.r1.gamma=0.1,1,10", "seed=0,1,2", "train.latent_dim=100",
    "study.factors={loss:[loss_ns,loss_hinge],r1.gamma:[none,0.1,1]}", "out=results/mine",
    "data.root=/a/b@c/d e", "hydra.launcher.address=ray://host:6379", "metric.path=C:/x/y.pt",
    "search.storage=postgresql://user@host/database", "search.storage=sqlite:////tmp/a b.db",
    "search.storage=postgresql://host:5432/database", "hydra/launcher=joblib",
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_known():
    forget()
    yield
    forget()


@pytest.mark.parametrize(("word", "secrets"), SHAPES)
def test_a_secret_reaches_nothing_that_is_written(word, secrets, monkeypatch):
    monkeypatch.setattr("sys.argv", ["ablate", word])
    key, _, value = word.partition("=")
    tree = {key.lstrip("+"): value, "list": [word]}
    written = json.dumps(provenance("cpu", tree, {"name": word}), ensure_ascii=False)
    shown = [hidden(word), str(UserError(f"'{hidden(word)}' cannot be read.")), written]
    told = said(f"Error of a library: {word} does not answer (see the log); try it again.")
    later = said(" ".join(f"cannot resolve '{secret}'" for secret in secrets if len(secret) > 3))
    for text in (*shown, told, later):
        assert not [secret for secret in secrets if secret in text], text
        assert HIDDEN in text or text is later


@pytest.mark.parametrize("word", HARMLESS)
def test_what_is_harmless_stays_as_it_is(word):
    assert hidden(word) == word
    assert said(f"Type {word}, or leave it out.") == f"Type {word}, or leave it out."


def test_no_key_of_ours_is_taken_for_a_secret():
    from omegaconf import OmegaConf

    def keys(node):
        for key, value in node.items() if isinstance(node, dict) else ():
            yield str(key)
            yield from keys(value)

    for file in Path(conf_root(), "conf").rglob("*.yaml"):
        for key in keys(OmegaConf.to_container(OmegaConf.load(file), resolve=False)):
            assert not is_secret(key), file
    assert not [name for name in names() if is_secret(name)]


def test_the_words_around_a_secret_stay():
    assert said("search.storage=mysql://bob:Zq7rX@h/db is none; type null (or x=1).") == (
        "search.storage=mysql://bob:***@h/db is none; type null (or x=1)."
    )
    assert hidden({"a": {"password": 7, "n": 1}, "token": None}) == {
        "a": {"password": HIDDEN, "n": 1},
        "token": None,
    }
    assert hidden(["--api-key", "Zq7rX", "x"]) == ["--api-key", HIDDEN, "x"]


REFUSED = [
    ("train", "seed=x", "+tracker.api_key=Zq7rX9k"),
    ("train", "tracker.api_key=Zq7rX9k"),
    ("train", "tracker=wandb://bob:Zq7rX9k@host"),
    ("train", "seed=postgresql://bob:Zq7rX9k@host", "budget.images=1"),
    ("train", "data.root=https://Zq7rX9k@host/x,https://Zq7rX9k@host/y"),
    ("train", "--password", "Zq7rX9k"),
    ("train", "data=image_folder", "data.root=https://bob:Zq7rX9k@host/x"),
    ("train", "model=module", "model.generator=a.B", "model.discriminator=a.B",
     "model.generator_kwargs={token: Zq7rX9k}"),
    ("sweep", "demo", "search=optuna", "search.storage=postgresql://bob:Zq7rX9k@localhost:1/db"),
    ("sweep", "demo", "search=optuna", "'search.storage=postgresql://b:x Zq7rX9k@no@localhost:1'"),
    ("sweep", "demo", "search=optuna", "search.storage=redis://:Zq7rX9k@localhost:1/db"),
    ("sweep", "demo", "seed=mysql://bob:Zq7rX9k@host/d"),
    ("plan", "postgresql://bob:Zq7rX9k@host/x.yaml"),
    ("status", "postgresql://bob:Zq7rX9k@host/x"),
    ("report", "results", "-o", "https://bob:Zq7rX9k@host/x"),
    ("import", "https://bob:Zq7rX9k@host/x.csv"),
    ("compare", "results", "--where", "data.token=Zq7rX9k"),
    ("data", "fetch", "mnist?token=Zq7rX9k", "--root", "x"),
    ("selftest", "token=Zq7rX9k"),
]  # fmt: skip


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_no_sentence_shows_what_was_typed_as_a_secret(words, place):
    assert place.type(*words) == 2
    assert "Zq7rX9k" not in place.out + place.err
    assert "Traceback" not in place.err


def test_an_error_of_hydra_hides_the_override():
    class Broken(Exception):
        override = "search.storage=postgresql://bob:Zq7 rX9k{@host/db"

    from hydra.errors import OverrideParseException

    error = OverrideParseException(Broken.override, "no viable alternative at Zq7 rX9k")
    assert not {"Zq7", "rX9k"} & set(str(explain(error)).replace("'", " ").split())


def test_a_config_is_shown_without_secrets(place):
    assert place.type("train", "--cfg", "job", "out='postgresql://bob:Zq7 rX9k@host/db'") == 0
    assert "Zq7" not in place.out and "rX9k" not in place.out
    assert "out: postgresql://bob:***@host/db" in place.out


def test_nothing_of_several_trials_holds_a_secret(place):
    words = ["train", "-m", "seed=0,1", "+hydra.job.env_set.WANDB_API_KEY=Zq7rX9k",
             "metric.path=https://bob:Zq7rX9k@host/x", "tracker=wandb"]  # fmt: skip
    # in a process of its own: W&B keeps its service for one, which Hydra's env_set would cut off
    assert forks.run(place.path, [words[0], *SMALL, *words[1:]]) == 0
    files = [file for file in place.path.rglob("*") if file.is_file()]
    assert [file for file in files if file.suffix == ".wandb"]
    assert place.path / "log" in files  # what was printed
    assert not [file for file in files if b"Zq7rX9k" in file.read_bytes()]


def test_nothing_of_a_study_holds_a_secret(place):
    """Every byte of the results and the cache, unpacked where it is packed."""
    storage = f"sqlite:///file:{place.path}/optuna.db?uri=true&password=Zq7rX9k"
    words = ["sweep", "demo", "study.design=one_at_a_time", "trick=[label_smooth]",
             "study.seeds=[0]", "search=optuna", "search.trials=1", "search.seeds=[9]",
             "hydra/launcher=basic", f"search.storage='{storage}'",
             "+hydra.job.env_set.WANDB_API_KEY=Zq7rX9k", "out=results/x"]  # fmt: skip
    code = place.type(*words)
    assert "Zq7rX9k" not in place.out + place.err
    assert code == 0, place.err
    files = [file for file in place.path.rglob("*") if file.is_file()]
    assert [file for file in files if file.name == "provenance.json"]
    assert not [file for file in files if b"Zq7rX9k" in file.read_bytes()]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="titles are those of Linux")
def test_a_list_of_processes_shows_no_secret(tmp_path):
    waiting = (
        "import sys, time; import ablate.cli.main as cli; "
        "cli.run = lambda arguments: (print(arguments[1], sys.argv, sys.orig_argv, flush=True), "
        "time.sleep(60)); cli.main()"
    )
    word = "search.storage=postgresql://bob:Zq7rX9k@host/db"
    command = [sys.executable, "-c", waiting, "sweep", word]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=ENVIRONMENT
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        listed = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert line.startswith(word), "the command itself has what was typed"
    assert "Zq7rX9k" not in line.removeprefix(word)
    assert "Zq7rX9k" not in listed
    assert "postgresql://bob:***@host/db" in listed


def test_a_trace_of_the_interpreter_shows_no_secret(tmp_path):
    broken = (
        "import ablate.cli.main as cli\n"
        "def run(arguments): raise RuntimeError(f'cannot reach {arguments[1]} with Zq7 rX9k')\n"
        "cli.run = run; cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken, "sweep", "search.storage=mysql://b:Zq7 rX9k@h/d"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=ENVIRONMENT,
    )  # fmt: skip
    assert "RuntimeError: cannot reach" in done.stderr
    assert "Zq7" not in done.stderr and "rX9k" not in done.stderr
