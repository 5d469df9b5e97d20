"""What 16 bit means: formats, casts, policies of layers, scales of the loss, and the proof that a model keeps them."""
