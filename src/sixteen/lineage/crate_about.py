"""What a crate says of itself: its profiles, who made it, and the workflow with all that it takes to run it."""

import getpass
import shutil
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from sixteen.lineage import crate_runs
from sixteen.lineage.archive import Record
from sixteen.lineage.crate_runs import AGENT, Entity, encoding, refs

WORKFLOW = "Snakefile"
RO_CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    WORKFLOW_CRATE: "Workflow RO-Crate",
}
LICENSE = "https://spdx.org/licenses/Apache-2.0"
AUTHORS = "#authors"
# The files and folders that it takes to run the workflow, and what each is.
PARTS = {
    WORKFLOW: "the workflow",
    "README.md": "what the workflow is, and how it is run",
    "LICENSE": "the licence",
    "CITATION.cff": "how to cite it",
    "Makefile": "makes the environment, and runs the demo",
    "pyproject.toml": "the package, and what it depends on",
    "requirements.txt": "the environment, locked by digests",
    "params.yaml": "every parameter, and the studies",
    "dvc.yaml": "what DVC keeps",
    "papers": "papers: settings, tables and claims",
    "docs": "results, data, training and speed, told at length",
    "notebooks": "what a report says, one notebook a kind of study",
    "profiles": "how Snakemake runs jobs",
    "src": "the package",
    "workflow": "the rules, which the Snakefile includes",
}


def parts(root: Path) -> dict[str, Path]:
    """The parts of the workflow that a project has, by identifier; one of a folder ends in a slash."""
    here = [root / name for name in PARTS if (root / name).exists()]
    return {f"{part.name}/" if part.is_dir() else part.name: part for part in here}


def root(what: str, runs: list[Record], held: Iterable[str]) -> list[Entity]:
    """The metadata file, the crate, its license, its author and its profiles."""
    return [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": refs([RO_CRATE, WORKFLOW_CRATE]),
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Lineage of {what}",
            "description": (
                f"Every run that led to {what}, down to the dataset, and the workflow as it stood when this crate was "
                "written; each run names the commit and the digest of the code that it was made by."
            ),
            "datePublished": max(run["execution"]["ended"] for run in runs),
            "license": {"@id": LICENSE},
            "author": {"@id": AGENT},
            "conformsTo": refs(PROFILES),
            "hasPart": refs(held),
            "mainEntity": {"@id": WORKFLOW},
            "mentions": refs(["#workflow", *(f"#run-{run['fingerprint']}" for run in runs)]),
        },
        {"@id": LICENSE, "@type": "CreativeWork", "name": "Apache License 2.0", "url": LICENSE},
        {"@id": AGENT, "@type": "Person", "name": _agent()},
        *({"@id": url, "@type": "CreativeWork", "name": name} for url, name in PROFILES.items()),
    ]


def workflow(present: Iterable[str], runs: list[Record]) -> list[Entity]:
    """The Snakefile with its steps, the other parts of the workflow, and who wrote them."""
    steps, programs = crate_runs.steps(runs), crate_runs.programs(runs)
    return [
        {
            "@id": WORKFLOW,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "sixteen",
            "description": "16-bit training, reproduced: from the dataset to the figure",
            "encodingFormat": encoding(WORKFLOW),
            "license": {"@id": LICENSE},
            "creator": {"@id": AUTHORS},
            "version": version("sixteen"),
            "programmingLanguage": {"@id": crate_runs.SNAKEMAKE},
            "hasPart": refs(dict.fromkeys(step["workExample"]["@id"] for step in steps)),
            "step": refs(step["@id"] for step in steps),
        },
        *steps,
        *programs,
        *(_part(name) for name in present if name != WORKFLOW),
        {"@id": AUTHORS, "@type": "Organization", "name": "The sixteen authors"},
    ]


def _part(name: str) -> Entity:
    described = {"@id": name, "name": name, "description": PARTS[name.rstrip("/")]}
    if name.endswith("/"):
        return described | {"@type": "Dataset"}
    about = {"about": {"@id": "./"}} if name == "README.md" else {}
    return described | {"@type": "File", "encodingFormat": encoding(name)} | about


def _agent() -> str:
    """Who writes the crate, and is taken for who ran the workflow: as git names them, else by their login."""
    if shutil.which("git") is None:
        return getpass.getuser()
    asked = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True)
    return asked.stdout.strip() or getpass.getuser()
