"""What figures and tables say of numbers that are known."""

import json
from pathlib import Path

import made_up_studies as studies
import numpy as np
import pandas as pd
import pytest
from made_up_project import Project, study

from sixteen.reporting import glance, published, tables, tracked
from sixteen.reporting.figures import (
    curves,
    effects,
    exponents,
    harm,
    kinks,
    results,
    switch,
    theory,
    tolerance,
    updates,
)
from sixteen.reporting.outcome import outcome
from sixteen.reporting.study import Study
from sixteen.training import observed


@pytest.fixture
def mixed(tmp_path: Path) -> Study:
    told = {"arms": studies.MIXED, "factorial": studies.TWO_BY_TWO}
    return study(tmp_path, Project(tmp_path).summarize("mixed", ("resnet8",), 2, **told))


@pytest.fixture
def standalone(tmp_path: Path) -> Study:
    told = {"arms": studies.STANDALONE, "published": studies.PUBLISHED}
    return study(tmp_path, Project(tmp_path).summarize("alone", ("resnet8", "resnet14"), 2, **told))


def _replace(of: Study, name: str, rows: pd.DataFrame) -> None:
    rows.to_csv(of.summary / f"{name}.csv", index=False)


def test_a_scale_saves_what_it_lifts_to_the_smallest_number(mixed: Study) -> None:
    rows = pd.DataFrame(
        {"exponent": [-10, -24, -26, -31, -60, 2, None], "count": [50, 10, 10, 10, 10, 10, 100]}
    )
    head = {
        "network": "resnet8",
        "arm": "float32",
        "seed": 0,
        "phase": 0,
        "epoch": 3,
        "of": "weights",
    }
    _replace(mixed, "exponents", rows.assign(**head, tensor="stem/kernel"))
    exponents.below(mixed)
    data = pd.read_csv(mixed.output / "figures/gradients-below.csv").set_index("scale")
    assert data.loc[1, "zeros"] == 0.5
    assert data["below"].round(6).to_dict() == {1: 0.3, 8: 0.2, 128: 0.1, 1024: 0.1, 32768: 0.1}
    assert data.loc[32768, "above"] == 0.1  # 2 ** 2 * 2 ** 15 is more than float16 holds
    assert '<td class="number">33.3</td><td class="number">66.7</td>' in exponents.saved(mixed).text


ARROW = "\N{RIGHTWARDS ARROW}"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"p_holm": 0.4}, "On resnet8 no factor changed the test accuracy significantly (smallest Holm p = 0.4, n = 3)."),
        ({}, f"On resnet8, scale: none {ARROW} dynamic lowers the test accuracy by 1.5 percentage points [1, 2] (Holm p = "
             "0.01, n = 3)."),
        ({"kind": "interaction"}, "changes the other&#x27;s effect on the test accuracy, by \N{MINUS SIGN}3 percentage "
                                  "points [\N{MINUS SIGN}4, \N{MINUS SIGN}2]"),
        ({"n": 1, "p": None, "p_holm": None}, "significantly (one seed allows no test)"),
        ({"p": None, "p_holm": None}, "significantly (3 seeds agree in every effect"),
        ({"n": 0, "mean": None, "p": None, "p_holm": None},
         "On resnet8 nothing can be said of the test accuracy: no seed has it of all arms of the design (float16-scaled "
         "diverged for 2 seeds)."),
    ],
)  # fmt: skip
def test_the_answer_is_made_from_the_estimates(mixed: Study, changes: dict, says: str) -> None:
    runs = mixed.runs.copy()
    runs.loc[runs["arm"] == "float16-scaled", "outcome"] = "diverged"
    _replace(mixed, "runs", runs)
    row = {"network": "resnet8", "metric": "accuracy", "effect": "scale: none -> dynamic", "kind": "main",
           "scale": "difference", "n": 3, "mean": -0.015, "sd": 0.002, "low": -0.02, "high": -0.01, "p": 0.01,
           "p_holm": 0.01}  # fmt: skip
    _replace(mixed, "effects", pd.DataFrame([row | changes]))
    again = Study(mixed.summary, mixed.output)
    assert says in effects.answer(again, ["accuracy", "loss"]).text


