"""The tables of a report as HTML: verdicts, statistics, settings, and the runs behind them."""

from collections.abc import Iterable
from html import escape
from typing import Any

import pandas as pd

from sixteen.reporting.numbers import DASH, MINUS, counted_of, number
from sixteen.reporting.page import Html, badge, settings, table
from sixteen.reporting.study import Study
from sixteen.tasks.measured.parts.metric import POINTS

FEW = 5  # arms that fit beside each other in a table


def verdicts(study: Study) -> Html:
    """Each claim of the paper with its verdict, estimate, interval and n, over all and by network."""
    scale = study.parameters["scale"]
    rows = []
    for claim in study.claims:
        note = claim["hardware_note"]
        parts = claim["per_network"]
        detailed = len(parts) > 1 or parts[0]["why"] != claim["why"]
        why = _folded(claim["why"]) if len(parts) > 1 else escape(claim["why"])
        why += f" <i>Hardware: {escape(note)}.</i>" if note else ""
        rows.append(
            f'<tr class="claim"><td>{escape(claim["says"])}<br>'
            f'<span class="quiet">{escape(claim["source"])}</span></td>'
            f"<td>{_verdict(claim, scale)}</td>"
            f"<td>{_estimate(claim)}</td><td>{why}</td></tr>"
        )
        if detailed:
            rows += [
                f'<tr class="network"><td>{escape(part["network"])}</td><td>{_verdict(part, scale)}</td>'
                f"<td>{_estimate(part)}</td><td>{escape(part['why'])}</td></tr>"
                for part in parts
            ]
    if not rows:
        return Html("<p>This study names no claims.</p>", "no claims")
    return Html(
        '<div class="wide"><table class="verdicts"><colgroup><col width="25%"><col width="23%">'
        '<col width="17%"><col></colgroup><thead><tr><th>The claim (in our words)</th>'
        "<th>Verdict</th><th>Estimate [interval], n</th><th>Why</th></tr></thead><tbody>"
        f"{''.join(rows)}</tbody></table></div>",
        ", ".join(f"{claim['id']}: {claim['verdict']}" for claim in study.claims),
    )


def _verdict(claim: dict[str, Any], scale: str) -> str:
    """The badge, with the scale at which it was found, and below it what was no test over seeds."""
    basis = "" if claim["basis"] == "tested" else f'<br><span class="quiet">{claim["basis"]}</span>'
    return badge(claim["verdict"], f"{claim['verdict']}, {scale} scale") + basis


def metrics(study: Study) -> Html:
    """Mean and interval of every metric that was measured, arm by arm."""
    summary = study.table("summary")
    rows: dict[str, list[tuple[str, ...]]] = {}
    few = len(study.arms) <= FEW  # more arms stand below each other
    for (network, metric), group in summary.groupby(["network", "metric"], sort=False):
        words, unit, scale = _shown(study, metric)
        unit = "%" if unit == POINTS else unit
        by_arm = group.set_index("arm").reindex(study.arms)
        if by_arm["mean"].isna().all():
            continue
        cells = [_mean(row, scale) for _, row in by_arm.iterrows()]
        lines = [tuple(cells)] if few else zip(map(escape, study.arms), cells, strict=True)
        for i, line in enumerate(lines):
            named = ("", "") if i else (escape(words), unit)
            rows.setdefault(network, []).append((*named, *line))
    columns = map(escape, study.arms) if few else ("Arm", "Mean [interval], n")
    return _by_network(("Metric", "Unit", *columns), rows, "metrics")


def differences(study: Study) -> Html:
    """Differences and ratios between the arms, paired by seed."""
    rows: dict[str, list[tuple[str, ...]]] = {}
    for _, row in study.table("differences").dropna(subset=["mean"]).iterrows():
        words, unit, scale = _shown(study, row["metric"])
        ratio = row["kind"] == "ratio"
        compared = f"{row['arm']} {'/' if ratio else MINUS} {row['reference']}"
        cells = (words, compared, "" if ratio else unit)
        line = (*map(escape, cells), _mean(row, 1 if ratio else scale))
        rows.setdefault(row["network"], []).append(line)
    return _by_network(("Metric", "Compared", "Unit", "Mean [interval], n"), rows, "differences")


