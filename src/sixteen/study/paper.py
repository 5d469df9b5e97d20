"""A paper: one file of papers/, named by its arXiv id, with what it is, what it ran, and what it says."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from sixteen.entry import Entry, Listed, Name, Text
from sixteen.study.claim import Claim, Table

PAPERS = Path("papers")


class Paper(Entry):
    """Citation, settings as published, tables and claims of a paper.

    `cited` is how pages name it. `settings` are in its own words, "not stated" where it is silent. `claims` are sets by
    name, so that studies of one paper can decide different ones. `questions`, of sets of claims, stand on the page that
    joins the studies which are to decide them; most papers ask none.
    """

    title: Text
    authors: Listed[Text]
    year: Annotated[int, Field(ge=1900, le=2200)]
    cited: Text
    url: Text | None
    settings: dict[Text, Text]
    tables: dict[Name, Table]
    claims: dict[Name, Listed[Claim]]
    questions: dict[Name, Text] = Field(default={})
