"""NMS of many boxes at once: equal to the loop, by blocks and by lists of pairs."""

import itertools
import subprocess
import sys
import types

import numpy as np
import pytest
import torch
from boxes import KINDS, draw

from roilearn import ops, reference
from roilearn.ops.suppression import greedy, overlapping_pairs
from roilearn.ops.suppression import nms as nms_module

THRESHOLDS = (0.0, 0.1, 0.3, 1 / 3, 0.5, 0.7, 1.0)


def crowd(count, seed=0, dtype=torch.float32):
    """Boxes that overlap in many degrees, and scores with ties."""
    state = np.random.RandomState(seed)
    corner, side = state.uniform(0, 40, (count, 2)), state.uniform(2, 12, (count, 2))
    boxes = torch.tensor(np.hstack([corner, corner + side]), dtype=dtype)
    return boxes, torch.tensor(state.randint(0, 40, count) / 40, dtype=dtype)


def groups_of(count, groups):
    return torch.tensor(np.random.RandomState(count).randint(-3, groups - 3, count))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_the_loop_answers_the_same_for_every_kind_of_box(kind, dtype):
    mixed = np.concatenate([draw(kind, 40, (1, 1, 9, 13)), draw("inside", 20, (1, 1, 9, 13))])
    boxes, scores = torch.tensor(mixed[:, 1:], dtype=dtype), crowd(60, dtype=dtype)[1]
    idxs = groups_of(60, 4)
    for threshold in THRESHOLDS:
        loop = reference.nms(boxes.numpy(), scores.numpy(), threshold)
        assert ops.nms(boxes, scores, threshold).tolist() == loop.tolist()
        loop = reference.batched_nms(boxes.numpy(), scores.numpy(), idxs.numpy(), threshold)
        assert ops.batched_nms(boxes, scores, idxs, threshold).tolist() == loop.tolist()


SMALL = {"FIRST_BLOCK": 7, "SMALLEST_BLOCK": 1, "LAST_BLOCK": 0}
NO_LIST = {"LISTING": 10**9, "BOXES_PER_GROUP": 0, "FEW_BOXES": 0}
LIST = {"LISTING": 0, "LISTED_PAIR": 0, "BOXES_PER_GROUP": 10**6, "FEW_BOXES": 0}
WAYS = {
    "one block": {"FIRST_BLOCK": 10**6, **NO_LIST},
    "small blocks": {**SMALL, "LARGEST_BLOCK": 9, **NO_LIST},
    "small blocks of all groups": {**SMALL, "LISTING": 10**9},
    "small blocks, few columns": {**SMALL, "PAIRS_AT_ONCE": 35, **NO_LIST},
    "a block, then a list": {**SMALL, **LIST},
    "a list in small parts": {**SMALL, "PAIRS_AT_ONCE": 30, **LIST},
    "a list of many strips": {**SMALL, "FIRST_BLOCK": 1, "BOXES_PER_STRIP": 1, **LIST},
    "no list fits in memory": {**SMALL, **LIST},
    "the last boxes in one block": {"FIRST_BLOCK": 7, **NO_LIST},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.6])
def test_every_way_gives_the_same_indices(monkeypatch, way, threshold):
    boxes, scores = crowd(300)
    idxs = groups_of(300, 5)
    loop = reference.nms(boxes.numpy(), scores.numpy(), threshold).tolist()
    in_groups = reference.batched_nms(boxes.numpy(), scores.numpy(), idxs.numpy(), threshold)
    for name, value in WAYS[way].items():
        modules = [module for module in (greedy, overlapping_pairs) if hasattr(module, name)]
        assert modules
        for module in modules:
            monkeypatch.setattr(module, name, value)
    if way == "no list fits in memory":
        monkeypatch.setattr(greedy, "comparison_limit", lambda boxes: -boxes)
    assert ops.nms(boxes, scores, threshold).tolist() == loop
    assert ops.batched_nms(boxes, scores, idxs, threshold).tolist() == in_groups.tolist()


