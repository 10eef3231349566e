"""ROILEARN_CHECK_SHAPES=1 checks every shape and dtype written in the types of `roilearn.ops`.

Each call of each function is then compared with its annotations. That takes time, and rejects
invalid arguments before our own checks do, so those tests are left out.
"""

import os
from importlib import import_module

import numpy as np
import pytest
import torch

if os.environ.get("ROILEARN_CHECK_SHAPES") == "1":
    from jaxtyping import install_import_hook

    install_import_hook("roilearn.ops", "type_checker.check")
    collect_ignore = ["pooling/test_bad_input.py", "pooling/test_compile.py", "test_onnx.py"]
    collect_ignore += ["boxes/test_bad_boxes.py", "boxes/test_compile_boxes.py"]
    collect_ignore += ["suppression/test_bad_nms.py", "suppression/test_compile_nms.py"]
    collect_ignore += ["layers/test_bad_deform_conv.py", "layers/test_compile_deform_conv.py"]
    collect_ignore += ["losses/test_bad_losses.py", "test_onnx_layers.py"]


@pytest.fixture(params=["reference", "ops"])
def call_by_name(request):
    """A function of either implementation, called with arrays or, in ``ops``, with tensors."""

    def in_implementation(name, *arguments):
        if request.param == "ops":
            arguments = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
        return getattr(import_module(f"roilearn.{request.param}"), name)(*arguments)

    return in_implementation
