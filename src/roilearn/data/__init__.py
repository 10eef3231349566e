"""Data sets of images and targets: drawn scenes, and folders in COCO's format.

In reading order: ``shape_scenes``, the drawn scenes; ``coco``, COCO's format; ``folder_layouts``
and ``image_names``, where an export has annotations and images; ``images``, reading image files;
``transforms``, augmentation and batches; ``relabelled``, the labels of a model; ``derived``, more
entries for targets; ``visualisation``, images with their boxes and masks.
"""

from importlib.util import find_spec

from roilearn._moved import attach_stub

if not all(map(find_spec, ("torch", "jaxtyping", "PIL", "pycocotools"))):
    raise ImportError(
        "roilearn.data needs PyTorch, jaxtyping, Pillow and pycocotools, which are not all "
        "installed. Install them with: pip install 'roilearn[train]'"
    )

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
