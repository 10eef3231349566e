"""Deformable convolution in both implementations, called alike."""

import pytest
import torch

from roilearn import ops, reference


@pytest.fixture(params=[reference, ops], ids=["reference", "ops"])
def convolve(request):
    def in_implementation(*tensors, **options):
        if request.param is ops:
            return ops.deform_conv2d(*tensors, **options)
        tensors = [each.numpy() if isinstance(each, torch.Tensor) else each for each in tensors]
        options = {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in options.items()}
        return torch.as_tensor(reference.deform_conv2d(*tensors, **options))

    return in_implementation
