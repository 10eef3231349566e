"""The backbone: frozen batch norm, residual blocks, ResNet and feature pyramid; errors."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from roilearn.models import (
    Backbone,
    ConvolutionBlock,
    FeaturePyramid,
    FrozenBatchNorm2d,
    IdentityBlock,
    basic_branch,
    bottleneck_branch,
    fold_normalisation,
    resnet18,
    resnet50,
    resnet_tiny,
)

COPIES = ("aten.clone", "aten.copy_", "aten._to_copy", "aten.contiguous")


class Copies(TorchDispatchMode):
    """Collects the calls that copy a map."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if str(func).startswith(COPIES):
            self.found.append(str(func))
        return func(*args, **(kwargs or {}))


def drawn(*shape, seed=0):
    return torch.tensor(np.random.RandomState(seed).randn(*shape)).float()


def with_statistics(model, seed=0):
    """Give every normalisation statistics, factors and summands that are not those of the start."""
    state = np.random.RandomState(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d | FrozenBatchNorm2d):
            size = len(module.running_mean)
            for tensor, low, high in (
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.5, 2),
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -0.2, 0.2),
            ):
                tensor.copy_(torch.tensor(state.uniform(low, high, size)))
    return model


def test_frozen_normalisation_is_its_formula_and_never_learns():
    norm = with_statistics(FrozenBatchNorm2d(3, eps=0.25)).train()
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    maps = drawn(2, 3, 4, 5)
    mean, variance, weight, bias = (
        before[name].double()[:, None, None]
        for name in ("running_mean", "running_var", "weight", "bias")
    )
    formula = (maps.double() - mean) / (variance + 0.25).sqrt() * weight + bias
    torch.testing.assert_close(norm(maps).double(), formula, rtol=1e-5, atol=1e-6)
    assert not list(norm.parameters())
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())


def test_either_normalisation_loads_the_other():
    learning, frozen = with_statistics(nn.BatchNorm2d(4)), FrozenBatchNorm2d(4)
    frozen.load_state_dict(learning.state_dict())
    maps = drawn(2, 4, 3, 3)
    torch.testing.assert_close(frozen(maps), learning.eval()(maps))
    nn.BatchNorm2d(4).load_state_dict(dict(frozen.state_dict()))


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, FrozenBatchNorm2d])
@pytest.mark.parametrize("make", [resnet18, resnet50, resnet_tiny])
def test_folded_maps_equal_those_of_the_model(make, norm):
    torch.manual_seed(0)
    model = with_statistics(make(norm=norm)).eval()
    folded = fold_normalisation(model)
    images = drawn(1, 3, 64, 96)
    with torch.no_grad():
        for ours, theirs in zip(folded(images), model(images), strict=True):
            assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()
    left = [m for m in folded.modules() if isinstance(m, nn.BatchNorm2d | FrozenBatchNorm2d)]
    assert not left
    assert model.conv1.bias is None  # a copy was folded


def test_folding_keeps_a_bias_and_leaves_a_norm_without_statistics():
    torch.manual_seed(0)
    biased = with_statistics(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, eps=0.25))).eval()
    maps = drawn(2, 3, 5, 5)
    torch.testing.assert_close(fold_normalisation(biased)(maps), biased(maps))
    plain = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, affine=False)).eval()
    torch.testing.assert_close(fold_normalisation(plain)(maps), plain(maps))
    free = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, track_running_stats=False))
    assert isinstance(fold_normalisation(free)[1], nn.BatchNorm2d)


@pytest.mark.parametrize("branch", [basic_branch, bottleneck_branch])
def test_a_block_of_stride_2_halves_the_resolution_once(branch):
    block = ConvolutionBlock(branch(4, 8, stride=2))
    assert block(torch.zeros(1, 4, 10, 14)).shape[2:] == (5, 7)


@pytest.mark.parametrize("branch", [basic_branch, bottleneck_branch])
def test_a_silent_block_passes_on_its_input(branch):
    channels = branch(8, 8, 1)[-1].out_channels
    block = IdentityBlock(branch(channels, 8, 1))
    maps = drawn(2, channels, 5, 7)
    before = maps.clone()
    assert not torch.equal(block(maps), maps.relu())
    assert torch.equal(maps, before)  # the shortcut must not be written to
    block.zero_init()
    assert torch.equal(block(maps), maps.relu())


