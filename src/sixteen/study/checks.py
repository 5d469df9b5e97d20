"""What types can't know: names that must exist elsewhere in the file, and numbers that their format must hold."""

import importlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from sixteen import networks
from sixteen.datasets.prepared.entry import Dataset
from sixteen.errors import UserError
from sixteen.precision.entry import Precision, Quantized
from sixteen.precision.formats import holds, range_of, rounded
from sixteen.study import design, sentence
from sixteen.study.claim import Claim, Exact, NonInferior, Pair, SeveralNonInferior
from sixteen.study.parameters import Parameters
from sixteen.study.study import Study
from sixteen.tasks.measured.parts.metric import POINTS, Metric
from sixteen.tasks.measured.parts.metrics import TIMED, metrics_of
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
    for paper, told in parameters.papers.items():
        for claims in told.claims.values():
            yield from _repeated([claim.id for claim in claims], f"papers/{paper}.yaml, claims")
        yield from _unknown(
            list(told.questions), told.claims, "claims", f"papers/{paper}.yaml, questions"
        )
    for name, study in parameters.studies.items():
        place = f"studies/{name}"
        if name in RULES:
            yield f"{place}: expected a name that no rule has, came {name!r}: call the study otherwise"
        if name == TAKEN:
            yield f"{place}: expected another name than that of the page of open questions: call the study otherwise"
        found = list(_references(parameters, study, place))
        yield from found or _sentences(parameters, study, place)
    yield from _arms_of_no_study(parameters)
    for target in TARGETS:
        if target not in parameters.targets:
            yield f"targets: expected {', '.join(TARGETS)} among them, which have rules, found no {target}"
    for target, names in parameters.targets.items():
        if target in parameters.studies or target in RULES - set(TARGETS):
            yield f"targets/{target}: expected a name that no study and no rule has: call the target otherwise"
        yield from _unknown(names, parameters.studies, "studies", f"targets/{target}")
        yield from _repeated(names, f"targets/{target}")


def _arms_of_no_study(parameters: Parameters) -> Iterator[str]:
    """Names in claims on several arms that no study has: a study may lack some, so that a slip would go unseen."""
    for paper, told in parameters.papers.items():
        for name, claims in told.claims.items():
            deciding = [
                study
                for study in parameters.studies.values()
                if study.claims == name and paper in study.papers
            ]
            try:
                known = {arm for study in deciding for arm in study.sentences}
            except UserError:
                continue  # told already
            for claim in claims if deciding else ():
                for arm in getattr(claim, "arms", ()):
                    if arm not in known:
                        yield (
                            f"papers/{paper}.yaml, claims/{name}/{claim.id}/arms: expected arms of studies that are to decide "
                            f"this, came {arm!r}, which none has: correct its name, or take it out"
                        )


def task_of(dataset: Dataset) -> str:
    """The task that a dataset is for."""
    return importlib.import_module(f"sixteen.datasets.{dataset.kind.replace('-', '_')}").TASK


def _references(parameters: Parameters, study: Study, place: str) -> Iterator[str]:
    """Names of sections, of papers, of networks and of arms."""
    yield from _unknown([study.dataset], parameters.datasets, "datasets", f"{place}/dataset")
    yield from _unknown(study.papers, parameters.papers, "papers/", f"{place}/papers")
    yield from _repeated(study.papers, f"{place}/papers")
    yield from _repeated(list(map(str, study.seeds)), f"{place}/seeds")
    try:
        arms, known, _ = study.sentences, study.every_network, study.places
        for network in known:
            if not re.fullmatch(sentence.VARIED, network):
                raise UserError(f"expected the name of a network, or one varied, came {network!r}")
        spelled = [parameters.spelling("networks", network) for network in known]
    except UserError as error:
        yield f"{place}: {error}"
        return
    yield from _repeated(spelled, f"{place}/networks")
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
        yield from _claims(parameters, study, arms, place)


def _claims(
    parameters: Parameters, study: Study, arms: dict[str, str], place: str
) -> Iterator[str]:
    """What a study takes from its papers: claims, the arms that these compare, a table."""
    sets = {name for paper in study.papers for name in parameters.papers[paper].claims}
    if study.claims is not None and study.claims not in sets:
        yield (
            f"{place}/claims: expected a set of claims of {', '.join(study.papers)} ({', '.join(sorted(sets))}), came "
            f"{study.claims!r}"
        )
    if study.published is not None and parameters.table(study) is None:
        yield f"{place}/published: expected a table of {', '.join(study.papers)}, came {study.published!r}"
    claims = parameters.claims(study)
    if len(set(study.papers)) == len(study.papers):
        yield from _repeated([claim.id for claim in claims], f"{place}/claims, of several papers")
    for claim in claims:
        yield from _told(lambda c=claim: c.among(list(arms)), place)


