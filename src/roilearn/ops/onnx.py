"""ONNX export: while PyTorch exports a model, ``roi_align`` becomes one RoiAlign node.

Exported operation by operation, the weighted sums would be a loop over every output cell.
Inference engines have RoIAlign built in, so the exporters record that node instead::

    import torch
    from roilearn.ops import RoIAlign

    pool = RoIAlign(7, spatial_scale=1 / 16, sampling_ratio=2, aligned=True).eval()
    features, boxes = torch.zeros(1, 256, 50, 68), torch.zeros(10, 5)
    any_number = {0: torch.export.Dim.DYNAMIC}
    torch.onnx.export(pool, (features, boxes), "pool.onnx", dynamic_shapes=(None, any_number))

PyTorch has two exporters. ``dynamo=True`` (the default; from torch 2.8 on) takes a node by its
name. ``dynamo=False`` records operators, so RoIAlign is registered as one, with a symbolic function
that writes the node.

The node has its present meaning since opset 16. Before, it had no half-pixel shift, so that it
could only express ``aligned=False``. onnxruntime 1.31 runs it up to opset 21. Ask for 16 to 21.
Outside this range

- ``dynamo=False`` raises, and names the opset to ask for;
- ``dynamo=True`` replaces a lower number by opset 18, which gives a correct file, and logs that.
  It writes a higher number as asked, which not every engine runs. Look at ``opset_import`` in the
  file.

Pass the module itself to the exporter: ``torch.export.export`` knows nothing of ONNX and would
trace the weighted sums. Invalid boxes are left to the engine: onnxruntime 1.31 raises. It also
raises for adaptive sampling of an ``aligned`` box that is inverted along one axis, for which
``roi_align`` returns zeros.

A node has no value until an engine runs it. The newer exporter gives it a stand-in of 0, so do not
ask for ``verify=True``, which compares with the stand-in. Compare with the module in eager mode.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.onnx import symbolic_helper

FIRST_OPSET, LAST_OPSET = 16, 21
"""Opsets whose RoiAlign has the half-pixel shift and runs in onnxruntime."""


def roi_align_node(roi_align: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the function that records ``roi_align`` as one node of an ONNX graph.

    Returns
    -------
    Function of (input, rois, bins, spatial_scale, sampling_ratio, aligned). The node takes features
    and boxes of one dtype, the more precise of theirs.
    """

    @torch.library.custom_op("roilearn::roi_align", mutates_args=())
    def operator(
        input: Tensor,
        boxes: Tensor,
        image: Tensor,
        height: int,
        width: int,
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool,
    ) -> Tensor:
        """RoIAlign as one operator, which ``dynamo=False`` runs on its example and records."""
        rois = torch.cat([image[:, None], boxes], 1)
        return roi_align(input, rois, (height, width), spatial_scale, sampling_ratio, aligned)

    def record(
        input: Float[Tensor, "N C H W"],
        rois: Float[Tensor, "K 5"],
        bins: tuple[int, int],
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool,
    ) -> Float[Tensor, "K C PH PW"]:
        operands = input.to(rois.dtype), rois[:, 1:], rois[:, 0].to(torch.int64)
        if not torch.compiler.is_compiling():
            pooled = operator(*operands, *bins, spatial_scale, sampling_ratio, aligned)
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

    return record


def attributes(
    height: int, width: int, spatial_scale: float, sampling_ratio: int, aligned: bool
) -> dict[str, Any]:
    """Attributes of the ONNX node. All are written, because engines disagree on the defaults."""
    return {
        "coordinate_transformation_mode": "half_pixel" if aligned else "output_half_pixel",
        "mode": "avg",
        "output_height": height,
        "output_width": width,
        "sampling_ratio": max(sampling_ratio, 0),  # 0 is adaptive
        "spatial_scale": spatial_scale,
    }


@symbolic_helper.parse_args("v", "v", "v", "i", "i", "f", "i", "b")
def _symbolic(
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
    """Symbolic function of the operator: below ``FIRST_OPSET`` the exporter itself raises."""
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
    "roilearn::roi_align", _symbolic, FIRST_OPSET
)
