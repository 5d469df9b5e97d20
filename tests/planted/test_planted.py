"""Planted errors are kept current: each can be planted, and the tests that must notice it are there."""

import ast
import collections
from pathlib import Path

import plant
import pytest
import yaml

PLANTS = plant.plants()


@pytest.mark.parametrize("planted", PLANTS, ids=lambda planted: f"{planted.area}: {planted.name}")
def test_can_be_planted(planted):
    harmed = planted.text(plant.PROJECT)
    assert harmed != (plant.PROJECT / planted.file).read_text()
    (ast.parse if planted.file.endswith(".py") else yaml.safe_load)(harmed)


@pytest.mark.parametrize("planted", PLANTS, ids=lambda planted: f"{planted.area}: {planted.name}")
def test_its_tests_exist(planted):
    assert planted.tests and planted.why
    for test in planted.tests:
        file, _, name = test.partition("::")
        defined = ast.parse((plant.PROJECT / file).read_text()).body
        assert name in {node.name for node in defined if isinstance(node, ast.FunctionDef)}


def test_each_is_planted_once():
    for what in ([p.name for p in PLANTS], [p.text(plant.PROJECT) for p in PLANTS]):
        assert not [one for one, times in collections.Counter(what).items() if times > 1]


def test_a_plant_that_no_test_notices_is_told_from_a_broken_one(tmp_path):
    (tmp_path / "src").mkdir()
    Path(tmp_path, "src/sum.py").write_text("def add(a, b):\n    return a + b\n")
    Path(tmp_path, "tests").mkdir()
    Path(tmp_path, "tests/test_sum.py").write_text(
        "import sum as s\ndef test_add():\n    assert s.add(2, 2) == 4\ndef test_zero():\n    assert s.add(0, 1) == 1\n"
    )
    Path(tmp_path, "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n'
    )
    common = {"file": "src/sum.py", "why": "", "area": "", "name": "", "there": "a + b"}
    add = ("tests/test_sum.py::test_add",)

    def verdict(planted, tests=add):
        return plant.verdict(
            plant.Plant(**common, planted=planted, tests=tests), tmp_path, tmp_path
        )

    assert verdict("a - b") == "noticed"
    assert verdict("a * b", (*add, "tests/test_sum.py::test_zero")) == "not noticed"
    assert verdict("c").startswith("broken")
    assert verdict("a - b", ("tests/test_sum.py::test_nothing",)).startswith("broken")
    assert Path(tmp_path, "src/sum.py").read_text().endswith("a + b\n")
