"""What the bits of a study's arms will cost, told before anything runs, by the model of `sixteen.precision.bits`."""

from sixteen.lineage.items import Items
from sixteen.lineage.layout import table, wrapped
from sixteen.precision.entry import Quantized
from sixteen.study.checks import task_of
from sixteen.study.parameters import Parameters
from sixteen.study.study import Study
from sixteen.tasks.measured import module


def costs(parameters: Parameters, study: Study, items: Items) -> dict[str, float]:
    """Bit operations of each arm at the first network, all phases together, in epochs of training in float32.

    Empty if no arm quantizes.
    """
    task = module(task_of(parameters.datasets[study.dataset]))
    found, quantized = dict[str, float](), False
    for arm in study.sentences:
        first, total = 0, 0.0
        for phrase in parameters.phrases(study, study.networks[0], arm):
            if phrase.recipe is None or phrase.until is None:
                continue
            precision, batch = (
                parameters.precision(phrase.precision),
                parameters.recipe(phrase.recipe).batch,
            )
            steps = task.steps(items.train, batch, items.shape)
            forward = precision.forward_bits(first, phrase.until, steps)
            total += precision.bit_cost(forward) * (phrase.until - first)
            first = phrase.until
            quantized = quantized or isinstance(precision, Quantized)
        found[arm] = total
    return found if quantized else {}


def told(spent: dict[str, float]) -> list[str]:
    """Lines for `sixteen plan`: each arm in epochs of float32, and beside the first arm."""
    if not spent:
        return []
    first, reference = next(iter(spent.items()))
    rows = [(arm, f"{cost:.4g}", f"{cost / reference:.3f}") for arm, cost in spent.items()]
    head = wrapped(
        "Cost of training in bit operations (arXiv:2403.02243), in epochs of training in float32:"
    )
    return head + table([("arm", "epochs", f"of {first}"), *rows])
