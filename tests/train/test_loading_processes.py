"""Which errors tell that a process that loads images has died."""

import pytest

from roilearn.train.loading_processes import LoadingError, named_deaths

INSIDE = "Caught ConnectionResetError in DataLoader worker process 0.\nOriginal Traceback ..."


def fail(error):
    raise error
    yield


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DataLoader worker (pid(s) 17) exited unexpectedly"),
        ConnectionResetError(104, "Connection reset by peer"),  # it died while it sent a batch
        EOFError(),
    ],
)
def test_a_process_that_dies_is_named(error):
    with pytest.raises(LoadingError, match="has ended by itself") as raised:
        next(named_deaths(fail(error)))
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [RuntimeError("CUDA out of memory"), ConnectionResetError(INSIDE), OSError("no file")]
)
def test_other_errors_stay_as_they_are(error):
    with pytest.raises(type(error)) as raised:
        next(named_deaths(fail(error)))
    assert raised.value is error
