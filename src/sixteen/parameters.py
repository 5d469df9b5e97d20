"""params.yaml: read it, and refuse what it may not say.

The schema (workflow/schemas/params.schema.yaml) knows keys, types and ranges; this module knows which
name must exist elsewhere in the file. Neither supplies a default.
"""

import math
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from sixteen.analysis.metrics import METRICS
from sixteen.errors import UserError
from sixteen.lineage import sentence

SCHEMA = Path("workflow/schemas/params.schema.yaml")


class _Loader(yaml.SafeLoader):
    """YAML in which a key stands once: the second of two would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that stands twice."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                line = node.start_mark.line + 1
                raise UserError(
                    f"the key {key!r} stands twice in the section that begins in line {line}"
                )
        return super().construct_mapping(node, deep)


def load(path: Path, schema: Path = SCHEMA) -> dict[str, Any]:
    """Read and check a parameter file. Raises UserError with the place and what was expected there."""
    try:
        parameters = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise UserError(
            f"expected {path} in the current folder, found none: run this from the top of the project"
        ) from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from None
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    check(parameters, schema)
    return parameters


def check(parameters: dict[str, Any], schema: Path = SCHEMA) -> None:
    """Refuse unknown keys, wrong types and ranges, and names that nothing in the file defines."""
    rules = yaml.safe_load(schema.read_text(encoding="utf-8"))
    error = best_match(Draft202012Validator(rules).iter_errors(parameters))
    if error is not None:
        place = "/".join(str(part) for part in error.absolute_path) or "the top level"
        raise UserError(f"params.yaml, {place}: {error.message}")
    _finite(parameters, "params.yaml")
    for name, claims in parameters["claims"].items():
        _check_claims(parameters, claims, f"params.yaml, claims/{name}")
    for name, study in parameters["studies"].items():
        _check_study(parameters, study, f"params.yaml, studies/{name}")
    for target, names in parameters["targets"].items():
        _known(parameters, "studies", names, f"params.yaml, targets/{target}")


def _finite(value: Any, place: str) -> None:
    """Refuse NaN and infinity: JSON, and so a fingerprint, knows neither."""
    if isinstance(value, dict):
        for key, part in value.items():
            _finite(part, f"{place}, {key}")
    elif isinstance(value, list):
        for part in value:
            _finite(part, place)
    elif isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{place}: expected a finite number, came {value}")


def _check_claims(parameters: dict[str, Any], claims: list[dict[str, Any]], place: str) -> None:
    ids = [claim["id"] for claim in claims]
    for claim in claims:
        here = f"{place}/{claim['id']}"
        if ids.count(claim["id"]) > 1:
            raise UserError(f"{here}: expected an id that stands once, came it twice")
        if claim["only"] is not None:
            _known(parameters, "networks", [claim["only"]], f"{here}/only")
        for key in ("metric", "start_metric"):
            if claim.get(key) not in (None, *METRICS):
                raise UserError(
                    f"{here}/{key}: expected one of {', '.join(METRICS)}, came {claim[key]!r}"
                )


def _check_study(parameters: dict[str, Any], study: dict[str, Any], place: str) -> None:
    _known(parameters, "datasets", [study["dataset"]], f"{place}/dataset")
    _known(parameters, "networks", study["networks"], f"{place}/networks")
    _known(parameters, "claims", [study["claims"]], f"{place}/claims")
    if floats := [seed for seed in study["seeds"] if isinstance(seed, float)]:
        raise UserError(f"{place}/seeds: expected whole numbers, came {floats[0]}")
    for arm, text in study["arms"].items():
        _check_sentence(parameters, text, f"{place}/arms/{arm}")
    for claim in parameters["claims"][study["claims"]]:
        missing = [arm for arm in claim["arms"] if arm not in study["arms"]]
        if missing:
            raise UserError(
                f"{place}: claim {claim['id']!r} compares the arm {missing[0]!r}, and the study has only "
                f"{', '.join(study['arms'])}; add the arm or choose another set of claims"
            )


def _check_sentence(parameters: dict[str, Any], text: str, place: str) -> None:
    stored = "float32"
    for phrase in sentence.parse(text):
        _known(parameters, "precisions", [phrase.precision], place)
        variables = parameters["precisions"][phrase.precision]["variables"]
        if phrase.recipe is not None:
            _known(parameters, "recipes", [phrase.recipe], place)
        elif variables == "float32":
            raise UserError(
                f"{place}: expected quantization to a precision with 16-bit variables, came {phrase.text!r}, "
                "whose variables are float32"
            )
        if phrase.step == "continue_training" and variables not in ("float32", stored):
            raise UserError(
                f"{place}: expected the weights in {variables} before {phrase.text!r}, came {stored}: add the "
                f"phrase quantized-to-{phrase.precision}"
            )
        stored = variables


def study_of(parameters: dict[str, Any], name: str) -> dict[str, Any]:
    """The study of that name. Raises UserError that lists the known ones."""
    _known(parameters, "studies", [name], "the study")
    return parameters["studies"][name]


def _known(parameters: dict[str, Any], section: str, names: list[str], place: str) -> None:
    for name in names:
        if name not in parameters[section]:
            raise UserError(
                f"{place}: expected a name under `{section}` in params.yaml "
                f"({', '.join(parameters[section])}), came {name!r}"
            )
