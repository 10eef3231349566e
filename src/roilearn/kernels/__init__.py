"""Region operators as Triton kernels, for GPUs.

The functions have the names, signatures and results of ``roilearn.ops``, which calls them by itself
for tensors on a GPU. Features may be float32, float16 or bfloat16, contiguous or channels last;
sums are always float32. Everything else is left to ``roilearn.ops``: float64, second derivatives,
``torch.compile`` and ``torch.export``.

The files in reading order:

- ``steps``: RoIAlign's forward kernel, built up in three steps; the page on GPUs prints it.
- ``launch``, ``arguments``: how a kernel is launched; the checks of boxes and features.
- ``roi_align``, ``roi_align_autograd``, ``roi_align_launches``, ``tiles``: RoIAlign on the host,
  from the public function to the launches.
- ``device/sampling``, ``roi_align_forward``, ``feature_gradient_atomic``, ``cell_to_box_index``,
  ``feature_gradient_gathered``, ``box_gradient``: the kernels of these launches.
- ``ps_roi_align``, ``multi_scale_roi_align``: two further operators that use the same kernels.
- ``roi_pool`` with ``device/roi_pool_bins`` and ``device/max_pool``: RoIPool.
- ``nms`` with ``device/suppression``: non-maximum suppression.
"""

from importlib.util import find_spec

from roilearn._moved import attach_stub

if not find_spec("triton"):
    raise ImportError(
        "roilearn.kernels needs Triton, which is not installed and exists for Linux alone. Use "
        "roilearn.ops: it has the same functions and needs no Triton."
    )

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
