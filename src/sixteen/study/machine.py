"""What a training runs on, as far as that changes its bytes."""

from typing import Annotated, Literal

from pydantic import Field

from sixteen.entry import Entry


class Machine(Entry):
    """An entry of `machines`: the backend of Keras, and the CPU threads of one run."""

    backend: Literal["tensorflow", "jax"]
    threads: Annotated[int, Field(ge=1, le=1024)]
