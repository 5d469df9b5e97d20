"""What a run stands on: the code that it reaches, the runs that it starts from, the files that it read."""

import json
import shutil
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate
from small_plan import PAPER, cheap, planned

from sixteen.lineage import crate, job, record, trace
from sixteen.lineage.archive import Archive
from sixteen.reporting.verify import verify

FIGURE = Path("reports/small/figures/accuracy.png")
# What a step does its work with, of which an edit makes its runs stale.
TRAINS = {
    *("sixteen.training.train", "sixteen.training.step_tensorflow", "sixteen.training.optimizers"),
    *("sixteen.training.schedules", "sixteen.precision.policies", "sixteen.precision.scales"),
    *("sixteen.networks.resnet", "sixteen.tasks.classify_images", "sixteen.tasks.parts.order"),
}
REACHED = {
    "prepare": {"sixteen.datasets.digits", "sixteen.datasets.prepared.images"},
    "train": TRAINS,
    "continue_training": TRAINS,
    "observe": TRAINS | {"sixteen.training.observer", "sixteen.training.derivatives"},
    "time": {"sixteen.timing.turn", "sixteen.networks.resnet", "sixteen.tasks.classify_images"},
    "quantize": {"sixteen.precision.quantize", "sixteen.precision.formats"},
    "evaluate": {
        "sixteen.tasks.measured.classify_images",
        "sixteen.tasks.measured.parts.classification",
    },
    "summarize": {"sixteen.analysis.statistics", "sixteen.analysis.claims", "sixteen.analysis.tolerance"},
}  # fmt: skip


@pytest.fixture
def whole(project, parameters):
    """A plan in which every step has a run."""
    parameters["studies"]["small"] |= {
        "observe": {"every": 2, "cast_to": "float16", "phases": "last"},
        "time": {"turns": 3, "steps": 5},
    }
    faster = {"id": "faster", "says": "…", "source": "…", "metric": "step_seconds", "only": None}
    faster |= {"arms": ["float16", "float32"], "test": "ratio_less", "hardware": None}
    return planned(parameters, project, PAPER | {"claims": {"few": [faster]}})


@pytest.mark.parametrize("step", REACHED)
def test_the_code_of_a_run_is_all_that_its_step_works_with(whole, step):
    runs = [run for run in whole.runs.values() if run.step == step]
    assert runs
    for run in runs:
        assert REACHED[step] <= set(run.code)


def test_a_network_of_another_family_reaches_its_own_code_alone(project, parameters):
    parameters["networks"]["resnet8"] = {"family": "alexnet", "width": 0.125}
    for run in planned(parameters, project).runs.values():
        if "train" in run.step:
            assert {"sixteen.networks.alexnet", "sixteen.networks.parts.shared"} <= set(run.code)
            assert "sixteen.networks.resnet" not in run.code


def test_each_phase_starts_from_the_one_before_it(whole):
    """Of a cast the cast weights, and what is evaluated is the end of the sentence."""
    for run in whole.study("small"):
        sentence = run.path.split("/seed-")[0]
        before, _, phrase = sentence.rpartition("/")
        if run.step in ("quantize", "continue_training"):
            assert run.parents["start"].startswith(f"{before}/seed-")
        if run.step == "evaluate":
            assert phrase == "evaluated" and run.parents["run"].startswith(f"{before}/seed-")
        seeds = {
            path.split("/seed-")[1].split("/")[0]
            for path in run.parents.values()
            if "seed-" in path
        }
        if "/seed-" in run.path:
            assert seeds <= {run.path.split("/seed-")[1].split("/")[0]}


def test_a_run_trains_on_what_its_path_says(whole, parameters):
    for run in whole.study("small"):
        if run.step in ("train", "continue_training"):
            told = run.parameters
            assert f"/seed-{told['seed']}/" in run.path
            phrase = run.path.split("/seed-")[0].rpartition("/")[2]
            assert f"-in-{told['precision']['compute']}-by-sgd-until-{told['until']}" in phrase
            assert told["recipe"]["learning_rate"] == parameters["recipes"]["sgd"]["learning_rate"]


def test_a_run_whose_record_cannot_be_written_is_not_there(project, parameters, monkeypatch):
    """A folder at its final path has its record; a machine may stop between any two acts."""
    parameters["recipes"]["sgd"]["momentum"] = 0.5
    run = next(run for run in planned(parameters).runs.values() if run.step == "train")

    def stopped(*_):
        raise RuntimeError("the machine stopped")

    with monkeypatch.context() as patch:
        patch.setattr(record, "write", stopped)
        with pytest.raises(RuntimeError, match="the machine stopped"):
            job.execute(run, cheap(run))
    assert not Path(run.path).exists()
    job.execute(run, cheap(run))
    assert record.read(Path(run.path))["fingerprint"] == run.fingerprint


