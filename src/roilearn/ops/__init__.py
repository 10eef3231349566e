"""Region operators in PyTorch, under torchvision's names and signatures.

The same files, names and answers as in ``roilearn.reference``, vectorised over boxes and
differentiable. ``from roilearn.ops import roi_align`` replaces the same import from torchvision.

They run eagerly, under ``torch.compile`` and in ``torch.export``, and autograd differentiates them.
Like torchvision's they are not for ``torch.func``, and unlike those not for ``torch.jit.script``.
"""

from importlib.util import find_spec

from roilearn._moved import attach_stub

if not (find_spec("torch") and find_spec("jaxtyping")):
    raise ImportError(
        "roilearn.ops needs PyTorch and jaxtyping, which are not installed. "
        "Install them with: pip install 'roilearn[torch]'"
    )

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