def test_the_way_follows_the_data(monkeypatch):
    """Spread boxes are listed after one block, heaps are never listed, small groups at once."""
    calls = []
    for name in ("suppress_by_block", "overlapping_pairs"):
        real = getattr(greedy, name)
        spy = lambda *given, name=name, real=real: calls.append(name) or real(*given)  # noqa: E731
        monkeypatch.setattr(greedy, name, spy)
    boxes, scores = crowd(2000)
    apart = boxes + torch.arange(2000)[:, None] % 25 * torch.tensor([40.0, 0, 40, 0])
    ops.nms(apart, scores, 0.5)
    assert calls == ["suppress_by_block", "overlapping_pairs"]
    calls.clear()
    ops.nms(boxes * torch.tensor([0.2, 0.2, 1, 1]), scores, 0.2)
    assert set(calls) == {"suppress_by_block"}
    calls.clear()
    ops.batched_nms(boxes, scores, groups_of(2000, 40), 0.5)
    assert calls == ["overlapping_pairs"]
    calls.clear()
    heaps = boxes * torch.tensor([0.2, 0.2, 1, 1])
    ops.batched_nms(heaps, scores, groups_of(2000, 3), 0.2)
    assert set(calls) == {"suppress_by_block"}


def test_layout_names_every_pair_that_meets():
    """Under any strip height, also where one box reaches through all strips."""
    boxes, _ = crowd(600, seed=3, dtype=torch.float64)
    boxes[7] = torch.tensor([0.0, 0, 60, 60])
    meet = (ops.box_iou(boxes, boxes) > 0).triu(1).nonzero().tolist()
    table = overlapping_pairs.box_table(boxes.numpy())
    layout = overlapping_pairs.sort_into_strips(table, np.zeros(600, np.int64), 1)
    pairs = np.stack(overlapping_pairs.overlapping_pairs(table, layout, 0.0), 1)
    assert np.unique(pairs, axis=0).tolist() == meet
    assert len(layout.box) > 1000
    assert layout.comparisons() >= len(pairs)


def test_a_chain_is_settled_in_order():
    """Each box suppresses the next, unless it goes itself: every second one stays."""
    first = torch.arange(0.0, 400, 1)[:, None] * torch.tensor([1.0, 0, 1, 0])
    boxes, scores = first + torch.tensor([0.0, 0, 4, 4]), torch.arange(400.0, 0, -1)
    assert ops.nms(boxes, scores, 0.5).tolist() == list(range(0, 400, 2))


@pytest.mark.parametrize("step", [(5.0, 0.0), (0.0, 5.0), (3.0, 3.0)])
def test_a_long_chain_is_not_compared_pair_by_pair(monkeypatch, step):
    """Half of all boxes are kept, so that blocks would compare nearly all pairs."""
    compared, real = [], overlapping_pairs.iou
    for module in (greedy, overlapping_pairs):
        monkeypatch.setattr(
            module, "iou", lambda *two: [real(*two), compared.append(real(*two))][0]
        )
    first = torch.arange(6000.0)[:, None] * torch.tensor([*step, *step])
    kept = ops.nms(first + torch.tensor([0.0, 0, 10, 10]), torch.ones(6000), 0.3).tolist()
    assert kept == list(range(0, 6000, 2))
    assert 0 < sum(part.size for part in compared) < 600 * 6000


def test_pairs_may_come_in_any_order():
    """Box 0 removes box 1, so that box 1 removes nothing, even if its pair is listed first."""
    keep = greedy.suppress_by_pairs(np.array([1, 0]), np.array([2, 1]), 3)
    assert keep.tolist() == [True, False, True]
    none = np.zeros(0, np.int64)
    assert greedy.suppress_by_pairs(none, none, 2).tolist() == [True, True]


@pytest.mark.parametrize("dtype", [np.uint64, np.int8, np.uint8, np.bool_])
def test_groups_of_any_whole_numbers(dtype):
    """The ends of the dtype are groups of their own, also where their difference is none of it."""
    ends = [False, True] if dtype is np.bool_ else [np.iinfo(dtype).min, np.iinfo(dtype).max]
    idxs = torch.from_numpy(np.array(ends * 200, dtype))
    boxes = torch.tensor([[0.0, 0, 4, 4]]).repeat(400, 1)
    kept = ops.batched_nms(boxes, torch.arange(400.0), idxs, 0.5)
    assert kept.tolist() == [399, 398]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists the threads")