def test_a_convolution_block_changes_the_shape_and_projects_its_input():
    block = ConvolutionBlock(basic_branch(4, 6, 2)).eval()
    block.zero_init()
    maps = drawn(2, 4, 9, 7)
    assert block(maps).shape == (2, 6, 5, 4)
    torch.testing.assert_close(block(maps), block.downsample(maps).relu())


def test_strides_double_from_4_and_sides_are_rounded_up():
    maps = resnet_tiny((8, 8, 16, 16), (1, 1, 1, 1))(drawn(1, 3, 130, 70))
    assert [tuple(level.shape[2:]) for level in maps] == [(33, 18), (17, 9), (9, 5), (5, 3)]
    bare = resnet_tiny((8, 8), (1, 1), stem_pool=False)(drawn(1, 3, 128, 64))
    assert [tuple(level.shape[2:]) for level in bare] == [(32, 16), (16, 8)]


def test_the_tiny_net_is_tiny():
    count = sum(parameter.numel() for parameter in resnet_tiny().parameters())
    assert 300_000 < count < 1_500_000


@pytest.mark.parametrize("layers", range(6))
def test_the_last_layers_are_trained(layers):
    body = resnet18(trainable_layers=layers)
    trained = {name.split(".")[0] for name, p in body.named_parameters() if p.requires_grad}
    order = [{"layer4"}, {"layer3"}, {"layer2"}, {"layer1"}, {"conv1", "bn1"}]
    assert trained == set().union(*order[:layers])


def test_the_pyramid_adds_the_coarser_map_doubled():
    pyramid = FeaturePyramid([1, 1], 1, extra=None)
    for block in pyramid.inner_blocks:
        nn.init.ones_(block[0].weight)
    for block in pyramid.layer_blocks:
        nn.init.dirac_(block[0].weight)
    fine, coarse = drawn(1, 1, 4, 6), drawn(1, 1, 2, 3, seed=1)
    maps = pyramid([fine, coarse])
    assert list(maps) == ["0", "1"]
    doubled = coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(maps["0"], fine + doubled)
    torch.testing.assert_close(maps["1"], coarse)


def test_the_extra_level_is_every_second_cell_of_the_last():
    maps = FeaturePyramid([4, 4], 8)([drawn(1, 4, 10, 14), drawn(1, 4, 5, 7)])
    assert list(maps) == ["0", "1", "pool"]
    assert torch.equal(maps["pool"], maps["1"][..., ::2, ::2])


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, FrozenBatchNorm2d])
def test_channels_last_passes_through_without_a_copy(norm):
    body = resnet_tiny((16, 16, 32), (1, 1, 1), norm)
    model = Backbone(body, FeaturePyramid(body.out_channels, 16)).eval()
    model = model.to(memory_format=torch.channels_last)
    images = drawn(2, 3, 64, 96).to(memory_format=torch.channels_last)
    with torch.no_grad(), Copies() as copies:
        maps = model(images)
    assert all(m.is_contiguous(memory_format=torch.channels_last) for m in maps.values())
    assert copies.found == []


def test_gradients_reach_every_parameter():
    torch.manual_seed(0)
    body = resnet_tiny((8, 8, 16), (1, 1, 2), zero_init_residual=False)
    model = Backbone(body, FeaturePyramid(body.out_channels, 8))
    sum(level.square().mean() for level in model(drawn(2, 3, 64, 64)).values()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: resnet_tiny((8, 8), (1,)), "widths, depths must have one entry for each level"),
        (lambda: resnet_tiny((8, 0), (1, 1)), "widths must be at least 1"),
        (lambda: resnet18(trainable_layers=6), "trainable_layers must lie from 0 to 5; got 6"),
        (lambda: FeaturePyramid([4], 8, "p6p7"), "extra must be one of 'pool'; got 'p6p7'"),
        (lambda: FeaturePyramid([4, 4], 8)([drawn(1, 4, 5, 5)]), "one entry for each level"),
    ],
)
def test_what_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()
