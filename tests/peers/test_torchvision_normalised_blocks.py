"""Pyramid and heads with batch norm, against torchvision's second Mask R-CNN."""

import pytest
import torch
from torch import nn
from torchvision.models.detection.faster_rcnn import FastRCNNConvFCHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads
from torchvision.ops import FeaturePyramidNetwork

from roilearn.models import ConvolutionalBoxHead, FeaturePyramid, MaskHead


def statistics_set(module: nn.Module) -> nn.Module:
    """The module with running statistics that a wrong order of layers would show."""
    random = torch.Generator().manual_seed(2)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_(generator=random)
            norm.running_var.uniform_(0.5, 2, generator=random)
    return module


def pairs() -> dict[str, tuple[nn.Module, nn.Module, object]]:
    random = torch.Generator().manual_seed(1)
    pooled = torch.randn(3, 6, 7, 7, generator=random)
    maps = [torch.randn(2, 6, side, side, generator=random) for side in (8, 4)]
    norm = nn.BatchNorm2d
    return {
        "box head": (
            ConvolutionalBoxHead(6, 7, (8, 4), 16, norm),
            FastRCNNConvFCHead((6, 7, 7), [8, 4], [16], norm_layer=norm),
            pooled,
        ),
        "box head, plain": (
            ConvolutionalBoxHead(6, 7, (8, 4), 16),
            FastRCNNConvFCHead((6, 7, 7), [8, 4], [16]),
            pooled,
        ),
        "mask head": (MaskHead(6, (8, 4), norm), MaskRCNNHeads(6, [8, 4], 1, norm), pooled),
        "pyramid": (
            FeaturePyramid((6, 6), 5, extra=None, norm=norm),
            FeaturePyramidNetwork([6, 6], 5, norm_layer=norm),
            maps,
        ),
    }


@pytest.mark.parametrize("training", [True, False], ids=["training", "testing"])
@pytest.mark.parametrize("name", pairs())
def test_the_same_weights_by_the_same_names_give_the_same_answer(name, training):
    ours, theirs, features = pairs()[name]
    statistics_set(theirs)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    ours.train(training), theirs.train(training)
    if isinstance(features, list):
        answer = ours([each.clone() for each in features])
        expected = theirs({str(level): each for level, each in enumerate(features)})
        for level, known in expected.items():
            torch.testing.assert_close(answer[level], known)
    else:
        torch.testing.assert_close(ours(features), theirs(features))


@pytest.mark.parametrize("name", pairs())
def test_begins_as_widely_spread_as_torchvisions(name):
    ours, theirs, _ = pairs()[name]
    known = dict(theirs.named_parameters())
    for parameter, values in ours.named_parameters():
        if values.ndim == 4:
            torch.testing.assert_close(values.std(), known[parameter].std(), rtol=0.35, atol=0)
        elif "bias" in parameter and values.ndim == 1 and f"{parameter[:-4]}weight" in known:
            assert (known[parameter] == 0).all() == (values == 0).all()
