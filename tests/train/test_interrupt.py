"""A signal is noted, and only sometimes more."""

import signal
from contextlib import suppress

import pytest

from roilearn.train.interrupt import SIGNALS, Interrupt


@pytest.mark.parametrize("number", SIGNALS)
def test_one_signal_is_noted_and_the_handlers_come_back(number):
    before = [signal.getsignal(each) for each in SIGNALS]
    with Interrupt() as interrupt:
        assert not interrupt.requested
        signal.raise_signal(number)
        assert interrupt.requested
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_a_second_one_stops_at_once_unless_others_would_wait_for_this_process():
    with Interrupt():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    went_on = False
    with suppress(KeyboardInterrupt), Interrupt(ignore_second=True):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        went_on = True
    assert went_on
