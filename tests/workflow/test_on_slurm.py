"""The profile for Slurm, on a real Slurm: what jobs ask for, and what happens when they, a node or a snakemake are killed.

Training is cheap as in `small_project`, but for the test of a checkpoint.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from typing import Any

import pytest
import small_slurm
import yaml
from small_project import STUDY, Project, change_second_rate, make_project
from small_slurm import Slurm, wait_for

SNAKEMAKE = "snakemake --profile profiles/slurm"
ALIVE = ("PENDING", "RUNNING", "COMPLETING")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    if why := small_slurm.missing():
        pytest.skip(f"no Slurm can be started here: {why}")
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def local(tmp_path_factory) -> Project:
    """The small project, trained on this machine without Slurm. Never changed."""
    project = make_project(tmp_path_factory.mktemp("local") / "project")
    project.edit(lambda parameters: parameters["studies"][STUDY].pop("observe"))
    project.call("snakemake --cores 2 --until continue_training -- demo")
    return project


@pytest.fixture
def prepared(slurm, local, tmp_path) -> Project:
    """The small project with its data, nothing trained, and the profile as it is in the repository."""
    shutil.copytree(local.folder, tmp_path / "project", symlinks=True)
    for name in ("results/digits", "logs", ".sixteen/locks"):
        shutil.rmtree(tmp_path / "project" / name)
    return Project(tmp_path / "project")


def at_site(project: Project, gpu: bool = False, **settings: Any) -> Project:
    """The project with the profile as this site would set it: no accounts, small nodes, two partitions."""
    path = project.folder / "profiles/slurm/config.yaml"
    profile = yaml.safe_load(path.read_text())
    profile["default-resources"] |= {"mem_mb": 1200, "runtime": 5}
    del profile["default-resources"]["slurm_account"]
    if not gpu:
        for rule in profile["set-resources"].values():
            rule["slurm_partition"] = "cpu"
            rule.pop("gres", None)
    profile["slurm-init-seconds-before-status-checks"] = 1
    path.write_text(yaml.safe_dump(profile | settings))
    return project


def with_seeds(project: Project, seeds: int) -> Project:
    project.edit(lambda parameters: parameters["studies"][STUDY].update(seeds=list(range(seeds))))
    return project


def weights(project: Project) -> dict[str, str]:
    """The digest of each file of weights, by its path."""
    return {
        path.relative_to(project.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in project.folder.glob("results/**/weights.safetensors")
    }


def executions(project: Project, step: str) -> list[dict[str, Any]]:
    records = [json.loads((project.folder / p / "record.json").read_text()) for p in project.runs()]
    return [kept["execution"] for kept in records if kept["step"] == step]


def ended(process: subprocess.Popen[str]) -> str:
    """What a process has printed when it ends; it is made to, should it never do so."""
    try:
        return process.communicate(timeout=300)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise AssertionError(process.communicate()[0]) from None


def busy(slurm: Slurm, project: Project, jobs: int) -> bool:
    """Whether so many trainings are at work: they hold the locks of their runs."""
    locks = [lock for lock in project.folder.glob(".sixteen/locks/*") if lock.read_text()]
    return len(locks) >= jobs and len(slurm.jobs(project.folder, "RUNNING")) >= jobs


@pytest.fixture(scope="module")
def too_slow(slurm, local, tmp_path_factory):
    """A training that takes longer than it asked for: Slurm's shortest limit is a minute, so that it begins before all tests."""
    folder = tmp_path_factory.mktemp("slow") / "project"
    shutil.copytree(local.folder, folder, symlinks=True)
    for name in ("results/digits", ".sixteen/locks"):
        shutil.rmtree(folder / name)
    project = with_seeds(at_site(Project(folder), retries=0), 1)
    command = f"{SNAKEMAKE} --set-resources train:runtime=1 --until train -- demo"
    process = project.start(command, CHEAP_PAUSE="300")
    yield project, process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_study_is_submitted_as_it_was_planned_and_has_the_weights_of_a_local_run(
    slurm, too_slow, local, tmp_path
):
    project = at_site(make_project(tmp_path / "project"))
    project.edit(lambda parameters: parameters["studies"][STUDY].pop("observe"))
    parameters = (project.folder / "params.yaml").read_text()
    process = project.start(f"{SNAKEMAKE} demo")
    wait_for(lambda: slurm.jobs(project.folder), "the first job")
    project.edit(change_second_rate)
    output = ended(process)
    (project.folder / "params.yaml").write_text(parameters)

    assert process.returncode == 0, output
    assert weights(project) == weights(local)
    assert "supported" in output and output.count("no estimate of time and memory for train") == 1
    assert {each["host"] for each in executions(project, "train")} <= set(small_slurm.NODES)
    # Seconds of work are no job of their own: they are done where snakemake runs.
    assert {each["host"] for each in executions(project, "evaluate")} == {os.uname().nodename}
    jobs = slurm.jobs(project.folder)
    assert sorted(set(jobs)) == ["continue_training", "page_report_summarize", "prepare", "train"]
    assert "Nothing to be done" in project.call(f"{SNAKEMAKE} -n demo")
    # What another seed asks for comes from the finished ones, no longer from the profile.
    asked = with_seeds(project, 3).call(f"{SNAKEMAKE} -n --until train -- demo")
    assert "no estimate" not in asked and "runtime=6" in asked
    (memory,) = set(re.findall(r"mem_mb=(\d+)", asked))
    assert 400 < int(memory) < 1200
    again = project.call(f"{SNAKEMAKE} -n --attempt 2 --until train -- demo")
    assert "runtime=12" in again and f"mem_mb={2 * int(memory)}" in again


