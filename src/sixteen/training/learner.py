"""What learns: a network, its optimizer, and the compiled step that moves both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sixteen import networks
from sixteen.errors import UserError
from sixteen.precision.proofs import check_dtypes
from sixteen.tasks.parts.task import Task
from sixteen.training import measure, optimizers, state, tensors
from sixteen.training.parameters import Training
from sixteen.training.step import Step


class Learner:
    """A network that learns a task in one precision, from its seed, from published weights or from those of an earlier run."""

    def __init__(
        self, parameters: Training, task: Task, start: Path | None, published: Path | None = None
    ) -> None:
        """`start` is the folder of that run, `published` a file of weights to begin from otherwise.

        UserError if weights don't fit, or a format isn't as promised.
        """
        self.parameters, self.task = parameters, task
        task.threads = parameters.threads
        precision, recipe = parameters.precision, parameters.recipe
        about = (parameters.network, task.shape, task.outputs)
        self.model = networks.build(*about, precision, recipe.l2, parameters.seed)
        self._carry()
        self.trained_values = sum(int(np.prod(v.shape)) for v in self.model.trainable_variables)
        self.optimizer = optimizers.build(recipe, precision)
        self.optimizer.build(self.model.trainable_variables)
        if published is not None:
            networks.load_published(parameters.network, self.model, published)
        if start is not None:
            state.load_weights(self.model, start / state.WEIGHTS)
        check_dtypes(self.model, self.optimizer, precision)
        make = _step(parameters.backend)
        self.step = make(self.model, self.optimizer, task, precision, recipe)

    def _carry(self) -> None:
        recipe = self.parameters.recipe
        self.task.carry(self.model, recipe.part)
        if recipe.gradient_accumulation > 1 and state.carried_by(self.model):
            raise UserError(
                f"expected `gradient_accumulation: 1` where a network carries its state from batch to batch, came "
                f"{recipe.gradient_accumulation}; choose a smaller `batch` instead"
            )

    def rows(self, epoch: int) -> np.ndarray:
        """The rows of an epoch, see `Task.rows`; a step for each part of a batch."""
        recipe, seed = self.parameters.recipe, self.parameters.seed
        rows = self.task.rows(recipe.batch, recipe.augmentation, seed, epoch)
        # Of the rows themselves, since a task may count the items of a batch otherwise: a graph is one.
        parts = recipe.gradient_accumulation
        return rows.reshape(len(rows) * parts, rows.shape[1] // parts, *rows.shape[2:])

    def begin(self) -> None:
        """Begin an epoch."""
        self.task.begin(self.model)

    def train(
        self, rows: np.ndarray, rates: np.ndarray, bits: np.ndarray, tick: Callable[[], object]
    ) -> np.ndarray:
        """Train on some rows of an epoch, see `Step.train`."""
        return self.step.train(rows, rates, bits, tick)

    def test(self, bits: int | None = None) -> np.ndarray:
        """Predictions for the test set, by the average of the weights if the recipe asks for one.

        With so many forward `bits`, or with the most that the precision has.
        """
        self.task.begin(self.model)
        most = self.parameters.precision.most_bits
        with optimizers.averaged(self.model, self.optimizer):
            return self.step.predictions(bits or most)

    def snapshot(self) -> dict[str, np.ndarray]:
        """See `state.snapshot`."""
        return state.snapshot(self.model, self.optimizer)

    def restore(self, tensors: dict[str, np.ndarray]) -> None:
        """See `state.restore`."""
        state.restore(self.model, self.optimizer, tensors)

    def save(self, path: Path, epochs_done: int) -> None:
        """Write the weights, or their average if the recipe asks for one."""
        about = {
            "network": self.parameters.network.plain(),
            "precision": self.parameters.precision.plain(),
            "epochs_done": epochs_done,
        }
        with optimizers.averaged(self.model, self.optimizer):
            tensors.save(path, state.weights_of(self.model), about)

    def facts(self) -> dict[str, Any]:
        """Sizes of the network and of what its training holds; multiply-adds are those of one item."""
        network = self.parameters.network
        return {
            **measure.state_bytes(self.model, self.optimizer, self.parameters.precision),
            "device": measure.device(),
            "parameters": self.model.count_params(),
            "trained_parameters": self.trained_values,
            "layers": networks.layers(network),
            "multiply_adds": networks.cost(network, self.task.shape, self.task.outputs),
        }


def _step(backend: str) -> type[Step]:
    if backend == "tensorflow":
        from sixteen.training.step_tensorflow import TensorFlowStep

        return TensorFlowStep
    from sixteen.training.step_jax import JaxStep

    return JaxStep
