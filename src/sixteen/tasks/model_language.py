"""The task `model_language`: foresee the next word of a text.

The text is cut into as many streams as the batch has rows, side by side; a step reads the next window of each, and the
network carries its state on to the next step (but no gradient: truncated backpropagation through time). The text stays
on the device as int32, after one end of a sentence, which comes before its first word.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from sixteen.datasets.prepared.tokens import EOS, Tokens
from sixteen.errors import UserError
from sixteen.tasks.parts import carried, classification
from sixteen.tasks.parts.task import Task

FORM = Tokens


def bind(folder: Path) -> "ModelLanguage":
    """The task on the prepared text in `folder`."""
    return ModelLanguage(Tokens.load(folder))


class ModelLanguage(Task):
    """See `Task`. Predictions are the log-likelihoods of the test tokens."""

    item = "token"

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.shape = tokens.shape
        (self.window,) = tokens.shape
        self.outputs = len(tokens.vocabulary)
        self.end = tokens.vocabulary.index(EOS)
        self.train_items = len(tokens.train_tokens)
        self.test_items = len(tokens.test_tokens)

    def carry(self, model: keras.Model, batch: int) -> None:
        """See `Task`."""
        for layer in model.layers:
            if hasattr(layer, "carry"):
                layer.carry(batch)

    def begin(self, model: keras.Model) -> None:
        """See `Task`."""
        carried.reset(model)

    def rows(self, batch: int, augmentation: str, seed: int, epoch: int) -> np.ndarray:
        """int32 [steps, batch] of the place in the text where each stream goes on: the same in every epoch.

        What is left over at the end of the text, or of each stream, less than a window, isn't read.
        """
        if augmentation != "none":
            raise UserError(
                f"expected `augmentation: none` for the task model_language, came {augmentation}, which is for images; "
                "choose a recipe of params.yaml without augmentation"
            )
        length = self.train_items // batch
        if length < self.window:
            raise UserError(
                f"expected a batch of at most {self.train_items // self.window} streams, each with a window of {self.window} "
                f"of the {self.train_items} training tokens, came {batch}; lower `batch` of the recipe in params.yaml"
            )
        return self._places(batch, length, length // self.window)

    def items(self, rows: np.ndarray) -> int:
        """Tokens."""
        return rows.size * self.window

    def train_data(self) -> Any:
        """See `Task`."""
        return self._after_an_end(self.tokens.train_tokens)

    def test_data(self) -> Any:
        """See `Task`."""
        return self._after_an_end(self.tokens.test_tokens)

    def train_batch(self, data: Any, rows: Any, augmentation: str, compute: str) -> tuple[Any, Any]:
        """Tokens int32 [batch, window], and those after them."""
        return self._window(data, rows), self._window(data, rows + 1)

    def test_batches(self, batch: int) -> np.ndarray:
        """int32 [steps, batch] of where each stream goes on, beyond the end of the text where it doesn't suffice."""
        length = -(-self.test_items // batch)
        return self._places(batch, length, -(-length // self.window))

    def test_batch(self, data: Any, indices: Any, compute: str) -> Any:
        """Tokens int32 [batch, window]."""
        return self._window(data, indices)

    def loss(self, outputs: Any, targets: Any, dtype: str, smoothing: float) -> Any:
        """Softmax cross-entropy of a token."""
        return classification.cross_entropy(outputs, targets, dtype, smoothing)

    def predicted(self, outputs: Any, data: Any, indices: Any) -> Any:
        """The log-likelihood, float32 [batch, window], of what comes next."""
        likelihoods: Any = ops.log_softmax(ops.cast(outputs, "float32"))
        targets = self._window(data, indices + 1)[..., None]
        return ops.take_along_axis(likelihoods, targets, axis=-1)[..., 0]

    def in_order(self, predictions: np.ndarray) -> np.ndarray:
        """See `Task`: float32 [test tokens]."""
        streams = predictions.swapaxes(0, 1)
        length = -(-self.test_items // len(streams))
        return streams.reshape(len(streams), -1)[:, :length].reshape(-1)[: self.test_items]

    def tested(self, predictions: np.ndarray) -> dict[str, float]:
        """`test_loss` in nats a token."""
        return {"test_loss": -float(predictions.mean(dtype=np.float64))}

    def _after_an_end(self, text: np.ndarray) -> np.ndarray:
        return np.concatenate([np.array([self.end], np.int32), text])

    def _places(self, batch: int, length: int, steps: int) -> np.ndarray:
        """Where each of `batch` streams of that length stands in each step, int32 [steps, batch]."""
        begin, walked = np.arange(batch) * length, np.arange(steps) * self.window
        return (begin + walked[:, None]).astype(np.int32)

    def _window(self, data: Any, places: Any) -> Any:
        """Tokens int32 [batch, window] from each of the places on; beyond the end, the last token again."""
        wanted = places[:, None] + ops.arange(self.window, dtype="int32")
        return ops.take(data, ops.minimum(wanted, data.shape[0] - 1), axis=0)
