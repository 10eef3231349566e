"""ONNX export: while PyTorch exports a model, some operators become nodes that engines have.

Exported operation by operation, the weighted sums would be a loop over every output cell, and NMS
cannot be exported at all. Inference engines have RoIAlign, RoIPool and NMS built in, so the
exporters record those nodes instead::

    import torch
    from roilearn.ops import RoIAlign

    pool = RoIAlign(7, spatial_scale=1 / 16, sampling_ratio=2, aligned=True).eval()
    features, boxes = torch.zeros(1, 256, 50, 68), torch.zeros(10, 5)
    any_number = {0: torch.export.Dim.DYNAMIC}
    torch.onnx.export(pool, (features, boxes), "pool.onnx", dynamic_shapes=(None, any_number))

In the file stand, for

- ``roi_align`` and ``multi_scale_roi_align``: RoiAlign, one for each level;
- ``ps_roi_align``: RoiAlign, and a choice of channels;
- ``roi_pool``: MaxRoiPool, in float32;
- ``nms`` and ``batched_nms``: NonMaxSuppression, in float32, and sorting by score;
- ``crop_and_resize``, ``roi_align_rotated`` with a fixed ``sampling_ratio``, and ``weighted_sum``:
  cells gathered, weighted and added up;
- functions of boxes, anchors and masks: their own arithmetic. Sizes that come as numbers, such as
  those of an image, are written into the file.

A whole detector is written by ``roilearn.models.export_onnx``.

The others raise an error that says what to do: ``prroi_pool``, ``ps_roi_pool``, RoIPool by average,
and rotated boxes with adaptive sampling.

PyTorch has two exporters. ``dynamo=True`` (the default; from torch 2.8 on) takes a node by its
name. ``dynamo=False`` records operators, so each node is registered as one, with a symbolic
function that writes the node.

RoiAlign has its present meaning since opset 16. Before, it had no half-pixel shift, so that it
could only express ``aligned=False``. onnxruntime 1.32 runs it up to opset 21. Ask for 16 to 21.
Outside this range

- ``dynamo=False`` raises, and names the opset to ask for;
- ``dynamo=True`` replaces a lower number by opset 18, which gives a correct file, and logs that.
  It writes a higher number as asked, which not every engine runs. Look at ``opset_import`` in the
  file.

Pass the module itself to the exporter: ``torch.export.export`` knows nothing of ONNX and would
trace the weighted sums. Invalid boxes are left to the engine: onnxruntime 1.32 raises. It also
raises for adaptive sampling of an ``aligned`` box that is inverted along one axis, for which
``roi_align`` returns zeros.

A node has no value until an engine runs it. The newer exporter gives it a stand-in of 0, so do not
ask for ``verify=True``, which compares with the stand-in. Compare with the module in eager mode.

In reading order:

``nodes``          an operator as one node, for both exporters
``pooling_nodes``  RoiAlign and MaxRoiPool
"""
