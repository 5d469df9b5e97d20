"""The JSON schemas by which editors complete and check params.yaml and papers/ while one types.

Made from the types, never by hand: `python -m sixteen.study.schema` writes them to workflow/schemas/.
"""

import json
from pathlib import Path
from typing import Any

from sixteen.study.paper import Paper
from sixteen.study.parameters import NAMED, Parameters

SCHEMAS = Path("workflow/schemas")


def schemas() -> dict[str, str]:
    """The text of each schema by the name of its file."""
    written = {"params.schema.json": _params(), "paper.schema.json": Paper.model_json_schema()}
    return {
        name: json.dumps(_portable(schema), indent=1, ensure_ascii=False) + "\n"
        for name, schema in written.items()
    }


def _params() -> dict[str, Any]:
    """The schema of the file: where another section is named, a name stands in it, and papers are files of their own."""
    schema = Parameters.model_json_schema()
    schema["properties"].pop("papers")
    schema["required"].remove("papers")
    for section, keys in NAMED.items():
        (entry,) = schema["properties"][section]["patternProperties"].values()
        for kind in _kinds(entry):
            for key in keys:
                properties = schema["$defs"][kind]["properties"]
                if key not in properties:
                    continue
                properties[key] = {
                    "type": ["string", "null"],
                    "title": properties[key].get("title", key),
                }
    return schema


def _kinds(entry: dict[str, Any]) -> list[str]:
    """Names of the definitions that a section's entries may be."""
    choices = entry.get("oneOf", [entry])
    return [choice["$ref"].rpartition("/")[2] for choice in choices]


def _portable(value: Any) -> Any:
    """The schema in the dialect of editors: their patterns have no \\A and \\z, and other names are no keys."""
    if isinstance(value, list):
        return [_portable(part) for part in value]
    if isinstance(value, str):
        return value.replace(r"\A", "^").replace(r"\z", "$") if value.startswith(r"\A") else value
    if not isinstance(value, dict):
        return value
    closed = {"additionalProperties": False} if "patternProperties" in value else {}
    return {_portable(key): _portable(part) for key, part in value.items()} | closed


if __name__ == "__main__":
    for name, text in schemas().items():
        (SCHEMAS / name).write_text(text, encoding="utf-8")
