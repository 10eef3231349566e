"""Training, checkpoints that can be resumed, and what a trained model is worth."""

from importlib.util import find_spec

from roilearn._moved import attach_stub

if not all(map(find_spec, ("torch", "filelock", "jaxtyping", "safetensors", "tqdm"))):
    raise ImportError(
        "roilearn.train needs PyTorch, filelock, jaxtyping, safetensors and tqdm, not all of which "
        "are installed. Install them with: pip install 'roilearn[train]'"
    )

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
