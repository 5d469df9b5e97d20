"""The table of verdicts: a claim, its networks below it, and why, folded away."""

from html import escape
from typing import Any

from sixteen.reporting.numbers import MINUS, alike, counted_of, interval_of
from sixteen.reporting.page import Html, badge, wide
from sixteen.reporting.study import Study
from sixteen.tasks.measured.parts.metric import POINTS

CAPTION = "Claims and what this study says of each"
HEAD = "<tr><th scope='col'>{}</th><th scope='col'>Verdict</th><th scope='col'>{}</th></tr>".format(
    "The claim (in our words), and each network", "Estimate [interval], n"
)


def verdicts(study: Study) -> Html:
    """Each claim of the paper with its verdict, estimate, interval and n, over all and by network."""
    if not study.claims:
        return Html("<p>This study names no claims.</p>", "no claims")
    scale = study.parameters["scale"]
    claims = "\n".join(_claim(claim, scale) for claim in study.claims)
    text = f'<table class="verdicts">\n<caption>{CAPTION}</caption>\n<thead>{HEAD}</thead>\n{claims}\n</table>'
    return Html(
        wide(CAPTION, text),
        ", ".join(f"{claim['id']}: {claim['verdict']}" for claim in study.claims),
    )


def _claim(claim: dict[str, Any], scale: str) -> str:
    """The rows of a claim; the number of a claim about one network stands beside the claim itself."""
    parts = claim["per_network"]
    several = len(parts) > 1 or parts[0]["why"] != claim["why"]
    what, numbers = [quantity(part, claim["arms"]) for part in parts], estimated(parts)
    once = len(set(what)) == 1  # the same number is told of all networks: said once what it is
    cell = _lines(what[0] if once else "", "" if several else numbers[0])
    rows = [
        f'<tr class="claim"><th scope="row">{escape(claim["says"])}<br>'
        f'<span class="quiet">{escape(claim["source"])}</span></th>'
        f'<td>{_verdict(claim, scale)}</td><td class="estimate">{cell}</td></tr>'
    ]
    for part, told, value in zip(parts, what, numbers, strict=True) if several else ():
        rows.append(
            f'<tr class="network"><th scope="row">{escape(part["network"])}</th>'
            f"<td>{badge(part['verdict'])}</td>"
            f'<td class="estimate">{_lines("" if once else told, value)}</td></tr>'
        )
    rows.append(f'<tr class="why"><td colspan="3">{_why(claim, several)}</td></tr>')
    lines = "\n".join(rows)
    return f'<tbody id="claim-{escape(claim["id"])}">\n{lines}\n</tbody>'


def _lines(*parts: str) -> str:
    return "<br>".join(filter(None, parts))


def _verdict(claim: dict[str, Any], scale: str) -> str:
    """The badge, with the scale at which it was found, and below it what was no test over seeds."""
    basis = "" if claim["basis"] == "tested" else f'<span class="quiet">{claim["basis"]}</span>'
    return _lines(badge(claim["verdict"], f"{claim['verdict']}, {scale} scale"), basis)


def quantity(part: dict[str, Any], arms: list[str]) -> str:
    """What the numbers of a claim are: ``test accuracy, float16 - float32 [90 % interval]``; many arms are counted."""
    if part["estimate"] is None or "metric" not in part:
        return ""
    sign = "/" if part["unit"] == "times" else MINUS
    compared = f" {sign} ".join(arms) if len(arms) == 2 else f"{len(arms)} arms"
    words = f"{part['metric']}, {compared}"
    if _spread(part):
        words += f" [{100 * part['confidence']:g}\N{NO-BREAK SPACE}% interval]"
    return f'<span class="quiet">{escape(words)}</span>'


def _spread(part: dict[str, Any]) -> bool:
    """Whether there is an interval: what is counted has none."""
    return part["low"] is not None and part["low"] < part["high"]


def estimated(parts: list[dict[str, Any]]) -> list[str]:
    """``0.12 points [-0.10, 0.34], n = 3`` of each network, with the same decimals in all.

    In a few words what is missing where there is no number.
    """
    ends = ("estimate", "low", "high")
    texts = iter(alike(part[end] for part in parts for end in ends if part[end] is not None))
    cells = []
    for part in parts:
        found = [next(texts) for end in ends if part[end] is not None]
        if not found:
            cells.append(escape(part["brief"]))
            continue
        unit = "points" if part["unit"] == POINTS else part["unit"]
        interval = f" {interval_of(*found[1:])}" if _spread(part) else ""
        cells.append(f"{found[0]} {escape(unit)}{interval}, {counted_of(part['n'])}")
    return cells


def _why(claim: dict[str, Any], several: bool) -> str:
    """The sentences behind a verdict: of the claim, and of each network."""
    head, _, details = claim["why"].partition(": ")
    told = [escape(f"{head}." if several and details else claim["why"])]
    if several:
        told += [
            f"<b>{escape(part['network'])}</b>: {escape(part['why'])}"
            for part in claim["per_network"]
        ]
    if claim["hardware_note"]:
        told.append(f"<i>Hardware: {escape(claim['hardware_note'])}.</i>")
    text = "".join(f"<p>{sentence}</p>" for sentence in told)
    return f"<details><summary>Why</summary>{text}</details>"
