"""What a model carries from batch to batch: state of a recurrence, which is no weight.

It lives in variables of the model that aren't trained, so that both backends and checkpoints handle it like batch
statistics; their names begin with `CARRIED`.
"""

CARRIED = "carried"
