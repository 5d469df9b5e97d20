"""The measuring side of tasks: what saved predictions are worth. One module each, by the name of its task.

It is apart from `sixteen.tasks.<task>`, which trains and needs Keras, so that a change of a metric makes no training
stale. A module offers
- `ITEM`: what is counted, in words (image, sequence);
- `METRICS`: the metrics that the task alone has, by name. The first is the one by which pages show what was reached;
  `loss` is always there; `accuracy` where predictions are right or wrong, which is then `test_accuracy` of a history;
  `agreement` where they are scores of classes, whose largest is the one predicted;
- `steps(items, batch, shape)`: how many steps an epoch has with so many training items of that shape;
- `evaluate(dataset, run, into)`: write metrics.json and per_class.csv of the run in the folder `run` into the folder
  `into`, and return the facts of the record. metrics.json holds `outcome`, `n` (test items) and the metrics;
  per_class.csv has a row for each class of items (class, n, correct, accuracy), and none where there are no classes.
"""

import importlib
from types import ModuleType


def module(task: str) -> ModuleType:
    """The measuring module of a task: found by name, so that a new task makes no evaluation of another stale."""
    return importlib.import_module(f"{__name__}.{task}")
