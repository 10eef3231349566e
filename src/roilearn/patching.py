"""Patching of torchvision: its RoI operators and NMS are replaced by ours in a running program.

At every call, PyTorch's dispatcher looks an operator up by name and device. Registering our
functions there reaches every caller: torchvision's own models, and functions that a program
imported before.
"""

import threading
import warnings
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Self, TypeVar, overload

import torch
from torch import Tensor

from roilearn import ops

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_LOCK = threading.Lock()
_open: list["Patch"] = []
_library: torch.library.Library | None = None


def patch() -> "Patch":
    """Replace torchvision's RoI operators and NMS by ours, for CPU tensors, until undone.

    A context manager undoes the patch at the end of its block, a decorator at the end of every call
    of the function; otherwise call the returned object. Patches may be nested: torchvision's own
    operators are back when all patches are undone.

    Covered: ``roi_align``, ``roi_pool``, ``ps_roi_align``, ``ps_roi_pool`` and ``nms``, with the
    modules and functions of torchvision that use them (``MultiScaleRoIAlign``,
    ``batched_nms``), in every thread of the process. Boxes get gradients where the operator has
    any. Boxes that are not finite, or whose batch index is out of range, raise ``ValueError``;
    torchvision would read memory outside the image or end the process. Scores and thresholds
    that are NaN raise it too; torchvision accepts them.

    Not covered: tensors on other devices; models that were scripted or compiled, whose operators
    were looked up earlier or are fused. The second output of ``torch.ops.torchvision.roi_pool`` and
    of the ``ps_`` operators, which only their own backward pass reads, is empty.

    Raises
    ------
    ImportError: torchvision is not installed.

    Examples
    --------
    >>> import torch
    >>> from torchvision.ops import roi_align  # imported before the patch
    >>> features = torch.rand(1, 1, 8, 8)
    >>> boxes = torch.tensor([[0, 1.0, 1, 6, 6]], requires_grad=True)
    >>> with patch():
    ...     roi_align(features, boxes, 2).sum().backward()
    >>> boxes.grad is None  # torchvision gives the boxes no gradient
    False

    As a decorator, it holds while the function runs:

    >>> @patch()
    ... def pool(features, boxes):
    ...     return roi_align(features, boxes, 2)
    >>> pool(features, boxes).shape
    torch.Size([1, 1, 2, 2])
    """
    try:
        import torchvision  # noqa: F401, PLC0415  it registers its operators
    except ImportError as error:
        raise ImportError(
            "roilearn.patch() needs torchvision, which is not installed. "
            "Install it with: pip install 'roilearn[peers]'"
        ) from error
    opened = Patch()
    with _LOCK:
        _open.append(opened)
        _install()
    return opened


class Patch:
    """An open patch: a context manager, a decorator, and a function that undoes it."""

    def __enter__(self) -> Self:
        """Return itself; the patch is already active, or is activated again if it was undone."""
        with _LOCK:
            if self not in _open:
                _open.append(self)
                _install()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Undo the patch; an exception propagates."""
        self()

    @overload
    def __call__(self, function: None = None) -> None: ...
    @overload
    def __call__(self, function: Callable[Arguments, Result]) -> Callable[Arguments, Result]: ...
    def __call__(
        self, function: Callable[Arguments, Result] | None = None
    ) -> Callable[Arguments, Result] | None:
        """Undo the patch; a second call does nothing. With a function, return one that is patched.

        Parameters
        ----------
        function : to be decorated: the patch holds while it runs, and at no other time.

        Raises
        ------
        TypeError: something that is no function; the patch is undone.
        """
        with _LOCK:
            if self in _open:
                _open.remove(self)
            if not _open:
                _remove()
        if function is None:
            return None
        if not callable(function):
            raise TypeError(
                f"function must be a function to decorate; got {type(function).__name__}. To undo "
                "the patch, pass nothing."
            )

        @wraps(function)
        def patched(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
            with patch():
                return function(*arguments, **options)

        return patched


def roi_align(
    input: Tensor,
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Replace torchvision::roi_align."""
    size = (pooled_height, pooled_width)
    return ops.roi_align(input, rois, size, spatial_scale, sampling_ratio, aligned)


def roi_pool(
    input: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int
) -> tuple[Tensor, Tensor]:
    """Replace torchvision::roi_pool."""
    pooled = ops.roi_pool(input, rois, (pooled_height, pooled_width), spatial_scale)
    return pooled, _empty()


def ps_roi_align(
    input: Tensor,
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
) -> tuple[Tensor, Tensor]:
    """Replace torchvision::ps_roi_align."""
    size = (pooled_height, pooled_width)
    return ops.ps_roi_align(input, rois, size, spatial_scale, sampling_ratio), _empty()


def ps_roi_pool(
    input: Tensor, rois: Tensor, spatial_scale: float, pooled_height: int, pooled_width: int
) -> tuple[Tensor, Tensor]:
    """Replace torchvision::ps_roi_pool."""
    pooled = ops.ps_roi_pool(input, rois, (pooled_height, pooled_width), spatial_scale)
    return pooled, _empty()


def nms(dets: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Replace torchvision::nms."""
    return ops.nms(dets, scores, iou_threshold)


POOLS = (roi_align, roi_pool, ps_roi_align, ps_roi_pool)


def _empty() -> Tensor:
    return torch.empty(0, dtype=torch.int32)


def _install() -> None:
    """Register our functions, unless they are registered already."""
    global _library  # noqa: PLW0603  one registration for the process
    if _library is not None:
        return
    _library = torch.library.Library("torchvision", "IMPL")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns that one is registered already
        for pool in POOLS:
            # With gradients PyTorch dispatches to the first key, in inference mode to the second.
            for key in ("AutogradCPU", "CPU"):
                _library.impl(pool.__name__, pool, key, allow_override=True)
        _library.impl("nms", nms, "CPU", allow_override=True)


def _remove() -> None:
    """Undo the registration: the dispatcher then finds torchvision's operators again."""
    global _library  # noqa: PLW0603
    if _library is not None:
        _library._destroy()  # noqa: SLF001  the only way to end a registration before its object
    _library = None
