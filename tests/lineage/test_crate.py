"""The RO-Crate of a lineage, read back by ro-crate-py."""

import hashlib
import json
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from sixteen.errors import UserError
from sixteen.lineage import crate, record, trace
from sixteen.lineage.archive import Archive

FIGURE = Path("reports/small/figures/accuracy.png")


@pytest.fixture
def written(project):
    """The crate of a figure, and where it is."""
    archive = Archive.of(Path())
    crate.write(archive, trace.find(archive, FIGURE), FIGURE, Path("out"))
    return ROCrate("out"), Path("out")


def ids(values):
    return {value.id for value in (values if isinstance(values, list) else [values])}


def test_every_run_is_an_action_with_its_files(written):
    read, _ = written
    for folder in record.find(Path()):
        kept = record.read(folder)
        action = read.get(f"#run-{kept['fingerprint']}")
        results = (
            {entity["sha256"] for entity in action["result"]} if len(kept["outputs"]) > 1 else None
        )
        if results is not None:
            assert results == {output["sha256"] for output in kept["outputs"].values()}
        objects = action["object"] if isinstance(action["object"], list) else [action["object"]]
        files = {e["sha256"] for e in objects if "sha256" in e.properties()}
        assert files == set(kept["inputs"].values())
        assert action["startTime"] == kept["execution"]["started"]


def test_what_one_run_wrote_is_what_the_next_one_read(written):
    read, _ = written
    quantize = next(
        e
        for e in read.get_entities()
        if e.id.startswith("#run-") and "quantized-to-float16/seed" in e["name"]
    )
    parent = record.read(Path(quantize["name"]))["parents"]["start"]
    train = read.get(f"#run-{Path(parent).name}")
    assert ids(train["result"]) <= ids(quantize["object"])


def test_the_files_in_the_crate_have_the_stated_bytes(written):
    read, place = written
    figure = read.get(FIGURE.name)
    assert hashlib.sha256((place / FIGURE.name).read_bytes()).hexdigest() == figure["sha256"]
    assert ids(read.root_dataset["hasPart"]) == {FIGURE.name, "Snakefile"}
    assert ids(read.get("#workflow")["result"]) == {FIGURE.name}


def test_it_states_the_profile_and_its_parts_hang_together(written):
    read, place = written
    assert "https://w3id.org/ro/wfrun/provenance/0.5" in ids(read.root_dataset["conformsTo"])
    assert read.mainEntity.id == "Snakefile"
    for control in read.get("#organize")["object"]:
        step, action = control["instrument"], control["object"]
        assert step["workExample"].id == action["instrument"].id
        assert step.id in ids(read.mainEntity["step"])
        assert action["instrument"].id in ids(read.mainEntity["hasPart"])
    graph = json.loads((place / "ro-crate-metadata.json").read_text())["@graph"]
    known = [entity["@id"] for entity in graph]
    assert len(known) == len(set(known))


def test_every_reference_is_answered_in_the_crate(written):
    _, place = written
    graph = json.loads((place / "ro-crate-metadata.json").read_text())["@graph"]
    known = {entity["@id"] for entity in graph}

    def references(value):
        if isinstance(value, dict) and set(value) == {"@id"}:
            yield value["@id"]
        elif isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from references(inner)

    found = {reference for entity in graph for reference in references(entity)}
    assert {r for r in found - known if not r.startswith("https://w3id.org/ro/crate")} == set()


def test_a_folder_with_something_in_it_is_left_alone(project):
    archive = Archive.of(Path())
    found = trace.find(archive, FIGURE)
    with pytest.raises(UserError, match="empty folder"):
        crate.write(archive, found, FIGURE, Path("reports"))
