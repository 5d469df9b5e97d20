"""The tables of a report as HTML: statistics, settings, and the runs behind them."""

import math
from collections.abc import Iterable
from html import escape

import pandas as pd

from sixteen.reporting.numbers import MINUS, alike, estimates
from sixteen.reporting.page import Html, settings, table
from sixteen.reporting.study import Study
from sixteen.tasks.measured.parts.metric import POINTS

FEW = 3  # arms that fit beside each other in a table


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
        cells = _means(by_arm, scale)
        lines = [tuple(cells)] if few else zip(map(escape, study.arms), cells, strict=True)
        for i, line in enumerate(lines):
            named = ("", "") if i else (escape(words), unit)
            rows.setdefault(network, []).append((*named, *line))
    columns = list(map(escape, study.arms)) if few else ["Arm", "Mean [interval], n"]
    numbers = range(2, 2 + len(columns)) if few else (3,)
    return _by_network(("Metric", "Unit", *columns), rows, numbers, "Metrics, arm by arm")


def differences(study: Study) -> Html:
    """Differences and ratios between the arms, paired by seed."""
    rows: dict[str, list[tuple[str, ...]]] = {}
    for _, row in study.table("differences").dropna(subset=["mean"]).iterrows():
        words, unit, scale = _shown(study, row["metric"])
        ratio = row["kind"] == "ratio"
        compared = f"{row['arm']} {'/' if ratio else MINUS} {row['reference']}"
        cells = (words, compared, "times" if ratio else unit)
        (mean,) = _means(row.to_frame().T, 1 if ratio else scale)
        line = (*map(escape, cells), mean)
        rows.setdefault(row["network"], []).append(line)
    head = ("Metric", "Compared", "Unit", "Mean [interval], n")
    return _by_network(head, rows, (3,), "Arms compared")


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
    head = ("Network", "Layers", "Parameters", "Settings", "Note")
    text = table("Networks as they were built", head, rows, (1, 2))
    return Html(text, f"table of networks: {len(rows)} rows")


def arms(study: Study) -> Html:
    """The arms as sentences, and the precisions, recipes and machines that the sentences name."""
    told = study.parameters
    rows = [(escape(arm), f"<code>{escape(text)}</code>") for arm, text in told["arms"].items()]
    named = [
        (escape(name), escape(settings(values)))
        for section in ("precisions", "recipes")
        for name, values in told[section].items()
    ]
    usual = {key: told[key] for key in ("backend", "threads", "devices")}
    for name, values in {"no machine named": usual, **told["machines"]}.items():
        named.append((escape(name), escape(settings(values))))
    named.append(("statistics", escape(settings(told["statistics"]))))
    text = table("Arms", ("Arm", "How its runs came to be"), rows)
    text += table(
        "What the names of precisions, recipes and machines stand for", ("Name", "Settings"), named
    )
    return Html(text, "arms, precisions and recipes")


def runs(study: Study) -> Html:
    """Every run of the last phase with its outcome and fingerprint."""
    reached = alike(study.runs[study.main] * study.metrics[study.main].scale)
    rows = [
        (
            escape(run["network"]),
            escape(run["arm"]),
            f"{run['seed']}",
            escape(run["outcome"]),
            value,
            f"<code>{escape(run['fingerprint'])}</code>",
        )
        for (_, run), value in zip(study.runs.iterrows(), reached, strict=True)
    ]
    head = ("Network", "Arm", "Seed", "Outcome", escape(study.main_label), "Fingerprint")
    name = f"{len(rows)} runs"
    made = table("Runs of the last phase, by fingerprint", head, rows, (2, 4))
    text = f"<details><summary>{name}</summary>{made}</details>"
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


def _by_network(
    head: Iterable[str], rows: dict[str, list[tuple[str, ...]]], numbers: Iterable[int], what: str
) -> Html:
    """A table a network, the first one open."""
    text = "".join(
        f"<details{'' if i else ' open'}><summary>{escape(network)}</summary>"
        f"{table(f'{what}: {network}', head, lines, numbers)}</details>"
        for i, (network, lines) in enumerate(rows.items())
    )
    return Html(text or "<p>Nothing to compare.</p>", f"{what}: {', '.join(rows)}")


def _shown(study: Study, metric: str) -> tuple[str, str, float]:
    """Words, unit and factor in which a metric is shown; memory in megabytes."""
    known = study.metrics[metric]
    return (
        (known.words, "MB", 1e-6)
        if known.unit == "bytes"
        else (known.words, known.unit, known.scale)
    )


def _means(rows: pd.DataFrame, scale: float) -> list[str]:
    """Mean, interval and n of each row, with the same decimals in all."""
    ends = rows[["mean", "low", "high"]].astype(float) * scale
    return estimates(
        (0 if math.isnan(mean) else int(n), mean, low, high)
        for n, (mean, low, high) in zip(rows["n"], ends.to_numpy(), strict=True)
    )
