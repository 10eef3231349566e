"""The recorder with cases that end, or hold up, the process they run in."""

import atexit
import os
import sys
import time
from pathlib import Path

import numpy as np
import record_cuda

NAMES = (
    *("give a", "abort", "give b", "exit", "vanish", "raise", "give c", "hang", "give d"),
    *("lose the device", "give e"),
)

LOST = Path.cwd().parent / "lost"  # beside the folders in which the processes run


def act(case, _device):
    """Do what the case is called."""
    if case.name == "abort":
        os.abort()
    if case.name == "exit":
        os._exit(7)
    if case.name == "vanish":
        os._exit(0)
    if case.name == "lose the device":
        LOST.touch()
        os._exit(9)
    if case.name == "hang":
        time.sleep(60)
    if case.name == "raise":
        atexit.register(os.abort)  # as CUDA does, once it has failed
        raise RuntimeError("CUDA error: an illegal memory access\nand more lines")
    return {"forward": np.array([case.seed], np.float32)}


def cases():
    """One case a name, its place as its seed."""
    for seed, name in enumerate(NAMES):
        yield record_cuda.Case(name, "fake", "ordinary", {}, {}, seed)


def machine(device):
    """Name the device, until it is lost."""
    if LOST.exists():
        raise RuntimeError("no device")
    return {"device": device}


if __name__ == "__main__":
    record_cuda.run_case = act
    record_cuda.machine = machine
    record_cuda.every_case = cases
    sys.exit(record_cuda.main())
