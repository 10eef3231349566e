"""Patching of torchvision: its RoI operators and NMS are replaced by ours in a running program.

At every call, PyTorch's dispatcher looks an operator up by name and device. Registering our
functions there reaches every caller: torchvision's own models, and functions that a program
imported before. Where torchvision's own kernel is faster (``patching_rule.py``), our function hands
the call on to it.
"""

import threading
import warnings
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, overload

import torch
from torch import Tensor

from roilearn import ops
from roilearn.patching_rule import keeps_nms, keeps_pooling

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_LOCK = threading.Lock()
_open: list["Patch"] = []
_library: torch.library.Library | None = None


def patch() -> "Patch":
    """Replace torchvision's RoI operators and NMS by ours where they are faster, until undone.

    A context manager undoes the patch at the end of its block, a decorator at the end of every call
    of the function; otherwise call the returned object. Patches may be nested: torchvision's own
    operators are back when all patches are undone.

    Covered: ``roi_align``, ``roi_pool``, ``ps_roi_align``, ``ps_roi_pool`` and ``nms``, with the
    modules and functions of torchvision that use them (``MultiScaleRoIAlign``,
    ``batched_nms``), in every thread of the process. Boxes get gradients where the operator has
    any. Boxes that are not finite, or whose batch index is out of range, raise ``ValueError``;
    torchvision would read memory outside the image or end the process. Scores and thresholds
    that are NaN raise it too; torchvision accepts them.

    Calls for which torchvision's own kernel is faster go on to it: few channels, few boxes, or few
    for the size of the map. Boxes that need a gradient, and odd boxes, always come to ours. The
    limits are measured on two cores and stand in ``roilearn.patching_limits``.

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
KEYS = ("AutogradCPU", "CPU")
"""With gradients PyTorch dispatches to the first key, in inference mode to the second."""


class _Handing(threading.local):
    """Whether this thread is in a call that torchvision's kernel for autograd has been given."""

    on = False


_handing = _Handing()


def _keeps(name: str, key: str, *arguments: Any) -> bool:
    """Whether torchvision's kernel keeps this call, by ``patching_rule``."""
    if name == "nms":
        return keeps_nms(*arguments)
    features, rois, spatial_scale, height, width, *_ = arguments
    if key == "AutogradCPU" and rois.requires_grad and torch.is_grad_enabled():
        return False  # the kernel has no gradient to boxes
    return keeps_pooling(name, features, rois, spatial_scale, height, width)


def _with_handing_on(
    name: str, key: str, ours: Callable[..., Any], kernel: Any
) -> Callable[..., Any]:
    """Return a function of the dispatcher's keys and the arguments: ours, or ``kernel``.

    The kernel for autograd dispatches again, to our function for the key CPU, which then must not
    decide anew: its result would not be the one that the kernel's backward pass expects.
    """

    def operator(keys: Any, *arguments: Any) -> Any:
        if key == "CPU" and _handing.on:
            return kernel.call_boxed(keys, *arguments)
        if not _keeps(name, key, *arguments):
            return ours(*arguments)
        try:
            _handing.on = key == "AutogradCPU"
            return kernel.call_boxed(keys, *arguments)
        finally:
            _handing.on = False

    return operator


def _empty() -> Tensor:
    return torch.empty(0, dtype=torch.int32)


def _install() -> None:
    """Register our functions, unless they are registered already."""
    global _library  # noqa: PLW0603  one registration for the process
    if _library is not None:
        return
    replaced = [(pool, key) for pool in POOLS for key in KEYS] + [(nms, "CPU")]
    kernels = [  # before ours are there
        torch.library.get_kernel(f"torchvision::{ours.__name__}", key) for ours, key in replaced
    ]
    _library = torch.library.Library("torchvision", "IMPL")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns that one is registered already
        for (ours, key), kernel in zip(replaced, kernels, strict=True):
            function = _with_handing_on(ours.__name__, key, ours, kernel)
            _library.impl(ours.__name__, function, key, with_keyset=True, allow_override=True)


def _remove() -> None:
    """Undo the registration: the dispatcher then finds torchvision's operators again."""
    global _library  # noqa: PLW0603
    if _library is not None:
        _library._destroy()  # noqa: SLF001  the only way to end a registration before its object
    _library = None
