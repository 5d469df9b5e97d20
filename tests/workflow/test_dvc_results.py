"""What users of DVC look at: metrics, curves, experiments, and a pull where not everything was ever run."""

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_project import ROOT, STUDY, Project, change_second_rate, train_longer
from test_promises import AFTER_SECOND_RATE, kinds

METRICS = f"reports/{STUDY}/metrics.json"
CURVES = f"reports/{STUDY}/curves.csv"


def answer(project, command):
    """What a command of DVC says as JSON."""
    return json.loads(project.call(command))


def test_dvc_shows_verdicts_and_numbers(project):
    shown = answer(project, "dvc metrics show --json")[""]["data"][METRICS]["data"]
    claims = json.loads((project.folder / f"reports/{STUDY}/tables/claims.json").read_text())
    assert sum(shown["verdicts"].values()) == len(claims["claims"])
    for claim in claims["claims"]:
        assert shown["claims"][claim["id"]]["verdict"] == claim["verdict"]
    assert set(shown["accuracy"]["resnet8"]) == {"float32", "float16"}
    [workspace, *_] = answer(project, "dvc exp show --json")
    assert workspace["data"]["metrics"][METRICS]["data"] == shown


def test_dvc_draws_a_line_an_arm(project):
    [plot] = answer(project, "dvc plots show --json")["data"][CURVES]
    values = plot["content"]["data"]["values"]
    assert {value["series"] for value in values} == {"resnet8 float32", "resnet8 float16"}
    assert [value["epoch"] for value in values] == list("01234") * 2
    assert plot["content"]["encoding"]["y"]["field"] == "test_accuracy"
    assert plot["content"]["encoding"]["color"]["field"] == "series"


def test_an_experiment_is_compared_by_what_changed(project):
    """By editing params.yaml, whose comments and layout stay; `dvc exp run -S` would write it anew."""
    path = project.folder / "params.yaml"
    edited = path.read_text().replace("learning_rate: 0.02\n", "learning_rate: 5.0   # bold\n")
    path.write_text(edited)

    assert kinds(project.made_by("dvc exp run -q demos --name bold")) == AFTER_SECOND_RATE

    assert path.read_text() == edited
    rows = list(csv.DictReader(project.call("dvc exp show --csv --only-changed").splitlines()))
    changed = [name for name in rows[0] if name.startswith("recipes.")]
    assert changed == ["recipes.second-sgd.learning_rate"]
    assert {row["accuracy.resnet8.float32"] for row in rows if row["Experiment"] == "bold"} != {
        row["accuracy.resnet8.float32"] for row in rows if row["rev"] == "main"
    }
    differences = answer(project, "dvc metrics diff main bold --json")[METRICS]
    assert set(differences["accuracy.resnet8.float32"]) == {"old", "new", "diff"}
    [plot] = answer(project, "dvc plots diff main bold --json")["data"][CURVES]
    assert plot["revisions"] == ["main", "bold"]


def test_dvc_finds_the_environment_of_the_project_where_none_is_active(fresh):
    """Then snakemake isn't on PATH, and a stage would end in `snakemake: not found`."""
    environment = Path(sys.executable).parent
    (fresh.folder / ".venv").symlink_to(environment.parent)
    fresh.environment["PATH"] = "/usr/bin:/bin"

    fresh.call(".venv/bin/dvc repro -q demos")

    fresh.environment["PATH"] += f":{environment}"
    assert fresh.nothing_to_do()


@pytest.mark.parametrize("command", ["dvc pull -q demos", "dvc pull -q --allow-missing"])
def test_pulling_what_was_run_is_no_error_where_other_stages_never_were(project, tmp_path, command):
    whole = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    path = project.folder / "dvc.yaml"
    small = yaml.safe_load(path.read_text())
    small["stages"]["paper"] = whole["stages"]["paper"]
    path.write_text(yaml.safe_dump(small | {key: whole[key] for key in ("metrics", "plots")}))
    project.call("git commit -q -a -m paper")
    project.call("dvc push -q")
    shelf = project.folder.parent / "shelf"
    subprocess.run(["git", "clone", "-q", project.folder, tmp_path / "clone"], check=True)
    clone = Project(tmp_path / "clone")
    clone.call(f"dvc remote add -f -d -q --local shelf {shelf}")

    clone.call(command)

    assert clone.nothing_to_do()
    assert clone.runs() == project.runs()
    shown = clone.call("dvc metrics show --json")
    assert METRICS in shown


@pytest.mark.parametrize("checked", [True, False])
def test_a_damaged_remote_is_noticed(finished, clone, tmp_path, checked):
    """By the pull, if the remote is set to be verified; else by `sixteen verify`, which names the file."""
    weights = next(finished.folder.glob("results/digits/**/weights.safetensors"))
    shelf = tmp_path / "shelf"
    shutil.copytree(finished.folder.parent / "shelf", shelf)
    md5 = hashlib.md5(weights.read_bytes()).hexdigest()
    kept = shelf / "files/md5" / md5[:2] / md5[2:]
    kept.chmod(0o644)
    kept.write_bytes(weights.read_bytes()[:-1] + b"?")
    clone.call(f"dvc remote modify --local shelf url {shelf}")
    if checked:
        clone.call("dvc remote modify --local shelf verify true")

    clone.call("dvc pull -q demos", status=1 if checked else 0)

    if checked:
        assert not (clone.folder / "results/digits").exists()
        assert (clone.folder / "reports" / STUDY / "index.html").exists()
        assert "all as recorded" in clone.call("sixteen verify")
    else:
        damaged = weights.relative_to(finished.folder).as_posix()
        assert f"sixteen: {damaged} differs from the record" in clone.call("sixteen verify", 1)


def test_clean_deletes_what_dvc_keeps_and_nothing_else(project):
    """Runs of yesterday's parameters, once another page is published."""
    project.edit(change_second_rate)
    before = project.runs()
    project.call("snakemake --cores 2 demos")
    stale = {path for path in before if "second-sgd" in path}
    added = project.runs() - before
    project.edit(train_longer)

    told = project.call("sixteen clean")

    assert all(path in told for path in stale)
    assert f"{len(stale)} folders" not in told  # page, summary and evaluations of then as well
    project.call("sixteen clean --delete")
    assert not stale & project.runs()
    assert added <= project.runs()  # published