def test_a_training_goes_on_from_its_checkpoint_on_another_node_where_its_node_was_killed(
    slurm, tmp_path
):
    projects = [make_project(tmp_path / name, cheap=False) for name in ("alone", "submitted")]
    for project in projects:
        with_seeds(project, 1).edit(lambda parameters: _one_long_training(parameters))
    alone, submitted = projects
    alone.call("snakemake --cores 1 --until train -- demo")
    shutil.copytree(alone.folder / "data", submitted.folder / "data", dirs_exist_ok=True)
    at_site(submitted)
    process = submitted.start(f"{SNAKEMAKE} --until train -- demo")
    wait_for(
        lambda: list(submitted.folder.glob(".sixteen/scratch/*/checkpoint*")), "a checkpoint", 200
    )
    (killed,) = slurm.nodes(submitted.folder)
    slurm.kill(killed)
    output = ended(process)
    slurm.start()

    assert process.returncode == 0, output
    (made,) = executions(submitted, "train")
    assert made["host"] != killed
    logs = "".join(path.read_text() for path in submitted.folder.glob("logs/digits/**/*.log"))
    assert "going on from the checkpoint of epoch" in logs
    assert weights(submitted) == weights(alone)


def _one_long_training(parameters: dict[str, Any]) -> None:
    study = parameters["studies"][STUDY]
    study.pop("observe")
    study["arms"] = {
        arm: text.replace("until-2", "until-30").replace("until-4", "until-32")
        for arm, text in study["arms"].items()
    }


def test_after_a_killed_snakemake_what_waits_is_cancelled_and_nothing_is_trained_twice(
    slurm, prepared
):
    project = with_seeds(at_site(prepared), 6)  # more than there are processors
    first = project.start(f"{SNAKEMAKE} --until train -- demo", CHEAP_PAUSE="7")
    wait_for(lambda: busy(slurm, project, 2) and slurm.jobs(project.folder, "PENDING"), "trainings")
    refused = project.call(f"{SNAKEMAKE} demo", status=1)
    first.kill()
    first.communicate()
    waited = slurm.jobs(project.folder, "PENDING")

    output = project.call(f"{SNAKEMAKE} --until train -- demo")

    assert f"snakemake (process {first.pid} on {os.uname().nodename}) is at work" in refused
    assert waited and "waiting jobs of a snakemake that was killed" in output
    assert "jobs of a snakemake that was killed still run: waiting for them" in output
    assert len(executions(project, "train")) == 6
    assert slurm.jobs(project.folder, "COMPLETED") == ["train"] * 6


