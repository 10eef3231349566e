"""ONNX files of functions: exported by either exporter, and run in onnxruntime."""

import io

import onnx
import onnxruntime
import pytest
import torch
from torch import nn

EXPECTED_WARNINGS = [
    # Said by dynamo=False at every export: that it is the older exporter ...
    pytest.mark.filterwarnings("ignore:You are using the legacy TorchScript:DeprecationWarning"),
    # ... that its own logging is to go ...
    pytest.mark.filterwarnings("ignore:The feature will be removed:DeprecationWarning"),
    # ... that it cannot follow the shape checks, whose answers do not depend on K ...
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    # ... that it does not fold the padding of a list of boxes ...
    pytest.mark.filterwarnings("ignore:Constant folding - Only steps=1:UserWarning"),
    # ... and, at opset 21, that it was made for 20.
    pytest.mark.filterwarnings("ignore:Exporting to ONNX opset version 2[12]"),
    # Said by dynamo=True, of a class in its own copy of the model.
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning"),
]

EXPORTERS = [False, True]


class Call(nn.Module):
    """A function of two or three tensors as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, y, z=None):
        return self.function(x, y) if z is None else self.function(x, y, z)


def export(module, inputs, dynamo, opset=18):
    """ONNX model of inputs x0, x1 ...; for any number of images and boxes where it may be."""
    module = module if isinstance(module, nn.Module) else Call(module)
    names = [f"x{i}" for i in range(len(inputs))]
    settings = {"input_names": names, "opset_version": opset, "dynamo": dynamo}
    if dynamo:
        sizes = [{0: torch.export.Dim.AUTO}] * len(inputs)
        program = torch.onnx.export(
            module.eval(), inputs, dynamic_shapes=sizes, verbose=False, **settings
        )
        return program.model_proto
    file, sizes = io.BytesIO(), {name: {0: f"{name}_size"} for name in names}
    torch.onnx.export(module.eval(), inputs, file, dynamic_axes=sizes, **settings)
    return onnx.load_from_string(file.getvalue())


def run(model, *inputs):
    """First output of the model."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return torch.tensor(session.run(None, {f"x{i}": x.numpy() for i, x in enumerate(inputs)})[0])


def kinds_of_nodes(model):
    """Names of the operators in the file."""
    onnx.checker.check_model(model, full_check=True)
    return {node.op_type for node in model.graph.node}
