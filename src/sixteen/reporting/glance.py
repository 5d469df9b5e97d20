"""How a page begins: what was run, at which scale, on what, for how long, and what came out."""

from html import escape
from typing import Any

from sixteen.reporting.numbers import duration, number
from sixteen.reporting.page import Html, tally, wide
from sixteen.reporting.study import Study

LISTED = 8  # arms that a line names one by one
SCALES = {
    "toy": "small networks on small or generated data: it shows what rounding does on the way, not that a paper is right",
    "small": "real data, with fewer epochs, seeds or networks than the papers",
    "paper": "the data, networks and epochs of the papers, as far as they state them",
}
SILENT = "not stated"  # what papers/ says of a setting that a paper leaves out
GLANCE = "At a glance"
TRAINED = ("train", "continue_training")


def heading(study: Study) -> Html:
    """Title, papers, and in one line what the verdicts are, each of which holds at the scale of the study."""
    told = study.parameters
    papers = told["papers"]
    cited = f"Paper{'' if len(papers) == 1 else 's'}: {', '.join(papers)}."
    return Html(
        f'<h1>{escape(told["title"])}</h1><p class="quiet">{escape(cited)}</p>'
        f'<p class="outcome">{_outcome(study)}</p>',
        told["title"],
    )


def glance(study: Study) -> Html:
    """Scope, scale (beside what the papers ran), hardware, time and energy, a line each."""
    lines = {
        "Scope": escape(_scope(study)),
        "Scale": f"<b>{escape(study.parameters['scale'])}</b>: {SCALES[study.parameters['scale']]}.",
        **{f"{cited} ran": _ran(settings) for cited, settings in study.papers.items() if settings},
        "To compare with": escape(_landmarks(study)),
        "Hardware": escape(study.device),
        "Time": _time(study),
        "Energy": _energy(study),
    }
    rows = "\n".join(
        f'<tr><th scope="row">{escape(head)}</th><td>{cell}</td></tr>'
        for head, cell in lines.items()
    )
    text = f'<table class="glance"><caption>{GLANCE}</caption><tbody>\n{rows}\n</tbody></table>'
    return Html(wide(GLANCE, text), f"{_scope(study)} {study.parameters['scale']} scale")


def _scope(study: Study) -> str:
    """In one line what was run on what."""
    runs = study.runs
    seeds = runs["seed"].nunique()
    arms = ", ".join(study.arms) if len(study.arms) <= LISTED else f"{len(study.arms)} of them"
    lost = int((runs["outcome"] == "diverged").sum())
    diverged = f", of which {lost} diverged" if lost else ""
    return (
        f"{len(runs)} runs{diverged}: networks {', '.join(study.networks)}; dataset {study.parameters['dataset']} "
        f"({int(runs['test_items'].max()):,} test {study.item}s); "
        f"arms: {arms}; {seeds} seed{'' if seeds == 1 else 's'}."
    )


def _landmarks(study: Study) -> str:
    """What a dataset's own record says of its test set: what is reached without learning, what can be at best, what was seen."""
    facts = {}
    for record in _records(study, "prepare"):
        facts |= {name: value for name, value in record["facts"].items() if value is not None}
    shares = [(name, f"{100 * v:.1f} %") for name, v in facts.items() if name.endswith("_accuracy")]
    others = [(name, number(v)) for name, v in facts.items() if name.endswith("_perplexity")]
    told = [f"{name.replace('_', ' ')} {value}" for name, value in (*shares, *others)]
    lines = [f"On the test set: {', '.join(told)}."] if told else []
    if "seen_items" in facts:
        of = f"{facts['seen_items']:,} of {facts['test_items']:,}"
        lines.append(f"Test {study.item}s that are in the training set too: {of}.")
    return " ".join(lines) or "Nothing is known of the test set."


def _ran(settings: dict[str, str]) -> str:
    """What a paper says of its runs, and on what it is silent."""
    said = {name: value for name, value in settings.items() if value != SILENT}
    silent = [name for name in settings if name not in said]
    parts = [f"{name}: {value}" for name, value in said.items()]
    parts += [f"{SILENT}: {', '.join(silent)}"] if silent else []
    return escape("; ".join(parts) + ".")


def _records(study: Study, *steps: str) -> list[dict[str, Any]]:
    """The records of the runs of some steps; of all without any."""
    records = study.provenance["records"].values()
    return [record for record in records if not steps or record["step"] in steps]


def _time(study: Study) -> str:
    trained, every = _records(study, *TRAINED), _records(study)
    training = sum(record["facts"]["train_seconds"] for record in trained)
    wall = sum(record["execution"]["seconds"] for record in every)
    lost = sum(record["facts"]["outcome"] == "diverged" for record in trained)
    unfinished = f", and without the epochs in which {lost} of them diverged" if lost else ""
    return (
        f"Training {duration(training)} ({len(trained)} phases, without compilation and tests{unfinished}); all "
        f"{len(every)} runs behind this page {duration(wall)} of wall-clock, as if one after the other."
    )


def _energy(study: Study) -> str:
    """Of training; a run on hardware that doesn't tell isn't guessed."""
    trained = _records(study, *TRAINED)
    joules = [record["facts"]["energy_joules"] for record in trained]
    known = [value for value in joules if value is not None]
    if not known:
        return "Not measured."
    missing = "" if len(known) == len(joules) else f", of {len(known)} of {len(joules)} phases"
    return (
        f"{number(sum(known) / 1000)} kJ for training{missing}; counted by the whole device; runs that shared it "
        "counted it each."
    )


def _outcome(study: Study) -> str:
    if not study.claims:
        return "This study names no claims."
    n = len(study.claims)
    return (
        f"{n} claim{'' if n == 1 else 's'}: {tally(claim['verdict'] for claim in study.claims)} "
        f"at {study.parameters['scale']} scale."
    )
