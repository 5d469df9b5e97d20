"""What a study will take: counted from the plan, timed from what ran here."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
import yaml
from small_plan import PAPER, make, planned

from sixteen import cli
from sixteen.datasets import digits
from sixteen.errors import UserError
from sixteen.lineage import estimate, probe, probes, record, speeds
from sixteen.lineage.items import Items, items_of
from sixteen.lineage.steps import Run

# What a probe says: seconds an item to train and to test, at least and at most; of starting and of compiling.
MEASURED = {"low": [0.01, 0.005], "high": [0.02, 0.01], "start": 3.0, "compile": 1.0}


def told(parameters):
    return in_words(estimate.estimate(planned(parameters), ["small"]))


def in_words(text):
    """The text without its layout, after a look at that."""
    assert all(len(line) <= 80 and line == line.rstrip() for line in text.splitlines())
    return " ".join(text.split())


def folder_of_images():
    """A dataset of three and two empty images in the current folder."""
    for name in ("train/a/1.png", "train/a/2.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"):
        Path("images", name).parent.mkdir(parents=True, exist_ok=True)
        Path("images", name).touch()
    entry = {"kind": "image-folder", "path": "images", "sha256": "0" * 64, "normalisation": "unit"}
    return {**entry, "height": 16, "width": 24, "colour": "grey"}


@pytest.fixture
def probed(monkeypatch):
    """The probes that were asked for, a list of them each time; none is really made."""
    made = []

    def measure(specs, root, workers):
        made.append([spec["says"] for spec in specs.values()])
        return {
            key: dict.fromkeys(spec["count"], 7_800_000) if "count" in spec else MEASURED
            for key, spec in specs.items()
        }

    monkeypatch.setattr(probes.probe, "measure", measure)
    return made


def never_run(parameters, recipe="sgd", **changed):
    """Parameters whose trainings differ from all finished ones; returns the recipe, with what changed."""
    recipes = parameters["recipes"]
    recipes[recipe] = recipes["sgd"] | {"batch": 128} | changed
    return recipes[recipe]


def test_a_finished_study_needs_nothing(project, parameters):
    text = told(parameters)
    assert text.startswith("small: 15 runs, 15 done, 0 to do Time: nothing to train")
    assert "0 items to train in 0 runs" in text and "Disk: nothing more" in text


def test_a_run_of_a_version_that_knew_no_devices_tells_no_speed(project, parameters, probed):
    for folder in record.find(Path()):
        kept = record.read(folder)
        kept["parameters"].pop("devices", None)
        record.write(folder, kept)
    parameters["studies"]["small"]["seeds"] = [0, 1, 2]
    told(parameters)
    assert probed


def test_time_comes_first_then_disk_then_the_steps(project, parameters, probed):
    never_run(parameters)
    text = told(parameters)
    assert text.index("Time: ") < text.index("Disk: ") < text.index("Runs: ")


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
    assert f"{images:,} items to train in 6 runs" in text
    # The finished ones spent 10 s on 2,884 items, as long as each new one takes.
    assert "resnet8 float32 4 about 10 s 4 runs here" in text
    assert "Time: " in text and "probe" not in text


def test_a_probe_is_made_for_each_batch_and_augmentation(project, parameters, probed):
    never_run(parameters, "large")
    never_run(parameters, "flipped", augmentation="crop-flip")
    never_run(parameters, "slow", learning_rate=0.001)
    parameters["studies"]["small"]["arms"] = {
        name: f"trained-in-float32-by-{name}-until-2" for name in ("large", "flipped", "slow")
    }
    told(parameters)
    assert probed == [["resnet8 in float32 on digits, batch 128"] * 2]


def test_how_the_loss_is_scaled_makes_no_other_probe(project, parameters, probed):
    never_run(parameters)
    parameters["precisions"]["mixed"] = parameters["precisions"]["float16"] | {
        "master_weights": True
    }
    parameters["precisions"]["quantized"] = parameters["precisions"]["float32"] | {
        **{"low": 3, "high": 8, "gradients": 8, "ranges": "moving", "bits": "static"},
    }
    parameters["studies"]["small"]["arms"] = {
        arm: f"trained-in-{words}-by-sgd-until-2"
        for arm, words in {
            "float32": "float32",
            "float16": "float16",
            "scaled": "float16-with-loss_scale-eight",
            "stored": "float16-with-batch_norm-float16",
            "mixed": "mixed",
            "quantized": "quantized",
            "lower": "quantized-with-high-4",
        }.items()
    }
    told(parameters)
    formats = ("float32", "float16", "mixed float16", "quantized")
    assert probed == [[f"resnet8 in {name} on digits, batch 128" for name in formats]]


def test_studies_share_probes_but_for_the_shape_of_their_items(project, parameters, probed):
    never_run(parameters)
    studies = parameters["studies"]
    parameters["datasets"]["wide"] = folder_of_images()
    studies["again"] = studies["small"] | {"title": "Another", "seeds": [2, 3]}
    studies["wide"] = studies["small"] | {"title": "A wider one", "dataset": "wide"}
    text = estimate.estimate(planned(parameters), ["small", "again", "wide"])
    *blocks, about = text.split("\n\n")
    assert [block.split(":")[0] for block in blocks[::4]] == ["small", "again", "wide"]
    assert about.startswith("Probes are") and text.count("Probes are") == 1
    formats = ("float32", "float16")
    shapes = [f"resnet8 in {f} on {d}, batch 128" for d in ("digits", "wide") for f in formats]
    assert probed == [[*shapes, "weights of 1 network"]]


def test_a_probe_is_scaled_by_multiply_adds(project, parameters):
    network = parameters["networks"]["resnet8"]
    parameters["networks"]["resnet20"] = network | {"depth": 20}
    parameters["studies"]["small"] |= {"networks": ["resnet8", "resnet20"], "seeds": [0]}
    plan, items = planned(parameters), Items(1000, 500, 10, (8, 8, 1))
    runs = {run.path.split("/")[2]: run for run in plan.runs.values() if run.step == "train"}
    adds = {
        name: probes.cost(probes.NETWORK.validate_python(run.parameters["network"]), (8, 8, 1), 10)
        for name, run in runs.items()
    }
    scaled = {
        name: probes._Probes(plan).scaled(MEASURED, (run, items)) for name, run in runs.items()
    }
    factor = adds["resnet20"] / adds["resnet8"]
    # Half as many items are tested as trained, in half of the time each.
    for name, scale in (("resnet8", 1), ("resnet20", factor)):
        assert scaled[name].item == pytest.approx((scale * 0.0125, scale * 0.025))
        assert scaled[name].fixed == pytest.approx((3, 3 + scale))


def test_a_probe_without_an_answer_says_why_and_spares_the_others(project, parameters, monkeypatch):
    never_run(parameters)

    def measure(specs, root, workers):
        return {
            key: "its probe failed: no memory" if "float16" in spec["says"] else MEASURED
            for key, spec in specs.items()
        }

    monkeypatch.setattr(probes.probe, "measure", measure)
    text = told(parameters)
    assert "resnet8 in float16 has no estimate: its probe failed: no memory." in text
    assert "resnet8 float16 2 no estimate" in text and "without those that have no estimate" in text
    assert "Time: no estimate" not in text


@pytest.mark.parametrize(("load", "busy"), [(0.2, False), (8.0, True)])
def test_a_busy_machine_is_named_with_its_estimate(
    project, parameters, probed, monkeypatch, load, busy
):
    never_run(parameters)
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    text = told(parameters)
    assert "a probe" in text
    assert ("busy meanwhile (load 8.0 beside them, 2 cores)" in text) is busy


def test_progress_goes_to_stderr_and_the_estimate_to_stdout(
    project, parameters, monkeypatch, capsys
):
    never_run(parameters)
    Path("params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    monkeypatch.setattr(probe, "_run", lambda *told: "its probe failed: not now")
    monkeypatch.setattr(sys, "argv", ["sixteen", "plan", "small"])
    monkeypatch.setattr(probe.log, "handlers", [])
    with pytest.raises(SystemExit) as left:
        cli.main()
    printed = capsys.readouterr()
    assert left.value.code == 0 and printed.out.startswith("small: ")
    assert sorted(printed.err.splitlines()) == [
        "measuring 1 of 2: resnet8 in float32 on digits, batch 128",
        "measuring 2 of 2: resnet8 in float16 on digits, batch 128",
    ]


def test_a_probe_that_fails_or_takes_too_long_is_a_sentence(tmp_path, monkeypatch):
    spec = {"says": "nothing", "training": {}, "items": [8, 8, 1, 10]}
    assert probe.measure({"a": spec}, tmp_path, 1)["a"].startswith("its probe failed: ")
    monkeypatch.setattr(probe, "MINUTES", 0)
    assert probe.measure({"a": spec}, tmp_path, 1)["a"] == "its probe didn't end within 0 minutes"


def test_what_never_ran_here_is_named_as_not_counted(project, parameters):
    claim = {"id": "faster", "says": "…", "source": "…", "metric": "step_seconds", "only": None}
    claim |= {"arms": ["float16", "float32"], "test": "ratio_less", "hardware": None}
    parameters["studies"]["small"]["time"] = {"turns": 3, "steps": 5}
    paper = PAPER | {"claims": {"few": [claim]}}

    def named():
        text = in_words(estimate.estimate(planned(parameters, paper=paper), ["small"]))
        return "Not counted, since none ran here yet: time (1)." in text

    assert named()
    parameters["studies"]["small"]["seeds"] = [0, 1, 2]
    assert named()
    make(parameters, paper)
    parameters["studies"]["small"]["time"]["steps"] = 6
    assert not named()


def test_ten_times_the_epochs_take_ten_times_as_long(project, parameters):
    arms = parameters["studies"]["small"]["arms"]
    for arm, text in arms.items():
        arms[arm] = text.replace("until-2", "until-20").replace("until-4", "until-40")
    assert "about 100 s" in told(parameters)


def test_runs_of_another_machine_are_no_measure(project, parameters, probed):
    for folder in record.find(Path()):
        kept = record.read(folder)
        record.write(folder, {**kept, "execution": {**kept["execution"], "host": "elsewhere"}})
    parameters["studies"]["small"]["seeds"] = [0, 1, 2]
    assert "runs here" not in told(parameters) and probed


def test_disk_is_that_of_finished_runs_of_the_kind(project, parameters):
    parameters["studies"]["small"]["seeds"] = [0, 1, 2]
    text = told(parameters)
    assert "8 runs as large as finished ones of their kind" in text


def test_disk_of_runs_of_a_new_kind_is_that_of_what_they_hold(project, parameters, probed):
    parameters["networks"]["resnet20"] = parameters["networks"]["resnet8"] | {"depth": 20}
    parameters["studies"]["small"]["networks"] = ["resnet20"]
    text = told(parameters)
    weights, logits = 7_800_000, 2 * 355 * 10
    trained = 4 * 4 * (weights + logits) + 2 * 2 * (weights + logits)  # in float32 and float16
    megabytes = float(text.partition("Disk: ")[2].split()[0])
    assert megabytes == pytest.approx((trained + 2 * 2 * weights) / 1e6, rel=0.01)
    assert "8 runs by their numbers of weights" in text and "4 runs with tables and pages" in text


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
    parameters["datasets"]["digits"] = folder_of_images()
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
        "devices": 1,
        "seed": 0,
        "task": "classify_images",
        "network": parameters["networks"]["resnet8"],
        "precision": parameters["precisions"]["float32"],
        "recipe": parameters["recipes"]["sgd"] | {"schedule": parameters["schedules"]["constant"]},
        "checkpoint_epochs": 1,
        "checkpoint_steps": 1000,
        "watched": [],
    }
    counted = {"network": training["network"], "precision": training["precision"]}
    counted |= {"items": [8, 8, 1, 10]}
    specs = {
        "trained": {"says": "a training", "training": training, "items": [8, 8, 1, 10]},
        "counted": {"says": "a count", "count": {"it": counted}},
    }
    results = probe.measure(specs, tmp_path, 1)
    result = results["trained"]
    assert 0 < result["low"][0] <= result["high"][0] and result["start"] > 0
    assert results["counted"] == {"it": pytest.approx(78_000, rel=0.1)}


def test_each_machine_has_a_probe_of_its_own(project, parameters, probed):
    never_run(parameters, batch=128)
    parameters["machines"] = {"jax-2": {"backend": "jax", "threads": 2, "devices": 1}}
    arms = parameters["studies"]["small"]["arms"]
    arms["float32"] = f"{arms['float32']}-on-jax-2"
    told(parameters)
    assert probed[0].count("resnet8 in float32 on digits, batch 128") == 2


def test_trainings_share_the_cores_by_the_threads_of_the_one_that_has_most(monkeypatch):
    monkeypatch.setattr(speeds.Path, "glob", lambda *_: iter(()))
    monkeypatch.setattr(speeds.os, "sched_getaffinity", lambda _: set(range(8)))
    runs = [
        Run("train", "", {"backend": "jax", "threads": n, "devices": 1}, {}, {}, {}, {})
        for n in (1, 4, 2)
    ]
    assert speeds.workers_for(runs)[0] == 2
    assert speeds.workers_for(runs[:1])[0] == 8
