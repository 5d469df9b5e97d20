"""The steps of an epoch, as they are told without Keras and as they are taken."""

from pathlib import Path

import pytest

from sixteen import tasks
from sixteen.tasks import measured

# Shape of an item, outputs and batch.
SMALL = {
    "classify_image_files": ((4, 4, 3), 3, 8),
    "classify_images": ((4, 4, 1), 3, 8),
    "classify_nodes": ((5,), 3, 1),
    "classify_nodes_sampled": ((5, 3, 3), 3, 8),
    "classify_pairs": ((9, 20), 3, 8),
    "classify_sequences": ((6, 2), 3, 8),
    "detect_objects": ((16, 16, 1), 3, 8),
    "model_language": ((7,), 11, 4),
}


def test_every_task_is_looked_at():
    modules = Path(tasks.__file__).parent.glob("[a-z]*.py")
    assert set(SMALL) == {module.stem for module in modules}


@pytest.mark.parametrize("name", SMALL)
def test_an_epoch_has_the_steps_that_are_told(name, tmp_path):
    shape, outputs, batch = SMALL[name]
    module = tasks.module(name)
    module.FORM.random(30, shape, outputs).save(tmp_path)
    task = module.bind(tmp_path)
    taken = len(task.rows(batch, "none", seed=0, epoch=1))
    assert measured.module(name).steps(task.train_items, batch, task.shape) == taken
