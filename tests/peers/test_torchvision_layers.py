"""Layers with torchvision's names against torchvision's: weights, values, printed form."""

import pytest
import torch
import torchvision
from torch import nn
from torchvision.ops import feature_pyramid_network

from roilearn import models, ops

BLOCKS = {
    "default": ((3, 8), {}),
    "large window": ((3, 8, 5), {"dilation": 2}),
    "window of two sides": ((4, 8, (3, 5), 2), {"dilation": (1, 2), "groups": 2}),
    "padding": ((3, 8, 3, 1, 0), {}),
    "same": ((3, 8, 5), {"padding": "same"}),
    "no norm": ((3, 8), {"norm_layer": None, "inplace": None}),
    "no activation": ((3, 8, 1), {"activation_layer": None, "bias": True}),
    "others": ((4, 8), {"norm_layer": lambda c: nn.GroupNorm(2, c), "activation_layer": nn.SiLU}),
}


def with_equal_seeds(name, *arguments, **options):
    made = []
    for package in (ops, torchvision.ops):
        torch.manual_seed(0)
        made.append(getattr(package, name)(*arguments, **options))
    return made


@pytest.mark.parametrize("case", BLOCKS)
def test_blocks(case):
    arguments, options = BLOCKS[case]
    ours, theirs = with_equal_seeds("Conv2dNormActivation", *arguments, **options)
    assert repr(ours) == repr(theirs)
    assert ours.out_channels == theirs.out_channels
    features = torch.randn(2, arguments[0], 9, 12)
    torch.testing.assert_close(ours(features), theirs(features), rtol=0, atol=0)
    ours.load_state_dict(theirs.state_dict())


@pytest.mark.parametrize("norm", [None, nn.BatchNorm2d])
@pytest.mark.parametrize("extra", [None, "LastLevelMaxPool", "theirs"])
def test_feature_pyramid(norm, extra):
    block = None
    if extra == "LastLevelMaxPool":
        block = ops.LastLevelMaxPool()
    elif extra:
        block = feature_pyramid_network.LastLevelP6P7(5, 5)
    torch.manual_seed(0)
    ours = ops.FeaturePyramidNetwork([10, 20, 30], 5, block, norm)
    if extra == "LastLevelMaxPool":
        block = feature_pyramid_network.LastLevelMaxPool()
    torch.manual_seed(0)
    theirs = torchvision.ops.FeaturePyramidNetwork([10, 20, 30], 5, block, norm)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)
    ours.load_state_dict(theirs.state_dict())
    sizes = {"feat0": (10, 33, 47), "feat2": (20, 17, 24), "feat3": (30, 9, 12)}
    maps = {name: torch.randn(1, *size) for name, size in sizes.items()}
    found, wanted = ours(maps), theirs(maps)
    assert list(found) == list(wanted)
    for name, level in wanted.items():
        assert torch.equal(found[name], level)


def test_old_names_of_a_feature_pyramid():
    whole = torch.nn.Sequential(torchvision.ops.FeaturePyramidNetwork([4, 8], 3))
    old = {
        name.replace(".0.weight", ".weight").replace(".0.bias", ".bias"): tensor
        for name, tensor in whole.state_dict().items()
    }
    assert "0.inner_blocks.1.bias" in old
    ours = torch.nn.Sequential(ops.FeaturePyramidNetwork([4, 8], 3))
    ours.load_state_dict(old)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)


def test_feature_pyramid_is_that_of_the_models():
    ours = ops.FeaturePyramidNetwork([8, 16], 4, ops.LastLevelMaxPool())
    ours_by_list = models.FeaturePyramid([8, 16], 4)
    ours_by_list.load_state_dict(ours.state_dict())
    maps = [torch.randn(1, 8, 9, 12), torch.randn(1, 16, 5, 6)]
    found, wanted = ours({"0": maps[0], "1": maps[1]}), ours_by_list(maps)
    assert list(found) == list(wanted)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_a_block_of_ones_own_adds_maps():
    class Doubled(ops.ExtraFPNBlock):
        def forward(self, results, x, names):
            return [*results, x[-1] * 2], [*names, "doubled"]

    maps = {"a": torch.randn(1, 3, 4, 6)}
    found = ops.FeaturePyramidNetwork([3], 5, Doubled())(maps)
    assert list(found) == ["a", "doubled"]
    assert torch.equal(found["doubled"], maps["a"] * 2)


def test_frozen_batch_norm():
    assert models.FrozenBatchNorm2d is ops.FrozenBatchNorm2d
    ours, theirs = with_equal_seeds("FrozenBatchNorm2d", 5, eps=1e-3)
    learned = nn.BatchNorm2d(5)
    for tensor in (learned.weight.data, learned.bias.data, learned.running_mean):
        tensor.normal_()
    learned.running_var.uniform_(0.1, 3)
    for frozen in (ours, theirs):
        frozen.load_state_dict(dict(learned.state_dict()))
    features = torch.randn(2, 5, 4, 6)
    torch.testing.assert_close(ours(features), theirs(features))
    assert repr(ours) == repr(theirs)
    assert list(ours.parameters()) == []


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("FrozenBatchNorm2d", (0,), ValueError, r"num_features must be at least 1; got 0"),
        ("FrozenBatchNorm2d", (3, -1.0), ValueError, r"eps must be at least 0; got -1"),
        ("Conv2dNormActivation", (0, 8), ValueError, r"in_channels must be at least 1"),
        ("Conv2dNormActivation", (3, 8, 0), ValueError, r"kernel_size must be at least 1 along"),
        ("Conv2dNormActivation", (3, 8, 3, 1, None, 2), ValueError, r"in_channels must be a mult"),
        ("Conv2dNormActivation", (3, 8, 2.5), TypeError, r"kernel_size must be a whole number"),
        ("FeaturePyramidNetwork", ([0], 4), ValueError, r"in_channels_list must be at least 1"),
        ("FeaturePyramidNetwork", ([4], 4, "pool"), TypeError, r"extra_blocks must be a Module"),
    ],
)
def test_bad_layers(name, arguments, error, message):
    with pytest.raises(error, match=message):
        getattr(ops, name)(*arguments)


def test_maps_of_another_number():
    with pytest.raises(ValueError, match=r"x, in_channels_list must have one entry for each level"):
        ops.FeaturePyramidNetwork([4, 8], 4)({"0": torch.zeros(1, 4, 8, 8)})
