"""Compile every kernel for a GPU that need not be there.

Triton's interpreter also runs code that does not compile, so the tests there are not enough.
Triton asks a driver which GPU to compile for; here a driver without a GPU gives its name. Launches
become compilations, with the types, sizes and options that the calls on a GPU would have.

    TRITON_INTERPRET=0 python tests/kernels/compile_all.py [compute capability, 90]
"""

import sys

import torch
from triton.backends.compiler import GPUTarget
from triton.runtime import JITFunction, driver

from roilearn import kernels
from roilearn.kernels import launch, steps


class NamedGpu:
    """A driver without a GPU."""

    def __init__(self, capability):
        self.target = GPUTarget("cuda", capability, 32)

    def get_current_device(self):
        return 0

    def get_current_stream(self, _):
        return 0

    def get_current_target(self):
        return self.target


def compile_only(function, *arguments, run, compiled, **options):
    kernel = run(function, *arguments, **(options | {"grid": (1,), "warmup": True}))
    assert kernel.asm["ptx"], function
    compiled[function.__name__] = kernel.asm["ptx"]


def count_instructions(compiled):
    """Count a step's PTX instructions for each number of a thread; a loop's lines count once."""
    boxes = torch.tensor([[0.0, 1, 1, 5, 5]] * 3)
    features = torch.zeros(1, 128, 8, 8).to(memory_format=torch.channels_last)
    for step, bins in ((steps.one_bin, 1), (steps.several_bins, 16)):
        steps.run_step(step, bins, 128, features, boxes, 7)
        lines = compiled[step.__name__].splitlines()
        instructions = [line for line in lines if line.endswith(";") and "." in line]
        yield f"{step.__name__} {len(instructions) / bins:.1f}"


def call_everything(dtype, memory_format, ratio, aligned, count):
    maps = [torch.zeros(2, 8, size, size + 3, dtype=dtype) for size in (16, 8)]
    maps = [m.to(memory_format=memory_format).requires_grad_() for m in maps]
    boxes = torch.tensor([[0.0, 1, 1, 5, 5]] * count).requires_grad_()
    options = (ratio, aligned)
    outputs = [
        kernels.multi_scale_roi_align(maps, boxes, 2, (0.5, 0.25), *options),
        kernels.roi_align(maps[0], boxes, (2, 3), 0.5, *options, deterministic=False),
        kernels.ps_roi_align(maps[0], boxes, 2, 0.5, ratio),
        kernels.roi_pool(maps[0], boxes, 7, 0.5),
    ]
    for output in outputs:
        output.sum().backward()
    if dtype == torch.float32:
        for step in (steps.one_number, steps.one_bin, steps.several_bins):
            steps.run_step(step, 4, 8, maps[0], boxes, (2, 3), 0.5, 2, aligned)
    corners, scores = torch.rand(40, 4).cumsum(1), torch.rand(40)
    kernels.nms(corners, scores, 0.5)
    kernels.batched_nms(corners, scores, torch.zeros(40, dtype=torch.int64), 0.5)


def main(capability=90):
    compiled = {}
    driver.set_active(NamedGpu(capability))
    run = JITFunction.run
    JITFunction.run = lambda function, *arguments, **options: compile_only(
        function, *arguments, run=run, compiled=compiled, **options
    )
    launch.INTERPRETED = True  # so that tensors of the CPU are taken
    call_everything(torch.float32, torch.contiguous_format, 2, aligned=True, count=3)
    call_everything(torch.bfloat16, torch.channels_last, -1, aligned=False, count=1)  # a constant
    print(capability, *sorted(compiled))
    print(*count_instructions(compiled))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
