"""params.yaml: read it, and refuse what it may not say.

The schema (workflow/schemas/params.schema.yaml) knows keys, types and ranges; this module knows which
name must exist elsewhere in the file. Neither supplies a default.
"""

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from sixteen.analysis.metrics import METRICS
from sixteen.errors import UserError
from sixteen.lineage import sentence

SCHEMA = Path("workflow/schemas/params.schema.yaml")


def load(path: Path, schema: Path = SCHEMA) -> dict[str, Any]:
    """Read and check a parameter file. Raises UserError with the place and what was expected there."""
    try:
        parameters = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"expected {path} in the current folder, found none: run this from the top of the project"
        ) from None
    except yaml.YAMLError as error:
        raise UserError(f"{path} is no valid YAML: {' '.join(str(error).split())}") from None
    check(parameters, schema)
    return parameters


def check(parameters: dict[str, Any], schema: Path = SCHEMA) -> None:
    """Refuse unknown keys, wrong types and ranges, and names that nothing in the file defines."""
    rules = yaml.safe_load(schema.read_text(encoding="utf-8"))
    errors = Draft202012Validator(rules).iter_errors(parameters)
    error = best_match(errors)
    if error is not None:
        place = "/".join(str(part) for part in error.absolute_path) or "the top level"
        raise UserError(f"params.yaml, {place}: {error.message}")
    for name, study in parameters["studies"].items():
        place = f"params.yaml, studies/{name}"
        _known(parameters, "datasets", [study["dataset"]], f"{place}/dataset")
        _known(parameters, "networks", study["networks"], f"{place}/networks")
        _known(parameters, "claims", [study["claims"]], f"{place}/claims")
        for arm, text in study["arms"].items():
            for phrase in sentence.parse(text):
                _known(parameters, "precisions", [phrase.precision], f"{place}/arms/{arm}")
                if phrase.recipe is not None:
                    _known(parameters, "recipes", [phrase.recipe], f"{place}/arms/{arm}")
        for claim in parameters["claims"][study["claims"]]:
            for key in ("metric", "start_metric"):
                if claim.get(key) not in (None, *METRICS):
                    raise UserError(
                        f"params.yaml, claims/{study['claims']}/{claim['id']}/{key}: expected one of "
                        f"{', '.join(METRICS)}, came {claim[key]!r}"
                    )
            missing = [arm for arm in claim["arms"] if arm not in study["arms"]]
            if missing:
                raise UserError(
                    f"{place}: claim {claim['id']!r} compares the arm {missing[0]!r}, and the study has only "
                    f"{', '.join(study['arms'])}; add the arm or choose another set of claims"
                )
    for target, names in parameters["targets"].items():
        _known(parameters, "studies", names, f"params.yaml, targets/{target}")


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
