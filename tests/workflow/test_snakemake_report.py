"""Snakemake's own report (`snakemake --report`) shows the pages of the studies, without a network."""

import base64
import json
import re

from small_project import STUDY

# Whatever asks for a web page by way of this proxy finds nobody there.
OFFLINE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")


def shown(project):
    """The results in the report on the demo, by path, and those paths by category."""
    project.call("snakemake --cores 1 --report report.html demo", **OFFLINE)
    text = (project.folder / "report.html").read_text()
    found = (re.search(rf"var {name} = ({{.*}});", text) for name in ("results", "categories"))
    return tuple(json.loads(variable[1]) for variable in found if variable)


def test_the_report_of_snakemake_shows_the_page_and_makes_nothing_stale(project):
    [page] = project.folder.glob(f"results/{STUDY}/summarized/reported/*/index.html")
    path = page.relative_to(project.folder).as_posix()

    results, categories = shown(project)

    assert categories == {"Continuous 16-bit training, demo on digits": {"Other": [path]}}
    assert list(results) == [path]
    embedded = base64.b64decode(results[path]["data_uri"].rpartition("base64,")[2])
    assert embedded == page.read_bytes()
    labels = {"Study": STUDY, "Papers": "arXiv:2311.18587", "Scale": "toy"}
    assert results[path]["labels"] == labels
    assert f"reports/{STUDY}/" in results[path]["caption"]
    assert "System Message" not in results[path]["caption"]  # how docutils tells errors
    assert project.nothing_to_do()


def test_a_title_and_a_paper_may_hold_words_in_braces(project):
    def entitle(parameters):
        parameters["studies"][STUDY]["title"] = "Casts {float16, bfloat16} of {study}"

    project.edit(entitle)
    paper = project.folder / "papers/2311.18587.yaml"
    paper.write_text(paper.read_text().replace("cited: arXiv:2311.18587", 'cited: "{study}, 2023"'))
    project.call("snakemake --cores 2 demo")
    results, categories = shown(project)
    (title,), (page,) = categories, results.values()
    assert title.replace("\N{WORD JOINER}", "") == "Casts {float16, bfloat16} of {study}"
    assert page["labels"]["Papers"].replace("\N{WORD JOINER}", "") == "{study}, 2023"


def test_pulled_results_are_shown_as_well(clone):
    clone.call("dvc pull -q")
    assert len(shown(clone)[0]) == 1


def test_there_is_no_report_of_what_was_not_made(fresh):
    output = fresh.call("snakemake --cores 1 --report report.html demo", status=1)
    assert re.search(r"index\.html marked for report but does not exist", output)
    assert not fresh.runs()
