"""A newcomer's additions: a network, a dataset and a task by one module each, a paper by one file, a study by YAML alone.

The task is another one than giving items classes: its targets are tensors, and nothing in it is right or wrong. Nothing
that was finished becomes stale by any of it.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from small_project import make_project

EXTENSIONS = Path(__file__).parent / "extensions"
ENTRIES = """
datasets:
  waves: {kind: waves, seed: 0, train: 512, test: 200, noise: 0.05}
networks:
  mlp16: {family: mlp, units: 16}
"""
STUDY = """
waves:
  {title: Waves in two formats at two learning rates, papers: [waves], claims: waves, scale: toy,
   notebook: standalone16, dataset: waves, networks: [mlp16], seeds: [0],
   observe: {every: 1, cast_to: float16, phases: last},
   axes: {format: [float32, float16], rate: [0.01, 0.05]},
   arms: {"{format}-{rate}": "trained-in-{format}-by-short-sgd-with-learning_rate-{rate}-until-1"}}
"""
ARMS = {"float32-0_01", "float32-0_05", "float16-0_01", "float16-0_05"}


def shrink(parameters):
    """One narrow ResNet-8, one arm with all steps but observing, one seed, one epoch a phase."""
    parameters["networks"]["resnet8"]["width"] = 4
    study = parameters["studies"]["continuous16-demo"]
    text = study["arms"]["float16"].replace("until-2", "until-1").replace("until-4", "until-2")
    study["arms"], study["claims"], study["seeds"] = {"float16": text}, None, [0]
    del study["observe"]


def extend(project):
    """Copy the modules and the paper to their places, and append to params.yaml."""
    for path in EXTENSIONS.iterdir():
        folder = "." if path.suffix == ".yaml" else "src/sixteen"
        shutil.copy(path, project.folder / folder / path.name.replace("__", "/"))

    def add(parameters):
        for section, entries in yaml.safe_load(ENTRIES).items():
            parameters[section] |= entries
        parameters["studies"] |= yaml.safe_load(STUDY)

    project.edit(add)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The project with a finished study, its runs, and then all that is added."""
    project = make_project(tmp_path_factory.mktemp("extensions") / "project", cheap=False)
    project.edit(shrink)
    project.call("snakemake --cores 2 continuous16-demo")
    runs = project.runs()
    extend(project)
    return project, runs


def test_an_accuracy_is_asked_of_no_task_that_knows_none(finished):
    project, _ = finished
    project.edit(lambda parameters: parameters["studies"]["waves"].update(reach=0.9))
    said = project.call("snakemake -n --cores 2 waves", status=1)
    project.edit(lambda parameters: parameters["studies"]["waves"].pop("reach"))
    assert "the task fit_signals knows none" in said


@pytest.fixture(scope="module")
def added(finished):
    """What the study that was added has made."""
    project, before = finished
    project.call("snakemake --cores 2 waves")
    return project, before, project.runs() - before


def test_a_study_with_two_axes_is_ten_lines_at_most():
    (study,) = yaml.safe_load(STUDY).values()
    assert len(study["axes"]) == 2
    assert len(STUDY.strip().splitlines()) <= 10


def test_additions_make_nothing_stale(finished):
    project, runs = finished
    assert project.nothing_to_do()
    assert runs <= project.runs()


def test_the_study_is_trained_evaluated_and_judged(added):
    project, _, made = added
    trained = {path for path in made if "/trained-in-" in path and "/observed" not in path}
    assert len([path for path in trained if "/evaluated/" not in path]) == len(ARMS)
    tables = project.folder / "reports/waves/tables"
    settings = json.loads((tables / "settings.json").read_text())
    assert set(settings["arms"]) == ARMS
    (claim,) = json.loads((tables / "claims.json").read_text())["claims"]
    assert claim["unit"] == "V"
    assert claim["estimate"] is not None


def test_the_page_speaks_of_this_task_alone(added):
    project, _, _ = added
    page = (project.folder / "reports/waves/index.html").read_text()
    words = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert "root mean square error" in words
    assert "200 test signals" in words
    for other in ("image", "nats", "cross-entropy"):
        assert other not in words


def test_finished_runs_stay_finished(added):
    project, before, _ = added
    assert before <= project.runs()
    assert project.nothing_to_do()


def test_a_value_of_an_axis_adds_the_runs_of_its_arms_alone(added):
    project, _, _ = added

    def add_a_rate(parameters):
        parameters["studies"]["waves"]["axes"]["rate"].append(0.1)

    project.edit(add_a_rate)
    made = project.made_by("snakemake --cores 2 waves")
    trained = [
        f"results/waves/mlp16/trained-in-{format}-by-short-sgd-with-learning_rate-0.1-until-1"
        for format in ("float16", "float32")
    ]
    each = ("evaluated/seed-0", "observed-every-1-for-float16/seed-0", "seed-0")
    study = ["results/waves/summarized", "results/waves/summarized/reported"]
    assert made == sorted([f"{run}/{part}" for run in trained for part in each] + study)
