"""What the page of open questions says of each study, and what deciding the rest would cost."""

import re
from typing import Any

import pytest

from sixteen.lineage.speeds import kind_of_training
from sixteen.reporting import questions
from sixteen.reporting.listed import Report
from sixteen.reporting.remaining import clocks_of, left, section

NETWORK = {"family": "resnet", "depth": 8, "width": 16}
CPU = "cpu: a model"


def training(
    name: str, seconds: float, device: str = CPU, depth: int = 8, compute: str = "float32"
) -> dict[str, Any]:
    """The record of a finished training of 1,000 items with 100 tests, a fifth of whose seconds went into tests."""
    recipe = {"batch": 32, "augmentation": "none"}
    precision = {"compute": compute, "master_weights": False}
    read = {
        "backend": "tensorflow",
        "threads": 1,
        "devices": 1,
        "network": NETWORK | {"depth": depth},
    }
    facts = {"items": 1000, "train_seconds": 0.8 * seconds, "test_seconds": 0.2 * seconds}
    return {
        "step": "train", "path": f"results/digits/resnet{depth}/trained/seed-0/{name}", "fingerprint": name,
        "parameters": {**read, "precision": precision, "recipe": recipe},
        "parents": {"dataset": "data/prepared/digits/one"},
        "facts": facts | {"device": device, "multiply_adds": 1000}, "execution": {"seconds": seconds + 1},
    }  # fmt: skip


CLAIMS = [
    {"id": name, "says": f"It is {name} <in> 16 bit.", "source": "us", "margin": 0.01}
    for name in ("equal", "fast")
]


def claim(name: str, verdict: str, needed_n: int | None = None) -> dict[str, Any]:
    part = {
        "network": "resnet8", "verdict": verdict, "metric": "test accuracy", "unit": "percentage points",
        "estimate": 0.2, "low": -0.1, "high": 0.5, "n": 5, "confidence": 0.9, "brief": "",
    }  # fmt: skip
    return {
        "id": name,
        "verdict": verdict,
        "needed_n": needed_n,
        "arms": ["float16", "float32"],
        "per_network": [part],
    }


def report(*claims: dict[str, Any], records: tuple[dict[str, Any], ...] = ()) -> Report:
    data = {"step": "prepare", "path": "data/prepared/digits/one", "fingerprint": "one"}
    data |= {"facts": {"train_items": 500, "test_items": 50}}
    found = {r["path"]: r for r in (data, *records)}
    return Report("results/demo/summarized/0123", {"claims": CLAIMS}, list(claims), found)


@pytest.fixture
def asked() -> dict[str, Any]:
    """One question of a demo and a full study: 5 seeds of two trainings each."""
    same, deep = training("a", 1), training("b", 1, depth=56)
    kinds = {
        kind_of_training(same): {"network": "resnet8", "multiply_adds": 1000},
        kind_of_training(deep): {"network": "resnet56", "multiply_adds": 10_000},
    }
    for kind in kinds.values():
        kind |= {"family": "resnet", "format": "float32", "tests": 0.2}
        kind |= {"backend": "tensorflow", "threads": 1, "devices": 1}
    demo, full = ([f"{name}{i}" for i in range(10)] for name in "df")
    trainings = {name: {"kind": kind_of_training(same), "items": 2000} for name in demo}
    trainings |= {name: {"kind": kind_of_training(deep), "items": 3000} for name in full}
    told = {"title": "A study", "seeds": 5, "claims": CLAIMS}
    studies = {
        "demo": told | {"scale": "toy", "trainings": demo},
        "full": told | {"scale": "paper", "trainings": full},
    }
    question = {"asks": "Is it as good?", "studies": ["demo", "full"]}
    return {
        "questions": [question],
        "studies": studies,
        "trainings": trainings,
        "kinds": kinds,
    }


def _text(html: str) -> str:
    """What stands between tags, a line a cell."""
    return re.sub(r"\n\s*\n+", "\n", re.sub(r"<[^>]+>", "\n", re.sub(r"</?(?:b|br|code|sup)>", " ", html)))  # fmt: skip


def test_each_claim_has_a_verdict_of_each_study_with_its_scale(asked: dict[str, Any]) -> None:
    page = questions.render(
        asked, {"demo": report(claim("fast", "supported"), claim("equal", "refuted"))}
    )
    body = page.partition("<body")[2]
    rows = re.findall(r'<tr class="(?:claim|network)">(.*?)</tr>', body, re.DOTALL)
    told = [" ".join(_text(row).split()) for row in rows]
    numbers = "test accuracy, float16 \N{MINUS SIGN} float32 [90 % interval] resnet8 0.2 points [\N{MINUS SIGN}0.1, 0.5], n = 5"
    assert told == [
        "It is equal &lt;in&gt; 16 bit. us",
        f"demo , toy scale \N{BALLOT X} refuted {numbers}",
        "full, paper scale not run yet",
        "It is fast &lt;in&gt; 16 bit. us",
        f"demo , toy scale \N{CHECK MARK} supported {numbers}",
        "full, paper scale not run yet",
    ]
    assert '<a href="../demo/index.html#claim-equal">' in body and "../full" not in body
    outcome = " ".join(_text(body.partition('class="outcome">')[2].partition("</p>")[0]).split())
    assert outcome == (
        "1 question. At toy scale: \N{CHECK MARK} 1 supported \N{BALLOT X} 1 refuted ? 0 inconclusive "
        "At paper scale: 2 not run yet"
    )


