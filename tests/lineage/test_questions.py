"""The page that joins the studies of open questions: planned, published, made anew with each report, and verified."""

import copy
import json
import shutil
from pathlib import Path

import pytest
from small_plan import PAPER, PARAMETERS, planned

from sixteen.errors import UserError
from sixteen.lineage import fingerprint, trace
from sixteen.lineage.archive import Archive
from sixteen.lineage.questions import manifests, page_of
from sixteen.reporting import joined
from sixteen.reporting.publish import join, list_reports, publish, those_here
from sixteen.reporting.verify import verify

CLAIM = {
    "id": "equal", "says": "As accurate in 16 bit.", "source": "our question", "metric": "accuracy",
    "arms": ["float16", "float32"], "test": "equivalence", "margin": 0.01, "only": None, "hardware": None,
    "needs": None,
}  # fmt: skip
ASKING = PAPER | {"claims": {"few": [CLAIM], "others": []}, "questions": {"few": "Is it as good?"}}
pytestmark = pytest.mark.usefixtures("project")
INDEX = Path("reports/questions/index.html")


def asking(change=lambda parameters: None):
    """The page of the small study, with a larger one that isn't run, both of which are to decide a question."""
    parameters = copy.deepcopy(PARAMETERS)
    small = parameters["studies"]["small"]
    parameters["studies"]["large"] = small | {"scale": "paper", "seeds": [0, 1, 2]}
    parameters["studies"]["other"] = small | {"claims": "others"}
    change(parameters)
    page = page_of(planned(parameters, paper=ASKING))
    assert page is not None
    return page


def test_no_paper_that_asks_or_no_study_that_answers_makes_no_page(parameters):
    assert page_of(planned(parameters)) is None
    parameters["studies"]["small"]["claims"] = None
    assert page_of(planned(parameters, paper=ASKING)) is None


def test_a_question_has_the_studies_with_its_claims_and_what_they_train():
    told = asking().parameters
    assert told["questions"] == [{"asks": "Is it as good?", "studies": ["small", "large"]}]
    assert told["studies"]["large"]["claims"] == [CLAIM]
    small, large = (told["studies"][name]["trainings"] for name in ("small", "large"))
    assert len(small) == 2 * 3 and len(large) == 3 * 3 and set(small) < set(large)
    assert len(told["trainings"]) == 9  # those that studies share once
    assert {one["items"] for one in told["trainings"].values()} == {2 * 1442}  # two epochs each
    kinds = {kind["format"]: kind for kind in told["kinds"].values()}
    assert kinds.keys() == {"float32", "float16"}
    assert kinds["float16"]["tests"] == 355 / 1442 and kinds["float16"]["multiply_adds"] > 1e5


def test_another_page_is_planned_when_a_study_of_a_question_changes_and_no_other():
    def more_seeds(study):
        return asking(lambda parameters: parameters["studies"][study].update(seeds=[0, 1, 2, 3]))

    assert more_seeds("large").fingerprint != asking().fingerprint
    assert more_seeds("other").fingerprint == asking().fingerprint


def test_targets_without_a_study_of_a_question_ask_for_no_page(tmp_path):
    page = asking()
    expected = [f"reports/questions/manifest-{page.fingerprint}.json"]
    assert manifests(page, ["other", "large"], tmp_path) == expected
    assert manifests(page, ["other"], tmp_path) == manifests(None, ["large"], tmp_path) == []


def test_a_page_that_a_killed_publication_has_withdrawn_is_asked_for_by_any_study(tmp_path):
    page, folder = asking(), tmp_path / "questions"
    folder.mkdir()
    (folder / "index.html").touch()
    expected = [f"reports/questions/manifest-{page.fingerprint}.json"]
    assert manifests(page, ["other"], tmp_path) == expected
    (folder / "manifest-0123456789ab.json").touch()
    assert manifests(page, ["other"], tmp_path) == []


def test_a_question_names_a_set_of_claims_and_no_study_stands_in_the_place_of_the_page(parameters):
    with pytest.raises(UserError, match=r"questions: expected a name under `claims` \(few\)"):
        planned(parameters, paper=PAPER | {"questions": {"many": "Why?"}})
    parameters["studies"]["questions"] = parameters["studies"]["small"]
    with pytest.raises(UserError, match="another name than that of the page of open questions"):
        planned(parameters)


