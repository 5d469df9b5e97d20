"""The small project, made once, and copies of it."""

import copy
import shutil

import pytest
import yaml
from small_plan import PAPER, PARAMETERS, make


@pytest.fixture
def parameters():
    """Parameters of the small project, to change at will."""
    return copy.deepcopy(PARAMETERS)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The small project, made once; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "notebooks").mkdir()
    (folder / "notebooks/empty.ipynb").write_text('{"cells": []}')
    (folder / "Snakefile").write_text("# rules\n")
    (folder / "papers").mkdir()
    (folder / "papers/one.yaml").write_text(yaml.safe_dump(PAPER, sort_keys=False))
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMETERS, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make(copy.deepcopy(PARAMETERS))
    return folder


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    """A copy of the small project, which is the current folder."""
    shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"
