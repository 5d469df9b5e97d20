"""The base of what params.yaml says of a network."""

from sixteen.entry import Entry


class Network(Entry):
    """A network by its `family`, the name of a module of `sixteen.networks`, whose subclass has the other fields."""

    family: str
