"""Gradient accumulation: an item that cannot be loaded is named in one line; tensors are moved."""

from multiprocessing import active_children

import pytest
import torch
from toy_training import Noise

from roilearn.train.data_loader import make_data_loader
from roilearn.train.distributed import ProcessGroup
from roilearn.train.gradient_accumulation import DataError, next_micro_batch, to_device
from roilearn.train.loading_processes import batches_of
from roilearn.train.settings import Settings


class Deleted(Noise):
    def __getitem__(self, index):
        raise FileNotFoundError(2, "No such file or directory", "gone.png")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_missing_file_is_named_without_a_traceback(workers):
    settings = Settings(steps=1, batch_size=2, workers=workers)
    loader = make_data_loader(Deleted(), settings, 0, ProcessGroup())
    expected = pytest.raises(DataError, match=r"cannot be loaded: .*No such file.*'gone\.png'")
    with expected as error, batches_of(loader) as batches:
        next_micro_batch(batches)
    assert not active_children()  # though the error's traceback still holds the batches
    assert len(str(error.value).splitlines()) == 1


def test_tensors_move_and_the_rest_stays():
    images, targets = to_device(
        ([torch.zeros(1)], [{"boxes": torch.zeros(1), "name": "noise"}]), torch.device("meta")
    )
    assert images[0].device.type == targets[0]["boxes"].device.type == "meta"
    assert targets[0]["name"] == "noise"
