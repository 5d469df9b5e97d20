"""Runs of a small network on a few digits, each in a process of its own as in the workflow."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from pydantic import TypeAdapter
from safetensors.numpy import load_file

from sixteen.networks.resnet import Resnet
from sixteen.precision.entry import Precision
from sixteen.training.recipe import Recipe

PROGRAM = """
import json, logging, os, signal, sys
from pathlib import Path
logging.basicConfig(format="%(message)s")
logging.getLogger("sixteen").setLevel("INFO")
from sixteen.training import observe, parameters, train
call = json.loads(sys.argv[1])
class Killer(logging.Handler):
    def emit(self, record):
        if record.getMessage().startswith(call["killed_after"]):
            os.kill(os.getpid(), signal.SIGKILL)
if call["killed_after"]:
    logging.getLogger("sixteen").addHandler(Killer())
kind = parameters.Observation if call["step"] == "observe" else parameters.Training
module = observe if call["step"] == "observe" else train
inputs = {role: Path(path) for role, path in call["inputs"].items()}
facts = getattr(module, call["step"])(
    kind.model_validate_json(json.dumps(call["parameters"])),
    inputs,
    Path(call["into"]),
    Path(call["scratch"]),
)
print(json.dumps(facts))
"""
FLOAT32 = {
    "compute": "float32",
    "master_weights": False,
    "batch_norm": "float32",
    "loss": "float32",
    "loss_scale": None,
}
FLOAT16 = FLOAT32 | {"compute": "float16", "loss": "float16"}
MIXED = FLOAT32 | {"compute": "float16", "master_weights": True}
DYNAMIC = {"kind": "dynamic", "start": 32768, "growth_interval": 2000, "factor": 2}
PRECISIONS = {
    "float32": FLOAT32,
    "float16": FLOAT16,
    "bfloat16": FLOAT32 | {"compute": "bfloat16", "loss": "bfloat16"},
    "mixed_float16": MIXED | {"loss_scale": DYNAMIC},
    "overscaled": MIXED | {"loss_scale": DYNAMIC | {"start": 2**24}},
    "mixed_unscaled": MIXED,
    "mixed_static": MIXED | {"loss_scale": {"kind": "static", "factor": 1024}},
    "float16_scaled": FLOAT16 | {"loss": "float32", "loss_scale": DYNAMIC},
    "float16_static": FLOAT16 | {"loss_scale": {"kind": "static", "factor": 128}},
    "all_float16": FLOAT16 | {"batch_norm": "float16"},
}
CONSTANT = {"kind": "constant", "warmup": 0, "restarts": False}
RECIPE = {
    "optimizer": "sgd",
    "learning_rate": 0.05,
    "schedule": CONSTANT,
    "clip_norm": None,
    "momentum": 0.9,
    "l2": 0.0001,
    "averaging": None,
    "batch": 32,
    "label_smoothing": 0,
    "gradient_accumulation": 1,
    "augmentation": "none",
}
ADAM = {"optimizer": "adam", "learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999}
WATCH = {"every": 2, "cast_to": "float16"}
TABLES = ("observations.csv", "descent.csv", "exponents.csv", "kinks.csv")
DETERMINISTIC = (
    "weights.safetensors",
    "predictions.safetensors",
    "history.csv",
    "outcome.json",
)


def recipe_of(**changes):
    """The recipe of the runs with some of its keys changed; another optimizer leaves out what it doesn't have."""
    entry = RECIPE | changes
    if entry["optimizer"] != "sgd":
        del entry["momentum"]
    return entry


def recipe(**changes) -> Recipe:
    return TypeAdapter(Recipe).validate_python(recipe_of(**changes))


def precision(name, **changes) -> Precision:
    return Precision.model_validate(PRECISIONS[name] | changes)


def resnet() -> Resnet:
    return Resnet(family="resnet", depth=8, width=4)


RESNET = {"family": "resnet", "depth": 8, "width": 4}
# Compiled in a third of the time of a ResNet.
VIT = {
    **{"family": "vit", "blocks": 1, "patch": 4, "dimension": 8, "heads": 2, "mlp": 16},
    **{"head": [16], "dropout": 0.0, "head_dropout": 0.0},
}


