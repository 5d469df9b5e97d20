"""The RO-Crate of a lineage, read back by ro-crate-py and judged by rocrate-validator."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from sixteen.errors import UserError
from sixteen.lineage import crate, crate_about, record, trace
from sixteen.lineage.archive import Archive

TOP = Path(__file__).parents[2]
CONTEXTS = Path(__file__).parent / "contexts.json"
REPORT = Path("reports/small")
FIGURE = REPORT / "figures/accuracy.png"
# Each claimed profile by the name that the validator gives it.
PROFILES = {
    "https://w3id.org/ro/crate/1.1": "ro-crate-1.1",
    "https://w3id.org/ro/wfrun/process/0.5": "process-run-crate-0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5": "workflow-run-crate-0.5",
    "https://w3id.org/ro/wfrun/provenance/0.5": "provenance-run-crate-0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "workflow-ro-crate-1.0",
}


def write(traced, out):
    archive = Archive.of(Path())
    file = traced / "index.html" if traced.is_dir() else traced
    crate.write(archive, trace.find(archive, file), traced, Path(out))
    return Path(out)


@pytest.fixture
def written(project):
    """The crate of a figure, and where it is."""
    return ROCrate(write(FIGURE, "out")), Path("out")


@pytest.fixture
def whole(project):
    """The crate of a report, from a project with all parts of the real one that the small one lacks."""
    for name in crate_about.PARTS:
        if (TOP / name).is_dir() and not Path(name).exists():
            shutil.copytree(TOP / name, name, ignore=crate.UNNEEDED)
        elif (TOP / name).is_file() and name != "params.yaml":
            shutil.copyfile(TOP / name, name)
    return write(REPORT, "out")


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
    figure = read.get(FIGURE.as_posix())
    assert hashlib.sha256((place / FIGURE).read_bytes()).hexdigest() == figure["sha256"]
    assert ids(read.get("#workflow")["result"]) == {FIGURE.as_posix()}


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


def test_a_copy_from_elsewhere_is_held_by_its_name(project, tmp_path):
    copy = shutil.copy(FIGURE, tmp_path / "copy.png")
    place = write(Path(copy), "out")
    assert (place / "copy.png").read_bytes() == FIGURE.read_bytes()


def test_the_crate_of_a_report_holds_all_of_it(whole):
    read = ROCrate(whole)
    for file in (path for path in REPORT.rglob("*") if path.is_file()):
        held = read.get(file.as_posix())
        assert held["sha256"] == record.sha256_of(whole / file) == record.sha256_of(file)
        assert held in read.root_dataset["hasPart"]
    [run] = [folder for folder in record.find(Path()) if "reported" in folder.parts]
    outputs = record.read(run)["outputs"]
    assert ids(read.get("#workflow")["result"]) == {f"{REPORT}/{name}" for name in outputs}


def test_a_report_that_is_not_as_recorded_is_not_packed(project):
    FIGURE.write_bytes(b"another")
    with pytest.raises(UserError, match=r"accuracy.png isn't what .* wrote"):
        write(REPORT, "out")
    assert not Path("out").exists()


def test_versions_licence_and_agent_are_entities(written):
    read, _ = written
    assert read.root_dataset["license"].id == "https://spdx.org/licenses/Apache-2.0"
    for folder in record.find(Path()):
        kept = record.read(folder)
        action = read.get(f"#run-{kept['fingerprint']}")
        assert action["agent"].type == "Person" and action["agent"]["name"]
        program = action["instrument"]
        assert kept["code"]["digest"][:12] in program["version"]
        needed = {entity["name"]: entity["version"] for entity in program["softwareRequirements"]}
        assert needed == kept["execution"]["packages"] | {"python": kept["execution"]["python"]}
    assert read.get("#snakemake")["version"] == needed["snakemake"]


def test_the_workflow_runs_from_the_crate_where_the_report_is_already_made(whole):
    answer = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "small"],
        cwd=whole,
        env={**os.environ, "PYTHONPATH": str((whole / "src").resolve())},
        capture_output=True,
        text=True,
    )
    # The list of all reports is no part of one; it is all that there is to do.
    assert set(re.findall(r"^rule (\w+):", answer.stdout, re.MULTILINE)) == {"index", "small"}
    assert trace.find(Archive.of(whole), whole / FIGURE).path


def judged(place, profiles, tmp_path):
    """Whether rocrate-validator passes a crate at REQUIRED, without any network, and what it says.

    The contexts that a crate names are in its cache, as far as crates here use their terms.
    """
    pytest.importorskip("rocrate_validator", reason="rocrate-validator isn't installed")
    import requests_cache as cached

    with cached.CachedSession(str(tmp_path / "cache"), backend="sqlite") as session:
        for url, context in json.loads(CONTEXTS.read_text()).items():
            answer = cached.CachedResponse(
                content=json.dumps(context).encode(),
                status_code=200,
                url=url,
                headers={"Content-Type": "application/ld+json"},
                request=cached.CachedRequest(method="GET", url=url),
            )
            session.cache.save_response(answer)
    named = [word for profile in profiles for word in ("-p", profile)]
    options = ["--offline", "--cache-path", tmp_path / "cache", "-l", "REQUIRED", "-np", "-v"]
    program = [sys.executable, "-c", "from rocrate_validator.cli import cli; cli()"]
    command = [
        *program,
        "-y",
        "--disable-color",
        "validate",
        *named,
        *options,
        "--no-paging",
        place,
    ]
    answer = subprocess.run(command, capture_output=True, text=True)
    return answer.returncode == 0, answer.stdout + answer.stderr


def test_it_passes_the_validator_for_every_profile_that_it_claims(whole, tmp_path):
    graph = json.loads((whole / "ro-crate-metadata.json").read_text())["@graph"]
    claimed = {reference["@id"] for entity in graph for reference in entity.get("conformsTo", [])}
    passed, told = judged(whole, [PROFILES[profile] for profile in claimed], tmp_path)
    assert passed, told


def test_the_validator_sees_what_is_missing(whole, tmp_path):
    path = whole / "ro-crate-metadata.json"
    metadata = json.loads(path.read_text())
    next(e for e in metadata["@graph"] if e["@id"] == "./").pop("license")
    path.write_text(json.dumps(metadata))
    passed, told = judged(whole, ["ro-crate-1.1"], tmp_path)
    assert not passed and "license" in told


def test_every_term_is_one_of_its_contexts(whole):
    """A misspelt term would be dropped in silence by whoever reads JSON-LD."""
    contexts = json.loads(CONTEXTS.read_text())
    assert list(contexts) == crate.CONTEXT
    terms = {term for context in contexts.values() for term in context["@context"]}
    for entity in json.loads((whole / "ro-crate-metadata.json").read_text())["@graph"]:
        types = entity["@type"] if isinstance(entity["@type"], list) else [entity["@type"]]
        assert {*types, *(key for key in entity if not key.startswith("@"))} <= terms


def test_what_the_record_does_not_name_is_not_packed(project):
    for name in (".env", "tables/passwd.csv"):
        stray = REPORT / name
        stray.symlink_to("/etc/passwd")
        with pytest.raises(UserError, match=rf"expected only what the record of .* came {name}"):
            write(REPORT, "crate")
        stray.unlink()
