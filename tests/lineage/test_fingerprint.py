"""Fingerprints: the same for what can't change a result, another for what can."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sixteen.lineage import fingerprint

SOURCE = Path(fingerprint.__file__).parents[2]

MODULE = '''
"""What it is for."""
import os
from dataclasses import dataclass

type_of = dict[str, int]

@dataclass(frozen=True)
class Point:
    """A point."""
    x: float = 0.5  # metres
    def shifted(self, by: float, *more: int, name: str = "a", **rest) -> "Point":
        """Moved."""
        return Point(self.x + by) if by else self

async def wait(values):
    async with values as v:
        return [f"{item!r:>{3}}" for item in v if item is not None]

def many(a, /, b, *, c=None):
    try:
        match a:
            case {"x": 1, **other}:
                yield other
            case [1, *_] | None:
                raise ValueError(b"\\x00", 1j, -2.5e-3, True, ...) from None
    except* (OSError, KeyError):
        global type_of
        lambda: (b := 3)
    with open(a) as file, open(b):
        del file
'''
GOLDEN = "8b4905f3e205e16e9ca490ce54746c88d70543f6523448cabaa3ca39ae2173b3"

SCRIPT = """
import ast, hashlib, sys
sys.path.insert(0, sys.argv[1])
from sixteen.lineage import fingerprint
text = fingerprint._shape(ast.parse(sys.stdin.read()))
print(hashlib.sha256(text.encode()).hexdigest())
"""


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_code_has_the_same_digest_under_every_python(version):
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    found += [Path(name)] if (name := shutil.which(f"python{version}")) else []
    if not found:
        pytest.skip(f"Python {version} isn't installed here")
    answer = subprocess.run(
        [found[0], "-c", SCRIPT, SOURCE], input=MODULE, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == GOLDEN


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `house` of four modules; returns a function that gives the digests anew."""
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "door.py").write_text(
        '"""A door."""\nfrom house import hinge\n\ndef opened():\n    return hinge.TURNS\n'
    )
    (folder / "hinge.py").write_text("TURNS = 3  # times\n")
    (folder / "roof.py").write_text("TILES = 100\n")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("house")

    def digests():
        for remembered in (fingerprint._module, fingerprint._code_of):
            remembered.cache_clear()
        return fingerprint.code_of(["house.door"])

    yield folder, digests
    for name in [name for name in sys.modules if name.split(".")[0] == "house"]:
        del sys.modules[name]


def test_only_modules_that_are_reached_count(package):
    _, digests = package
    assert list(digests()) == ["house", "house.door", "house.hinge"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A door.", "Another docstring."),
        ("    return hinge.TURNS", "    # why\n\n    return (hinge.TURNS)"),
        ("def opened():", 'def opened():\n    """Now told."""'),
    ],
)
def test_a_comment_a_docstring_or_layout_keeps_the_digest(package, old, new):
    folder, digests = package
    before = digests()
    text = (folder / "door.py").read_text()
    assert old in text
    (folder / "door.py").write_text(text.replace(old, new))
    assert digests() == before


def test_an_edit_of_reached_code_changes_that_modules_digest_alone(package):
    folder, digests = package
    before = digests()
    (folder / "hinge.py").write_text("TURNS = 4  # times\n")
    after = digests()
    assert {name for name in before if before[name] != after[name]} == {"house.hinge"}


@pytest.mark.parametrize("value", ["1", "1.0", "True", "'1'", "b'1'", "-1"])
def test_constants_that_compare_equal_have_other_digests(package, value):
    folder, digests = package
    (folder / "hinge.py").write_text("TURNS = 2\n")
    texts = {value: None}
    for other in ["1", "1.0", "True", "'1'", "b'1'", "-1"]:
        (folder / "hinge.py").write_text(f"TURNS = {other}\n")
        texts[other] = digests()["house.hinge"]
    assert list(texts.values()).count(texts[value]) == 1


@pytest.mark.parametrize(
    ("old", "new"), [('f("", y)', "f(y)"), ('x = ["", ""]', 'x = [""]'), ('f"{x}"', 'f"{x} "')]
)
def test_texts_count_even_if_they_are_empty(package, old, new):
    folder, digests = package
    (folder / "hinge.py").write_text(f"{old}\n")
    before = digests()["house.hinge"]
    (folder / "hinge.py").write_text(f"{new}\n")
    assert digests()["house.hinge"] != before


def test_an_added_unrelated_module_changes_nothing(package):
    folder, digests = package
    before = digests()
    (folder / "cellar.py").write_text("from house import door\n")
    (folder / "roof.py").write_text("TILES = 200\n")
    assert digests() == before


@pytest.mark.parametrize(
    "statement",
    [
        "import house.hinge",
        "from house.hinge import TURNS",
        "import house.hinge as h",
        "def f():\n    from house import hinge",
    ],
)
def test_every_way_to_import_is_followed(package, statement):
    folder, digests = package
    (folder / "door.py").write_text(textwrap.dedent(statement) + "\n")
    assert "house.hinge" in digests()


@pytest.mark.parametrize("task", ["classify_images", "classify_sequences"])
def test_a_new_kind_of_claim_or_recipe_makes_no_evaluation_stale(task):
    reached = fingerprint.code_of(["sixteen.analysis.evaluate", f"sixteen.tasks.measured.{task}"])
    assert f"sixteen.tasks.measured.{task}" in reached
    assert not [name for name in reached if re.match(r"sixteen\.(study|training|timing)\b", name)]


def test_the_project_has_no_relative_imports_which_would_not_be_followed():
    relative = re.compile(r"^\s*from\s+\.", re.MULTILINE)
    found = [
        path for path in (SOURCE / "sixteen").rglob("*.py") if relative.search(path.read_text())
    ]
    assert found == []


def test_a_fingerprint_is_known_by_heart():
    parents = {"dataset": "0123456789ab"}
    parameters = {"batch": 32, "rate": 0.01, "scale": None, "name": "ü"}
    assert (
        fingerprint.fingerprint_of("results/a/seed-0", parameters, "c" * 64, parents)
        == "667f59c7d152"
    )


def test_each_part_of_the_identity_counts():
    parts = ("results/a", {"x": 1, "y": 2}, "c", {"start": "p"})
    others = [
        ("results/b", *parts[1:]),
        (parts[0], {"x": 2, "y": 1}, *parts[2:]),
        (*parts[:2], "d", parts[3]),
        (*parts[:3], {"dataset": "p"}),
    ]
    assert len({fingerprint.fingerprint_of(*identity) for identity in [parts, *others]}) == 5


def test_what_json_can_not_say_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        fingerprint.digest({"loss": float("nan")})


def test_the_digest_of_a_notebook_ignores_outputs_and_identifiers(tmp_path):
    cell = '{"cell_type": "code", "id": "%s", "metadata": {}, "outputs": [%s], "source": ["%s"]}'
    for name, values in {
        "a": ("1", "", "f()"),
        "b": ("2", "3", "f()"),
        "c": ("1", "", "g()"),
    }.items():
        (tmp_path / name).write_text('{"cells": [' + cell % values + "]}")
    a, b, c = (fingerprint.notebook_digest(tmp_path / name) for name in "abc")
    assert a == b != c
