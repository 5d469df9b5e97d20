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
from jsonschema.validators import extend

from sixteen import networks
from sixteen.analysis.metrics import METRICS
from sixteen.errors import UserError
from sixteen.precision.formats import holds, range_of, rounded, scale_formats, storage_of
from sixteen.study import design, sentence

SCHEMA = Path("workflow/schemas/params.schema.yaml")
OPTIMIZERS = {
    "sgd": {"momentum"},
    "adam": {"beta_1", "beta_2", "epsilon"},
    "adamw": {"beta_1", "beta_2", "epsilon", "weight_decay"},
}


def _is_integer(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON Schema takes 10.0 for an integer; a seed or a batch of 10.0 would fail later, or get another fingerprint.
_Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


class _Loader(yaml.SafeLoader):
    """YAML in which a key stands once: the second of two would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that stands twice."""
        # What `<<: *other` brings may be overridden, and has no place among the keys.
        names = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in names]
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
    error = best_match(_Validator(rules).iter_errors(parameters))
    if error is not None:
        place = "/".join(str(part) for part in error.absolute_path) or "the top level"
        raise UserError(f"params.yaml, {place}: {error.message}")
    _finite(parameters, "params.yaml")
    for name, network in parameters["networks"].items():
        _check_network(network, f"params.yaml, networks/{name}")
    for name, precision in parameters["precisions"].items():
        _check_precision(precision, f"params.yaml, precisions/{name}")
    for name, recipe in parameters["recipes"].items():
        _check_recipe(recipe, f"params.yaml, recipes/{name}")
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


def _check_precision(precision: dict[str, Any], place: str) -> None:
    compute = precision["compute"]
    if precision["master_weights"] and compute == "float32":
        raise UserError(
            f"{place}: expected 16-bit `compute` with `master_weights: true`, came float32, which needs no "
            "masters; compute in float16 or bfloat16, or set `master_weights: false`"
        )
    for key in ("batch_norm", "loss"):
        if precision[key] not in ("float32", compute):
            raise UserError(
                f"{place}/{key}: expected float32 or the format of `compute`, {compute}, came {precision[key]}"
            )

    scale = precision["loss_scale"]
    if scale is None:
        return
    key = "factor" if scale["kind"] == "static" else "start"
    for format in scale_formats(precision):
        if not holds(scale[key], format):
            raise UserError(
                f"{place}/loss_scale/{key}: expected a number that {format} can hold ({range_of(format)}), came "
                f"{scale[key]:g}"
            )
    growing = rounded(scale["factor"], "float32")
    if scale["kind"] == "dynamic" and not (
        growing > 1 and holds(scale["start"] * scale["factor"], "float32")
    ):
        raise UserError(
            f"{place}/loss_scale/factor: expected a factor by which a scale of {scale['start']:g} can grow in float32, "
            f"came {scale['factor']!r}; 2 is usual"
        )


def _check_network(network: dict[str, Any], place: str) -> None:
    try:
        networks.cost(network, (32, 32, 3), 10)  # any images will do
    except UserError as error:
        raise UserError(f"{place}: {error}") from None


def _check_recipe(recipe: dict[str, Any], place: str) -> None:
    optimizer = recipe["optimizer"]
    expected = OPTIMIZERS[optimizer]
    came = {key for keys in OPTIMIZERS.values() for key in keys} & set(recipe)
    if came != expected:
        raise UserError(
            f"{place}: expected the keys {', '.join(sorted(expected))} for the optimizer {optimizer}, came "
            f"{', '.join(sorted(came)) or 'none of them'}"
        )


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
    instead = study.get("recipes", {})
    if absent := [network for network in instead if network not in study["networks"]]:
        raise UserError(
            f"{place}/recipes: expected networks of the study ({', '.join(study['networks'])}), came {absent[0]!r}"
        )
    for network in study["networks"]:
        for arm, text in study["arms"].items():
            _check_sentence(parameters, text, instead.get(network, {}), f"{place}/arms/{arm}")
    said = {phrase.recipe for text in study["arms"].values() for phrase in sentence.parse(text)}
    for network, recipes in instead.items():
        if unused := [recipe for recipe in recipes if recipe not in said]:
            raise UserError(
                f"{place}/recipes/{network}: expected a recipe that an arm names, came {unused[0]!r}"
            )
    if "factorial" in study:
        _check_design(parameters, study, place)
    if "published" in study:
        _known(parameters, "published", [study["published"]], f"{place}/published")
    for claim in parameters["claims"][study["claims"]]:
        missing = [arm for arm in claim["arms"] if arm not in study["arms"]]
        if missing:
            raise UserError(
                f"{place}: claim {claim['id']!r} compares the arm {missing[0]!r}, and the study has only "
                f"{', '.join(study['arms'])}; add the arm or choose another set of claims"
            )


