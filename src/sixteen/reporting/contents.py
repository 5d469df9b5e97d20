"""The way through a long page: its headings get names and links, and a table of contents lists them."""

import re

from bs4 import BeautifulSoup
from bs4.dammit import EntitySubstitution
from bs4.element import NavigableString, Tag
from bs4.formatter import HTMLFormatter

from sixteen.reporting.numbers import HYPHEN, signed

# As HTML has it: no slash in void elements, no value of attributes that are there or not.
PLAIN = HTMLFormatter(
    entity_substitution=EntitySubstitution.substitute_xml,
    void_element_close_prefix="",
    empty_attributes_are_booleans=True,
)
VERBATIM = {"code", "pre"}


def arrange(rendered: str) -> tuple[str, str]:
    """The body of a page as it is shown, and its table of contents, both HTML, of what nbconvert has ``rendered``.

    Headings get a name that stays the same as long as their words do, and link to themselves; the boxes that nbconvert
    puts around every cell are taken away; numbers get one minus sign.
    """
    soup = BeautifulSoup(rendered, "html.parser")
    for box in soup.find_all("div"):
        box.unwrap()
    for text in soup.find_all(string=HYPHEN):
        if not any(parent.name in VERBATIM for parent in text.parents):
            text.replace_with(NavigableString(signed(text)))
    contents = _contents(_named(soup))
    return soup.decode(formatter=PLAIN), contents


def _named(soup: BeautifulSoup) -> list[tuple[Tag, str]]:
    """The headings below the title, each with its name."""
    headings, taken = [], {str(tag["id"]) for tag in soup.find_all(id=True)}
    for heading in soup.find_all(["h2", "h3"]):
        words = re.sub(r"[^a-z0-9]+", "-", heading.get_text().lower()).strip("-")
        name, count = words, 1
        while name in taken:
            count += 1
            name = f"{words}-{count}"
        taken.add(name)
        headings.append((heading, name))
        link = soup.new_tag("a", attrs={"class": "anchor", "href": f"#{name}"})
        link.extend(list(heading.contents))
        heading.append(link)
        heading["id"] = name
    return headings


def _contents(headings: list[tuple[Tag, str]]) -> str:
    """The headings as a list of links, those of a section below its own."""
    sections: list[tuple[str, list[str]]] = []
    for heading, name in headings:
        link = f'<a href="#{name}">{PLAIN.substitute(heading.get_text())}</a>'
        if heading.name == "h2" or not sections:
            sections.append((link, []))
        else:
            sections[-1][1].append(f"<li>{link}</li>")
    items = ['<li><a href="#top">Top</a></li>']
    for link, below in sections:
        nested = f"<ul>{''.join(below)}</ul>" if below else ""
        items.append(f"<li>{link}{nested}</li>")
    lines = "\n".join(items)
    home = '<a class="home" href="../index.html">All reports</a>'
    return f'<nav aria-label="Contents">\n{home}\n<ul>\n{lines}\n</ul>\n</nav>\n'