def _sentences(parameters: Parameters, study: Study, place: str) -> Iterator[str]:
    """Sentences, what they train, and the design of a factorial."""
    task = task_of(parameters.datasets[study.dataset])
    yield from _metrics(parameters, study, task, place)
    for name in study.every_network:
        network = parameters.network(name)
        if task not in networks.tasks(network):
            yield (
                f"{place}/networks: expected networks for the task {task} of the dataset {study.dataset}, came {name}, "
                f"which is for {', '.join(networks.tasks(network))}"
            )
            continue
        yield from _told(
            lambda n=network: networks.cost(n, *_shape(parameters, study)),
            f"{place}/networks, {name}",
        )
        mistakes = [
            f"{place}/arms/{arm}: {mistake}"
            for arm in study.sentences
            for mistake in _sentence(parameters, study, name, arm)
        ]
        yield from mistakes or _alike(parameters, study, name, place)
    yield from _unused_recipes(study, place)
    if study.designed:
        yield from _told(lambda: _design(parameters, study), f"{place}/factorial")


def _metrics(parameters: Parameters, study: Study, task: str, place: str) -> Iterator[str]:
    """Metrics of claims and of `reach`: known to the task, and measured so that they can decide."""
    known = metrics_of(task)
    if study.reach is not None and "accuracy" not in known:
        yield (
            f"{place}/reach: expected no accuracy to be reached, since the task {task} knows none, came {study.reach:g}: "
            "take the key out"
        )
    table = parameters.table(study)
    if table is not None and table.accuracy and "accuracy" not in known:
        yield (
            f"{place}/published: expected a table without accuracies, since the task {task} knows none, came "
            f"{study.published!r}: take the key out"
        )
    claims = parameters.claims(study)
    if study.time is not None and not any(claim.metric in TIMED for claim in claims):
        yield (
            f"{place}/time: expected a claim on what is measured alone ({', '.join(TIMED)}), whose arms are timed, came a "
            "study without one: add a claim, or take the key out"
        )
    for claim in claims:
        for mistake in (*_margins(claim, known), *_measured(claim, known)):
            yield f"{place}: claim {claim.id!r}: {mistake}"


def _margins(claim: Claim, known: dict[str, Metric]) -> Iterator[str]:
    """Margins that no difference of shares, or no ratio, can exceed."""
    margin, of = getattr(claim, "margin", 0), known.get(claim.metric or "")
    if of is None:
        return
    if (of.unit, of.kind) == (POINTS, "difference") and margin > 1:
        yield (
            f"expected a `margin` of at most 1, since {claim.metric} is a share, came {margin:g}"
        )
    relative = isinstance(claim, NonInferior | SeveralNonInferior)
    if relative and of.kind == "ratio" and margin >= 1:
        yield f"expected a `margin` below 1, since {claim.metric} is compared by ratio, came {margin:g}"


def _measured(claim: Claim, known: dict[str, Metric]) -> Iterator[str]:
    """Metrics that nobody measures, or not in a way that decides."""
    for key in ("metric", "start_metric"):
        metric = getattr(claim, key, None)
        if metric not in (None, *known):
            yield f"expected `{key}` to be one of {', '.join(known)}, came {metric!r}"
        elif metric is not None and known[metric].clock and metric not in TIMED:
            yield (
                f"expected `{key}` to be a clock that is measured alone ({', '.join(TIMED)}), came {metric!r}, which "
                "trainings tell that share their machine"
            )
        elif metric is not None and known[metric].clock and not isinstance(claim, Pair):
            yield f"expected `{key}` to be a metric of runs, came {metric!r}, which is measured of two arms in turns"


def _alike(parameters: Parameters, study: Study, network: str, place: str) -> Iterator[str]:
    """Arms that a claim compares, and that are one run."""
    for claim in parameters.claims(study):
        said: dict[str, str] = {}
        for arm in claim.among(list(study.sentences)) if not isinstance(claim, Exact) else ():
            text = "/".join(phrase.text for phrase in parameters.phrases(study, network, arm))
            if text in said:
                yield (
                    f"{place}: claim {claim.id!r} compares {said[text]} with {arm}, which are the same sentence: give one "
                    "of the arms another"
                )
            said[text] = arm


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


def _told(check: Callable[[], object], place: str) -> Iterator[str]:
    """The sentence of a check that raises one."""
    try:
        check()
    except UserError as error:
        yield f"{place}: {error}"


def _unknown(
    names: Iterable[str], known: Mapping[str, object], section: str, place: str
) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{place}: expected a name under `{section}` ({', '.join(known)}), came {name!r}"


def _repeated(names: list[str] | tuple[str, ...], place: str) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{place}: expected each once, came {name!r} {count} times"
