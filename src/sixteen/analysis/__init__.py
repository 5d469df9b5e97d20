"""From saved logits to verdicts: evaluation of a run, statistics over seeds, claims."""
