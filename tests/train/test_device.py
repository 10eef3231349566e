"""Devices are refused that are not there, though PyTorch knows their names."""

import pytest

from roilearn.train.device import available_devices, check_device


def test_those_that_are_there_are_taken():
    assert available_devices()[0] == "cpu"
    assert [str(check_device(name)) for name in available_devices()] == [*available_devices()]


@pytest.mark.parametrize("name", ["abacus", "meta", "cuda:99", ""])
def test_others_are_refused_with_a_list(name):
    with pytest.raises(ValueError, match=f"on this machine, cpu.*; got '{name}'"):
        check_device(name)
