"""Mistakes that many entries can have, each told in a sentence with its place."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sixteen.errors import UserError


def told(check: Callable[[], object], place: str) -> Iterator[str]:
    """The sentence of a check that raises one."""
    try:
        check()
    except UserError as error:
        yield f"{place}: {error}"


def unknown(
    names: Iterable[str], known: Mapping[str, object], section: str, place: str
) -> Iterator[str]:
    """Names that a section doesn't have."""
    for name in names:
        if name not in known:
            yield f"{place}: expected a name under `{section}` ({', '.join(known)}), came {name!r}"


def repeated(names: Sequence[str], place: str) -> Iterator[str]:
    """Names that stand more than once."""
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{place}: expected each once, came {name!r} {count} times"
