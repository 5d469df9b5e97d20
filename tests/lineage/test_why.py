"""Why a run is to be made: the difference itself, and the root cause above, once."""

import shutil
from pathlib import Path

import pytest
from small_plan import PAPER, make, planned

from sixteen.lineage import record
from sixteen.lineage.why import why


def told(parameters):
    return why(planned(parameters), ["small"])


def groups(text):
    """``{first line of a group: its lines}``."""
    blocks = (block.splitlines() for block in text.split("\n\n")[1:])
    return {block[0]: block[1:] for block in blocks}


def test_what_is_there_is_present(project, parameters):
    assert told(parameters) == "15 runs planned: 15 present, 0 to run"


def test_a_changed_parameter_is_told_with_both_values_where_it_is_read(project, parameters):
    parameters["recipes"]["sgd"]["momentum"] = 0.8
    found = groups(told(parameters))
    assert (
        found["to run: 2 train, 4 continue_training"][0] == "  because recipe.momentum 0.9 -> 0.8"
    )
    assert "recipe.momentum 0.9 -> 0.8" in "".join(found["to run: 2 quantize"])
    assert any("recipes.sgd.momentum 0.9 -> 0.8" in line for line in found["to run: 1 summarize"])


def test_the_root_cause_is_told_and_not_what_lies_between(project, parameters):
    parameters["datasets"]["digits"]["normalisation"] = "unit"
    found = groups(told(parameters))
    cause = 'prepare, which it starts from: dataset.normalisation "scalar" -> "unit"'
    rest = found[
        "to run: 2 train, 4 continue_training, 4 evaluate, 2 quantize, 1 summarize, 1 report"
    ]
    assert [line for line in rest if "because" in line] == [f"  because {cause}"]
    assert found["to run: 1 prepare"][0] == '  because dataset.normalisation "scalar" -> "unit"'


def test_changed_back_all_is_present(project, parameters):
    parameters["recipes"]["sgd"]["momentum"] = 0.8
    assert "0 present" not in told(parameters)
    parameters["recipes"]["sgd"]["momentum"] = 0.9
    assert "0 to run" in told(parameters)


def test_changed_code_is_told_by_module(project, parameters):
    for folder in sorted(
        Path("results/digits/resnet8/trained-in-float32-by-sgd-until-2").glob("seed-*/*")
    ):
        kept = record.read(folder)
        kept["code"]["modules"]["sixteen.training.train"] = "0" * 64
        earlier = folder.rename(folder.with_name(record.fingerprint_in(kept)))
        record.write(earlier, kept)
    found = groups(told(parameters))
    assert found["to run: 2 train"][0] == "  because code of sixteen.training.train changed"


def test_the_nearest_of_several_earlier_runs_is_compared(project, parameters):
    parameters["recipes"]["sgd"] |= {"momentum": 0.8, "l2": 0.1}
    make(parameters)
    parameters["recipes"]["sgd"]["l2"] = 0.2
    assert groups(told(parameters))["to run: 2 train, 4 continue_training"][0] == (
        "  because recipe.l2 0.1 -> 0.2"
    )


def test_a_new_seed_has_no_earlier_run(project, parameters):
    parameters["studies"]["small"]["seeds"].append(2)
    found = groups(told(parameters))
    new = found["to run: 1 train, 2 continue_training, 2 evaluate, 1 quantize"]
    assert new[0] == "  because no earlier run of this sentence"
    assert all(line.endswith("seeds 2") for line in new[1:])
    assert any("runs 4 entries -> 6 entries" in line for line in found["to run: 1 summarize"])


def test_a_claim_is_named_by_its_id(project, parameters):
    claim = {"id": "equal", "says": "…", "source": "…", "metric": "accuracy", "margin": 0.01}
    claim |= {"arms": ["float16", "float32"], "test": "equivalence", "only": None, "hardware": None}
    paper = PAPER | {"claims": {"few": [claim]}}
    make(parameters, paper)
    paper["claims"] = {"few": [claim | {"margin": 0.02}]}
    assert "claims.equal.margin 0.01 -> 0.02" in why(planned(parameters, paper=paper), ["small"])


def test_a_missing_run_that_others_were_made_from_is_told(project, parameters):
    parameters["recipes"]["sgd"]["momentum"] = 0.8
    before = next(p for p in Path("data/prepared/digits").iterdir())
    parameters["datasets"]["digits"]["normalisation"] = "unit"
    shutil.rmtree(before)
    found = told(parameters)
    assert (
        "prepare, which it starts from: another one, and the earlier isn't here to compare" in found
    )


@pytest.mark.parametrize("text", ["", "{}"])
def test_a_damaged_earlier_record_counts_as_none(project, parameters, text):
    for folder in record.find(Path()):
        if "/trained" in str(folder) and folder.parent.parent.name.startswith("trained"):
            (folder / "record.json").write_text(text)
    parameters["recipes"]["sgd"]["momentum"] = 0.8
    assert (
        groups(told(parameters))["to run: 2 train"][0]
        == "  because no earlier run of this sentence"
    )
