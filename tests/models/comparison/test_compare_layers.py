"""Two models layer by layer: the first difference is named, and nothing is left behind."""

import copy

import pytest
import torch
from torch import nn

from roilearn.models import compare_layers, load_model
from roilearn.models.comparison.differences import relative_difference, shape_text
from roilearn.models.comparison.recording import record_calls, tensors_in


class Blocks(nn.Module):
    """A network with a layer that is called twice, one that writes into its input, and a dict."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True))
        self.shared = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 2)
        self.factor = factor

    def forward(self, image):
        first = self.stem(image)
        second = self.shared(nn.functional.avg_pool2d(first, 2))
        hidden = {"fine": self.shared(first).mean((2, 3)), "coarse": second.mean((2, 3))}
        return self.head(hidden["fine"] + self.factor * hidden["coarse"])


@pytest.fixture
def pair():
    torch.manual_seed(0)
    ours = Blocks().eval()
    return ours, copy.deepcopy(ours)


@pytest.fixture
def image():
    return torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def verdicts(comparison):
    return {layer.name: layer.verdict for layer in comparison.layers}


def hooks_of(model):
    return sum(
        len(layer._forward_hooks) + len(layer._forward_pre_hooks) for layer in model.modules()
    )


def test_a_copy_is_the_same_in_every_layer(pair, image):
    found = compare_layers(*pair, image)
    assert found.first is None
    assert set(verdicts(found).values()) == {"same"}
    assert list(verdicts(found)) == [
        *("stem.0", "stem.1", "stem", "shared", "shared, call 2", "head", "(model)")
    ]
    assert all(layer.difference == layer.input_difference == 0 for layer in found.layers)
    assert str(found) == "No difference above 1e-04 in 7 calls of layers."


def test_the_first_layer_that_differs_is_told_from_those_after_it(pair, image):
    ours, theirs = pair
    with torch.no_grad():
        theirs.shared.bias += 0.5
    found = compare_layers(ours, theirs, image)
    assert found.first.name == "shared"
    assert found.first.input_difference == 0
    assert verdicts(found) == {
        **dict.fromkeys(("stem.0", "stem.1", "stem"), "same"),
        **dict.fromkeys(("shared", "shared, call 2"), "made here"),
        "head": "input differs",
        "(model)": "made inside",
    }


def test_what_a_module_does_between_its_layers_is_its_own_difference(image):
    torch.manual_seed(0)
    ours = nn.Sequential(Blocks()).eval()
    theirs = copy.deepcopy(ours)
    theirs[0].factor = 2.0
    found = compare_layers(ours, theirs, image)
    assert verdicts(found)["0.head"] == "input differs"
    assert found.first.name == "0"  # no layer inside it has made the difference
    assert verdicts(found)["(model)"] == "made inside"


def test_a_layer_that_writes_into_its_input_does_not_spoil_the_record(pair, image):
    ours, theirs = pair
    theirs.stem[1] = nn.LeakyReLU(0.5, inplace=True).eval()
    found = compare_layers(ours, theirs, image)
    assert (found.first.name, found["stem.0"].difference) == ("stem.1", 0)
    assert found["stem.1"].input_difference == 0


def test_an_input_is_kept_once_if_it_is_an_output(pair, image):
    calls = record_calls(pair[0], image)
    inputs = {key.name: tensors for key, tensors in calls.inputs.items()}
    outputs = {key.name: tensors for key, tensors in calls.outputs.items()}
    assert inputs["stem.1"][0] is outputs["stem.0"][0]
    assert outputs["stem.0"][0].min() < 0 <= outputs["stem.1"][0].min()


@pytest.mark.parametrize("broken", [0, 1])
def test_an_error_leaves_no_hooks_and_no_random_numbers_used(pair, image, broken):
    class Fails(nn.Module):
        def forward(self, _):
            torch.rand(3)
            raise ZeroDivisionError("by nothing")

    pair[broken].head = Fails().eval()
    torch.manual_seed(5)
    expected = torch.random.get_rng_state()
    with pytest.raises(ZeroDivisionError, match="by nothing"):
        compare_layers(*pair, image)
    assert [hooks_of(model) for model in pair] == [0, 0]
    assert torch.equal(torch.random.get_rng_state(), expected)
    assert torch.is_grad_enabled()


def test_nothing_is_left_behind(pair, image):
    class Noise(nn.Module):
        def forward(self, values):
            return values + torch.rand_like(values)

    before = copy.deepcopy(image)
    for model in pair:
        model.head = nn.Sequential(model.head, Noise()).eval()
    states = [copy.deepcopy(model.state_dict()) for model in pair]
    torch.manual_seed(3)
    expected = torch.random.get_rng_state()
    found = compare_layers(*pair, image)
    assert found.first is None  # both drew the same random numbers
    assert torch.equal(torch.random.get_rng_state(), expected)
    assert torch.equal(image, before)
    for model, state in zip(pair, states, strict=True):
        assert hooks_of(model) == 0
        assert not any(layer.training for layer in model.modules())
        assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())


def test_images_that_a_model_changes_are_whole_for_the_other():
    class Halves(nn.Module):
        def forward(self, images):
            return images[0].mul_(0.5)

    images = [torch.ones(3)]
    assert compare_layers(Halves().eval(), Halves().eval(), images).first is None
    assert images[0].tolist() == [1, 1, 1]


def test_names_lead_to_layers_of_another_name_and_leave_some_out(pair, image):
    ours, theirs = pair
    other = nn.Module()
    other.net, other.classifier = nn.Sequential(theirs.stem, theirs.shared), theirs.head

    def forward(image):
        first = other.net[0](image)
        hidden = [other.net[1](first), other.net[1](nn.functional.avg_pool2d(first, 2))]
        return other.classifier(sum(each.mean((2, 3)) for each in hidden))

    other.forward = forward
    other.eval()
    names = {"stem": "net.0", "shared": None, "head": "classifier"}
    found = compare_layers(ours, other, image, names=names)
    assert found.first is None
    assert list(verdicts(found)) == ["stem.0", "stem.1", "stem", "head", "(model)"]
    assert found.only_ours == ()
    assert set(found.only_theirs) == {"net.1", "net.1, call 2"}
    assert "Only in the second model: net.1, net.1, call 2" in str(found)


def test_layers_of_one_model_alone_are_named(pair, image):
    ours, theirs = pair
    theirs.head = nn.Sequential(theirs.head, nn.Identity()).eval()
    found = compare_layers(ours, theirs, image)
    assert (found.only_ours, found.only_theirs) == ((), ("head.0", "head.1"))
    found = compare_layers(theirs, ours, image)
    assert (found.only_ours, found.only_theirs) == (("head.0", "head.1"), ())


def test_an_output_of_another_shape_is_a_difference_with_both_shapes(pair, image):
    ours, theirs = pair
    theirs.head = nn.Linear(4, 3).eval()
    found = compare_layers(ours, theirs, image)
    row = found.first
    assert (
        str(found) == "First difference: head. Its input is the same, its output has another size."
    )
    assert found.table().splitlines()[-3].split() == [
        *("head", "2x2", "/", "2x3", "other", "size", "made", "here")
    ]
    assert (row.name, row.difference, row.verdict) == ("head", float("inf"), "made here")
    assert row.shapes == "2x2 / 2x3"


def test_tolerance_is_the_limit(pair, image):
    ours, theirs = pair
    with torch.no_grad():
        theirs.head.weight *= 1 + 1e-3
        theirs.head.bias *= 1 + 1e-3
    assert compare_layers(ours, theirs, image, tolerance=1e-2).first is None
    assert compare_layers(ours, theirs, image, tolerance=1e-4).first.name == "head"


def test_a_table_shows_layers_to_a_depth(pair, image):
    found = compare_layers(*pair, image)
    lines = found.table(1).splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [
        *("stem", "shared", "shared,", "head", "(model)")
    ]
    assert len(found.table(2).splitlines()) == 8
    assert [line.split()[-1] for line in lines[:-1]] == ["same"] * 5
    with pytest.raises(KeyError, match="no layer 'tail' was called"):
        found["tail"]


@pytest.mark.parametrize("which", [0, 1])
def test_a_model_in_training_is_refused(pair, image, which):
    pair[which].head.train()
    name = ("ours", "theirs")[which]
    with pytest.raises(ValueError, match=rf"{name} must be in evaluation mode.*{name}\.eval\(\)"):
        compare_layers(*pair, image)


@pytest.mark.parametrize(
    ("names", "words"),
    [({"body": "stem"}, "ours has no layer 'body'"), ({"stem": "body"}, "theirs has no layer")],
)
def test_names_that_do_not_exist_are_refused(pair, image, names, words):
    with pytest.raises(ValueError, match=words):
        compare_layers(*pair, image, names=names)


def test_models_without_a_common_name_are_refused(pair, image):
    with pytest.raises(ValueError, match="must have a layer of the same name"):
        compare_layers(pair[0], nn.Sequential(nn.Conv2d(3, 4, 1)).eval(), image)


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf")])
def test_a_tolerance_that_is_none_is_refused(pair, image, tolerance):
    with pytest.raises(ValueError, match="tolerance must be"):
        compare_layers(*pair, image, tolerance=tolerance)


def test_arguments_of_other_kinds_are_refused(pair, image):
    with pytest.raises(TypeError, match="theirs must be a Module; got NoneType"):
        compare_layers(pair[0], None, image)
    with pytest.raises(TypeError, match="names must be a Mapping; got list"):
        compare_layers(*pair, image, names=["stem"])
    with pytest.raises(TypeError, match="tolerance must be a number; got 'x'"):
        compare_layers(*pair, image, tolerance="x")


def test_every_tensor_is_measured_by_its_own_size():
    boxes, scores = torch.tensor([[0.0, 0, 400, 300]]), torch.tensor([0.8])
    assert relative_difference([boxes, scores], [boxes, 0.99 * scores]) == pytest.approx(
        0.01, rel=1e-5
    )
    assert relative_difference([boxes, scores], [1.01 * boxes, scores]) == pytest.approx(
        1 / 101, rel=1e-5
    )
    assert relative_difference([scores], [2 * scores]) == 0.5
    complex_ones = torch.tensor([1 + 1j]), torch.tensor([1 + 0.5j])
    assert relative_difference(*([one] for one in complex_ones)) == 0.5


def test_numbers_that_are_none_differ_unless_both_are():
    nan, one = torch.tensor([float("nan"), 1.0]), torch.tensor([1.0, 1.0])
    assert relative_difference([nan], [nan]) == 0
    assert relative_difference([nan], [one]) == relative_difference([one], [nan]) == float("inf")
    infinite = torch.tensor([float("inf"), 1.0])
    assert relative_difference([infinite], [infinite]) == 0
    assert relative_difference([infinite], [one]) == float("inf")
    assert relative_difference([infinite], [torch.tensor([float("inf"), 2.0])]) == 0.5
    assert relative_difference([nan], [torch.tensor([float("nan"), 2.0])]) == 0.5
    assert relative_difference([], []) == relative_difference([one[:0]], [one[:0]]) == 0
    assert relative_difference([torch.tensor([4])], [torch.tensor([3])]) == 0.25
    assert relative_difference([torch.zeros(2, 3)], [torch.ones(3), torch.zeros(3)]) == 1


def test_shapes_and_structures_as_text():
    assert shape_text([]) == "no tensor"
    assert shape_text([torch.tensor(1.0)]) == "1"
    batch = type("Batch", (), {"tensors": torch.zeros(1), "sizes": [(2, 3)]})()
    assert len(tensors_in((batch, None, {"a": [torch.zeros(2)]}, "text", 3))) == 2


def test_detectors_are_compared_from_the_image_to_the_masks():
    model, _ = load_model("SHAPES")
    model.eval()
    port = copy.deepcopy(model)
    port.rpn.nms_threshold = 0.3  # a function between the layers of the network
    found = compare_layers(model, port, [torch.rand(3, 90, 120)])
    assert found.first.name == "rpn"
    assert found["rpn.head"].verdict == found["rpn.anchor_generator"].verdict == "same"


def test_of_many_layers_of_one_model_alone_two_are_named(pair, image):
    ours, theirs = pair
    theirs.head = nn.Sequential(theirs.head, *(nn.Identity() for _ in range(4))).eval()
    said = str(compare_layers(ours, theirs, image))
    assert said.endswith("Only in the second model: head.0, head.1 and 3 more")