@pytest.fixture
def from_archive(project):
    """The small project, as if its dataset had been prepared from an archive."""
    file = Path("data/fetched/digits/digits.tar.gz")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"images")
    (folder,) = Path("data/prepared/digits").iterdir()
    kept = record.read(folder)
    record.write(folder, {**kept, "inputs": {file.as_posix(): record.sha256_of(file)}})
    shutil.rmtree("reports")  # their copies of the records would be older
    return file


def test_an_archive_that_changed_is_a_finding(from_archive):
    assert verify(Path()).findings == []
    from_archive.write_bytes(b"imagez")
    (finding,) = verify(Path()).findings
    assert str(from_archive) in finding


def test_a_trace_says_whether_the_archive_is_as_it_was_read(from_archive):
    weights = next(iter(Path().glob("results/digits/*/trained*/seed-0/*/weights.safetensors")))

    def told():
        archive = Archive.of(Path())
        return trace.tell(archive, trace.find(archive, weights))[0].replace("\n", " ")

    assert f"read {from_archive}" in told() and "has changed since" not in told()
    from_archive.write_bytes(b"imagez")
    assert "has changed since" in " ".join(told().replace("│", " ").split())


def test_an_archive_that_a_run_reads_is_in_its_record(project, parameters):
    entry = {"kind": "image-folder", "sha256": "0" * 64, "height": 8, "width": 8, "colour": "grey"}
    Path("images.tar").write_bytes(b"images")
    parameters["datasets"]["digits"] = {**entry, "normalisation": "unit", "path": "images.tar"}
    run = next(iter(planned(parameters).runs.values()))
    job.execute(run, cheap(run))
    assert record.read(Path(run.path))["inputs"] == {
        "images.tar": record.sha256_of(Path("images.tar"))
    }


def test_a_crate_says_of_each_run_when_it_ended_what_it_read_and_with_which_values(project):
    # No two moments alike, as they may be where steps are quick.
    for number, folder in enumerate(sorted(record.find(Path()))):
        kept = record.read(folder)
        moments = {"started": f"2026-01-01T00:00:{number:02}+00:00", "ended": f"2026-01-02T00:00:{number:02}+00:00"}  # fmt: skip
        record.write(folder, {**kept, "execution": kept["execution"] | moments})
    shutil.rmtree("reports")
    archive = Archive.of(Path())
    (page,) = Path().glob("results/small/summarized/reported/*/index.html")
    crate.write(archive, trace.find(archive, page), page, Path("out"))
    read = ROCrate("out")
    for path, kept in archive.records.items():
        action = read.get(f"#run-{kept['fingerprint']}")
        assert action["startTime"] == kept["execution"]["started"]
        assert action["endTime"] == kept["execution"]["ended"]
        told = action["object"] if isinstance(action["object"], list) else [action["object"]]
        values = {e["name"]: e["value"] for e in told if e.type == "PropertyValue"}
        for name, value in kept["parameters"].items():
            assert values[name] == (json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value), path  # fmt: skip


def test_a_summary_is_told_of_the_settings_that_runs_train_with(whole):
    """By the names in their sentences: effects are named by these."""
    [summary] = [run for run in whole.runs.values() if run.step == "summarize"]
    named = summary.parameters["precisions"]
    trained = [run for run in whole.study("small") if run.step in ("train", "continue_training")]
    assert len({json.dumps(entry) for entry in named.values()}) == 2
    for run in trained:
        phrase = run.path.split("/seed-")[0].rpartition("/")[2]
        precision = phrase.partition("-in-")[2].partition("-by-")[0]
        assert named[precision] == run.parameters["precision"]
        assert summary.parameters["recipes"]["sgd"] == run.parameters["recipe"]


def test_the_backend_is_told_where_it_counts(project, parameters):
    parameters["backend"] = "jax"
    for run in planned(parameters, project).runs.values():
        assert run.parameters.get("backend", "jax") == "jax"
        if run.step in ("train", "continue_training", "summarize"):
            assert "backend" in run.parameters


def test_a_trace_counts_every_run_that_it_has_checked(project):
    archive = Archive.of(Path())
    text, _ = trace.tell(archive, trace.find(archive, FIGURE))
    assert f"checked    {len(list(record.find(Path())))} runs:" in text
