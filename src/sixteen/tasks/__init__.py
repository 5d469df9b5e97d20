"""Tasks: what a network is trained for. One module each, found by the name that a kind of dataset gives as its `TASK`.

A task module offers `bind(folder)`: the prepared dataset in `folder` as a `sixteen.tasks.parts.task.Task`, which training
asks for everything that depends on the task: batches, loss, predictions. `FORM` is the form of that dataset, one of
`sixteen.datasets.prepared`, whose `random(n, shape, outputs)` makes one of random items: `sixteen estimate` trains on it.

What measures saved predictions and describes the metrics is the module of the same name in `sixteen.tasks.measured`, which
needs no Keras: evaluation and analysis ask it. It isn't imported here, so that a change of a metric makes no training
stale.

How they fit, those of arXiv:2403.02243 among them:

| task | item | a row of `rows` | inputs, targets | carried | predicted and saved |
|---|---|---|---|---|---|
| `classify_images` | image | image, shift down, right, flip | pixels; label | | logits [n, classes] |
| `classify_image_files` | image | image, crop, flip | pixels, which come with each batch; label | | logits [n, classes] |
| `classify_nodes`, full batch | node | the training nodes: the batch is the graph | features, edges, degrees, nodes; labels | | logits of test nodes |
| `classify_nodes_sampled` | node | target, its sampled neighbours, theirs | features gathered by id; labels | | logits of test nodes |
| `model_language` | token | where each of the batch's streams stands | a window of each stream; the same, a token later | LSTM state, which `begin` resets | log-likelihood of each token |
| `classify_pairs` | pair | pair | tokens, segments, mask; label | | logits [n, 3] |
| `detect_objects` | picture | picture, flip | pixels; boxes and their classes, to which the loss assigns anchors | | 100 boxes a picture: place, score, class; and its loss |

Inputs and targets may be any nest of tensors, the loss is the task's own, carried state lives in variables of the model
(so that checkpoints and both backends handle it like batch statistics; Keras' own `stateful` keeps it outside of them), a
single full batch is an epoch of one step. What a full graph will ask for besides: the gradients of activations that are
observed take the first axis of a layer's output for the batch that `rows` names (`sixteen.training.derivatives`).
"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sixteen.tasks.parts.task import Task


def bind(task: str, folder: Path) -> "Task":
    """The task of that name on the prepared dataset in `folder`."""
    return module(task).bind(folder)


def module(task: str) -> ModuleType:
    """The module of a task."""
    return importlib.import_module(f"{__name__}.{task}")
