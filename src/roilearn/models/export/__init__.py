"""A whole detector in one ONNX file, for programs that have neither PyTorch nor this package.

::

    from roilearn.models import export_onnx, load_model

    model, names = load_model("SHAPES")
    export_onnx(model, "shapes.onnx", names)

The file holds everything from the image to the detections: the resizing, the anchors, which follow
the size of the image, the choice of levels, NMS and the pasting of masks. It takes an image of any
size and gives what the model gives. ``export_onnx`` says what its input and outputs are, and writes
the same into the file's metadata.

PyTorch has two ONNX exporters, and only the older one can record a whole detector:
``torch.onnx.export(..., dynamo=False)``, which ``export_onnx`` uses. The newer one, and
``torch.export.export``, would need convolutions over a number of boxes that is not known before the
program runs, which PyTorch 2.12 refuses. The model then raises an error that says so.

``torch.compile(model)`` takes minutes for the first image and compiles anew for the next ones: the
numbers of boxes depend on the image, which cuts the model into 21 graphs (PyTorch 2.12, a
``mask_rcnn_tiny``). The backbone has no such numbers and is one graph, which is compiled again for
the second size and for squares, but not for each size. Compile it alone, in place, so that the
names of parameters stay, and measure whether it pays::

    model.backbone.compile(dynamic=True)

In reading order: ``onnx_file`` (writing the file), ``onnx_check`` (running it beside the model).
"""

from roilearn.models.export.onnx_check import OnnxCheck, check_onnx
from roilearn.models.export.onnx_file import export_onnx

__all__ = ["OnnxCheck", "check_onnx", "export_onnx"]
