"""Training of one network, in one precision, from one seed, in one process."""
