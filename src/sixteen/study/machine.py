"""What a training runs on, as far as that changes its bytes."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sixteen.entry import Entry


class Machine(Entry):
    """An entry of `machines`: the backend of Keras, the CPU threads of one run, and the devices that share its batches.

    Devices are GPUs, or CPUs where XLA is told to see several; Keras spreads batches over them on JAX alone.
    """

    backend: Literal["tensorflow", "jax"]
    threads: Annotated[int, Field(ge=1, le=1024)]
    devices: Annotated[int, Field(ge=1, le=64)]

    @model_validator(mode="after")
    def _spread_by_jax(self) -> "Machine":
        if self.devices > 1 and self.backend != "jax":
            raise ValueError(
                f"expected `devices: 1` with `backend: {self.backend}`, since Keras spreads batches over several on JAX alone, "
                f"came {self.devices}"
            )
        return self