def test_ctrl_c_cancels_what_waits_and_what_runs(slurm, prepared):
    project = with_seeds(at_site(prepared), 6)
    process = project.start(f"{SNAKEMAKE} --until train -- demo", CHEAP_PAUSE="300")
    wait_for(lambda: busy(slurm, project, 2) and slurm.jobs(project.folder, "PENDING"), "trainings")
    os.killpg(process.pid, signal.SIGINT)
    output = ended(process)

    wait_for(lambda: not slurm.jobs(project.folder, *ALIVE), "an empty queue")
    assert process.returncode != 0 and "Traceback" not in output


def test_a_job_that_lacks_memory_says_so_and_the_next_attempt_has_more(slurm, prepared):
    project = with_seeds(at_site(prepared, gpu=True), 1)
    # On a command line it takes the place of all that the profile sets there.
    asked = ("mem_mb=180*attempt*attempt", "slurm_partition=gpu", "gres='gpu:1'")
    more = ("--set-resources", *(f"train:{each}" for each in asked))
    command = f"{SNAKEMAKE} {' '.join(more)} --until train -- demo"
    output = project.call(command, CHEAP_PAUSE="2")

    said = r"sixteen: Slurm stopped job \d+ since it took more memory than the 180M that it asked for; .* raise mem_mb"
    assert re.search(said, output)
    assert slurm.jobs(project.folder, "COMPLETED") == ["train"]
    assert [each["host"] for each in executions(project, "train")] == ["node3"]


def test_after_the_controller_was_down_a_second_call_goes_on_at_worst(slurm, prepared):
    """Where there is no accounting, snakemake may have forgotten its jobs by then, and waits for ever."""
    project = with_seeds(at_site(prepared), 2)
    process = project.start(f"{SNAKEMAKE} --until train -- demo", CHEAP_PAUSE="5")
    wait_for(lambda: busy(slurm, project, 2), "trainings")
    # As its administrator would; after SIGKILL it doesn't know of the jobs of the last seconds.
    slurm.kill("slurmctld", signal.SIGTERM)
    time.sleep(20)
    slurm.start()
    os.killpg(process.pid, signal.SIGINT)
    ended(process)

    project.call(f"{SNAKEMAKE} --until train -- demo")

    assert len(executions(project, "train")) == 2
    assert slurm.jobs(project.folder, "COMPLETED") == ["train"] * 2


def test_small_runs_share_a_gpu_of_which_each_asks_for_a_part(slurm, prepared):
    path = prepared.folder / "profiles/slurm/config.yaml"
    path.write_text(path.read_text().replace("gpu:1", "shard:1"))
    at_site(prepared, gpu=True)

    prepared.call(f"{SNAKEMAKE} --until train -- demo", CHEAP_PAUSE="3")

    one, other = executions(prepared, "train")
    assert one["host"] == other["host"] == "node3"
    assert one["started"] < other["ended"] and other["started"] < one["ended"]


def test_files_may_be_seen_late_by_the_machine_of_snakemake(slurm, prepared):
    project, seen = with_seeds(at_site(prepared), 1), prepared.folder / "results"
    written = project.folder / "written"
    written.mkdir()
    for node in small_slurm.NODES:
        slurm.inside(node, "mount", "--bind", f"{written}", f"{seen}")
    try:
        process = project.start(f"{SNAKEMAKE} --until train -- demo")
        wait_for(lambda: list(written.glob("**/record.json")), "a training")
        wait_for(lambda: slurm.jobs(project.folder, "COMPLETED"), "the end of its job")
        time.sleep(15)
        early = weights(project)
        shutil.copytree(written, seen, dirs_exist_ok=True)
        output = ended(process)
    finally:
        for node in small_slurm.NODES:
            slurm.inside(node, "umount", f"{seen}")

    assert process.returncode == 0, output
    assert not early and weights(project)


def test_a_job_over_its_time_limit_says_so(too_slow):
    project, process = too_slow
    output = ended(process)

    said = r"Slurm stopped job \d+ since it took longer than the 1:00 that it asked for; .* raise runtime in profiles/slurm"
    assert process.returncode != 0 and re.search(f"sixteen: {said}", output), output
    status = project.call(f"sixteen status {STUDY}")
    assert "Failed" in status and re.search(said, status)
