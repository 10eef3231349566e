"""Regions of interest in detectors, from first principles.

``roilearn.reference`` says what each operator is (NumPy loops); ``roilearn.ops`` is what programs
use (PyTorch). Importing this package loads NumPy at most: every subpackage loads on first use.
"""

from importlib.util import find_spec

import lazy_loader

from roilearn import _moved

__version__ = "0.2.0"

_TORCH = ("torch", "jaxtyping")
_NEEDED = {
    "data": (*_TORCH, "PIL", "pycocotools"),
    "models": _TORCH,
    "ops": _TORCH,
    "patch": _TORCH,
    "train": (*_TORCH, "filelock", "safetensors", "tqdm"),
}
"""Packages without which a name cannot be imported."""

__getattr__, _list_names, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __dir__() -> list[str]:
    """List what this installation can import, so that ``help`` and completion raise no error."""
    return [name for name in _list_names() if all(map(find_spec, _NEEDED.get(name, ())))]


_moved.install()
