"""The questions that papers/ asks, and the page that joins their studies: what that page is told before anything runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sixteen import networks
from sixteen.lineage import fingerprint
from sixteen.lineage.items import Items, items_of, length
from sixteen.lineage.plan import Plan
from sixteen.lineage.speeds import format_of, kind_of_training
from sixteen.lineage.steps import TRAINING, Run, manifest_of

FOLDER = "questions"  # of the page, below reports/
PAGE = "sixteen.reporting.questions"


def page_of(plan: Plan) -> Run | None:
    """The page as a run of the step `join`, which starts from no other; None if no study is to decide a question.

    Its parameters are `questions`, each what it `asks` and the names of its `studies`; these `studies` with their claims and
    the fingerprints of their trainings; the `trainings` with the items that each sees in all its epochs; and their `kinds`, see `kind_of_training`, with the multiply-adds of an item's forward pass, and test items by
    training item. Pure, as the plan is. Raises UserError if the size of a dataset is unknown.
    """
    questions = [
        {"asks": asks, "studies": studies}
        for name, paper in plan.parameters.papers.items()
        for claims, asks in paper.questions.items()
        if (studies := _studies(plan, name, claims))
    ]
    if not questions:
        return None
    told: dict[str, Any] = {"questions": questions, "studies": {}, "trainings": {}, "kinds": {}}
    for study in (name for question in questions for name in question["studies"]):
        _add(plan, study, told)
    code = fingerprint.code_of([PAGE])
    folder = f"reports/{FOLDER}"
    key = fingerprint.fingerprint_of(folder, told, fingerprint.code_digest([PAGE]), {})
    return Run("join", f"{folder}/{key}", told, code, {}, {}, {})


def manifests(page: Run | None, studies: Iterable[str], reports: Path) -> list[str]:
    """The path of the file that says that exactly this page is published, for studies among which it joins one.

    For others as well where a publication was killed before it had written the page anew: nobody else would.
    """
    killed = (reports / FOLDER).is_dir() and not any((reports / FOLDER).glob(manifest_of("*")))
    if page is None or not (killed or page.parameters["studies"].keys() & set(studies)):
        return []
    return [f"reports/{FOLDER}/{manifest_of(page.fingerprint)}"]


def _studies(plan: Plan, paper: str, claims: str) -> list[str]:
    """The studies that are to decide a set of claims of a paper."""
    return [
        name
        for name, study in plan.parameters.studies.items()
        if study.claims == claims and paper in study.papers
    ]


def _add(plan: Plan, name: str, told: dict[str, Any]) -> None:
    """Add what one study asks and would train."""
    study, runs = plan.parameters.studies[name], plan.study(name)
    by_path = {run.path: run for run in runs}
    items = items_of(plan, next(run for run in runs if run.step == "prepare"), [])
    trainings = [run for run in runs if run.step in TRAINING]
    for run in trainings:
        kind = kind_of_training(run)
        told["kinds"].setdefault(kind, _kind(plan, run, items))
        seen = {"kind": kind, "items": length(run, by_path, items)}
        told["trainings"][run.fingerprint] = seen
    claims = plan.parameters.claims(study)
    told["studies"][name] = {
        "title": study.title,
        "scale": study.scale,
        "seeds": len(study.seeds),
        "claims": [claim.plain() for claim in claims],
        "trainings": [run.fingerprint for run in trainings],
    }


def _kind(plan: Plan, run: Run, items: Items) -> dict[str, Any]:
    name = run.path.split("/")[2]
    network = plan.parameters.network(name)
    return {
        "network": name,
        "family": network.family,
        "format": format_of(run.parameters["precision"]),
        "backend": run.parameters["backend"],
        "threads": run.parameters["threads"],
        "devices": run.parameters["devices"],
        "multiply_adds": networks.cost(network, items.shape, items.classes),
        "tests": items.test / items.train,
    }
