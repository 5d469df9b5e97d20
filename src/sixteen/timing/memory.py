"""How it is said that memory doesn't suffice."""

# By TensorFlow, JAX, XLA, CUDA and C++, which have no exception in common.
EXHAUSTED = (
    *("resource_exhausted", "resourceexhausted", "out of memory", "out_of_memory", "bad_alloc"),
    "memoryerror",
)


def exhausted(said: str) -> bool:
    """Whether an error, or a process that ended, says so."""
    return any(sign in said.lower() for sign in EXHAUSTED)
