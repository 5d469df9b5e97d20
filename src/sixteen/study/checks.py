"""What types can't know: names that must exist elsewhere in the file, and numbers that their format must hold."""

import importlib
import re
from collections.abc import Iterator

from sixteen import networks
from sixteen.datasets.prepared.entry import Dataset
from sixteen.errors import UserError
from sixteen.precision.entry import Precision, Quantized
from sixteen.precision.formats import holds, range_of, rounded
from sixteen.study import checks_of_claims, design, sentence
from sixteen.study.axes import braces
from sixteen.study.mistakes import repeated, told, unknown
from sixteen.study.parameters import Parameters
from sixteen.study.study import Study
from sixteen.training.recipe import Recipe

# What Snakemake calls its rules: a study is a target by its own name.
RULES = frozenset(
    [
        "all",
        "demo",
        "demos",
        "fetch",
        "prepare",
        "train",
        "continue_training",
        "quantize",
        "observe",
        "evaluate",
        "time",
        "summarize",
        "report",
        "publish",
        "index",
        "join",
    ]
)

# Where in reports/ the page of all open questions stands.
TAKEN = "questions"

# Targets that the Snakefile itself names.
TARGETS = ("demo", "demos", "all")


def mistakes(parameters: Parameters) -> Iterator[str]:
    """A sentence for each mistake, with its place."""
    sections = ("networks", "precisions", "recipes", "schedules", "loss_scales", "bits")
    for section in (*sections, "machines"):
        yield from _joining_words(section, getattr(parameters, section))
    yield from checks_of_claims.of_papers(parameters)
    for name, study in parameters.studies.items():
        place = f"studies/{name}"
        if name in RULES:
            yield f"{place}: expected a name that no rule has, came {name!r}: call the study otherwise"
        if name == TAKEN:
            yield f"{place}: expected another name than that of the page of open questions: call the study otherwise"
        found = list(_references(parameters, study, place))
        yield from found or _sentences(parameters, study, place)
    for target in TARGETS:
        if target not in parameters.targets:
            yield f"targets: expected {', '.join(TARGETS)} among them, which have rules, found no {target}"
    for target, names in parameters.targets.items():
        if target in parameters.studies or target in RULES - set(TARGETS):
            yield f"targets/{target}: expected a name that no study and no rule has: call the target otherwise"
        yield from unknown(names, parameters.studies, "studies", f"targets/{target}")
        yield from repeated(names, f"targets/{target}")


def task_of(dataset: Dataset) -> str:
    """The task that a dataset is for."""
    return importlib.import_module(f"sixteen.datasets.{dataset.kind.replace('-', '_')}").TASK


def _references(parameters: Parameters, study: Study, place: str) -> Iterator[str]:
    """Names of sections, of papers, of networks and of arms."""
    yield from unknown([study.dataset], parameters.datasets, "datasets", f"{place}/dataset")
    yield from unknown(study.papers, parameters.papers, "papers/", f"{place}/papers")
    yield from repeated(study.papers, f"{place}/papers")
    yield from repeated(list(map(str, study.seeds)), f"{place}/seeds")
    try:
        arms, known, _ = study.sentences, study.every_network, study.places
        for network in known:
            if not re.fullmatch(sentence.VARIED, network):
                raise UserError(f"expected the name of a network, or one varied, came {network!r}")
        spelled = [parameters.spelling("networks", network) for network in known]
    except UserError as error:
        yield f"{place}: {error}"
        return
    yield from repeated(spelled, f"{place}/networks")
    named = braces(" ".join((*study.arms, *study.arms.values(), *study.networks)))
    for axis in study.axes:
        if axis not in named:
            yield (
                f"{place}/axes: expected axes that an arm or a network names in braces, came {axis}, which none does: "
                f"write {{{axis}}} where it belongs, or take it out"
            )
    for network in study.recipes:
        if network not in known:
            yield f"{place}/recipes: expected networks of the study ({', '.join(known)}), came {network!r}"
    if study.factorial and study.factorial.arms not in study.arms:
        yield (
            f"{place}/factorial/arms: expected a template of `arms` ({', '.join(study.arms)}), came "
            f"{study.factorial.arms!r}"
        )
    if study.factorial and study.recipes:
        yield (
            f"{place}/factorial: expected the same recipes for every network, came `recipes` as well; take one of the "
            "two out of the study"
        )
    if all(paper in parameters.papers for paper in study.papers):
        yield from checks_of_claims.of_study(parameters, study, arms, place)


def _sentences(parameters: Parameters, study: Study, place: str) -> Iterator[str]:
    """Sentences, what they train, and the design of a factorial."""
    task = task_of(parameters.datasets[study.dataset])
    yield from checks_of_claims.of_metrics(parameters, study, task, place)
    for name in study.every_network:
        network = parameters.network(name)
        if task not in networks.tasks(network):
            yield (
                f"{place}/networks: expected networks for the task {task} of the dataset {study.dataset}, came {name}, "
                f"which is for {', '.join(networks.tasks(network))}"
            )
            continue
        yield from told(
            lambda n=network: networks.cost(n, *_shape(parameters, study)),
            f"{place}/networks, {name}",
        )
        mistakes = [
            f"{place}/arms/{arm}: {mistake}"
            for arm in study.sentences
            for mistake in _sentence(parameters, study, name, arm)
        ]
        yield from mistakes or checks_of_claims.of_arms(parameters, study, name, place)
    yield from _unused_recipes(study, place)
    if study.designed:
        yield from told(lambda: _design(parameters, study), f"{place}/factorial")


