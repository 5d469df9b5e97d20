"""Read a YAML file into entries, and say in one sentence each what it may not say: all mistakes at once."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from sixteen.entry import PRINTED
from sixteen.errors import UserError

Read = TypeVar("Read", bound=BaseModel)
LARGEST = 1 << 20  # bytes of a file; more is no file of parameters
DEEPEST = 50  # levels of nesting
MOST = 100_000  # values, with what aliases stand for
ALIKE, KINDS = 3, 12  # mistakes told of a kind, and kinds of mistakes
TOO_MANY = f"expected at most {MOST:,} values, with what aliases stand for, came more"
# Numbers and truth as YAML 1.1, which is read here, and 1.2, which DVC reads, mean the same: 010 is 8 to one and 10 to
# the other, 1:30 is 90 or text, and so are yes and no.
PLAIN = {
    "int": re.compile(r"[-+]?(0|[1-9][0-9]*)"),
    "float": re.compile(r"[^:_]+"),
    "bool": re.compile("true|false"),
}
NAMES = "small letters and digits, words joined by - or _"
PHRASES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "named values",
    "model_type": "named values",
    "model_attributes_type": "named values",
    "finite_number": "a finite number",
    "none_required": "null",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "literal_error": "{expected}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "a text that isn't empty",
    "string_too_long": "at most {max_length} characters",
}


def read(path: Path) -> Any:
    """What a YAML file holds. Raises UserError if it can't be read, or says a key twice."""
    try:
        content = path.read_bytes()
        if len(content) > LARGEST:
            raise UserError(f"{path}: expected at most {LARGEST:,} bytes, came {len(content):,}")
        return _plain(yaml.load(content.decode("utf-8"), _Loader), _Allowance())
    except FileNotFoundError:
        raise UserError(
            f"expected {path} in the current folder, found none: run this from the top of the project"
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: expected text in UTF-8, came other bytes at position {error.start}: save it as UTF-8"
        ) from None
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise UserError(
            f"{path}: expected at most {DEEPEST} levels of nesting, came more: take brackets out"
        ) from None
    except UserError as error:
        raise UserError(f"{path}: {error}".replace(f"{path}: {path}", f"{path}")) from None


def checked(kind: type[Read], content: Any, place: str) -> Read:
    """`content` as entries of a kind. Raises UserError with the mistakes, see `listed`."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise UserError(listed(sentences(error, content, place))) from None


def listed(mistakes: Iterable[str]) -> str:
    """A line for each mistake. Of those alike but for their place there are a few, and so there are of all.

    One wrong name is a mistake wherever it is used, in a hundred arms perhaps.
    """
    alike: dict[str, list[str]] = {}
    for mistake in dict.fromkeys(mistakes):
        alike.setdefault(mistake.partition(": ")[2], []).append(mistake)
    told = []
    for all_of_a_kind in list(alike.values())[:KINDS]:
        first, more = all_of_a_kind[:ALIKE], len(all_of_a_kind) - ALIKE
        told += [*first, *([f"... and {more} more like this"] if more > 0 else [])]
    if (more := len(alike) - KINDS) > 0:
        told.append(f"... and {more} more of other kinds, to be told when these are mended")
    return "\n".join(told)


class _Loader(yaml.SafeLoader):
    """YAML in which a key stands once (the second of two would win without a word), and all means one thing."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Refuse what other readers of YAML would read otherwise."""
        kind = node.tag.rpartition(":")[2]
        if kind in PLAIN and not PLAIN[kind].fullmatch(str(node.value)):
            raise UserError(
                f"expected a number in decimal digits, `true` or `false` in line {node.start_mark.line + 1}, came "
                f"{node.value!r}, which readers of YAML don't agree on: write it so, or put it in quotes if it is text"
            )
        return super().construct_object(node, deep)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that stands twice, or that is no text."""
        # What `<<: *other` brings may be overridden, and has no place among the keys.
        names = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in names]
        counts = Counter(key for key in keys if isinstance(key, str))
        for key, name in zip(keys, names, strict=True):
            line = name.start_mark.line + 1
            if not isinstance(key, str):
                raise UserError(
                    f"expected text as a key in line {line}, came {key!r}: put it in quotes"
                )
            if counts[key] > 1:
                raise UserError(
                    f"the key {key!r} stands twice in the section that begins in line {node.start_mark.line + 1}"
                )
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse merges of merges that make more keys than any file means."""
        super().flatten_mapping(node)
        if len(node.value) > MOST:
            raise UserError(TOO_MANY)


class _Allowance:
    """How many values a file may still hold, each alias counted as what it stands for."""

    def __init__(self) -> None:
        self.left = MOST

    def spend(self) -> None:
        """Count one. Raises UserError if there are too many."""
        self.left -= 1
        if self.left < 0:
            raise UserError(TOO_MANY)


def _plain(value: Any, allowed: _Allowance, depth: int = 0) -> Any:
    """Refuse what JSON doesn't know (dates, bytes), and nesting or aliases without end."""
    allowed.spend()
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, dict):
        return {key: _plain(part, allowed, depth + 1) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part, allowed, depth + 1) for part in value]
    if value is not None and not isinstance(value, bool | int | float | str):
        raise UserError(f"expected text, numbers, lists and named values, came {value!r}")
    return value


def sentences(error: ValidationError, content: Any, place: str) -> Iterator[str]:
    """What pydantic found in `content`, told in our words."""
    for found in error.errors(include_url=False):
        path, came = _place(found["loc"], content), found["input"]
        where = ", ".join([place, *(["/".join(path)] if path else [])])
        kind, context = found["type"], found.get("ctx", {})
        if kind == "too_short" and len(came) >= context["min_length"]:
            continue  # pydantic doesn't count those that it has refused
        if kind == "missing":
            yield f"{where}: expected this key, found none; nothing has a default"
        elif kind == "union_tag_not_found":
            yield f"{where}: expected the key {context['discriminator']}, found none"
        elif kind == "union_tag_invalid":
            key = context["discriminator"].strip("'")
            yield f"{where}/{key}: expected one of {context['expected_tags']}, came {context['tag']!r}"
        elif kind == "extra_forbidden":
            yield f"{where}: expected no such key, came {_short(came)}; correct its name or take it out"
        elif kind in ("value_error", "assertion_error"):
            yield f"{where}: {found['msg'].partition(', ')[2]}"
        elif kind == "string_pattern_mismatch":
            what = (
                NAMES if "[-_]" in context["pattern"] else f"text of the form {context['pattern']}"
            )
            if context["pattern"] == PRINTED:
                what = "text without control characters"
            yield f"{where}: expected {what}, came {_short(came)}"
        elif kind in PHRASES:
            yield f"{where}: expected {PHRASES[kind].format(**context)}, came {_short(came)}"
        else:
            yield f"{where}: expected something else, came {_short(came)}: {found['msg']}"


def _place(location: tuple[int | str, ...], content: Any) -> list[str]:
    """The place in the file: keys and numbers that lead there, without the names of types between them."""
    path: list[str] = []
    for i, part in enumerate(location):
        if isinstance(content, dict) and part in content:
            content = content[part]
        elif isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
            part = content.get("id", part) if isinstance(content, dict) else part
        elif i < len(location) - 1 or part == "[key]" or not isinstance(content, dict):
            continue  # a member of a union, or pydantic's word for a key
        path.append(str(part))
    return path


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # a whole number of more digits than Python prints
        text = "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:77]}..."
