"""The page that joins the studies of every open question: what is decided, at which scale, and what the rest would cost."""

from collections.abc import Iterable
from html import escape
from typing import Any

from sixteen.reporting import remaining
from sixteen.reporting.contents import arrange
from sixteen.reporting.listed import Report
from sixteen.reporting.numbers import counted_of
from sixteen.reporting.page import SIGNS, badge, page, table, tally, wide
from sixteen.reporting.remaining import ABSENT
from sixteen.reporting.verdicts import estimated, quantity

TITLE = "Open questions"
ABOUT = """<p>What the papers leave open, question by question. Each claim has a verdict of each study that is to decide it, at
the scale of that study: <i>toy</i> is small networks on small or generated data, <i>paper</i> the data, networks and epochs of
the papers. <i>Not run yet</i> says that no report of the study that judges the claim as it stands here is published.</p>
"""
ORIGIN = """<h2>Where this page comes from</h2>
<p>Questions, claims and trainings are those that the parameters plan; verdicts those of the reports below, each of which
holds the way back to the data. <code>snakemake</code> writes this page anew with each report that it publishes.</p>
"""
NOT_RUN = f'<span class="badge none">{ABSENT}</span>'
COLUMNS = "".join(
    f"<th scope='col'>{column}</th>"
    for column in ("The claim, and each study", "Verdict", "Estimate [interval], n")
)
Verdict = dict[str, Any]


def render(asked: dict[str, Any], reports: dict[str, Report]) -> str:
    """The page, of what `sixteen.lineage.questions` tells and all published reports by study."""
    joined = {study: report for study, report in reports.items() if study in asked["studies"]}
    parts = [
        f'<h1>{TITLE}</h1>\n<p class="outcome">{_outcome(asked, joined)}</p>\n{ABOUT}',
        _overview(asked, joined),
        *(_question(asked, question, joined) for question in asked["questions"]),
        remaining.section(asked, reports),
        _origin(joined),
    ]
    return page(TITLE, *arrange("\n".join(parts)))


def _outcome(asked: dict[str, Any], joined: dict[str, Report]) -> str:
    """How many questions there are, and at each scale how often each verdict was given."""
    by_scale: dict[str, list[Verdict | None]] = {}
    for study in remaining.studies_of(asked):
        told = asked["studies"][study]
        by_scale.setdefault(told["scale"], []).extend(_verdicts(told, joined.get(study)))
    n = len(asked["questions"])
    sums = "<br>".join(f"At {scale} scale: {_tally(found)}" for scale, found in by_scale.items())
    return f"{n} question{'' if n == 1 else 's'}.<br>{sums}"


def _verdicts(told: dict[str, Any], report: Report | None) -> list[Verdict | None]:
    """What a study says of each of its claims, in order; None of one that it doesn't judge yet."""
    return report.judged(told["claims"]) if report else [None] * len(told["claims"])


def _tally(found: Iterable[Verdict | None]) -> str:
    """How often each verdict was given, and how many are missing."""
    found = list(found)
    given = [one["verdict"] for one in found if one]
    missing = f'<span class="badge none">{found.count(None)} {ABSENT}</span>'
    return " ".join(([tally(given)] if given else []) + ([missing] if None in found else []))


def _overview(asked: dict[str, Any], joined: dict[str, Report]) -> str:
    """A row a question, in it a line a study."""
    rows = []
    for question in asked["questions"]:
        lines = []
        for study in question["studies"]:
            told = asked["studies"][study]
            found = _tally(_verdicts(told, joined.get(study)))
            lines.append(f"{_named(study, told['scale'], joined)}<br>{found}")
        rows.append((escape(question["asks"]), "<br>".join(lines)))
    return table(
        "Questions, and what each study decides of them", ("Question", "Studies and claims"), rows
    )


def _named(study: str, scale: str, joined: dict[str, Report], place: str = "") -> str:
    """A study as a link to its page, or to a place there, if it is published; with its scale."""
    name = escape(study)
    if study in joined:
        name = f'<a href="../{name}/index.html{place}">{name}</a>'
    return f'{name}, <span class="quiet">{escape(scale)} scale</span>'


def _question(asked: dict[str, Any], question: dict[str, Any], joined: dict[str, Report]) -> str:
    """A question with its claims, a row each, and below each a row for each study that is to decide it."""
    studies = {study: asked["studies"][study] for study in question["studies"]}
    claims = {claim["id"]: claim for told in studies.values() for claim in told["claims"]}
    bodies = []
    for name, claim in claims.items():
        rows = [
            f'<tr class="claim"><th scope="row" colspan="3">{escape(claim["says"])}<br>'
            f'<span class="quiet">{escape(claim["source"])}</span></th></tr>'
        ]
        for study, told in studies.items():
            found = dict(zip((c["id"] for c in told["claims"]), _verdicts(told, joined.get(study)), strict=True))  # fmt: skip
            if name in found:
                cell = _named(study, told["scale"], joined, f"#claim-{escape(name)}")
                rows.append(_row(cell, found[name]))
        bodies.append(f"<tbody>\n{chr(10).join(rows)}\n</tbody>")
    asks, text = question["asks"], "\n".join(bodies)
    caption = f"Claims: {asks}"
    made = f'<table class="verdicts">\n<caption>{escape(caption)}</caption>\n<thead><tr>{COLUMNS}</tr></thead>\n{text}\n</table>'
    return f"<h2>{escape(asks)}</h2>\n{wide(caption, made)}"


def _row(named: str, found: Verdict | None) -> str:
    """What a study says of a claim: its verdict, and at each network estimate, interval and n."""
    shown = badge(found["verdict"]) if found else NOT_RUN
    return (
        f'<tr class="network"><th scope="row">{named}</th><td>{shown}</td>'
        f'<td class="estimate">{_numbers(found) if found else ""}</td></tr>'
    )


def _numbers(found: Verdict) -> str:
    parts = found["per_network"]
    lines = list(dict.fromkeys(filter(None, (quantity(part, found["arms"]) for part in parts))))
    for part, cell in zip(parts, estimated(parts), strict=True):
        sign = f"{SIGNS[part['verdict']]} " if len(parts) > 1 else ""
        lines.append(f"{escape(part['network'])} {sign}{cell}")
    if found["verdict"] == "inconclusive" and found["needed_n"]:
        lines.append(f'<span class="quiet">{counted_of(found["needed_n"])} would decide</span>')
    return "<br>".join(lines)


def _origin(joined: dict[str, Report]) -> str:
    rows = [
        (f'<a href="../{escape(study)}/index.html">{escape(study)}</a>', f"<code>{escape(report.summary)}</code>")
        for study, report in joined.items()
    ]  # fmt: skip
    return ORIGIN + (
        table("Reports that this page joins", ("Study", "Summary"), rows)
        if rows
        else "<p>None yet.</p>"
    )
