"""CITATION.cff says what pyproject.toml and the files of papers say."""

import tomllib
from pathlib import Path

import yaml

TOP = Path(__file__).parents[1]
CITATION = yaml.safe_load((TOP / "CITATION.cff").read_text())
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]


def test_it_is_of_this_version_by_these_authors_under_this_license():
    # What version 1.2.0 of the format requires.
    assert CITATION["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(CITATION)
    assert CITATION["version"] == PROJECT["version"]
    assert CITATION["authors"] == PROJECT["authors"]
    assert CITATION["license"] == PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in (TOP / "LICENSE").read_text()
    assert f"Copyright 2026 {CITATION['authors'][0]['name']}" in (TOP / "LICENSE").read_text()


def test_each_paper_is_cited_as_its_file_says():
    cited = {reference["url"]: reference for reference in CITATION["references"]}
    assert set(cited) == set(PROJECT["urls"].values())
    assert len(cited) == 4
    for path in (TOP / "papers").glob("*.yaml"):
        paper = yaml.safe_load(path.read_text())
        if paper["url"] is None:
            continue
        reference = cited[paper["url"]]
        names = [f"{a['given-names']} {a['family-names']}" for a in reference["authors"]]
        assert (reference["title"], names, reference["year"]) == (
            paper["title"],
            paper["authors"],
            paper["year"],
        )
        assert reference["identifiers"][0]["value"] == paper["cited"]
