"""What kinds of datasets are made of."""
