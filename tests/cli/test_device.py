"""Devices are refused that are not there, though PyTorch knows their names."""

import pytest
import torch

from roilearn.cli.device import available_devices, check_device, default_device


def test_those_that_are_there_are_taken():
    assert available_devices()[0] == "cpu"
    assert [str(check_device(name)) for name in available_devices()] == [*available_devices()]


@pytest.mark.parametrize("name", ["abacus", "meta", "cuda:99", ""])
def test_others_are_refused_with_a_list(name):
    with pytest.raises(ValueError, match=f"on this machine, cpu.*; got '{name}'"):
        check_device(name)


@pytest.mark.parametrize(("kind", "default"), [(None, "cpu"), ("mps", "cpu"), ("cuda", "cuda")])
def test_cuda_is_taken_unasked_and_no_other_device(monkeypatch, kind, default):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: kind is not None)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device(kind))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 1)
    assert default_device() == default
    assert ("mps" in available_devices()) == (kind == "mps")
