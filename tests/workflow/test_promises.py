"""The promises of the workflow, each kept by real Snakemake, DVC and git."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from small_project import change_second_rate, train_longer


def kinds(sentences):
    """How many runs of each kind: the last phrase without its names."""
    counts: dict[str, int] = {}
    for sentence in sentences:
        words = [part for part in sentence.split("/") if not part.startswith("seed-")]
        kind = "prepared" if words[0] == "data" else words[-1].split("-")[0]
        counts[kind] = counts.get(kind, 0) + 1
    return counts


AFTER_SECOND_RATE = {"continued": 4, "observed": 4, "evaluated": 4, "summarized": 1, "reported": 1}


@pytest.mark.parametrize("command", ["snakemake --cores 2 demo", "dvc repro -q demos"])
def test_a_changed_parameter_runs_what_reads_it_and_changed_back_nothing(project, command):
    before = (project.folder / "params.yaml").read_text()
    project.edit(change_second_rate)

    made = project.made_by(command)

    assert kinds(made) == AFTER_SECOND_RATE
    assert project.nothing_to_do()
    (project.folder / "params.yaml").write_text(before)
    assert project.made_by(command) == []
    assert project.nothing_to_do()


def test_swapped_values_are_seen(project):
    """Snakemake compares parameters as an unnamed set, and would miss this one."""

    def swap(parameters):
        recipe = parameters["recipes"]["second-sgd"]
        recipe["momentum"], recipe["learning_rate"] = recipe["learning_rate"], recipe["momentum"]

    project.edit(swap)

    assert kinds(project.made_by("snakemake --cores 2 demo")) == AFTER_SECOND_RATE


def test_one_more_seed_runs_that_seed_alone(project):
    project.edit(lambda p: p["studies"]["continuous16-demo"]["seeds"].append(2))

    made = project.made_by("snakemake --cores 2 demo")

    assert all("seed-2" in path for path in made if "/digits/" in path)
    expected = {"trained": 1, "quantized": 1, "continued": 2, "observed": 2, "evaluated": 2}
    assert kinds(made) == expected | {"summarized": 1, "reported": 1}


def test_snakemake_looks_for_jobs_when_one_has_ended_and_not_all_the_time(project):
    project.edit(change_second_rate)
    command = "snakemake --cores 1 --verbose --until continue_training -- demo"
    looks = project.call(command, CHEAP_PAUSE="3").count("Resources before job selection")
    assert 4 <= looks <= 6  # at the beginning, and after each of four trainings of seconds


def test_dvc_and_snakemake_agree_that_all_is_done(project):
    assert project.nothing_to_do()
    assert "up to date" in project.call("dvc status")


def test_a_clone_after_pull_has_nothing_to_do_and_notices_a_change(clone):
    clone.call("dvc pull -q")

    assert clone.nothing_to_do()
    clone.edit(change_second_rate)
    assert kinds(clone.made_by("snakemake --cores 2 demo")) == AFTER_SECOND_RATE


def test_a_clone_with_reports_only_has_nothing_to_do_and_can_trace(clone):
    clone.call("dvc pull -q reports/continuous16-demo reports/index.html")

    assert clone.nothing_to_do()
    assert clone.runs() == set()
    traced = clone.call("sixteen trace reports/continuous16-demo/index.html")
    for part in ("data/prepared/digits", "trained-in-float32-by-short-sgd", "quantized-to-float16"):
        assert part in traced


def test_the_list_of_reports_comes_back(project):
    listed = (project.folder / "reports/index.html").read_bytes()
    (project.folder / "reports/index.html").unlink()

    planned = project.call("snakemake -n --cores 2 demo")
    assert re.search(r"^index +1$", planned, re.MULTILINE)
    assert project.made_by("snakemake --cores 2 demo") == []
    assert (project.folder / "reports/index.html").read_bytes() == listed
    assert project.nothing_to_do()


def test_a_question_has_its_page_which_is_made_again_when_a_study_of_it_changes(project):
    paper = project.folder / "papers/2311.18587.yaml"
    paper.write_text(f"{paper.read_text()}questions:\n  continuous16: Is 16 bit as good?\n")

    assert project.made_by("snakemake --cores 2 demo") == []
    page = project.folder / "reports/questions/index.html"
    assert "../continuous16-demo/index.html" in page.read_text()
    assert project.nothing_to_do()
    assert "all as recorded" in project.call("sixteen verify")

    project.edit(train_longer)
    project.call("snakemake --cores 2 demo")
    summary = next((project.folder / "reports/questions").glob("manifest-*.json")).read_text()
    (now,) = set(re.findall(r"results/continuous16-demo/summarized/\w+", summary))
    assert (project.folder / now).is_dir() and now in page.read_text()
    assert project.nothing_to_do()
    assert "all as recorded" in project.call("sixteen verify")


def test_the_list_of_reports_is_pulled_with_them(project, clone):
    clone.call("dvc pull -q")
    listed = [p.folder / "reports/index.html" for p in (project, clone)]
    assert listed[0].read_bytes() == listed[1].read_bytes()
    assert "all as recorded" in clone.call("sixteen verify")


def test_a_study_of_another_stage_is_listed_and_the_stages_agree(project):
    def add(parameters):
        studies = parameters["studies"]
        studies["other"] = studies["continuous16-demo"] | {"title": "Another study"}
        parameters["targets"]["all"] = ["other"]

    project.edit(add)
    path = project.folder / "dvc.yaml"
    stages = yaml.safe_load(path.read_text())
    demos = stages["stages"]["demos"]
    outs = [{name: {"persist": True}} for name in ("results/other", "reports/other")]
    stages["stages"]["paper"] = demos | {"cmd": "snakemake --cores 2 all", "outs": outs}
    path.write_text(yaml.safe_dump(stages, sort_keys=False))

    for _ in range(2):
        project.call("dvc repro -q")

    listed = (project.folder / "reports/index.html").read_text()
    assert "other/index.html" in listed and "continuous16-demo/index.html" in listed
    assert project.nothing_to_do()
    assert "up to date" in project.call("dvc status")


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


@pytest.mark.parametrize("name", ["index.html", "record.json"])
def test_a_report_that_is_not_as_recorded_is_not_published(project, name):
    [file] = project.folder.glob(f"results/continuous16-demo/summarized/reported/*/{name}")
    flip(file)
    shutil.rmtree(project.folder / "reports/continuous16-demo")

    output = project.call("snakemake --cores 2 demo", status=1)

    assert f"{file.relative_to(project.folder)} " in output and "Traceback" not in output
    assert not list(project.folder.glob("reports/continuous16-demo/*"))


def test_a_report_refuses_the_false_record_of_a_grandparent(project):
    [file] = project.folder.glob("results/digits/*/trained-*until-2/seed-0/*/record.json")
    file.write_text(file.read_text().replace('"momentum": 0.9', '"momentum": 0.1'))
    shutil.rmtree(project.folder / "reports/continuous16-demo")
    shutil.rmtree(project.folder / "results/continuous16-demo/summarized/reported")

    output = project.call("snakemake --cores 2 demo", status=1)

    assert f"{file.relative_to(project.folder)} isn't as it was written" in output
    assert "Traceback" not in output


def test_logs_that_cannot_be_written_are_one_sentence(fresh):
    (fresh.folder / "logs").mkdir()
    (fresh.folder / "snakemake.sh").write_text(
        "mount --bind logs logs && mount -o remount,bind,ro logs && exec snakemake --cores 2 demo"
    )
    probe = ["unshare", "-rm", "mount", "--bind", str(fresh.folder), str(fresh.folder)]
    if subprocess.run(probe).returncode:
        pytest.skip("a folder can't be mounted here")

    output = fresh.call("unshare -rm sh snakemake.sh", status=1)

    assert "the folder logs can't be written: make it writable" in output
    assert "Traceback" not in output


def test_the_environment_may_stand_in_a_folder_of_any_name(project, tmp_path):
    """Its path goes through a shell, and through Snakemake, to which braces mean something."""
    for name in ("it's here", "{here}"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".venv").symlink_to(sys.prefix)
        shutil.rmtree(project.folder / "reports/continuous16-demo")
        command = [tmp_path / name / ".venv/bin/python", "-m", "snakemake", "--cores", "1", "demo"]

        done = subprocess.run(
            command, cwd=project.folder, env=project.environment, capture_output=True, text=True
        )

        assert done.returncode == 0, done.stderr


def test_a_download_of_which_params_yaml_says_nothing_any_more_is_refused(fresh):
    """Edited while the download was queued."""
    for dataset in ("gone", "digits"):
        to = f"data/fetched/{dataset}/archive.tar.gz"

        output = fresh.call(
            f"python workflow/scripts/fetch.py --dataset {dataset} --output {to} --log logs/fetch.log",
            status=1,
        )

        assert f"no longer says where {to} comes from" in output
        assert "Traceback" not in output


def test_checkout_of_another_commit_and_back(project):
    project.edit(change_second_rate)
    project.call("dvc repro -q demos")
    project.call("git add -A")
    project.call("git commit -q -m faster")
    for commit in ("HEAD~1", "main"):
        project.call(f"git checkout -q {commit}")
        project.call("dvc checkout -q")
        assert project.nothing_to_do()


def test_touching_every_file_changes_nothing(project):
    for path in project.folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts and ".dvc" not in path.parts:
            os.utime(path)

    assert project.nothing_to_do()


def test_a_comment_runs_nothing_and_code_runs_what_reaches_it(project):
    module = project.folder / "src/sixteen/precision/quantize.py"
    source = module.read_text()
    module.write_text(f"# A comment.\n{source}")
    assert project.nothing_to_do()

    module.write_text(f"{source}\nANOTHER = 1\n")
    made = project.made_by("snakemake --cores 2 demo")

    # The float32 arm holds no quantized weights: its runs stay as they are.
    expected = {"quantized": 2, "continued": 2, "observed": 2, "evaluated": 2}
    assert kinds(made) == expected | {"summarized": 1, "reported": 1}
    assert all("quantized-to-float16" in path for path in made if "/digits/" in path)


def test_files_without_their_record_are_refused_and_not_deleted(project):
    """Snakemake would delete them before the job could say a word."""
    [dataset] = project.folder.glob("data/prepared/digits/*/dataset.safetensors")
    (dataset.parent / "record.json").unlink()
    project.edit(change_second_rate)

    output = project.call("snakemake --cores 2 demo", status=1)

    assert "holds files and no record.json" in output
    assert dataset.exists()


def test_two_experiments_unite(project):
    """Runs of two branches lie side by side: nothing is computed twice after a merge."""
    project.call("git checkout -q -b faster")
    project.edit(change_second_rate)
    project.call("dvc repro -q demos")
    project.call("git add -A")
    project.call("git commit -q -m faster")
    project.call("git checkout -q -b longer main")
    project.call("dvc checkout -q")
    before = (project.folder / "params.yaml").read_text()
    project.edit(train_longer)
    project.call("dvc repro -q demos")
    there = project.runs()
    project.call("dvc get -q --rev faster . results/digits -o other")
    for record in (project.folder / "other").rglob("record.json"):
        target = (
            project.folder / "results/digits" / record.parent.relative_to(project.folder / "other")
        )
        if not target.exists():
            shutil.copytree(record.parent, target)
    assert there < project.runs()
    (project.folder / "params.yaml").write_text(before)
    project.edit(change_second_rate)

    made = project.made_by("snakemake --cores 2 demo")

    assert kinds(made) == {"summarized": 1, "reported": 1}


def test_bad_parameters_are_refused_in_a_sentence(project):
    project.edit(lambda p: p["recipes"]["short-sgd"].update(learning_rat=0.1))

    output = project.call("snakemake -n demo", status=1)

    assert "recipes/short-sgd/learning_rat: expected no such key" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("option", ["--config backend=jax", "--configfile other.yaml"])
def test_parameters_beside_params_yaml_are_refused_and_not_ignored(project, option):
    (project.folder / "other.yaml").write_text("backend: jax\n")

    output = project.call(f"snakemake -n demo {option}", status=1)

    assert "expected every parameter in params.yaml, came backend" in output


def test_observing_a_finished_study_otherwise_trains_nothing_anew(project):
    """Who asks later for another observation gets it, and no weights change."""
    project.edit(lambda p: p["studies"]["continuous16-demo"]["observe"].update(every=2))

    made = project.made_by("snakemake --cores 2 demo")

    assert kinds(made) == {"observed": 4, "summarized": 1, "reported": 1}


def test_a_changed_claim_of_a_paper_is_decided_anew_and_nothing_else(project):
    path = project.folder / "papers/2311.18587.yaml"
    path.write_text(path.read_text().replace("margin: 0.01", "margin: 0.02", 1))

    for command in ("snakemake --cores 2 demo", "dvc repro -q demos"):
        made = project.made_by(command)
        assert kinds(made) == ({"summarized": 1, "reported": 1} if "snakemake" in command else {})
    assert project.nothing_to_do()
