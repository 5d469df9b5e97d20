"""What the cells of tables say, against numbers worked out from the runs: the right one below each head."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from drawn import ARMS, LOST, NETWORKS, SEEDS, Shown, draw, interval, make
from made_up_training import ITEMS
from scipy import stats

from sixteen.files import read_json, write_json
from sixteen.reporting import glance, published, tables
from sixteen.reporting.figures import exponents, timed, tolerance
from sixteen.reporting.page import Html
from sixteen.reporting.verdicts import verdicts

NUMBER = re.compile(r"-?\d[\d,]*\.?\d*(?:e-?\d+)?")
PUBLISHED = {
    "source": "Table 5",
    "accuracy": {
        "resnet8": {"float16": [81.6, 0.4], "float32": [71.3, 0.6], "mixed": [61.9, 0.5]},
        "resnet14": {"float16": [52.4, 0.1], "float32": [43.8, 0.2], "mixed": [34.7, 0.3]},
    },
    "seconds": {
        "resnet8": {"float16": 677, "float32": 905, "mixed": 795},
        "resnet14": {"float16": 377, "float32": 857, "mixed": 455},
    },
    "parameters": {"resnet8": 50_000, "resnet14": 200_000},
    "notes": {},
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    made = make(tmp_path_factory.mktemp("cells"), published=PUBLISHED)
    claims = read_json(made.summary / "claims.json")
    # Networks that don't agree, and not with what is said of all.
    for part, verdict in zip(
        claims["claims"][0]["per_network"], ("supported", "refuted"), strict=True
    ):
        part["verdict"] = verdict
    write_json(made.summary / "claims.json", claims)
    return draw(made, ())


def rows(shown: Html) -> Iterator[dict[str, str]]:
    """The rows of all tables of a block, cells by what stands above them; `about` is the title of the table."""
    page = BeautifulSoup(shown.text, "html.parser")
    for table in page.find_all("table"):
        heads = [cell.get_text() for cell in table.find("thead").find_all("th")]
        title = table.find_previous(["summary", "h3"])
        for line in table.find("tbody").find_all("tr"):
            cells = [cell.get_text() for cell in line.find_all(["td", "th"])]
            told = dict(zip(heads, cells, strict=True))
            yield told | {"about": title.get_text() if title else ""}


def numbers(cell: str) -> list[float]:
    """The numbers in a cell, in their order: estimate, low, high, n."""
    plain = cell.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    return [float(found.replace(",", "")) for found in NUMBER.findall(plain)]


def rounded(values: Iterable[float]) -> list[Any]:
    """Numbers as a table rounds them: to four digits from 10 on, else to three."""
    return [pytest.approx(value, rel=6e-4 if abs(value) >= 10 else 6e-3) for value in values]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("words", "column", "scale"),
    [
        ("test accuracy", "accuracy", 100),
        ("test accuracy after the first epoch", "first_epoch_accuracy", 100),
        ("training time", "train_seconds", 1),
        ("peak memory", "peak_bytes", 1e-6),
        ("images with the reference's class", "agreement", 100),
    ],
)
def test_each_arm_has_its_own_mean_and_interval(
    shown: Shown, network: str, words: str, column: str, scale: float
) -> None:
    (row,) = [
        row for row in rows(tables.metrics(shown.study))
        if row["about"] == network and row["Metric"] == words
    ]  # fmt: skip
    for arm in ARMS:
        values = scale * shown.finished(network, arm, column).dropna()
        if values.empty:
            assert row[arm] == "\N{EN DASH}"
        else:
            told = numbers(row[arm])
            assert told[:1] == rounded([values.mean()])
            assert told[-1] == len(values)
            if scale != 100:
                assert told[1:3] == rounded(interval(values)[1:])
            assert told[1] < told[0] < told[2]
    units = {"train_seconds": "s", "peak_bytes": "MB"}
    assert row["Unit"] == units.get(column, "%")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arm", ["float16", "mixed"])
def test_differences_are_the_arm_minus_the_reference_paired_by_seed(
    shown: Shown, network: str, arm: str
) -> None:
    found = {
        row["Metric"]: row
        for row in rows(tables.differences(shown.study))
        if row["about"] == network and row["Compared"].startswith(f"{arm} ")
    }
    gap = 100 * (
        shown.finished(network, arm, "accuracy") - shown.finished(network, "float32", "accuracy")
    )
    row = found["test accuracy"]
    assert row["Compared"] == f"{arm} \N{MINUS SIGN} float32"
    # Seeds that agree to less than an image are taken to spread by one.
    spread, n = max(gap.std(), 100 / ITEMS), gap.count()
    half = stats.t.ppf(0.975, n - 1) * spread / n**0.5
    wanted = [gap.mean(), gap.mean() - half, gap.mean() + half, n]
    assert numbers(row["Mean [interval], n"]) == rounded(wanted)
    assert row["Unit"] == "percentage points"
    row = found["training time"]
    assert row["Compared"] == f"{arm} / float32"
    ratio = shown.finished(network, arm, "train_seconds") / shown.finished(
        network, "float32", "train_seconds"
    )
    wanted = [*np.exp(interval(np.log(ratio.dropna()))), ratio.count()]
    assert numbers(row["Mean [interval], n"]) == rounded(wanted)


def test_each_run_is_listed_with_its_own_number_and_fingerprint(shown: Shown) -> None:
    found = list(rows(tables.runs(shown.study)))
    runs = pd.read_csv(shown.study.summary / "runs.csv")
    assert len(found) == len(runs) == len(NETWORKS) * len(ARMS) * SEEDS
    for row, (_, run) in zip(found, runs.iterrows(), strict=True):
        assert (row["Network"], row["Arm"], int(row["Seed"])) == (
            run["network"],
            run["arm"],
            run["seed"],
        )
        assert (row["Outcome"], row["Fingerprint"]) == (run["outcome"], run["fingerprint"])
        if run["outcome"] == "finished":
            assert numbers(row["test accuracy (%)"]) == rounded([100 * run["accuracy"]])
    assert [
        (r["Network"], r["Arm"], int(r["Seed"])) for r in found if r["Outcome"] == "diverged"
    ] == [LOST]


def test_networks_have_their_own_layers_and_parameters(shown: Shown) -> None:
    found = {row["Network"]: row for row in rows(tables.networks(shown.study))}
    for network, depth in {"resnet8": 8, "resnet14": 14}.items():
        told = [numbers(found[network][head]) for head in ("Layers", "Parameters")]
        assert told == [[depth], [9700 * depth]]  # as `made_up_training` counts


def test_verdicts_stand_beside_the_numbers_that_they_rest_on(shown: Shown) -> None:
    page = BeautifulSoup(verdicts(shown.study).text, "html.parser")
    lines = iter([
        [cell.get_text(" ") for cell in line.find_all(["td", "th"])]
        for line in page.select("tbody tr")
    ])  # fmt: skip
    seen = set()
    for claim in shown.study.claims:
        says, verdict, what = next(lines)
        assert claim["says"] in says and claim["verdict"] in verdict
        parts = claim["per_network"]
        if "metric" in parts[0]:  # the confidence is that of two tests at 5 %
            assert parts[0]["metric"] in what and "[90 % interval]" in what.replace("\xa0", " ")
        for part in parts if len(parts) > 1 or parts[0]["why"] != claim["why"] else ():
            network, verdict, estimate = next(lines)
            assert part["network"] in network and part["verdict"] in verdict
            wanted = [part[name] for name in ("estimate", "low", "high") if part[name] is not None]
            # Decimals alike in all rows of a claim.
            assert numbers(estimate) == pytest.approx([*wanted, part["n"]], rel=6e-3, abs=6e-4)
            seen.add(part["verdict"])
        (why,) = next(lines)
        assert all(part["why"] in why for part in parts)
    assert seen == {"supported", "refuted", "inconclusive"}


def _published(shown: Shown, title: str) -> dict[str, dict[str, str]]:
    found = rows(published.beside(shown.study))
    return {row["Network"]: row for row in found if row["about"].startswith(title)}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arm", ARMS)
def test_the_papers_accuracy_stands_beside_ours_of_the_same_arm(
    shown: Shown, network: str, arm: str
) -> None:
    row = _published(shown, "Test accuracy")[network]
    assert numbers(row[f"{arm}, paper"]) == PUBLISHED["accuracy"][network][arm]
    values = 100 * shown.finished(network, arm, "accuracy")
    told = numbers(row[f"{arm}, ours"])
    assert told[0] == pytest.approx(values.mean(), abs=0.006)
    assert told[-1] == len(values)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("arm", ARMS)
def test_the_papers_seconds_and_speed_ups_stand_beside_ours(
    shown: Shown, network: str, arm: str
) -> None:
    row, seconds = _published(shown, "Training time")[network], PUBLISHED["seconds"][network]
    assert numbers(row[f"{arm}, paper"]) == [seconds[arm]]
    values = shown.finished(network, arm, "train_seconds")
    wanted = [*interval(values), len(values)]
    assert numbers(row[f"{arm}, ours"]) == rounded(wanted)
    if arm != "float32":
        row = _published(shown, "Speed-up")[network]
        faster = seconds["float32"] / seconds[arm]
        assert numbers(row[f"{arm}, paper"]) == [pytest.approx(faster, abs=0.05)]
        ratio = (shown.finished(network, "float32", "train_seconds") / values).dropna()
        wanted = [*np.exp(interval(np.log(ratio))), len(ratio)]
        assert numbers(row[f"{arm}, ours"]) == rounded(wanted)


def test_the_papers_parameters_are_subtracted_from_ours(shown: Shown) -> None:
    found = {row["Network"]: row for row in rows(published.parameters(shown.study))}
    for network, ours in {"resnet8": 77_600, "resnet14": 135_800}.items():
        paper = PUBLISHED["parameters"][network]
        told = [numbers(found[network][head])[0] for head in ("Ours", "Paper", "Difference")]
        assert told == [ours, paper, ours - paper]


@pytest.mark.parametrize("network", NETWORKS)
def test_what_was_timed_is_told_of_the_arm_that_it_was_timed_of(shown: Shown, network: str) -> None:
    times = pd.read_csv(shown.study.summary / "times.csv")
    found = [row for row in rows(timed.everything(shown.study)) if row["Network"] == network]
    assert len(found) == 4
    for row in found:
        mine = times[(times["network"] == network) & (times["arm"] == row["Arm"])]
        mine = mine[mine["against"] == row["In turns with"]]
        assert numbers(row["Turns"]) == [len(mine)]
        told = numbers(row["Step (ms)"])
        assert told == rounded(interval(1e3 * mine["step_seconds"]))
        assert numbers(row["images/s"])[0] == pytest.approx(
            mine["items_per_second"].mean(), rel=1e-3
        )
        assert numbers(row["Peak memory (MB)"]) == [pytest.approx(mine["peak_bytes"].mean() / 1e6)]


@pytest.mark.parametrize("network", NETWORKS)
def test_certified_shares_are_means_over_seeds(shown: Shown, network: str) -> None:
    compared = pd.read_csv(shown.study.summary / "tolerance.csv")
    compared = compared[compared["network"] == network].groupby(["arm", "kind"])
    found = [r for r in rows(tolerance.certificates(shown.study)) if r["Network"] == network]
    assert len(found) == compared.ngroups == 3
    for row in found:
        mine = compared.get_group(tuple(row["Arm (kind)"].removesuffix(")").split(" (")))
        heads = {
            "Certified (%)": mine["certified"] / mine["n"],
            "Same class (%)": mine["agree"] / mine["n"],
        }
        heads["Tightness (%)"] = mine["certified"] / mine["agree"]
        for head, shares in heads.items():
            told = numbers(row[head])
            assert told[0] == pytest.approx(100 * shares.mean(), abs=0.06)
            assert told == [told[0]] or told[1] <= told[0] <= told[2] <= 100
        assert numbers(row["Predictions"]) == [mine["n"].sum()]
        assert numbers(row["mean δ"])[0] == pytest.approx(mine["delta_mean"].mean(), rel=0.06)
        assert numbers(row["max δ"])[0] == pytest.approx(mine["delta_max"].max(), rel=0.06)


def test_what_a_scale_saves_is_a_share_of_what_was_too_small(shown: Shown) -> None:
    rows_of = pd.read_csv(shown.study.summary / "exponents.csv")
    for row in rows(exponents.saved(shown.study)):
        mine = rows_of[rows_of["network"] == row["Network"]]
        mine = mine[mine["of"] == row["Values"].rpartition(" ")[2]]
        mine = mine[mine["epoch"] == mine["epoch"].max()]
        some = mine.dropna()
        small = some[some["exponent"] < -24]
        assert numbers(row["Zero"])[0] == pytest.approx(
            100 * (mine["count"].sum() - some["count"].sum()) / mine["count"].sum(), rel=6e-3
        )
        assert numbers(row["Below 2⁻²⁴"])[0] == pytest.approx(
            100 * small["count"].sum() / some["count"].sum(), rel=6e-3
        )
        for scale in (8, 1024):
            lifted = small[2.0 ** small["exponent"] * scale >= 2.0**-24]
            share = 100 * lifted["count"].sum() / small["count"].sum()
            assert numbers(row[f"Saved by {scale:,}"])[0] == pytest.approx(share, rel=6e-3)


def test_a_page_begins_with_what_was_run_and_what_came_out(shown: Shown) -> None:
    page = BeautifulSoup(glance.glance(shown.study).text, "html.parser")
    told = {line.find("th").get_text(): line.find("td").get_text() for line in page.find_all("tr")}
    assert numbers(told["Scope"])[0] == len(NETWORKS) * len(ARMS) * SEEDS
    assert f"{SEEDS} seeds" in told["Scope"] and ", ".join(ARMS) in told["Scope"]
    found = [claim["verdict"] for claim in shown.study.claims]
    line = BeautifulSoup(glance.heading(shown.study).text, "html.parser").find(class_="outcome")
    wanted = [len(found), *(found.count(v) for v in ("supported", "refuted", "inconclusive"))]
    assert numbers(line.get_text()) == wanted
    records = [
        r for r in shown.study.provenance["records"].values() if "train_seconds" in r["facts"]
    ]
    seconds = round(sum(record["facts"]["train_seconds"] for record in records))
    assert f"Training {seconds // 60} min {seconds % 60} s" in told["Time"]