def _check_design(parameters: dict[str, Any], study: dict[str, Any], place: str) -> None:
    if missing := [arm for arm in study["factorial"] if arm not in study["arms"]]:
        raise UserError(
            f"{place}/factorial: expected arms of the study ({', '.join(study['arms'])}), came {missing[0]!r}"
        )
    if "recipes" in study:
        raise UserError(
            f"{place}/factorial: expected the same recipes for every network, came `recipes` as well; take "
            "one of the two out of the study"
        )
    settings = design.settings_of({**parameters, "arms": study["arms"]}, study["factorial"])
    try:
        design.effects_of(settings)
    except UserError as error:
        raise UserError(f"{place}/factorial: {error}") from None


def _check_sentence(
    parameters: dict[str, Any], text: str, instead: dict[str, str], place: str
) -> None:
    stored = {"weights": "float32", "batch norm": "float32"}
    for phrase in sentence.parse(text, instead):
        _known(parameters, "precisions", [phrase.precision], place)
        precision = parameters["precisions"][phrase.precision]
        storage = storage_of(precision)
        if phrase.recipe is not None:
            _known(parameters, "recipes", [phrase.recipe], place)
            _check_update(
                parameters["recipes"][phrase.recipe], precision, f"{place}, {phrase.text}"
            )
        elif storage == "float32":
            raise UserError(
                f"{place}: expected quantization to a precision that stores 16-bit weights, came "
                f"{phrase.text!r}, whose weights are float32"
            )
        wanted = {"weights": storage, "batch norm": precision["batch_norm"]}
        for what, format in wanted.items() if phrase.step == "continue_training" else ():
            if format not in ("float32", stored[what]):
                raise UserError(
                    f"{place}: expected {what} in {format} before {phrase.text!r}, came {stored[what]}: add a "
                    f"phrase quantized-to-<precision>, of a precision that stores weights in {format}"
                )
        stored = wanted if phrase.recipe is not None else dict.fromkeys(stored, storage)


def _check_update(recipe: dict[str, Any], precision: dict[str, Any], place: str) -> None:
    """Refuse numbers of a recipe that mean something else in the format in which the update is computed."""
    format = storage_of(precision)
    for key in ("learning_rate", "epsilon"):
        # An epsilon of 0 in float16 is a finding (arXiv:2305.10947): such a run diverges and says why.
        at = format if key == "learning_rate" else "float32"
        if key in recipe and not holds(recipe[key], at):
            raise UserError(
                f"{place}: expected {key} to be a number in {at} ({range_of(at)}), came {recipe[key]:g}"
            )
    decay = recipe.get("weight_decay", 0.0)
    if decay and not holds(decay, "float32"):
        raise UserError(
            f"{place}: expected weight_decay to be a number in float32 ({range_of('float32')}), came {decay:g}"
        )
    shares = {key: recipe[key] for key in ("momentum", "beta_1", "beta_2") if key in recipe}
    if recipe["averaging"] is not None:
        shares["averaging/momentum"] = recipe["averaging"]["momentum"]
    for key, share in shares.items():
        if rounded(share, format) >= 1:
            raise UserError(
                f"{place}: expected {key} below 1 in {format}, in which updates are computed here, came {share:g}, "
                "which is 1 there, so that nothing would move; lower it, or keep `master_weights`"
            )


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