def networks(study: Study) -> Html:
    """The networks as they were really built: layers and parameters."""
    rows = []
    for network in study.networks:
        facts = study.facts(network)
        told = study.parameters["networks"][network]
        depth, layers = told.get("depth"), facts["layers"]
        note = f"called {depth}, really {layers} layers" if depth not in (None, layers) else ""
        rows.append(
            (escape(network), f"{layers}", f"{facts['parameters']:,}", settings(told), note)
        )
    return _html(("Network", "Layers", "Parameters", "Settings", ""), rows, (1, 2), "networks")


def arms(study: Study) -> Html:
    """The arms as sentences, and the precisions and recipes that the sentences name."""
    told = study.parameters
    rows = [(escape(arm), f"<code>{escape(text)}</code>") for arm, text in told["arms"].items()]
    named = [
        (escape(name), escape(settings(values)))
        for section in ("precisions", "recipes")
        for name, values in told[section].items()
    ]
    named.append(("backend", escape(told["backend"])))
    named.append(("statistics", escape(settings(told["statistics"]))))
    text = table(("Arm", "How its runs came to be"), rows) + table(("Name", "Settings"), named)
    return Html(text, "arms, precisions and recipes")


def runs(study: Study) -> Html:
    """Every run of the last phase with its outcome and fingerprint."""
    rows = [
        (
            escape(run["network"]),
            escape(run["arm"]),
            f"{run['seed']}",
            escape(run["outcome"]),
            number(run[study.main] * study.metrics[study.main].scale),
            f"<code>{escape(run['fingerprint'])}</code>",
        )
        for _, run in study.runs.iterrows()
    ]
    head = ("Network", "Arm", "Seed", "Outcome", escape(study.main_label), "Fingerprint")
    text = f"<details><summary>{len(rows)} runs</summary>{table(head, rows, (2, 4))}</details>"
    return Html(text, f"table of {len(rows)} runs")


def origin(study: Study) -> Html:
    """The commands that make this page again and that trace a file of it."""
    name, record = study.name, study.record
    return Html(
        f"<p>Made from the summary <code>{escape(record['path'])}</code>.</p>"
        f"<pre># the whole study, from the dataset to this page\nsnakemake --cores all {escape(name)}\n\n"
        "# one figure, back to the dataset\n"
        f"sixteen trace reports/{escape(name)}/figures/loss-curves.png</pre>",
        f"snakemake --cores all {name}",
    )


def _by_network(head: Iterable[str], rows: dict[str, list[tuple[str, ...]]], plain: str) -> Html:
    """A table a network, the first one open."""
    text = "".join(
        f"<details{'' if i else ' open'}><summary>{escape(network)}</summary>{table(head, lines)}</details>"
        for i, (network, lines) in enumerate(rows.items())
    )
    return Html(text or "<p>Nothing to compare.</p>", f"tables of {plain}: {', '.join(rows)}")


def _folded(why: str) -> str:
    """A sentence with its details, after the colon, folded away: the lines below tell them one by one."""
    head, _, details = why.partition(": ")
    if not details:
        return escape(why)
    return f"<details><summary>{escape(head)}</summary>{escape(details)}</details>"


def _html(head: Iterable[str], rows: list[Any], numbers: Iterable[int], plain: str) -> Html:
    return Html(table(head, rows, numbers), f"table of {plain}: {len(rows)} rows")


def _shown(study: Study, metric: str) -> tuple[str, str, float]:
    """Words, unit and factor in which a metric is shown; memory in megabytes."""
    known = study.metrics[metric]
    return (
        (known.words, "MB", 1e-6)
        if known.unit == "bytes"
        else (known.words, known.unit, known.scale)
    )


def _estimate(claim: dict[str, Any]) -> str:
    """``0.12 points [-0.1, 0.34], n = 5``, with what there is."""
    parts = []
    if claim["estimate"] is not None:
        unit = "points" if claim["unit"] == POINTS else claim["unit"]
        parts.append(f"{number(claim['estimate'])} {escape(unit)}")
    if claim["low"] is not None:
        confidence = claim.get("confidence")
        parts.append(
            f"{_interval(claim['low'], claim['high'])}{f' ({confidence:.0%})' if confidence else ''}"
        )
    return "<br>".join([*parts, f"n = {claim['n']}"])


def _mean(row: pd.Series, scale: float) -> str:
    if pd.isna(row["mean"]):
        return DASH
    text = number(row["mean"] * scale)
    if row["low"] < row["high"]:  # counted values have no spread, and one seed has no interval
        text += f" {_interval(row['low'] * scale, row['high'] * scale)}"
    return f"{text}, {counted_of(int(row['n']))}"


def _interval(low: float, high: float) -> str:
    return f"[{number(low)}, {number(high)}]"
