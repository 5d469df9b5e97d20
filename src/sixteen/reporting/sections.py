"""What all pages have in common, a call each: headings, prose, figures and tables, displayed in order.

A notebook keeps what is special to its study.
"""

from collections.abc import Iterable
from typing import Any

from IPython.display import Markdown, display

from sixteen.reporting import choice, glance, machines, tables
from sixteen.reporting.figures import (
    along,
    bits,
    cost,
    curves,
    drift,
    harm,
    kinks,
    memory,
    pareto,
    reach,
    results,
    selection,
    series,
    theory,
    timed,
    updates,
)
from sixteen.reporting.study import Study
from sixteen.reporting.verdicts import verdicts as verdict_table

NUMBERS = """Every number below comes with its interval and the number of seeds behind it; every figure with its data and the way
back to the dataset.
"""
VERDICTS = """## Verdicts

Each claim is tested over paired seeds: the runs of a seed began from the same weights and saw the same batches; a claim
on time is tested over turns of a measurement with nothing else of this project on the machine. *Supported* and *refuted* are both statements about
this study alone, at its scale; *inconclusive* says that it can't tell. What is marked *counted* follows from shapes and
formats, what is marked *checked* was looked at tensor by tensor or {item} by {item}: no seed could have made it otherwise.
"""
THEORY = """## Theory beside measurement

At the first epoch of an observed phase, every few epochs after it and at its end, training stops for a moment: on the
batch that comes next the gradient is computed in 32 bit and in the precision of the run, at the weights that the run has just
then. Each seed and moment is one batch, so that intervals over seeds hold the spread of batches too. What the theory of
arXiv:2311.18587 calls small is measured here.
"""
WEIGHTS = """### The error of the weights

||θ − Q(θ)|| is bounded. By the mean value theorem arXiv:2311.18587 takes the change of the gradient by a cast for the
Hessian times the error of the cast. The theorem asks for a gradient that is continuously differentiable; where a network
has ReLUs, the gradient jumps wherever the cast moves a unit across zero, and no Hessian sees that. The second figure
shows how far apart the two are, the third how many units cross, and what is left when no unit may cross.
"""  # noqa: RUF001 (the minus of a formula)
GRADIENT = """### The error of the gradient

e₁₆ is the 16-bit gradient minus the 32-bit one at the same weights.
"""
DESCENT = """### Descent

One gradient step lowers the loss by η||∇L||² less a remainder R.
"""
SCHEDULES = """## Schedules and what they cost

Cost counts bit operations: a product of two tensors of p and q bits costs p q, and a step has one forward and two backward
products. It is a model of hardware that isn't there yet; on today's, layers on a grid of few bits are slower than those of
32 bit. All runs are tested after the last epoch, with the most bits.
"""
CHOICE = """## Which schedule?

What is nearest to the best by its mean may be so by chance. So the table names, for each goal, the schedules that the data
can't tell apart at the level of all comparisons at once, and says where they separate nothing.
"""
SELECTION = """## What a choice would have added

The authors' code reports the best test over training, with the bits that the schedule has at that moment.
"""
SERIES = """## Along a series
"""
STATISTICS = """## Statistics

Means over the seeds that finished, with {confidence:.0%} intervals; a single seed has none. Diverged runs are counted in the
figures and in no mean, but where a figure says so. Intervals are t intervals over seeds, which of few seeds may
reach below 0 where no value can. That of a mean share (an accuracy, say) is made on the scale of
log odds and taken back, so that it ends before 0 and 100 % (the logit interval of Brown, Cai and DasGupta 2001,
Statistical Science 16:101, section 4.2, with the standard error between seeds); that of a cosine likewise (Fisher's z).

### Arm by arm
"""
COMPARED = """### Arms compared, paired by seed

Ratios are means of logarithms, so that an arm and its inverse tell the same. Shares of the test {item}s come in steps of
one: where seeds agree to less than that, one {item} is taken for their standard deviation. A deviation of accuracies from
epoch to epoch is at least what whole {item}s bring by themselves. Times are by the clocks of training
runs, which may have shared their machine.
"""
RECORDS = """## Records

The fingerprint of a run is the last folder of its path. [provenance.json](provenance.json) holds the record of every run
behind this page, down to the SHA-256 of the dataset; the tables are in [tables/](tables/), this page as a notebook with
its code in [notebook.ipynb](notebook.ipynb).
"""


