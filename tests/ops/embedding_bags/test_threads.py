"""Threads of a call: nothing of the process changes, and none is left."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch

from roilearn import ops
from roilearn.ops.embedding_bags import executor, layout, memory
from roilearn.ops.embedding_bags.bag import Bag
from roilearn.ops.embedding_bags.threads import Team, load_openmp, thread_team

FEATURES = torch.randn(1, 9, 20, 30)
CORNERS = torch.rand(60, 2) * 10
ROIS = torch.cat([torch.zeros(60, 1), CORNERS, CORNERS + 5], 1)


def pool(features=FEATURES):
    features = features.clone().requires_grad_()
    output = ops.roi_align(features, ROIS, 3, sampling_ratio=2)
    (gradient,) = torch.autograd.grad(output.square().sum(), features)
    return output.detach(), gradient


@pytest.fixture
def three_threads(monkeypatch):
    """PyTorch with three threads, and work so divided that all of them take part."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    monkeypatch.setattr(memory, "CHUNK_ENTRIES", 144)
    monkeypatch.setattr(layout, "BLOCK_SIZE", 81)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def started(monkeypatch):
    """Threads that were started."""
    threads, start = [], threading.Thread.start

    def noted(thread):
        threads.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noted)
    return threads


def new_threads_number():
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(torch.get_num_threads).result()


def fail_in_a_team():
    with thread_team() as team:
        team.run([lambda: 1, lambda: 1 // 0, lambda: 1])


def test_openmp_is_found():
    assert load_openmp() is not None


@pytest.mark.usefixtures("three_threads")
def test_tasks_are_computed_by_several_threads_which_end(started):
    expected = pool()
    assert len(started) >= 2
    assert not any(thread.is_alive() for thread in started)
    torch.set_num_threads(1)
    for one, three in zip(pool(), expected, strict=True):
        assert torch.equal(one, three)


@pytest.mark.usefixtures("three_threads")
def test_the_number_of_threads_stays_in_this_thread_and_in_others():
    pool()
    assert torch.get_num_threads() == new_threads_number() == 3
    with thread_team():
        assert torch.get_num_threads() == 1
        assert new_threads_number() == 3
    with pytest.raises(ZeroDivisionError):
        fail_in_a_team()
    assert torch.get_num_threads() == new_threads_number() == 3


@pytest.mark.usefixtures("three_threads")
def test_every_thread_computes_alone():
    barrier = threading.Barrier(3, timeout=60)

    def number():
        barrier.wait()
        return torch.get_num_threads(), threading.get_ident()

    with thread_team() as team:
        numbers = team.run([number] * 3)
    assert {threads for threads, _ in numbers} == {1}
    assert len({thread for _, thread in numbers}) == 3


def test_results_come_in_the_order_of_the_tasks():
    assert Team(3).run([lambda k=k: k for k in range(50)]) == list(range(50))


@pytest.mark.parametrize("fails", [ValueError, KeyboardInterrupt, IndexError])
def test_what_a_task_raises_in_any_thread_is_raised_and_ends_the_others(fails):
    for threads in (1, 2, 4):
        done = []

        def task(k, done=done):
            done.append(k)
            if k == 3:
                raise fails("of a task")

        with pytest.raises(fails, match="of a task"):
            Team(threads).run([lambda k=k: task(k) for k in range(1000)])
        assert len(done) < 1000


def test_helping_threads_have_the_modes_of_the_caller():
    barrier = threading.Barrier(2, timeout=60)

    def modes():
        barrier.wait()
        return torch.is_inference_mode_enabled(), torch.is_grad_enabled()

    with torch.inference_mode():
        assert Team(2).run([modes] * 2) == [(True, False)] * 2
    with torch.no_grad():
        assert Team(2).run([modes] * 2) == [(False, False)] * 2


@pytest.mark.usefixtures("three_threads")
def test_inference_mode_may_write_what_it_made():
    with torch.inference_mode():
        pooled = ops.roi_align(FEATURES, ROIS, 3, sampling_ratio=2)
    assert torch.equal(pooled, pool()[0])


@pytest.mark.usefixtures("three_threads")
def test_calls_from_several_threads_at_once():
    expected = [pool(FEATURES * k) for k in range(6)]
    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(lambda k: pool(FEATURES * k), range(6)))
    for result, right in zip(results, expected, strict=True):
        assert all(map(torch.equal, result, right))


def test_small_work_starts_no_thread(started):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    pool()
    torch.set_num_threads(before)
    assert not started


@pytest.mark.usefixtures("three_threads")
def test_bags_that_are_listed_start_no_thread(started, monkeypatch):
    """A backward pass has its bags: threads help it with the channels alone."""
    for name in ("SMALL_TABLE", "FEWEST_CHANNELS", "MOST_CHANNELS"):
        monkeypatch.setattr(layout, name, 3 if "CHANNELS" in name else 0)
    bag = Bag(torch.arange(540), torch.ones(540), torch.arange(540))
    output = torch.empty(9, 9, 6, 10)
    executor.write_weighted_sums([FEATURES], bag, [output])
    assert len(started) == 2
    expected = FEATURES[0].flatten(1)[:, :540].unflatten(1, (9, 60)).transpose(0, 1)
    assert torch.equal(output.flatten(2), expected)
    given, asked = [executor.Sums(bag, output)] * 3, []
    team = SimpleNamespace(threads=3, run=lambda tasks: asked.extend(tasks) or [bag] * len(tasks))
    assert [each.bags for each in executor.list_all(given, team)] == [bag] * 3
    assert not asked


@pytest.mark.usefixtures("three_threads")
def test_where_the_system_gives_no_thread_the_caller_does_all(monkeypatch):
    expected = pool()

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert all(map(torch.equal, pool(), expected))


@pytest.mark.usefixtures("three_threads")
def test_without_openmp_the_caller_does_all(started, monkeypatch):
    expected = pool()
    started.clear()
    monkeypatch.setattr("roilearn.ops.embedding_bags.threads.load_openmp", lambda: None)
    assert all(map(torch.equal, pool(), expected))
    assert not started


@pytest.mark.usefixtures("three_threads")
def test_a_mode_that_observes_operations_sees_them_all(started):
    class Count(torch.utils._python_dispatch.TorchDispatchMode):
        sums = 0

        def __torch_dispatch__(self, function, types, arguments=(), options=None):
            self.sums += "embedding_bag" in str(function)
            return function(*arguments, **(options or {}))

    with Count() as mode:
        ops.roi_align(FEATURES, ROIS, 3, sampling_ratio=2)
    assert mode.sums >= 60
    assert not started


@pytest.mark.usefixtures("three_threads")
def test_a_forked_child_computes_the_same():
    expected = pool()[0]
    child = os.fork()
    if not child:
        same = torch.equal(ops.roi_align(FEATURES, ROIS, 3, sampling_ratio=2), expected)
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.usefixtures("three_threads")
def test_second_gradients_of_maxima_are_recorded_whichever_thread_has_work():
    random = torch.Generator().manual_seed(0)
    features = torch.randn(1, 256, 24, 24, generator=random).requires_grad_()
    rois = torch.cat([ROIS, ROIS])

    def second():
        pooled = ops.roi_pool(features, rois, 7)
        (first,) = torch.autograd.grad(pooled.square().sum(), features, create_graph=True)
        return torch.autograd.grad(first.square().sum(), features)[0]

    found = second()
    torch.set_num_threads(1)
    torch.testing.assert_close(found, second())
