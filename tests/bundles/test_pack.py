"""What a bundle holds, and when none is written."""

import copy
import dataclasses
import json
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "lineage"))
from small_plan import PAPER, PARAMETERS, cheap, planned

from sixteen.bundles.pack import pack
from sixteen.errors import UserError
from sixteen.lineage import job

BUNDLE = Path("there.zip")


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """A study whose dataset is prepared, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("notebooks").mkdir()
    Path("notebooks/empty.ipynb").write_text('{"cells": []}')
    shutil.copytree(Path(__file__).parents[2] / "workflow/scripts", "workflow/scripts")
    plan = planned(copy.deepcopy(PARAMETERS), paper=PAPER)
    prepare = next(run for run in plan.runs.values() if run.step == "prepare")
    job.execute(prepare, cheap(prepare))
    return plan


def test_what_runs_begin_from_is_packed_or_asked_for(plan):
    weights = Path("data/weights/a.safetensors")
    for path, run in plan.runs.items():
        if run.step == "train":
            plan.runs[path] = dataclasses.replace(run, sources={"weights": f"{weights}"})
    with pytest.raises(UserError, match=f"expected {weights}, found nothing there"):
        pack(plan, ["small"], BUNDLE)
    assert not BUNDLE.exists()
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")

    pack(plan, ["small"], BUNDLE)

    with zipfile.ZipFile(BUNDLE) as archive:
        assert archive.read(f"{weights}") == b"weights"


def test_a_bundle_holds_code_plans_data_and_the_way_to_run_it(plan):
    told = pack(plan, ["small"], BUNDLE)

    with zipfile.ZipFile(BUNDLE) as archive:
        names, about = set(archive.namelist()), json.loads(archive.read(".sixteen/bundle.json"))
    assert {"__main__.py", "sixteen/training/train.py", "workflow/scripts/train.py"} <= names
    steps = ["train", "continue_training", "quantize"]
    todo = [run for run in plan.runs.values() if run.step in steps]
    assert about["to_run"] == [run.fingerprint for run in todo]
    assert {f".sixteen/plan/{run.fingerprint}.json" for run in todo} <= names
    assert any(name.startswith("data/prepared/digits/") for name in names)
    assert f"{len(todo)} runs to make with tensorflow, and 1 that they start from" in told
    assert about["backends"] == ["tensorflow"]


def test_what_is_finished_is_packed_only_where_something_starts_from_it(plan):
    for run in plan.runs.values():
        if run.step == "train":
            job.execute(run, cheap(run))
    pack(plan, ["small"], BUNDLE)
    with zipfile.ZipFile(BUNDLE) as archive:
        about, names = json.loads(archive.read(".sixteen/bundle.json")), archive.namelist()
    made = [run for run in plan.runs.values() if run.step == "train"]
    assert not {run.fingerprint for run in made} & set(about["to_run"])
    assert all(run.record in names for run in made)
    for run in plan.runs.values():
        job.execute(run, cheap(run)) if run.step in ("quantize", "continue_training") else None
    with pytest.raises(UserError, match="nothing of small is left to train"):
        pack(plan, ["small"], BUNDLE)


def test_the_backends_of_all_runs_are_asked_for(plan):
    for path, run in plan.runs.items():
        if run.step == "continue_training":
            told = run.parameters | {"backend": "jax"}
            plan.runs[path] = dataclasses.replace(run, parameters=told)
    assert "runs to make with jax and tensorflow, " in pack(plan, ["small"], BUNDLE)


@pytest.mark.parametrize("name", ["", "new.txt", "params.yaml", "photos.zip", "folder.zip"])
def test_nothing_but_a_bundle_is_replaced_by_one(plan, name):
    Path("params.yaml").write_text("mine")
    Path("folder.zip").mkdir()
    with zipfile.ZipFile("photos.zip", "w") as archive:
        archive.writestr("mine", "")
    before = {path: path.read_bytes() for path in Path().glob("*") if path.is_file()}
    with pytest.raises(UserError, match=r"name ends with \.zip|is no bundle"):
        pack(plan, ["small"], Path(name))
    assert {path: path.read_bytes() for path in Path().glob("*") if path.is_file()} == before
    pack(plan, ["small"], BUNDLE)
    pack(plan, ["small"], BUNDLE)