def test_no_thread_is_started():
    """Threads that wait for each other are slow on a busy machine: NMS works in its own."""
    done = subprocess.run(
        [sys.executable, "-c", THREADS], check=True, capture_output=True, text=True
    )
    before, after = done.stdout.split()
    assert before == after


THREADS = """
import os, torch
from roilearn import ops
torch.set_num_threads(3)
boxes = torch.rand(20_000, 2).repeat(1, 2) * 1000 + torch.tensor([0.0, 0, 9, 9])
print(len(os.listdir("/proc/self/task")))
for number in (10, 1000, 20_000):
    ops.nms(boxes[:number], torch.rand(number), 0.5)
    ops.batched_nms(boxes[:number], torch.rand(number), torch.randint(9, (number,)), 0.5)
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_boxes_are_compared_in_single_precision(dtype):
    boxes, scores = (part.to(dtype) for part in crowd(300))
    boxes = boxes * 32  # areas that float16 does not hold
    for threshold in THRESHOLDS:
        wide = ops.nms(boxes.float(), scores.float(), threshold)
        assert torch.equal(ops.nms(boxes, scores, threshold), wide)


def test_boxes_and_scores_of_two_dtypes():
    boxes, scores = crowd(50)
    assert torch.equal(ops.nms(boxes, scores.double(), 0.3), ops.nms(boxes, scores, 0.3))


@pytest.mark.parametrize(
    "idxs", [[2**62, -(2**62), 2**62, 5], [-(2**63), 2**63 - 1, -(2**63), 0], [900, 7, 900, -4]]
)
def test_group_numbers_may_lie_anywhere(idxs):
    same = torch.tensor([[0.0, 0, 4, 4]] * 4)
    kept = ops.batched_nms(same, torch.arange(4.0), torch.tensor(idxs), 0.5)
    assert kept.tolist() == [3, 2, 1]


def test_far_group_numbers_in_a_list(monkeypatch):
    monkeypatch.setattr(greedy, "FEW_BOXES", 0)
    boxes, scores = crowd(300)
    near = groups_of(300, 5)
    kept = ops.batched_nms(boxes, scores, near, 0.3)
    assert torch.equal(ops.batched_nms(boxes, scores, near * 2**61, 0.3), kept)


@pytest.mark.parametrize("side", [(0, 0), (0, 5), (5, 0), (-5, 5), (5, -5), (-5, -5)])
def test_boxes_without_an_area_all_stay(side):
    """More than a block of them: 0 / 0 must not reach the comparison."""
    boxes = torch.tensor([1.0, 1, 1 + side[0], 1 + side[1]]).repeat(300, 1)
    everyone = list(range(300))
    assert ops.nms(boxes, torch.ones(300), 0.0).tolist() == everyone
    assert ops.batched_nms(boxes, torch.ones(300), groups_of(300, 5), 0.5).tolist() == everyone


class OnGpu(torch.Tensor):
    """A tensor that says it lies on a GPU, and may not leave it."""

    device = torch.device("cuda")

    def cpu(self):
        raise AssertionError("values left the GPU")


def test_what_lies_on_a_gpu_stays_there_for_its_kernel(monkeypatch):
    boxes, scores, idxs = (each.as_subclass(OnGpu) for each in (*crowd(9), groups_of(9, 2)))
    kernels = types.SimpleNamespace(nms=lambda *_: "nms", batched_nms=lambda *_: "batched_nms")
    asked = []
    monkeypatch.setattr(nms_module, "kernels_for", lambda *_: asked.append(1) or kernels)
    assert ops.nms(boxes, scores, 0.5) == "nms"
    assert ops.batched_nms(boxes, scores, idxs, 0.5) == "batched_nms"
    assert len(asked) == 2
    monkeypatch.setattr(nms_module, "kernels_for", lambda *_: None)
    with pytest.raises(AssertionError, match="left the GPU"):
        ops.nms(boxes, scores, 0.5)
    assert ops.nms(boxes[:0], scores[:0], 0.5).shape == (0,)


def test_no_boxes_and_one():
    boxes, scores = crowd(1)
    none = torch.zeros(0, dtype=torch.int64)
    for kept in (
        ops.nms(boxes[:0], scores[:0], 0.5),
        ops.batched_nms(boxes[:0], scores[:0], none, 0.5),
    ):
        assert torch.equal(kept, none)
    assert ops.nms(boxes, scores, 0.5).tolist() == [0]
    assert ops.batched_nms(boxes, scores, none.new_ones(1), 0.5).tolist() == [0]


def test_any_strides_and_no_change_of_the_arguments():
    boxes, scores = crowd(400)
    strided = torch.stack([boxes.T, -boxes.T])[0].T  # columns lie 400 numbers apart
    assert not strided.is_contiguous()
    kept = ops.nms(boxes, scores, 0.4)
    assert torch.equal(ops.nms(strided, scores.repeat_interleave(2)[::2], 0.4), kept)
    assert torch.equal(boxes, crowd(400)[0])
    assert torch.equal(scores, crowd(400)[1])


def test_indices_carry_no_gradient_and_ask_for_none():
    boxes, scores = (part.requires_grad_() for part in crowd(30))
    kept = ops.nms(boxes, scores, 0.4)
    assert not kept.requires_grad
    scores[kept].sum().backward()
    assert scores.grad.sum() == len(kept)


def test_the_same_indices_at_any_number_of_threads():
    boxes, scores = crowd(6000)
    spread = boxes + torch.arange(6000)[:, None] % 90 * 37.3
    threads = torch.get_num_threads()
    try:
        answers = []
        for number in (1, 2):
            torch.set_num_threads(number)
            answers.append([ops.nms(each, scores, 0.5).tolist() for each in (boxes, spread)])
    finally:
        torch.set_num_threads(threads)
    assert answers[0] == answers[1]


MEASURE = """
import resource, torch
from roilearn import ops
scores = torch.arange(20_000.0)
boxes = torch.tensor([[0.0, 0, 40, 40]]).repeat(20_000, 1)
ops.nms(boxes[:999] + torch.arange(999.0)[:, None], scores[:999], 0.5)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert {work}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
WORK = {
    "20,000 times the same box": "len(ops.nms(boxes, scores, 0.5)) == 1",
    "in four groups": "len(ops.batched_nms(boxes, scores, torch.arange(20_000) % 4, 0.5)) == 4",
    "worse than 300 that meet no one": (
        "len(ops.nms(torch.cat([torch.arange(300.0)[:, None] * 50 + 50 + boxes[:300],"
        " boxes[300:]]), -scores, 0.5)) == 301"
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts in other units elsewhere")
@pytest.mark.parametrize("work", WORK)
def test_memory_grows_with_boxes_and_not_with_their_pairs(work):
    """Of 200 million pairs even a byte each would be 200 MB."""
    command = [sys.executable, "-c", MEASURE.format(work=WORK[work])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout) < 100_000


def test_bits_on_both_sides_of_every_threshold():
    """IoUs of whole-number boxes hit 1/3, 0.3 and 0.6 exactly, or miss them by half a bit."""
    sides = torch.tensor(list(itertools.product(range(1, 13), repeat=2)), dtype=torch.float32)
    for width, part in sides.tolist():
        boxes = torch.tensor([[0, 0, width, 1], [0, 0, part, 1]], dtype=torch.float32)
        for threshold in (part / width, 0.1, 0.3, 0.6, 0.7, 1 / 3):
            if threshold <= 1:
                loop = reference.nms(boxes.numpy(), np.array([0.9, 0.8]), threshold)
                assert ops.nms(boxes, torch.tensor([0.9, 0.8]), threshold).tolist() == loop.tolist()
