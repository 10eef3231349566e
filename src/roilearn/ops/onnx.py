"""ONNX: while PyTorch exports a model, ``roi_align`` becomes one RoiAlign node.

Written out as it is computed, a bag would be a loop over every output cell. Engines have RoIAlign
built in, so the exporters are given the node instead; nothing has to be passed to them::

    import torch
    from roilearn.ops import RoIAlign

    pool = RoIAlign(7, spatial_scale=1 / 16, sampling_ratio=2, aligned=True).eval()
    features, boxes = torch.zeros(1, 256, 50, 68), torch.zeros(10, 5)
    any_number = {0: torch.export.Dim.DYNAMIC}
    torch.onnx.export(pool, (features, boxes), "pool.onnx", dynamic_shapes=(None, any_number))

PyTorch has two exporters. ``dynamo=True`` (the default; from torch 2.8 on) takes a node by its
name. ``dynamo=False`` records operators, so RoIAlign is made one, with a translation.

The node came to its present meaning with opset 16: before, it had no half pixel, so it could only
say ``aligned=False``. onnxruntime 1.31 runs it up to opset 21. Ask for 16 to 21. Outside them

- ``dynamo=False`` raises, and names the opset to ask for;
- ``dynamo=True`` answers a lower number with a file of opset 18, which is right, and logs it, and
  writes a higher one as asked, which not every engine runs. Look at ``opset_import`` in the file.

Give the exporter the module: ``torch.export.export`` knows nothing of ONNX and keeps the bags. Bad
boxes are the engine's to answer: onnxruntime 1.31 raises, also where adaptive samples meet an
``aligned`` box that is inverted along one axis, which here gives zeros.

A node has no value until an engine runs it: for the newer exporter its stand-in is 0, so do not
ask for ``verify=True``, which compares with that; compare with the module in eager mode.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.onnx import symbolic_helper

FIRST_OPSET, LAST_OPSET = 16, 21
"""Opsets whose RoiAlign knows half pixels and runs in onnxruntime too."""


def exporting() -> bool:
    """Whether an ONNX exporter is recording."""
    older = torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]
    return (older or torch.compiler.is_compiling()) and torch.onnx.is_in_onnx_export()


def node(
    input: Float[Tensor, "N C H W"],
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Float[Tensor, "K C PH PW"]:
    """Record RoIAlign as one node. It takes features and boxes of one dtype, the more precise."""
    operands = input.to(rois.dtype), rois[:, 1:], rois[:, 0].to(torch.int64)
    if not torch.compiler.is_compiling():
        pooled = _recorded(*operands, *bins, spatial_scale, sampling_ratio, aligned)
    else:
        pooled = torch.onnx.ops.symbolic(
            "RoiAlign",
            operands,
            attributes(*bins, spatial_scale, sampling_ratio, aligned),
            dtype=rois.dtype,
            shape=(rois.shape[0], input.shape[1], *bins),
            version=FIRST_OPSET,
        )
    return pooled.to(input)  # dtype, and device: the stand-in for a node lies on the CPU


def attributes(
    height: int, width: int, spatial_scale: float, sampling_ratio: int, aligned: bool
) -> dict[str, Any]:
    """Write our options in ONNX's words. None is left out: engines disagree on the defaults."""
    return {
        "coordinate_transformation_mode": "half_pixel" if aligned else "output_half_pixel",
        "mode": "avg",
        "output_height": height,
        "output_width": width,
        "sampling_ratio": max(sampling_ratio, 0),  # 0 is adaptive
        "spatial_scale": spatial_scale,
    }


@torch.library.custom_op("roilearn::roi_align", mutates_args=())
def _recorded(
    input: Tensor,
    boxes: Tensor,
    image: Tensor,
    height: int,
    width: int,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """RoIAlign as one operator, which ``dynamo=False`` runs on its example and writes down."""
    from roilearn.ops.pooling.roi_align import roi_align  # noqa: PLC0415 it imports this module

    rois = torch.cat([image[:, None], boxes], 1)
    return roi_align(input, rois, (height, width), spatial_scale, sampling_ratio, aligned)


@symbolic_helper.parse_args("v", "v", "v", "i", "i", "f", "i", "b")
def _translated(
    graph: Any,
    input: Any,
    boxes: Any,
    image: Any,
    height: int,
    width: int,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> Any:
    """Write the operator as a node; below ``FIRST_OPSET`` the exporter itself raises."""
    if graph.opset > LAST_OPSET:
        raise ValueError(
            f"opset_version must be {FIRST_OPSET} to {LAST_OPSET} for RoiAlign; got "
            f"{graph.opset}, which onnxruntime may not run. Pass opset_version={LAST_OPSET}."
        )
    named = attributes(height, width, spatial_scale, sampling_ratio, aligned)
    # The exporter wants each name with its type's first letter: mode_s, output_height_i.
    typed = {f"{name}_{type(value).__name__[0]}": value for name, value in named.items()}
    return graph.op("RoiAlign", input, boxes, image, **typed)


torch.onnx.register_custom_op_symbolic(  # pyright: ignore[reportPrivateImportUsage]
    "roilearn::roi_align", _translated, FIRST_OPSET
)