def test_effects_on_deviations_are_told_as_factors_and_networks_one_by_one(
    standalone: Study,
) -> None:
    row = {"network": "resnet8", "metric": "epoch_sd", "effect": "averaging: none -> momentum", "kind": "main",
           "scale": "ratio", "n": 6, "mean": 0.25, "sd": 0.1, "low": 0.2, "high": 0.3125, "p": 1e-4,
           "p_holm": 1e-3}  # fmt: skip
    other = row | {"network": "resnet14", "p_holm": 0.7}
    _replace(standalone, "effects", pd.DataFrame([row, other, row | {"kind": "interaction"}]))
    text = effects.answer(standalone, ["epoch_sd"]).text
    assert (
        "multiplies the epoch-to-epoch deviation of test accuracy (second half) by 0.25 [0.2, 0.312]"
        in text
    )
    assert "the other&#x27;s effect on the" in text and "by 0.0625 [0.04, 0.0977]" in text
    assert "On resnet14 no factor changed" in text


def test_arms_that_observe_the_same_numbers_are_both_shown(mixed: Study) -> None:
    """Only a run that arms share is drawn once, not runs whose numbers are alike, as those before any step are."""
    rows = mixed.table("observations")
    one = rows[rows["arm"] == "mixed-scaled"]
    alike = one.assign(arm="mixed-static8", fingerprint=one["fingerprint"] + "0")
    shared = one.assign(arm="mixed-unscaled")
    _replace(mixed, "observations", pd.concat([one, alike, shared]))
    theory.gradient_layers(mixed)
    data = pd.read_csv(mixed.output / "figures/gradient-error-layers.csv")
    assert set(data["arm"]) == {"mixed-scaled", "mixed-static8"}
    assert set(data["n"]) == {2}


def test_from_scratch_is_a_switch_at_0_and_never_one_at_the_end(tmp_path: Path) -> None:
    project = Project(tmp_path)
    made = study(tmp_path, project.summarize("switch", ("resnet8",), 2, studies.SWITCH))
    switch.sweep(made)
    data = pd.read_csv(made.output / "figures/switch-epoch.csv").drop_duplicates("arm")
    assert dict(zip(data["arm"], data["switch_epoch"], strict=True)) == {
        "never": 4, "from-the-start": 0, "after-1": 1, "half-way": 2, "after-3": 3}  # fmt: skip
    assert list(data.loc[data["never"], "arm"]) == ["never"]


def test_arms_without_a_difference_have_no_sweep(mixed: Study) -> None:
    one = mixed.runs[mixed.runs["arm"] == "float32"]
    _replace(mixed, "runs", one)
    text = switch.sweep(Study(mixed.summary, mixed.output)).text
    assert "the arms of this study don't differ" in text or "don&#x27;t differ" in text


def test_the_table_of_the_paper_stands_beside_ours(standalone: Study) -> None:
    text = published.beside(standalone).text
    assert (
        "81.6 \u00b1 0.4" in text and '<td class="number">83.9</td>' in text
    )  # with and without a spread
    assert (
        text.count("not in this study") == 3 * 3 - 1
    )  # vgg16, in each of three tables; no ratio to itself
    assert "not in the paper" in text  # resnet14
    assert '<td class="number">1.3</td>' in text  # 905 s / 677 s
    counts = published.parameters(standalone).text
    assert "not found" in counts and "14,700,000" in counts and "77,600" in counts
    assert "&lt;not 4096&gt;" in counts


def test_certified_shares_are_of_all_images_and_a_violation_is_called_a_bug(
    standalone: Study,
) -> None:
    row = {"network": "resnet8", "arm": "float16", "kind": "trained", "seed": 0, "n": 200, "certified": 100,
           "certified_agree": 99, "agree": 160, "violations": 1, "delta_mean": 0.1, "delta_max": 0.5,
           "gamma_mean": 0.6}  # fmt: skip
    _replace(standalone, "tolerance", pd.DataFrame([row]))
    text = tolerance.certificates(standalone).text
    for cell in ("50.0", "80.0", "62.5", "<b>1: a bug</b>"):
        assert f">{cell}</td>" in text
    assert "200 test images and 1 seeds" in text


def test_many_arms_stand_below_each_other(tmp_path: Path) -> None:
    told = {"arms": studies.FACTORIAL, "factorial": list(studies.FACTORIAL)}
    made = study(tmp_path, Project(tmp_path).summarize("many", ("resnet8",), 2, **told))
    assert '<th scope="col">Arm</th>' in tables.metrics(made).text
    assert "16 of them" in glance.glance(made).text
    assert (
        "loss_scale none" in tables.arms(made).text
        and "master_weights yes" in tables.arms(made).text
    )


