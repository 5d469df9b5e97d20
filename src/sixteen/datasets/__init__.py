"""Kinds of datasets: one module each, found by the name that params.yaml gives under `kind`.

A kind offers a subclass of `Dataset` with its fields, `TASK` (the name of the task that it is for),
`shape(entry)` (of one item) and `read(archive: Path | None, entry)`, which returns what it read in one of the forms of
`sixteen.datasets.prepared`; one of several archives takes a dict of paths by the roles of `Dataset.archives`. A kind that knows them beforehand has
`items(entry)` (of training, of the test, outputs: classes or whatever numbers are predicted). One whose prepared items
have another number of bytes than their shape has numbers has `item_bytes(shape)`. Libraries that take long to import are imported by `read`
alone, since every plan imports all kinds. Archives, and what they have in common, are in
`sixteen.datasets.archives`.
"""

from typing import TYPE_CHECKING

from sixteen.datasets.prepared.entry import Dataset
from sixteen.entry import union_of

if TYPE_CHECKING:
    AnyDataset = Dataset
else:
    AnyDataset = union_of(__name__, __path__, Dataset, "kind")