def test_a_claim_that_a_published_report_does_not_know_yet_is_not_run(
    asked: dict[str, Any],
) -> None:
    page = questions.render(asked, {"demo": report(claim("equal", "supported"))})
    assert page.count("1 not run yet") == 2  # in the head and in the row of its question


def test_a_claim_that_was_judged_in_other_words_or_by_another_margin_is_not_run(
    asked: dict[str, Any],
) -> None:
    published = {"demo": report(claim("equal", "supported"), claim("fast", "refuted"))}
    assert "1 refuted" in questions.render(asked, published)
    for change in ({"says": "It is slow."}, {"margin": 0.001}):
        equal, fast = CLAIMS
        asked["studies"]["demo"]["claims"] = [equal, fast | change]
        page = questions.render(asked, published)
        assert "1 supported" in page and "1 refuted" not in page
        assert left(asked, "demo", published) == (
            "not run yet",
            asked["studies"]["demo"]["trainings"],
            1,
        )


def test_what_is_left_of_a_study(asked: dict[str, Any]) -> None:
    assert (
        left(asked, "demo", {"demo": report(claim("equal", "supported"), claim("fast", "refuted"))})
        is None
    )
    done = {"other": report(records=(training("f3", 1),))}
    state, trainings, times = left(asked, "full", done) or ("", [], 0)
    assert (state, times) == ("not run yet", 1)
    assert trainings == [f"f{i}" for i in range(10) if i != 3]
    open_ = [claim("equal", "inconclusive", 12), claim("fast", "inconclusive", 20)]
    state, trainings, times = left(asked, "demo", {"demo": report(*open_)}) or ("", [], 0)
    assert state == "inconclusive; 20 seeds in place of 5" and len(trainings) == 10
    assert times == 3  # 15 more seeds, 5 of which take the ten trainings
    open_[0]["needed_n"] = None
    assert left(asked, "demo", {"demo": report(*open_)}) == (
        "inconclusive; no number of seeds is known to decide all", [], 0)  # fmt: skip


def test_times_are_those_of_trainings_of_the_same_kind(asked: dict[str, Any]) -> None:
    made = (training("a", 10), training("b", 20), training("c", 99, compute="float16"))
    (clock,) = clocks_of({"demo": report(records=made)})
    same = next(name for name, kind in asked["kinds"].items() if kind["network"] == "resnet8")
    speed = clock.speed(same, asked["kinds"][same])
    assert speed is not None and speed.item == (0.010, 0.020) and speed.fixed == (1, 1)


def test_else_those_of_the_family_scaled_by_multiply_adds_and_tests(asked: dict[str, Any]) -> None:
    made = (training("a", 10), training("c", 99, compute="float16"))
    (clock,) = clocks_of({"demo": report(records=made)})
    deep = next(name for name, kind in asked["kinds"].items() if kind["network"] == "resnet56")
    speed = clock.speed(deep, asked["kinds"][deep])
    # Ten times the multiply-adds, and 0.2 tests an item, of which the demo had 0.1.
    assert speed is not None and speed.item == pytest.approx((0.120, 0.120))
    for other in ({"family": "vgg"}, {"backend": "jax"}, {"threads": 2}, {"devices": 2}):
        assert clock.speed(deep, asked["kinds"][deep] | other) is None


def test_a_training_of_a_version_that_knew_no_devices_tells_no_time(asked: dict[str, Any]) -> None:
    earlier = training("a", 10)
    del earlier["parameters"]["devices"]
    (clock,) = clocks_of({"demo": report(records=(earlier,))})
    assert all(clock.speed(name, kind) is None for name, kind in asked["kinds"].items())


def test_the_table_has_items_multiply_adds_and_times_by_device(asked: dict[str, Any]) -> None:
    made = (training("a", 10), training("b", 1, device="a GPU"))
    claims = claim("equal", "inconclusive", 10), claim("fast", "supported")
    text = section(asked, {"demo": report(*claims, records=made)})
    rows = [" ".join(_text(row).split()) for row in re.findall("<tr>(.*?)</tr>", text, re.DOTALL)]
    assert rows[1] == (
        "demo inconclusive; 10 seeds in place of 5 10 20,000 "
        "2.0\u00a0\N{MULTIPLICATION SIGN}\u00a010 7 about 30 s on a GPU about 3.5 minutes on cpu: a model"
    ).replace("\u00a0", " ")
    assert rows[2].startswith("full not run yet 10 30,000 3.0")
    assert "about 6.2 minutes on a GPU scaled" in rows[2] and "about 1.0 hours" not in rows[2]
    assert rows[3].startswith("All at paper scale not run yet, each training once 10 30,000")
    assert "None of them ran on a GPU" not in text


def test_without_a_gpu_no_hours_of_one_are_told_and_what_nothing_tells_is_named(
    asked: dict[str, Any],
) -> None:
    for kind in asked["kinds"].values():
        if kind["network"] == "resnet56":
            kind["family"] = "vgg"
    asked["studies"]["full"]["trainings"].append("d0")
    told = report(claim("equal", "supported"), records=(training("a", 10),))
    text = section(asked, {"another": told})
    assert "None of them ran on a GPU" in text
    assert re.search(r"on cpu: a model<br>.*without 10 trainings: resnet56 \(float32\)", text)
    assert "no finished training tells" in section(asked, {"another": report()})
