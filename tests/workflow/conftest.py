"""The small project in the states that tests begin from."""

import shutil
import subprocess

import pytest
from small_project import Project, make_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """The project after `dvc repro demos`, kept and pushed. Never changed: tests take copies."""
    project = make_project(tmp_path_factory.mktemp("finished") / "project")
    project.call("dvc repro -q demos")
    project.call("git add -A")
    project.call("git commit -q -m finished")
    project.call("dvc push -q")
    return project


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A copy of the finished project that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture
def fresh(tmp_path) -> Project:
    """A project in which nothing has run."""
    return make_project(tmp_path / "project")


@pytest.fixture
def clone(finished, tmp_path) -> Project:
    """A fresh clone of the finished project, without any artefact."""
    subprocess.run(
        ["git", "clone", "-q", str(finished.folder), str(tmp_path / "clone")], check=True
    )
    copy = Project(tmp_path / "clone")
    copy.call(f"dvc remote add -f -d -q --local shelf {finished.folder.parent / 'shelf'}")
    return copy
