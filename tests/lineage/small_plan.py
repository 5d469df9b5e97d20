"""A small project whose steps are cheap and real: planned, executed, recorded and published as any other."""

import copy
import json
import shutil
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sixteen.analysis.evaluate import Evaluation
from sixteen.analysis.parameters import Summary
from sixteen.datasets.prepared.prepare import Preparation
from sixteen.lineage import job
from sixteen.lineage.plan import Plan
from sixteen.precision.quantize import Quantization
from sixteen.reporting import provenance
from sixteen.reporting.publish import publish
from sixteen.reporting.report import Report
from sixteen.study.load import parse
from sixteen.study.paper import Paper
from sixteen.timing.parameters import Timing
from sixteen.training.parameters import Observation, Training

PARAMETERS = {
    "backend": "tensorflow",
    "threads": 1,
    "devices": 1,
    "checkpoint_epochs": 5,
    "checkpoint_steps": 1000,
    "datasets": {"digits": {"kind": "digits", "normalisation": "scalar"}},
    "networks": {"resnet8": {"family": "resnet", "depth": 8, "width": 16}},
    "loss_scales": {"eight": {"kind": "static", "factor": 8}},
    "bits": {"static": {"kind": "static"}},
    "precisions": {
        name: {
            "compute": name,
            "master_weights": False,
            "batch_norm": "float32",
            "loss": name,
            "loss_scale": None,
        }
        for name in ("float32", "float16")
    },
    "schedules": {"constant": {"kind": "constant", "warmup": 0, "restarts": False}},
    "recipes": {
        "sgd": {
            "optimizer": "sgd",
            "learning_rate": 0.01,
            "momentum": 0.9,
            "schedule": "constant",
            "clip_norm": None,
            "l2": 0.0001,
            "averaging": None,
            "batch": 32,
            "label_smoothing": 0,
            "gradient_accumulation": 1,
            "augmentation": "none",
        }
    },
    "statistics": {"confidence": 0.95, "alpha": 0.05, "power": 0.8},
    "studies": {
        "small": {
            "title": "A small study",
            "papers": ["one"],
            "scale": "toy",
            "notebook": "empty",
            "claims": "few",
            "dataset": "digits",
            "networks": ["resnet8"],
            "seeds": [0, 1],
            "arms": {
                "float32": "trained-in-float32-by-sgd-until-2/continued-in-float32-by-sgd-until-4",
                "float16": "trained-in-float32-by-sgd-until-2/quantized-to-float16"
                "/continued-in-float16-by-sgd-until-4",
            },
        }
    },
    "targets": {"demo": ["small"], "demos": ["small"], "all": ["small"]},
}
PAPER = {
    "title": "A paper",
    "authors": ["An author"],
    "year": 2026,
    "cited": "arXiv:0000.00000",
    "url": None,
    "settings": {"batch": "32"},
    "tables": {},
    "claims": {"few": []},
}
# What each step reads: a plan must be made of these.
READ = {
    "prepare": Preparation,
    "train": Training,
    "continue_training": Training,
    "observe": Observation,
    "quantize": Quantization,
    "evaluate": Evaluation,
    "time": Timing,
    "summarize": Summary,
    "report": Report,
}


def planned(parameters, root=Path(), paper=PAPER):
    """The plan of what a params.yaml and one paper would hold."""
    return Plan(parse(copy.deepcopy(parameters), {"one": Paper.model_validate(paper)}), root)


def cheap(run):
    """A step that writes the files of the real one, with content that depends on all that it reads."""

    def step(parameters, inputs, into, scratch):
        parameters = parameters.plain()
        read = {
            role: sorted(path.name for path in Path(place).glob("*"))
            for role, place in inputs.items()
        }
        for name in run.outputs:
            (into / name).write_text(f"{run.path} {name} {json.dumps([parameters, read])}\n")
        if "outcome.json" in run.outputs:
            told = {"outcome": "finished", "of": [run.path, parameters, read]}
            (into / "outcome.json").write_text(json.dumps(told))
        if run.step == "summarize":
            (into / "claims.json").write_text('{"claims": []}')
        if run.step == "report":
            _report(parameters, inputs["summary"], into)
        facts = {
            "train_seconds": 8.0,
            "test_seconds": 2.0,
            "items": 2884,
            "parameters": 78_000,
            "device": "cpu: a model",
        }
        if run.step == "prepare":
            return {"train_items": 1442, "test_items": 355, "outputs": 10, "shape": [8, 8, 1]}
        return facts if "train" in run.step else {}

    step.__doc__ = "Cheap."
    step.__annotations__ = {"parameters": READ[run.step]}
    return step


def _report(parameters, summary, into):
    closure = provenance.collect(summary)
    (into / "provenance.json").write_text(json.dumps(closure, indent=1))
    inside = {
        "figure": "accuracy",
        "study": parameters["study"],
        "summary": closure["summary"],
        "fingerprint": summary.name,
    }
    (into / "figures").mkdir()
    png = PngInfo()
    png.add_text("sixteen", json.dumps(inside))
    Image.new("RGB", (40, 40)).save(into / "figures/accuracy.png", pnginfo=png)
    described = json.dumps({"sixteen": inside})
    (into / "figures/accuracy.svg").write_text(
        f"<svg><dc:description>{described}</dc:description></svg>"
    )
    (into / "tables").mkdir()
    shutil.copyfile(summary / "claims.json", into / "tables/claims.json")
    shutil.copyfile(summary / "runs.csv", into / "tables/runs.csv")


def make(parameters, paper=PAPER):
    """Make and publish everything that the parameters plan, in the current folder; returns the plan."""
    plan = planned(parameters, paper=paper)
    for run in plan.runs.values():
        job.execute(run, cheap(run))
    for study in parameters["studies"]:
        reported = next(run for run in plan.study(study) if run.step == "report")
        publish(Path(reported.path), Path("reports"), study)
    return plan
