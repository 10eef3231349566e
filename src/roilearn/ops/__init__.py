"""Operators on boxes and regions in PyTorch, with torchvision's names and signatures.

They have the names and results of ``roilearn.reference``, are vectorised over boxes and
differentiable. ``from roilearn.ops import roi_align`` replaces the same import from torchvision.
They run in eager mode, under ``torch.compile``, in ``torch.export`` and under ``torch.func`` (where
adaptive boxes that are mapped over have no gradient), on the meta device and in ``make_fx``; unlike
torchvision's not in ``torch.jit.script``.

In reading order:

``interpolation``   linear and bilinear interpolation
``resize``          resizing of images under four grid rules
``pooling``         RoIPool, RoIAlign, from one map or from a pyramid, and their relatives
``embedding_bags``  how their averages are computed: weighted sums of cells
``boxes``           formats, IoU, box coding, anchors
``suppression``     non-maximum suppression
``masks``           boxes around masks, masks pasted into images
``batching``        what ``torch.vmap`` does with operators
``losses``          losses of pairs of boxes, and the focal loss
``layers``          deformable convolution, and other layers with torchvision's names
``tracing``         whether a graph is being traced, and values may be read
``dispatch``        whether a call runs as Triton kernels
``custom_op``       value-dependent operators as one node of a traced graph
``custom_ops``      all of these, registered before a saved graph is loaded
``onnx``            operators as nodes of ONNX
``clamping``        clamping with one gradient at the bounds
"""

from importlib.util import find_spec

from roilearn._moved import attach_stub

if not (find_spec("torch") and find_spec("jaxtyping")):
    raise ImportError(
        "roilearn.ops needs PyTorch and jaxtyping, which are not installed. "
        "Install them with: pip install 'roilearn[torch]'"
    )

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
