"""The command line: exit codes, and one sentence instead of a traceback."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
import yaml

TOP = Path(__file__).parents[1]
RUN = "from sixteen.cli import main; main()"


@pytest.fixture
def project(tmp_path):
    """An empty project with the real parameters, and a copy of the package, to edit."""
    for name in ("papers", "notebooks", "src/sixteen"):
        shutil.copytree(TOP / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(TOP / "params.yaml", tmp_path / "params.yaml")
    return tmp_path


def sixteen(project, *arguments):
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
    )


def test_a_full_disk_is_told_in_a_sentence(project):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", RUN, "status", "demo"],
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(project / "src")},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == "sixteen: a file can't be read or written (No space left on device)\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["trace", "nothing.png"],
        ["verify"],
        ["why", "no-such-study"],
        ["plan", "no-such-study"],
        ["digest", "nowhere"],
        ["clean", "--force"],
    ],
)
def test_a_users_mistake_is_one_sentence_and_exit_1(project, arguments):
    answer = sixteen(project, *arguments)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert re.fullmatch(r"sixteen: [^\n]+\n", answer.stderr)


def test_broken_parameters_are_one_sentence(project):
    (project / "params.yaml").write_text("studies: 1\n")
    answer = sixteen(project, "why")
    assert answer.returncode == 1
    assert re.fullmatch(r"sixteen: ((params.yaml, |\.\.\. and )[^\n]+\n)+", answer.stderr)


def test_why_without_a_study_tells_the_target_all(project):
    answer = sixteen(project, "why")
    every = yaml.safe_load((project / "params.yaml").read_text())
    assert answer.returncode == 0
    for study in every["targets"]["all"]:
        assert f"results/{study}/summarized" in answer.stdout


def test_the_digest_of_a_folder_is_that_of_its_listing(project):
    (project / "images").mkdir()
    (project / "images/b").write_text("2")
    (project / "images/a").write_text("1")
    listing = subprocess.run(
        "sha256sum a b | sha256sum",
        shell=True,
        cwd=project / "images",
        capture_output=True,
        text=True,
    )
    answer = sixteen(project, "digest", "images")
    assert answer.stdout.strip() == listing.stdout.split()[0]


def test_a_command_cancelled_while_it_imports_says_nothing(project):
    slow = "import time; from pathlib import Path; Path('started').touch(); time.sleep(600)"
    (project / "pydantic.py").write_text(slow)  # in place of the real one
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "verify"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": f"{project}:{project / 'src'}"},
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it starts in the background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (project / "started").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert (process.returncode, said) == (130, "")


def test_every_command_explains_itself(project):
    text = sixteen(project, "--help").stdout
    assert all(
        f"    {command} " in text for command in ("trace", "verify", "why", "plan", "digest")
    )


def test_the_version_is_that_of_the_package(project):
    stated = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["version"]
    assert sixteen(project, "--version").stdout == f"sixteen {stated}\n"


def test_the_package_is_a_program(project):
    answer = subprocess.run(
        [sys.executable, "-m", "sixteen", "digest", "nowhere"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert re.fullmatch(r"sixteen: [^\n]+\n", answer.stderr)
