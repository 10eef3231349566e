"""The data loader: which items a micro-batch holds, and with which random numbers."""

import pickle
from dataclasses import replace

import pytest
import torch
from toy_training import SETTINGS, Noise

from roilearn.train.data_loader import MicroBatchSampler, make_data_loader, sample_index
from roilearn.train.distributed import ProcessGroup


def test_every_epoch_goes_once_through_all_in_an_order_of_its_own():
    epochs = [[sample_index(draw, 30, 1) for draw in range(30 * e, 30 * e + 30)] for e in range(3)]
    assert all(sorted(epoch) == list(range(30)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    assert epochs[0] != [sample_index(draw, 30, 2) for draw in range(30)]


def test_a_resumed_run_draws_the_rest():
    settings = replace(SETTINGS, micro_batches=2)
    all_of_it = list(MicroBatchSampler(10, settings, 0, ProcessGroup()))
    assert len(all_of_it) == len(MicroBatchSampler(10, settings, 0, ProcessGroup())) == 20
    assert list(MicroBatchSampler(10, settings, 5, ProcessGroup())) == all_of_it[10:]
    assert [draw for part in all_of_it for draw, _ in part] == list(range(40))


def test_processes_divide_the_micro_batches_among_them():
    settings = replace(SETTINGS, micro_batches=4)
    alone = list(MicroBatchSampler(10, settings, 3, ProcessGroup()))
    first, second = (
        list(MicroBatchSampler(10, settings, 3, ProcessGroup(rank, 2))) for rank in (0, 1)
    )
    together = [part for k in range(0, 14, 2) for part in (*first[k : k + 2], *second[k : k + 2])]
    assert together == alone
    with pytest.raises(ValueError, match=r"micro_batches must be a multiple.*4 for 3 processes"):
        ProcessGroup(0, 3).micro_batches_of_rank(4)


def test_what_is_random_in_an_item_depends_on_the_draw():
    parts = list(make_data_loader(Noise(2), SETTINGS, 0, ProcessGroup()))
    later = list(make_data_loader(Noise(2), SETTINGS, 7, ProcessGroup()))
    for (images, _), (again, _) in zip(parts[7:], later, strict=True):
        assert all(map(torch.equal, images, again))
    noise = {tuple(image.flatten().tolist()) for images, _ in parts for image in images}
    assert len(noise) == SETTINGS.steps * SETTINGS.batch_size  # an item is never the same twice


def test_workers_can_be_started_afresh_as_on_windows_and_macos():
    loader = make_data_loader(Noise(), replace(SETTINGS, workers=1), 0, ProcessGroup())
    handed = (loader.dataset, loader.collate_fn, loader.worker_init_fn)
    dataset, collate, begin = pickle.loads(pickle.dumps(handed))  # noqa: S301  pickled here
    assert (collate, begin) == handed[1:]
    assert torch.equal(dataset[7, 3][0], loader.dataset[7, 3][0])