def parameters(
    precision="float32",
    backend="tensorflow",
    network=RESNET,
    task="classify_images",
    seed=0,
    until=4,
    watched=(),
    checkpoint_steps=1000,
    devices=1,
    **changes,
):
    """JSON of the parameters of a run."""
    return {
        "backend": backend,
        "threads": 1,
        "devices": devices,
        "seed": seed,
        "task": task,
        "network": network,
        "precision": PRECISIONS[precision] if isinstance(precision, str) else precision,
        "recipe": recipe_of(**changes),
        "until": until,
        "checkpoint_epochs": 5,
        "checkpoint_steps": checkpoint_steps,
        "watched": list(watched),
    }


def watched(fingerprint, **changes):
    """JSON of an observation that is made for the run `fingerprint`."""
    module = "sixteen.training.observer"
    return {"fingerprint": fingerprint, "module": module, "watch": WATCH | changes}


def bytes_of(folder: Path, names) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names}


def tensors(run: "Run", name: str = "weights") -> dict:
    """The arrays of a safetensors file of a run."""
    return load_file(run.into / f"{name}.safetensors")


class Killed(Exception):
    """What a session in this process dies of."""


class Run:
    """A finished run: its folder, its facts, and what it said while it ran."""

    def __init__(self, into: Path, facts: dict, said: str):
        self.into, self.facts, self.said = into, facts, said
        self.outcome = json.loads((into / "outcome.json").read_text())
        header, *rows = (into / "history.csv").read_text().splitlines()
        self.history = [dict(zip(header.split(","), row.split(","), strict=True)) for row in rows]

    def column(self, name):
        return [float(row[name]) for row in self.history if row[name]]

    def deterministic(self):
        return bytes_of(self.into, DETERMINISTIC)


class Runner:
    """Starts runs; all share one cache of compiled programs and one dataset."""

    def __init__(self, folder: Path, dataset: Path):
        self.folder, self.dataset = folder, dataset

    def start(
        self,
        name: str,
        start: Path | None = None,
        killed_after: str | None = None,
        weights: Path | None = None,
        **settings,
    ) -> subprocess.Popen:
        inputs = {"dataset": str(self.dataset)} | ({"start": str(start)} if start else {})
        inputs |= {"weights": str(weights)} if weights else {}
        step = "continue_training" if start else "train"
        return self._start(name, step, parameters(**settings), inputs, killed_after)

    def observe(
        self,
        name: str,
        of: Path,
        watch: dict,
        start: Path | None = None,
        weights: Path | None = None,
        **settings,
    ):
        """The folder and the facts of an observation of the run in the folder `of`."""
        inputs = {"dataset": str(self.dataset), "run": str(of)}
        inputs |= {"start": str(start)} if start else {}
        inputs |= {"weights": str(weights)} if weights else {}
        observation = {"training": parameters(**settings), "watch": watch}
        out, said = (process := self._start(name, "observe", observation, inputs)).communicate()
        if process.returncode != 0:
            raise RuntimeError(said)
        return self.folder / name, json.loads(out)

    def scratch(self, name: str) -> Path:
        return self.folder / "scratch" / name

    def _start(
        self, name: str, step: str, parameters: dict, inputs: dict, killed_after: str | None = None
    ) -> subprocess.Popen:
        into, scratch = self.folder / name, self.scratch(name)
        into.mkdir(exist_ok=True)
        scratch.mkdir(exist_ok=True, parents=True)
        call = {
            "step": step,
            "parameters": parameters,
            "inputs": inputs,
            "into": str(into),
            "scratch": str(scratch),
            "killed_after": killed_after,
        }
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps(call)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, name: str, **settings) -> Run:
        return self.finish(name, self.start(name, **settings))

    def finish(self, name: str, process: subprocess.Popen) -> Run:
        out, said = process.communicate()
        assert process.returncode == 0, said
        return Run(self.folder / name, json.loads(out), said)

    def kill(self, name: str, said: str, **settings) -> None:
        """Once it says a line that begins so. By itself, so that it can't have gone on while the test was kept waiting."""
        process = self.start(name, killed_after=said, **settings)
        _, told = process.communicate()
        assert process.returncode == -signal.SIGKILL, told