def _shape(parameters: Parameters, study: Study) -> tuple[tuple[int, ...], int]:
    """The shape of an item of the study's dataset, and a number of classes, of which any will do."""
    entry = parameters.datasets[study.dataset]
    kind = importlib.import_module(f"sixteen.datasets.{entry.kind.replace('-', '_')}")
    return kind.shape(entry), 10


def _sentence(parameters: Parameters, study: Study, network: str, arm: str) -> Iterator[str]:
    """Mistakes of one sentence: names, formats that are rounded unsaid, updates that can't be made."""
    try:
        phrases = parameters.phrases(study, network, arm)
    except UserError as error:
        yield str(error)
        return
    stored = {"weights": "float32", "batch norm": "float32"}
    for phrase in phrases:
        precision = parameters.precision(phrase.precision)
        storage = precision.storage
        if isinstance(precision, Quantized):
            yield from _quantizes(parameters, study, network, phrase.text)
        if phrase.recipe is not None:
            yield from _update(parameters.recipe(phrase.recipe), precision, phrase.text)
            yield from _divides(parameters, phrase)
            yield from _observes(parameters, study, phrase)
        elif storage == "float32":
            yield (
                f"expected quantization to a precision that stores 16-bit weights, came {phrase.text!r}, whose "
                "weights are float32"
            )
        wanted = {"weights": storage, "batch norm": precision.batch_norm}
        for what, format in wanted.items() if phrase.step == "continue_training" else ():
            if format not in ("float32", stored[what]):
                yield (
                    f"expected {what} in {format} before {phrase.text!r}, came {stored[what]}: add a phrase "
                    f"quantized-to-<precision>, of a precision that stores weights in {format}"
                )
        stored = wanted if phrase.recipe is not None else dict.fromkeys(stored, storage)


def _quantizes(parameters: Parameters, study: Study, network: str, place: str) -> Iterator[str]:
    """What isn't made for layers on grids of few bits."""
    if networks.unquantized(parameters.network(network)) is None:
        yield (
            f"expected a network with quantized layers for {place!r}, came {network} of the family "
            f"{parameters.network(network).family}, which has none: choose another network or precision"
        )
    if study.observe is not None:
        yield (
            f"expected `observe: null` with {place!r}, since what is observed is the theory of 16 bit, came "
            "an observation: take it out"
        )


def _divides(parameters: Parameters, phrase: sentence.Phrase) -> Iterator[str]:
    """A batch that can't be spread evenly."""
    part, devices = parameters.recipe(phrase.recipe or "").part, parameters.machine(phrase).devices
    if part % devices:
        yield (
            f"{phrase.text}: expected a batch (a part of it, with `gradient_accumulation`) that {devices} devices can share, "
            f"came {part} items: choose a multiple of {devices}"
        )


def _observes(parameters: Parameters, study: Study, phrase: sentence.Phrase) -> Iterator[str]:
    """Updates that no single gradient makes."""
    parts = parameters.recipe(phrase.recipe or "").gradient_accumulation
    if study.observe is not None and parts > 1:
        yield (
            f"{phrase.text}: expected `observe: null` with batches in parts, since an update is observed that one gradient "
            f"makes, came `gradient_accumulation: {parts}`: take the observation out"
        )


def _update(recipe: Recipe, precision: Precision, place: str) -> Iterator[str]:
    """Numbers of a recipe that mean something else in the format in which the update is computed."""
    format = precision.storage
    # An epsilon of 0 in float16 is a finding (arXiv:2305.10947): such a run diverges and says why.
    wanted = {"learning_rate": format, "l2": format}
    wanted |= dict.fromkeys(("epsilon", "weight_decay", "clip_norm"), "float32")
    for key, at in wanted.items():
        value = getattr(recipe, key, None)
        if value and not holds(value, at):
            yield f"{place}: expected {key} to be a number in {at} ({range_of(at)}), came {value:g}"
    for key in ("momentum", "beta_1", "beta_2", "averaging"):
        share = getattr(recipe, key, None)
        if share is not None and rounded(share, format) >= 1:
            yield (
                f"{place}: expected {key} below 1 in {format}, in which updates are computed here, came {share:g}, "
                "which is 1 there, so that nothing would move; lower it, or keep `master_weights`"
            )


def _unused_recipes(study: Study, place: str) -> Iterator[str]:
    try:
        phrases = [p for text in study.sentences.values() for p in sentence.parse(text)]
    except UserError:  # told already
        return
    said = {sentence.varied(phrase.recipe).entry for phrase in phrases if phrase.recipe}
    for network, recipes in study.recipes.items():
        for recipe in recipes:
            if recipe not in said:
                yield f"{place}/recipes/{network}: expected a recipe that an arm names, came {recipe!r}"


def _design(parameters: Parameters, study: Study) -> None:
    """Raises UserError if the arms of the factorial are no design."""
    phrases = {arm: parameters.phrases(study, None, arm) for arm in study.designed or ()}
    last = [said[-1] for said in phrases.values()]
    design.effects_of(
        design.settings_of(
            {arm: "/".join(phrase.text for phrase in said) for arm, said in phrases.items()},
            {phrase.precision: parameters.precision(phrase.precision) for phrase in last},
            {phrase.recipe: parameters.recipe(phrase.recipe) for phrase in last if phrase.recipe},
        )
    )


def _joining_words(section: str, names: dict[str, object]) -> Iterator[str]:
    for name in names:
        if name == "none":
            yield f"{section}/none: expected another name, since sentences say none where there is nothing"
        if words := set(name.split("-")) & set(sentence.JOINING):
            yield (
                f"{section}/{name}: expected a name without the words that join phrases "
                f"({', '.join(sentence.JOINING)}), came one with {min(words)!r}"
            )
