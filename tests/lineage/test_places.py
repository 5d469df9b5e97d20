"""A file, or a link to nowhere, where a folder belongs is one sentence that says what to move away."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from small_plan import planned

from sixteen import cli
from sixteen.errors import UserError
from sixteen.lineage import job
from sixteen.lineage.places import expect_folders


def put(place, kind):
    """A file or a link to nowhere in place of a folder, which is kept beside it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        place.rename(place.with_name("kept"))
    if kind == "a file":
        place.write_text("no folder")
    else:
        place.symlink_to("/nowhere/at/all")


def test_folders_links_to_folders_and_what_is_not_there_yet_are_expected(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "disk").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    expect_folders([Path("results"), Path("results/a/b"), tmp_path / "reports/c"])


@pytest.mark.parametrize("kind", ["a file", "a link to nowhere"])
@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["verify"], "reports"),
        (["verify"], "results"),
        (["verify"], "data/prepared"),
        (["trace", "params.yaml"], "reports"),
        (["why"], "results/digits"),
        (["plan", "small"], "reports/small"),
        (["plan", "small"], ".sixteen/cache"),
        (["plan", "small"], "logs"),
    ],
)
def test_a_command_says_what_stands_where_a_folder_belongs(
    project, monkeypatch, command, place, kind
):
    put(Path(place), kind)
    monkeypatch.setattr(sys, "argv", ["sixteen", *command])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == (
        f"sixteen: expected a folder at {place}, came {kind}: move it away, then call again"
    )


def test_the_plan_knows_every_folder_that_a_run_needs(project, parameters):
    plan = planned(parameters)
    run = next(run for run in plan.runs.values() if run.step == "quantize")
    for place in (
        Path(run.path).parent,
        Path("logs/digits/resnet8"),
        Path("reports/small"),
        Path(".sixteen/scratch") / run.fingerprint,
        Path(".sixteen/locks"),
    ):
        put(place, "a file")
        with pytest.raises(UserError, match=f"expected a folder at {re.escape(str(place))},"):
            expect_folders(plan.folders())
        place.unlink()
        if (kept := place.with_name("kept")).exists():
            kept.rename(place)
    expect_folders(plan.folders())


@pytest.mark.parametrize("place", [".sixteen/locks", ".sixteen/scratch", "logs"])
def test_a_job_that_meets_one_says_so_without_a_traceback(project, parameters, place):
    """Its Snakemake asked before, but a job may wait for hours."""
    parameters["recipes"]["sgd"]["momentum"] = 0.5
    plan = planned(parameters)
    plan.freeze()
    run = next(run for run in plan.runs.values() if run.step == "train")
    put(Path(place), "a link to nowhere")
    program = "from sixteen.lineage import job; job.main('sixteen.training.train:train')"
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            "--plan",
            f".sixteen/plan/{run.fingerprint}.json",
            "--log",
            "logs/x/y.log",
        ],
        env={"PYTHONPATH": str(Path(job.__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    assert told.returncode == 1
    assert f"expected a folder at {place}, came a link to nowhere" in told.stderr
    assert "Traceback" not in told.stderr
