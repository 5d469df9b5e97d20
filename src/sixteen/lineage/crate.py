"""The lineage of a file as a Workflow Run RO-Crate, which other tools can read.

Profile: Provenance Run Crate 0.5 (https://w3id.org/ro/wfrun/provenance/0.5) on RO-Crate 1.1. The crate holds
its metadata, the traced file and the Snakefile; every other file is described with its SHA-256 and stays
where it is, which is why its identifier begins with `#`.
"""

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sixteen.errors import UserError
from sixteen.lineage.archive import Archive, Record, sources
from sixteen.lineage.steps import STEPS
from sixteen.lineage.trace import Found

CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]
PROFILES = [
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/ro/wfrun/provenance/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
]
WORKFLOW = "Snakefile"

Entity = dict[str, Any]


def write(archive: Archive, found: Found, file: Path, out: Path) -> None:
    """Write the crate of a found file into a folder, which must be new or empty (else UserError)."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"expected a new or empty folder for the crate, came {out}: choose another")
    workflow = archive.root / WORKFLOW
    if not workflow.is_file():
        raise UserError(
            f"expected the {WORKFLOW} in the current folder, for the crate holds it: run this from the top of "
            "the project"
        )
    graph = _graph(archive, found, quote(file.name))
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, out / file.name)
    shutil.copyfile(workflow, out / WORKFLOW)
    text = json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False)
    (out / "ro-crate-metadata.json").write_text(text + "\n", encoding="utf-8")


def _graph(archive: Archive, found: Found, copy: str) -> list[Entity]:
    """Every entity of the crate; ``copy`` is the identifier of the traced file in it."""
    runs = [archive.records[path] for path in archive.closure(found.path)]
    runs.sort(key=lambda run: (run["execution"]["started"], run["path"]))
    steps = list(dict.fromkeys(run["step"] for run in runs))
    read = {name: digest for run in runs for name, digest in sources(run).items()}
    files = _files(runs, read, found, copy)
    ids = {entity.get("alternateName", entity["name"]): key for key, entity in files.items()}
    span = {
        "startTime": min(run["execution"]["started"] for run in runs),
        "endTime": max(run["execution"]["ended"] for run in runs),
    }
    command = archive.records[found.path]["execution"]["command"]
    return [
        *_about(found, runs, copy, span["endTime"]),
        *_workflow(steps),
        _organizing(runs) | span,
        _whole_run(command, [ids[name] for name in read], copy) | span,
        *(_step(step, position) for position, step in enumerate(steps)),
        *(
            {"@id": f"#{module}", "@type": "SoftwareApplication", "name": module}
            for module in dict.fromkeys(STEPS[step][0] for step in steps)
        ),
        *(entity for run in runs for entity in _action(run, ids)),
        *({"@id": key} | entity for key, entity in files.items()),
    ]


def _files(runs: list[Record], read: dict[str, str], found: Found, copy: str) -> dict[str, Entity]:
    """The traced file, what no run made, and the outputs of all runs, by identifier."""
    traced = f"{found.path}/{found.name}"
    files = {copy: _file(copy, found.sha256) | {"alternateName": traced}}
    for name, digest in read.items():
        files[f"#{name}"] = _file(name, digest)
    for run in runs:
        for name, output in run["outputs"].items():
            place = f"{run['path']}/{name}"
            if place != traced:
                files[f"#{place}"] = _file(place, output["sha256"], output["bytes"])
    return files


def _about(found: Found, runs: list[Record], copy: str, published: str) -> list[Entity]:
    """The crate itself: what its metadata conform to, what it holds and which runs it tells of."""
    return [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": _refs(["https://w3id.org/ro/crate/1.1", PROFILES[-1]]),
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Lineage of {found.name}",
            "description": f"Every run that led to {found.path}/{found.name}, down to the dataset.",
            "datePublished": published,
            "conformsTo": _refs(PROFILES),
            "hasPart": _refs([WORKFLOW, copy]),
            "mainEntity": {"@id": WORKFLOW},
            "mentions": _refs(["#workflow", *(f"#run-{run['fingerprint']}" for run in runs)]),
        },
        *({"@id": url, "@type": "CreativeWork", "name": url.split("/")[-2]} for url in PROFILES),
    ]


def _workflow(steps: list[str]) -> list[Entity]:
    """The Snakefile with its steps, and the program that runs it."""
    return [
        {
            "@id": WORKFLOW,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "sixteen",
            "programmingLanguage": {"@id": "https://snakemake.github.io"},
            "hasPart": _refs(dict.fromkeys(f"#{STEPS[step][0]}" for step in steps)),
            "step": _refs(f"#step-{step}" for step in steps),
        },
        {"@id": "https://snakemake.github.io", "@type": "ComputerLanguage", "name": "Snakemake"},
        {"@id": "#snakemake", "@type": "SoftwareApplication", "name": "Snakemake"},
    ]


def _organizing(runs: list[Record]) -> Entity:
    """That Snakemake started each run."""
    return {
        "@id": "#organize",
        "@type": "OrganizeAction",
        "name": "Snakemake running the steps",
        "instrument": {"@id": "#snakemake"},
        "object": _refs(f"#control-{run['fingerprint']}" for run in runs),
        "result": {"@id": "#workflow"},
    }


def _whole_run(command: str, read: list[str], copy: str) -> Entity:
    """All runs as one: from what no run made to the traced file."""
    return {
        "@id": "#workflow",
        "@type": "CreateAction",
        "name": command,
        "instrument": {"@id": WORKFLOW},
        "object": _refs(read),
        "result": {"@id": copy},
    }


def _step(step: str, position: int) -> Entity:
    return {
        "@id": f"#step-{step}",
        "@type": "HowToStep",
        "name": step,
        "position": str(position),
        "workExample": {"@id": f"#{STEPS[step][0]}"},
    }


def _action(run: Record, ids: dict[str, str]) -> list[Entity]:
    """One run: what it read (files, parameters), what it wrote, when, and with which versions."""
    key, made = run["fingerprint"], run["execution"]
    values = [
        {
            "@id": f"#{key}-{name}",
            "@type": "PropertyValue",
            "name": name,
            "value": json.dumps(value, ensure_ascii=False)
            if isinstance(value, dict | list)
            else value,
        }
        for name, value in run["parameters"].items()
    ]
    versions = ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    action = {
        "@id": f"#run-{key}",
        "@type": "CreateAction",
        "name": run["path"],
        "description": (
            f"code {run['code']['digest']}, git commit {made['git_commit']}; on {made['host']} ({made['cpu']}), "
            f"Python {made['python']}, {versions}"
        ),
        "instrument": {"@id": f"#{STEPS[run['step']][0]}"},
        "object": _refs(
            [*(ids[n] for n in run["inputs"] if n in ids), *(v["@id"] for v in values)]
        ),
        "result": _refs(ids[f"{run['path']}/{name}"] for name in run["outputs"]),
        "startTime": made["started"],
        "endTime": made["ended"],
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    control = {
        "@id": f"#control-{key}",
        "@type": "ControlAction",
        "name": f"{run['step']} of {run['path']}",
        "instrument": {"@id": f"#step-{run['step']}"},
        "object": {"@id": f"#run-{key}"},
    }
    return [action, *values, control]


def _file(name: str, digest: str, size: int | None = None) -> Entity:
    entity: Entity = {"@type": "File", "name": name, "sha256": digest}
    return entity | ({} if size is None else {"contentSize": str(size)})


def _refs(ids: Any) -> list[Entity]:
    return [{"@id": key} for key in ids]
