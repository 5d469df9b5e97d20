"""From saved predictions to verdicts: evaluation of a run, statistics over seeds, claims."""
