"""What is asked: typed parameters, sentences and their variations, axes, papers and their claims."""
