"""The measuring side of tasks: what saved predictions are worth. One module each, by the name of its task.

It is apart from `sixteen.tasks.<task>`, which trains and needs Keras, so that a change of a metric makes no training
stale. A module offers
- `ITEM`: what is counted, in words (image, sequence);
- `METRICS`: the metrics that the task alone has, by name;
- `evaluate(dataset, run, into)`: write metrics.json and per_class.csv of the run in the folder `run` into the folder
  `into`, and return the facts of the record. metrics.json holds `outcome`, `n` (test items) and the metrics.
"""

import importlib
from types import ModuleType


def module(task: str) -> ModuleType:
    """The measuring module of a task: found by name, so that a new task makes no evaluation of another stale."""
    return importlib.import_module(f"{__name__}.{task}")