def test_where_nothing_was_observed_a_sentence_says_so(tmp_path: Path) -> None:
    made = study(
        tmp_path,
        Project(tmp_path).summarize("blind", ("resnet8",), 1, studies.MIXED, observe=None),
    )
    assert pd.read_csv(made.summary / "observations.csv").empty
    for figure in (
        theory.quantization, theory.gradient, theory.gradient_layers, theory.hessian, theory.descent,
        theory.remainder, updates.over_training, updates.layers, updates.against_reached,
        exponents.histogram, exponents.heat_map, exponents.below, exponents.saved,
    ):  # fmt: skip
        shown = figure(made)
        assert shown.text.startswith("<p>") and shown.text.endswith(".</p>"), shown
        assert "observ" in shown.text, shown
    assert "no factorial design" in effects.answer(made, ["accuracy"]).text
    assert "no factorial design" in effects.effects(made, "accuracy").text
    assert not (made.output / "figures").exists()


OBSERVING = (
    *(theory.quantization, theory.gradient, theory.gradient_layers, theory.hessian, theory.descent),
    *(theory.remainder, updates.over_training, updates.layers, updates.against_reached),
    *(kinks.crossed, exponents.histogram, exponents.below),
)


def test_what_diverged_before_it_was_observed_is_not_told_as_never_observed(tmp_path: Path) -> None:
    summary = Project(tmp_path).summarize("lost", ("resnet8",), 2, studies.MIXED)
    for name in observed.TABLES:
        path = summary / f"{name}.csv"
        path.write_text(path.read_text().partition("\n")[0] + "\n")
    runs = pd.read_csv(summary / "runs.csv").assign(lost_updates=np.nan)
    runs.to_csv(summary / "runs.csv", index=False)
    made = study(tmp_path, summary)
    for figure in OBSERVING:
        assert "phases that were to be, training diverged before" in figure(made).text, figure


def test_the_arm_that_loses_most_is_that_of_all_updates(mixed: Study) -> None:
    """A bias of ten units that loses all its updates is less than a kernel that loses a tenth of them."""
    rows = mixed.table("observations")
    small = rows["tensor"] == rows["tensor"][rows["tensor"] != "all"].iloc[0]
    rows["updates"], rows["lost_updates"] = 1000, 0
    rows.loc[small & (rows["arm"] == mixed.arms[0]), "lost_updates"] = 1000
    rows.loc[(rows["arm"] == mixed.arms[0]) & (rows["tensor"] == "all"), "lost_updates"] = 1
    rows.loc[(rows["arm"] == mixed.arms[1]) & (rows["tensor"] == "all"), "lost_updates"] = 2
    _replace(mixed, "observations", rows)
    assert f"Arm {mixed.arms[1]}, which loses" in updates.layers(mixed).text


def test_a_study_without_a_finished_run_is_not_one_of_a_single_seed(tmp_path: Path) -> None:
    summary = Project(tmp_path).summarize("lost", ("resnet8",), 3, diverged=Always())
    made = study(tmp_path, summary)
    for shown in (results.final(made), curves.accuracy_curves(made)):
        assert (
            "No run that is shown finished: neither a mean nor an interval can be given."
            in shown.text
        )
    told = glance.glance(made).text
    assert "6 runs, of which 6 diverged:" in told and "of them diverged)" in told
    assert tracked.metrics(made)["diverged"] == 6
    (tmp_path / "metrics.json").write_text(json.dumps(tracked.metrics(made)))
    assert outcome(tmp_path).endswith("inconclusive; 6 runs diverged")


class Always:
    """Every run diverges."""

    def __eq__(self, run: object) -> bool:
        return isinstance(run, tuple)

    __hash__ = None


def test_an_arm_alone_is_compared_with_nothing(tmp_path: Path) -> None:
    arms = {"float32": studies.MIXED["float32"]}
    made = study(tmp_path, Project(tmp_path).summarize("alone", ("resnet8",), 1, arms))
    for shown in (tolerance.scatter(made), tolerance.certificates(made), harm.classes(made)):
        assert shown.text.startswith("<p>"), shown
    assert "none is known" in published.beside(made).text
    assert "not known" in published.parameters(made).text
