"""Training, evaluation and prediction of detectors.

In reading order: ``settings``; ``loop``, the training loop, and ``step``, one step of it;
``data_loader``, ``gradient_accumulation``, ``optimizer``, ``schedule``, ``ema``, what a step needs;
``distributed``, several processes; ``interrupt``, Ctrl-C and other signals, and
``loading_processes``; ``run_folder``, checkpoints and logs; ``validation_split``, ``checked_coco``
and ``held_out``, the data sets of a run; ``evaluation``, COCO's metrics; ``predict``.
"""

from importlib.util import find_spec

from roilearn._moved import attach_stub

if not all(map(find_spec, ("torch", "filelock", "jaxtyping", "safetensors", "tqdm"))):
    raise ImportError(
        "roilearn.train needs PyTorch, filelock, jaxtyping, safetensors and tqdm, not all of which "
        "are installed. Install them with: pip install 'roilearn[train]'"
    )

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
