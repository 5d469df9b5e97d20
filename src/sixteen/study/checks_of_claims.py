"""What types can't know of claims: arms and metrics that must exist, and margins that could never be decided."""

from collections.abc import Iterator

from sixteen.errors import UserError
from sixteen.study.claim import (
    Claim,
    Exact,
    NonInferior,
    Pair,
    RankCorrelation,
    SeveralNonInferior,
)
from sixteen.study.mistakes import repeated, told, unknown
from sixteen.study.parameters import Parameters
from sixteen.study.study import Study
from sixteen.tasks.measured.parts.metric import POINTS, Metric
from sixteen.tasks.measured.parts.metrics import TIMED, metrics_of


def of_papers(parameters: Parameters) -> Iterator[str]:
    """What papers/ says of itself: ids of claims, sets that questions name, arms of claims on several."""
    for paper, entry in parameters.papers.items():
        for name, claims in entry.claims.items():
            yield from repeated([claim.id for claim in claims], f"papers/{paper}.yaml, claims")
            yield from _needs(claims, f"papers/{paper}.yaml, claims/{name}")
            yield from _arms_of_no_study(parameters, paper, name)
        yield from unknown(
            list(entry.questions), entry.claims, "claims", f"papers/{paper}.yaml, questions"
        )


def of_study(
    parameters: Parameters, study: Study, arms: dict[str, str], place: str
) -> Iterator[str]:
    """What a study takes from its papers: claims, the arms that these compare, a table."""
    sets = {name for paper in study.papers for name in parameters.papers[paper].claims}
    if study.claims is not None and study.claims not in sets:
        yield (
            f"{place}/claims: expected a set of claims of {', '.join(study.papers)} ({', '.join(sorted(sets))}), came "
            f"{study.claims!r}"
        )
    if study.published is not None and parameters.table(study) is None:
        yield f"{place}/published: expected a table of {', '.join(study.papers)}, came {study.published!r}"
    claims = parameters.claims(study)
    if len(set(study.papers)) == len(study.papers):
        yield from repeated([claim.id for claim in claims], f"{place}/claims, of several papers")
    for claim in claims:
        yield from told(lambda c=claim: c.among(list(arms)), place)


def of_metrics(parameters: Parameters, study: Study, task: str, place: str) -> Iterator[str]:
    """Metrics of claims and of `reach`: known to the task, and measured so that they can decide."""
    known = metrics_of(task)
    if study.reach is not None and "accuracy" not in known:
        yield (
            f"{place}/reach: expected no accuracy to be reached, since the task {task} knows none, came {study.reach:g}: "
            "take the key out"
        )
    table = parameters.table(study)
    if table is not None and table.accuracy and "accuracy" not in known:
        yield (
            f"{place}/published: expected a table without accuracies, since the task {task} knows none, came "
            f"{study.published!r}: take the key out"
        )
    claims = parameters.claims(study)
    if study.time is not None and not any(claim.metric in TIMED for claim in claims):
        yield (
            f"{place}/time: expected a claim on what is measured alone ({', '.join(TIMED)}), whose arms are timed, came a "
            "study without one: add a claim, or take the key out"
        )
    for claim in claims:
        for mistake in (*_margins(claim, known), *_measured(claim, known)):
            yield f"{place}: claim {claim.id!r}: {mistake}"


def _margins(claim: Claim, known: dict[str, Metric]) -> Iterator[str]:
    """Margins that no difference of shares, or no ratio, can exceed."""
    margin, of = getattr(claim, "margin", 0), known.get(claim.metric or "")
    if of is None:
        return
    if (of.unit, of.kind) == (POINTS, "difference") and margin > 1:
        yield (
            f"expected a `margin` of at most 1, since {claim.metric} is a share, came {margin:g}"
        )
    relative = isinstance(claim, NonInferior | SeveralNonInferior)
    if relative and of.kind == "ratio" and margin >= 1:
        yield f"expected a `margin` below 1, since {claim.metric} is compared by ratio, came {margin:g}"


def _measured(claim: Claim, known: dict[str, Metric]) -> Iterator[str]:
    """Metrics that nobody measures, or not in a way that decides."""
    for key in ("metric", "start_metric"):
        metric = getattr(claim, key, None)
        if metric not in (None, *known):
            yield f"expected `{key}` to be one of {', '.join(known)}, came {metric!r}"
        elif metric is not None and known[metric].clock and metric not in TIMED:
            yield (
                f"expected `{key}` to be a clock that is measured alone ({', '.join(TIMED)}), came {metric!r}, which "
                "trainings tell that share their machine"
            )
        elif metric is not None and known[metric].clock and not isinstance(claim, Pair):
            yield f"expected `{key}` to be a metric of runs, came {metric!r}, which is measured of two arms in turns"


def of_arms(parameters: Parameters, study: Study, network: str, place: str) -> Iterator[str]:
    """Arms that a claim compares, and that are one run."""
    for claim in parameters.claims(study):
        said: dict[str, str] = {}
        for arm in claim.among(list(study.sentences)) if not isinstance(claim, Exact) else ():
            text = "/".join(phrase.text for phrase in parameters.phrases(study, network, arm))
            if text in said:
                yield (
                    f"{place}: claim {claim.id!r} compares {said[text]} with {arm}, which are the same sentence: give one "
                    "of the arms another"
                )
            said[text] = arm


def _needs(claims: tuple[Claim, ...], place: str) -> Iterator[str]:
    """Claims that need one which isn't there, or which needs another one in turn."""
    known = [claim.id for claim in claims if claim.needs is None]
    for claim in claims:
        if claim.needs is not None and claim.needs not in known:
            yield (
                f"{place}/{claim.id}/needs: expected a claim of this set that needs no other ({', '.join(known)}), came "
                f"{claim.needs!r}"
            )


def _arms_of_no_study(parameters: Parameters, paper: str, name: str) -> Iterator[str]:
    """Names in claims on several arms that no study has: a study may lack some, so that a slip would go unseen."""
    deciding = [
        study
        for study in parameters.studies.values()
        if study.claims == name and paper in study.papers
    ]
    try:
        known = {arm for study in deciding for arm in study.sentences}
    except UserError:
        return  # told of the study
    for claim in parameters.papers[paper].claims[name] if deciding else ():
        several = claim.arms if isinstance(claim, SeveralNonInferior | RankCorrelation) else ()
        for arm in several:
            if arm not in known:
                yield (
                    f"papers/{paper}.yaml, claims/{name}/{claim.id}/arms: expected arms of studies that are to decide "
                    f"this, came {arm!r}, which none has: correct its name, or take it out"
                )
