"""The backbone: a convolutional network (the body) and a feature pyramid on top of it.

Files in reading order: ``batch_norm`` (batch normalisation folded away; the frozen one is in
``roilearn.ops``), ``residual_blocks``, ``resnet``, ``convolution_blocks`` (convolution,
normalisation, ReLU), ``fpn`` (the feature pyramid). A body registers itself by a decorator when its
file is imported, see ``roilearn.models.registry``: a new file must be imported here.
"""

from roilearn.models.backbone import resnet as resnet
from roilearn.models.registry import BACKBONES as BACKBONES
