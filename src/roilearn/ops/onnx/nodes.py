"""An operator as one node of an ONNX graph, recorded by either exporter of PyTorch."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.onnx import symbolic_helper

FIRST_OPSET, LAST_OPSET = 16, 21
"""Opsets whose RoiAlign has the half-pixel shift and whose nodes run in onnxruntime."""


class OnnxNode:
    """An operator of PyTorch that either exporter writes as one node of ONNX."""

    def __init__(
        self,
        name: str,
        run: Callable[..., Tensor],
        op_type: str,
        attributes: Callable[..., dict[str, Any]],
        version: int,
    ) -> None:
        """Register the operator, and its symbolic function for the older exporter.

        Parameters
        ----------
        name : of the operator, in PyTorch's namespace ``roilearn``.
        run : what ``dynamo=False`` runs on its example. Its annotations say what it takes: tensors,
            then options.
        op_type : name of the node in ONNX.
        attributes : function from the options to the attributes of the node.
        version : opset in which the node got its present meaning.
        """
        operator = torch.library.custom_op(f"roilearn::{name}", run, mutates_args=())
        self.operator, self.op_type = operator, op_type
        self.attributes, self.version = attributes, version
        arguments = operator._opoverload._schema.arguments  # noqa: SLF001  they have no public name
        kinds = [_KINDS[str(each.type)] for each in arguments]
        self.operands = kinds.count("v")

        def symbolic(graph: Any, *inputs: Any) -> Any:
            return self._symbolic(graph, inputs[: self.operands], inputs[self.operands :])

        # The exporter pairs what it parses with the names of the arguments.
        names = ["graph", *(each.name for each in arguments)]
        one = inspect.Parameter.POSITIONAL_ONLY
        symbolic.__signature__ = inspect.Signature([inspect.Parameter(name, one) for name in names])
        torch.onnx.register_custom_op_symbolic(  # pyright: ignore[reportPrivateImportUsage]
            f"roilearn::{name}", symbolic_helper.parse_args(*kinds)(symbolic), FIRST_OPSET
        )

    def record(
        self,
        operands: Sequence[Tensor],
        options: Sequence[Any],
        dtype: torch.dtype,
        shape: Sequence[int | torch.SymInt],
    ) -> Tensor:
        """Record the node in the graph that is being exported; ``shape`` is that of the result."""
        if not torch.compiler.is_compiling():
            return self.operator(*operands, *options)
        return torch.onnx.ops.symbolic(
            self.op_type,
            list(operands),
            self.attributes(*options),
            dtype=dtype,
            shape=shape,
            version=self.version,
        )

    def _symbolic(self, graph: Any, operands: Sequence[Any], options: Sequence[Any]) -> Any:
        """Write the node with ``dynamo=False``; below ``FIRST_OPSET`` the exporter raises."""
        if graph.opset > LAST_OPSET:
            raise ValueError(
                f"opset_version must be {FIRST_OPSET} to {LAST_OPSET} for {self.op_type}; got "
                f"{graph.opset}, which onnxruntime may not run. Pass opset_version={LAST_OPSET}."
            )
        named = self.attributes(*options)
        typed = {f"{name}_{_first_letter(value)}": value for name, value in named.items()}
        return graph.op(self.op_type, *operands, **typed)


_KINDS: dict[str, Any] = {"Tensor": "v", "int": "i", "SymInt": "i", "float": "f", "bool": "b"}
"""For each type in a schema, what the older exporter calls it."""


def _first_letter(value: Any) -> str:
    """First letter of a value's type, which the exporter wants: mode_s, output_height_i."""
    return type(value[0] if isinstance(value, list) else value).__name__[0]