def opening(study: Study) -> None:
    """Title, papers, and at a glance what was run, on what, for how long, and what came out."""
    _show(glance.heading(study), glance.glance(study), NUMBERS)


def verdicts(study: Study) -> None:
    """Each claim with its verdict, and what a verdict is."""
    _show(VERDICTS.format(item=study.item), verdict_table(study))


def accuracy(study: Study) -> None:
    """What was reached at the end, over training, and class by class."""
    words = study.metrics[study.main].words
    _show(
        f"## {words[0].upper()}{words[1:]}",
        results.final(study),
        curves.accuracy_curves(study),
        harm.classes(study),
    )


def schedules(study: Study) -> None:
    """Schedules of bits as they were run, what was reached against what it cost, and which to use."""
    _show(SCHEDULES, bits.schedules(study), pareto.pareto(study))
    _show(CHOICE, choice.which_schedule(study))


def best_epoch(study: Study) -> None:
    """What choosing the best epoch, or testing with the bits of the moment, would have added."""
    _show(SELECTION, selection.selection(study))


def along_series(study: Study) -> None:
    """What was reached along each series of arms that differ in a number, where there is one to be told."""
    if found := [series.along(study, name) for name in series.names(study)]:
        _show(SERIES, *found)


def time_and_memory(study: Study, pairs: Iterable[tuple[str, str]]) -> None:
    """Times measured alone, time to equal accuracy, training times of pairs (arm, reference), and memory."""
    _show("## Time and memory", timed.step_times(study))
    if not study.table("times").empty:
        _show(timed.everything(study))
    _show(reach.equal_accuracy(study))
    _show(*(cost.speed(study, arm, reference) for arm, reference in pairs))
    _show(memory.memory(study), memory.largest_batch(study))


def theory_beside_measurement(study: Study) -> None:
    """The errors of weights, gradients and descent against what theory says of them."""
    _show(THEORY, WEIGHTS, theory.quantization(study), theory.hessian(study), kinks.crossed(study))
    _show(GRADIENT, theory.gradient(study), theory.gradient_layers(study))
    _show(DESCENT, theory.descent(study), theory.remainder(study))


def lost_updates(study: Study) -> None:
    """Updates too small to move a stored weight."""
    _show(
        "### Updates lost to rounding",
        updates.over_training(study),
        updates.layers(study),
        updates.against_reached(study),
    )


def along_axis(study: Study) -> None:
    """What the study's question comes to along its axis."""
    _show("## Along the axis", along.along(study))


def times_by_machine(study: Study) -> None:
    """How fast the arms trained, on which machine, and what shared it meanwhile."""
    _show("## Time, by machine", machines.times(study))


def over_epochs(study: Study) -> None:
    """How arms drift apart over epochs, how much each overfits, and what diverged late."""
    _show("## Apart over epochs", drift.over_epochs(study), drift.at_the_end(study))


def statistics(study: Study) -> None:
    """Every metric, arm by arm and arms compared."""
    _show(STATISTICS.format(confidence=study.confidence), tables.metrics(study))
    _show(COMPARED.format(item=study.item), tables.differences(study))


def settings(study: Study) -> None:
    """Networks as they were built, arms as sentences, and what the names in them mean."""
    _show("## Settings", tables.networks(study), tables.arms(study))


def records(study: Study) -> None:
    """Every run by its fingerprint, and how to make and trace the page."""
    _show(RECORDS, tables.runs(study))
    _show("## How to make and trace this page", tables.origin(study))


def _show(*parts: Any) -> None:
    """Display figures and tables in order; text is Markdown."""
    for part in parts:
        display(Markdown(part) if isinstance(part, str) else part)