def test_the_page_is_listed_verified_and_made_anew_with_each_report(project):
    join(asking(), Path("reports"))
    before = INDEX.read_text()
    assert "../small/index.html" in before and "../large" not in before
    assert '<a href="questions/index.html">' in Path("reports/index.html").read_text()
    assert verify(Path()).findings == []
    (reported,) = Path("results/small/summarized/reported").iterdir()
    publish(reported, Path("reports"), "large")  # as if it were its own
    assert "../large/index.html" in INDEX.read_text()
    shutil.rmtree("reports/large")
    list_reports(Path("reports"))
    told = verify(Path())
    assert told.findings == []
    assert "reports/questions joins large, which isn't in this clone" in told.notes


def test_a_page_of_other_reports_than_those_here_is_found(project):
    shutil.move("reports/small", "small")
    join(asking(), Path("reports"))
    shutil.move("small", "reports/small")
    list_reports(Path("reports"))
    (finding,) = verify(Path()).findings
    assert "isn't what the reports that are here amount to" in finding
    assert "remove reports/questions and run snakemake" in finding


@pytest.mark.parametrize("forged", [{"trainings": {}}, {"kinds": {}}, {"studies": []}])
def test_a_manifest_that_no_plan_told_is_found(project, forged):
    page = asking()
    join(page, Path("reports"))
    told = {"asked": page.parameters | forged, "code": fingerprint.digest(page.code)}
    text, summaries = (
        INDEX.read_text(),
        {"small": joined.those_published(Path("reports"))["small"].summary},
    )
    (old,) = INDEX.parent.glob("manifest-*.json")
    old.unlink()
    key = fingerprint.fingerprint_of("reports/questions", told["asked"], told["code"], {})
    INDEX.with_name(f"manifest-{key}.json").write_text(joined.state(told, summaries, text))
    assert any(
        "isn't what the reports that are here amount to" in said for said in verify(Path()).findings
    )


def test_a_flip_in_the_page_or_its_manifest_is_found(project):
    join(asking(), Path("reports"))
    for name in ("results", "data"):  # to be quick
        shutil.rmtree(name)
    for file in INDEX.parent.iterdir():
        whole = file.read_bytes()
        for place in range(0, len(whole) * 8, 8 * 907 + 1):
            data = bytearray(whole)
            data[place // 8] ^= 1 << place % 8
            file.write_bytes(data)
            assert any("reports/questions" in finding for finding in verify(Path()).findings)
        file.write_bytes(whole)
    assert verify(Path()).findings == []
    INDEX.with_name("mine.csv").write_text("1")
    assert [f for f in verify(Path()).findings if "reports/questions/mine.csv" in f]


def test_a_page_that_a_forged_manifest_agrees_with_is_found(project):
    """Both were edited, so that they agree with each other, but not with the reports."""
    join(asking(), Path("reports"))
    (manifest,) = INDEX.parent.glob("manifest-*.json")
    from sixteen.reporting import joined

    text = INDEX.read_text().replace("not run yet", "supported")
    kept = json.loads(manifest.read_text())
    INDEX.write_text(text)
    manifest.write_text(joined.state({k: kept[k] for k in ("asked", "code")}, kept["joined"], text))
    assert len(verify(Path()).findings) == 1


def test_killed_before_the_page_is_written_it_leaves_none_that_passes_for_new(project, monkeypatch):
    join(asking(), Path("reports"))
    monkeypatch.setattr("sixteen.reporting.joined.write", lambda *_: None)
    (reported,) = Path("results/small/summarized/reported").iterdir()
    publish(reported, Path("reports"), "small")
    assert not list(INDEX.parent.glob("manifest-*.json"))


def test_a_list_without_the_page_is_that_of_a_clone_without_it(project):
    join(asking(), Path("reports"))
    shutil.rmtree(INDEX.parent)
    listed, absent = those_here(Path("reports"))
    assert absent == ["questions"] and "questions/index.html" not in listed


def test_a_trace_of_the_page_says_that_no_run_made_it(project):
    join(asking(), Path("reports"))
    with pytest.raises(UserError, match="joins several reports, which no run makes"):
        trace.find(Archive.of(Path()), INDEX)
