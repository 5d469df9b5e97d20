"""What a study will take: counted from the plan, timed from what ran here."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_plan import PAPER, make, planned

from sixteen import cli
from sixteen.datasets import digits
from sixteen.errors import UserError
from sixteen.lineage import estimate, record, speeds
from sixteen.lineage.fingerprint import digest
from sixteen.lineage.items import Items, items_of


def told(parameters):
    return estimate.estimate(planned(parameters), "small")


def test_a_finished_study_needs_nothing(project, parameters):
    text = told(parameters)
    assert "15 done, 0 to do" in text and "0 in 0 runs" in text and "nothing to train" in text


@pytest.mark.parametrize("target", ["demo", "demos", "all"])
def test_a_target_is_a_name_as_it_is_for_snakemake(project, target, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sixteen", "plan", target])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("small: 15 runs, 15 done")


def test_images_and_time_of_new_runs_come_from_finished_ones(project, parameters):
    parameters["studies"]["small"]["seeds"] = [0, 1, 2, 3]
    text = told(parameters)
    images = 6 * 2 * 1442  # one training and two continuations for each new seed, of two epochs
    assert f"items to train: {images:,} in 6 runs" in text
    # The finished ones spent 10 s on 2,884 items, as long as each new one takes.
    assert (
        "resnet8 in float32: 4 runs of about 10 s each, from 4 finished runs on this machine"
        in text
    )
    assert "estimated time" in text and "probe" not in text


def test_a_probe_is_made_for_each_batch_and_augmentation(project, parameters, monkeypatch):
    recipes = parameters["recipes"]
    recipes["large"] = recipes["sgd"] | {"batch": 128}
    recipes["flipped"] = recipes["sgd"] | {"augmentation": "crop-flip"}
    recipes["slow"] = recipes["sgd"] | {"batch": 128, "learning_rate": 0.001}
    parameters["studies"]["small"]["arms"] = {
        name: f"trained-in-float32-by-{name}-until-2" for name in ("large", "flipped", "slow")
    }
    made = []

    def measure(specs, root, workers):
        made.extend(spec["parameters"]["recipe"] for spec in specs.values())
        return dict.fromkeys(specs, "not now")

    monkeypatch.setattr(speeds.probe, "measure", measure)
    told(parameters)
    found = sorted((recipe["batch"], recipe["augmentation"]) for recipe in made)
    assert found == [(32, "crop-flip"), (128, "none")]


def test_timings_without_an_estimate_are_named(project, parameters):
    claim = {"id": "faster", "says": "…", "source": "…", "metric": "step_seconds", "only": None}
    claim |= {"arms": ["float16", "float32"], "test": "ratio_less", "hardware": None}
    parameters["studies"]["small"]["time"] = {"turns": 3, "steps": 5}
    paper = PAPER | {"claims": {"few": [claim]}}
    named = "without 1 timing, of which none was made here yet"
    assert named in estimate.estimate(planned(parameters, paper=paper), "small")
    parameters["studies"]["small"]["seeds"] = [0, 1, 2]
    assert named in estimate.estimate(planned(parameters, paper=paper), "small")
    make(parameters, paper)
    parameters["studies"]["small"]["time"]["steps"] = 6
    assert "timing," not in estimate.estimate(planned(parameters, paper=paper), "small")


def test_ten_times_the_epochs_take_ten_times_as_long(project, parameters):
    arms = parameters["studies"]["small"]["arms"]
    for arm, text in arms.items():
        arms[arm] = text.replace("until-2", "until-20").replace("until-4", "until-40")
    assert "runs of about 100 s each" in told(parameters)


def test_runs_of_another_machine_are_no_measure(project, parameters):
    for folder in record.find(Path()):
        kept = record.read(folder)
        record.write(folder, {**kept, "execution": {**kept["execution"], "host": "elsewhere"}})
    assert estimate._Estimate(planned(parameters), "small").here == []


def test_disk_is_that_of_finished_runs_of_the_kind(project, parameters):
    parameters["studies"]["small"]["seeds"] = [0, 1, 2]
    text = told(parameters)
    assert "8 as large as finished runs of their kind" in text


def test_a_dataset_of_unknown_size_is_one_sentence(project, parameters):
    parameters["datasets"]["digits"] = {
        "kind": "image-folder",
        "path": "nowhere",
        "sha256": "0" * 64,
        "height": 32,
        "width": 32,
        "colour": "rgb",
        "normalisation": "unit",
    }
    with pytest.raises(UserError, match="nowhere"):
        told(parameters)


def test_the_images_of_a_folder_are_counted(project, parameters):
    for name in ("train/a/1.png", "train/a/2.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"):
        Path("images", name).parent.mkdir(parents=True, exist_ok=True)
        Path("images", name).touch()
    entry = {"kind": "image-folder", "path": "images", "sha256": "0" * 64, "normalisation": "unit"}
    parameters["datasets"]["digits"] = {**entry, "height": 16, "width": 24, "colour": "grey"}
    prepare = planned(parameters).study("small")[0]
    assert items_of(planned(parameters), prepare, []) == Items(3, 2, 2, (16, 24, 1))


def test_known_sizes_are_those_of_the_real_digits():
    entry = digits.Digits(kind="digits", normalisation="unit")
    read = digits.read(None, entry)
    counted = len(read.train_images), len(read.test_images), len(read.classes)
    assert digits.items(entry) == counted and digits.shape(entry) == read.train_images.shape[1:]


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TensorFlow isn't installed here"
)
def test_the_probe_measures_a_real_training(tmp_path, parameters):
    training = {
        "backend": "tensorflow",
        "threads": 1,
        "seed": 0,
        "task": "classify_images",
        "network": parameters["networks"]["resnet8"],
        "precision": parameters["precisions"]["float32"],
        "recipe": parameters["recipes"]["sgd"] | {"schedule": parameters["schedules"]["constant"]},
        "checkpoint_epochs": 1,
        "watched": [],
    }
    spec = {"parameters": training, "items": [8, 8, 1, 10], "count": [training["network"]]}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    source = str(Path(estimate.__file__).parents[2])
    subprocess.run(
        [sys.executable, "-m", "sixteen.lineage.probe", tmp_path],
        env={**os.environ, "PYTHONPATH": source},
        check=True,
    )
    result = json.loads((tmp_path / "result.json").read_text())
    assert 0 < result["low"][0] <= result["high"][0]
    assert result["counts"] == {digest(training["network"]): pytest.approx(78_000, rel=0.1)}
