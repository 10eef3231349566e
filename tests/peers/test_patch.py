"""`roilearn.patch()`: torchvision's operators become ours for every caller, and are restored."""

import threading

import numpy as np
import pytest
import torch
import torchvision
from boxes import draw
from torchvision.ops import nms, ps_roi_align, ps_roi_pool, roi_align, roi_pool

import roilearn
from roilearn import ops, patching, patching_limits, patching_rule
from roilearn.bench.detectors.mask_rcnn import make_image
from roilearn.bench.detectors.patched_mask_rcnn import detect, mask_rcnn

SHAPE = (2, 12, 9, 13)
FEATURES = torch.tensor(np.random.RandomState(0).randn(*SHAPE)).float()
ROIS = torch.tensor(draw("border", 30, SHAPE))
CALLS = {  # imported before any patch
    "roi_align": lambda x, b: roi_align(x, b, (3, 2), 0.5, 2, True),
    "roi_pool": lambda x, b: roi_pool(x, b, (3, 2), 0.5),
    "ps_roi_align": lambda x, b: ps_roi_align(x, b, (3, 2), 0.5, 2),
    "ps_roi_pool": lambda x, b: ps_roi_pool(x, b, (3, 2), 0.5),
}
OURS = {
    "roi_align": lambda x, b: ops.roi_align(x, b, (3, 2), 0.5, 2, True),
    "roi_pool": lambda x, b: ops.roi_pool(x, b, (3, 2), 0.5),
    "ps_roi_align": lambda x, b: ops.ps_roi_align(x, b, (3, 2), 0.5, 2),
    "ps_roi_pool": lambda x, b: ops.ps_roi_pool(x, b, (3, 2), 0.5),
}


def answers(call):
    """Output and gradient of a call, and its output in inference mode."""
    features = FEATURES.clone().requires_grad_()
    output = call(features, ROIS)
    (gradient,) = torch.autograd.grad(output.square().sum(), features)
    with torch.inference_mode():
        return output, gradient, call(FEATURES, ROIS)


def equal(some, others):
    return all(torch.equal(one, other) for one, other in zip(some, others, strict=True))


@pytest.fixture
def all_to_ours(monkeypatch):
    """Hand no call on to torchvision, however small it is."""
    always = dict.fromkeys(patching_rule.OURS_FROM, patching_limits.OursFrom(0, 0))
    monkeypatch.setattr(patching_rule, "OURS_FROM", always)
    monkeypatch.setattr(patching_rule, "OURS_FROM_BOXES", 0)
    monkeypatch.setattr(patching_rule, "MAPS_TO_OUTPUT", np.inf)


@pytest.mark.usefixtures("all_to_ours")
@pytest.mark.parametrize("name", CALLS)
def test_names_imported_before_answer_with_ours_and_then_with_theirs_again(name):
    before = answers(CALLS[name])
    with roilearn.patch():
        assert equal(answers(CALLS[name]), answers(OURS[name]))
        assert not equal(answers(CALLS[name]), before) or name == "roi_pool"
    assert equal(answers(CALLS[name]), before)


@pytest.mark.parametrize("name", CALLS)
def test_a_small_call_is_torchvisions_to_the_bit(name):
    before = answers(CALLS[name])
    with roilearn.patch():
        assert equal(answers(CALLS[name]), before)


@pytest.mark.parametrize("name", CALLS)
def test_a_large_call_is_ours_to_the_bit(name, monkeypatch):
    """Of as many channels and numbers as the rule asks for, and of one less of either."""
    channels, numbers = (
        (2, len(ROIS) * 2 * 6) if name.startswith("ps_") else (12, len(ROIS) * 12 * 6)
    )
    theirs, ours = answers(CALLS[name]), answers(OURS[name])
    assert name == "roi_pool" or not equal(theirs, ours)
    for more_channels, more_numbers in ((0, 0), (1, 0), (0, 1)):
        least = patching_limits.OursFrom(channels + more_channels, numbers + more_numbers)
        monkeypatch.setitem(patching_rule.OURS_FROM, name, least)
        with roilearn.patch():
            wanted = theirs if more_channels or more_numbers else ours
            assert equal(answers(CALLS[name]), wanted)


@pytest.mark.parametrize(("boxes", "handed_on"), [(91, True), (92, False)])
def test_few_boxes_on_a_large_map_are_handed_on(boxes, handed_on):
    """The map has 5.76 million numbers, a twentieth of which are those of 91.8 boxes."""
    features = torch.rand(1, 64, 300, 300)
    some = torch.tensor(draw("inside", boxes, features.shape))
    call = SLOW_HERE["roi_align"]
    theirs = call(features, some)
    with roilearn.patch():
        assert torch.equal(call(features, some), theirs) == handed_on


SLOW_HERE = {  # many boxes of few channels, in which ours takes longer than torchvision's kernel
    "roi_align": lambda x, b: roi_align(x, b, 7, 1.0, 2, True),
    "roi_align, adaptive": lambda x, b: roi_align(x, b, 7, 1.0, -1, True),
    "roi_pool": lambda x, b: roi_pool(x, b, 7, 1.0),
    "ps_roi_align": lambda x, b: ps_roi_align(x, b, 7, 1.0, 2),
    "ps_roi_align, adaptive": lambda x, b: ps_roi_align(x, b, 7, 1.0, -1),
    "ps_roi_pool": lambda x, b: ps_roi_pool(x, b, 7, 1.0),
}


@pytest.mark.parametrize("channels", [1, 3, 7])
@pytest.mark.parametrize("name", SLOW_HERE)
def test_few_channels_of_many_boxes_are_handed_on_with_and_without_gradients(
    name, channels, monkeypatch
):
    call, bins = SLOW_HERE[name], 49 if name.startswith("ps_") else 1
    rois = torch.tensor(draw("border", 2000, (2, 1, 9, 13)))
    features = torch.rand(2, channels * bins, 9, 13)

    def ours(*_, **__):
        raise AssertionError("a call came to ours")

    with monkeypatch.context() as watch, roilearn.patch():
        for operator in OURS:
            watch.setattr(patching.ops, operator, ours)
        call(features, rois)
        recorded = call(features.requires_grad_(), rois)
        torch.autograd.grad(recorded.sum(), features)


def test_what_is_handed_on_for_autograd_is_not_decided_anew(monkeypatch):
    """torchvision's backward pass reads which cell won, which ours does not say."""
    before, asked = answers(CALLS["roi_pool"]), []

    def keeps(_, key, *__):
        asked.append(key)
        return key == "AutogradCPU"

    monkeypatch.setattr(patching, "_keeps", keeps)
    with roilearn.patch():
        features = FEATURES.clone().requires_grad_()
        roi_pool(features, ROIS, 2)
        assert asked == ["AutogradCPU"]
        with pytest.raises((IndexError, RuntimeError)):  # torchvision 0.29 raises the second
            roi_pool(features[0], ROIS, 2)
        with torch.inference_mode():
            roi_pool(FEATURES, ROIS, 2)
        assert asked == ["AutogradCPU", "AutogradCPU", "CPU"]  # also after an exception
        assert equal(answers(CALLS["roi_pool"]), before)


@pytest.mark.parametrize("row", [1, 2, 3, 4])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_small_call_with_a_box_that_is_not_finite_raises(row, value):
    rois = ROIS.clone()
    rois[3, row] = value
    with (
        roilearn.patch(),
        pytest.raises(ValueError, match=r"boxes must be finite; got .* in row 3"),
    ):
        roi_align(FEATURES, rois, 2)
    with (
        roilearn.patch(),
        pytest.raises(ValueError, match=r"boxes must be finite; got .* in row 3"),
    ):
        nms(rois[:, 1:], rois[:, 0], 0.5)


@pytest.mark.parametrize("index", [-1, 2, 0.5, torch.nan])
def test_a_small_call_with_a_bad_batch_index_raises(index):
    rois = ROIS.clone()
    rois[3, 0] = index
    with roilearn.patch(), pytest.raises(ValueError, match="in row 3"):
        roi_pool(FEATURES, rois, 2)


def test_a_small_call_with_a_box_of_more_samples_than_fit_in_memory_raises():
    rois = torch.tensor([[0, 0, 0, 1e9, 1e9]])
    with roilearn.patch(), pytest.raises(ValueError, match="small enough to sample"):
        roi_align(FEATURES, rois, 2)


def test_small_nms_takes_no_nan_and_no_threshold_below_zero():
    boxes = torch.tensor([[0.0, 0, 4, 4], [9, 9, 12, 12]])
    with roilearn.patch():
        with pytest.raises(ValueError, match="scores must be numbers"):
            nms(boxes, torch.tensor([1.0, torch.nan]), 0.5)
        with pytest.raises(ValueError, match="iou_threshold must be a number"):
            nms(boxes, torch.ones(2), torch.nan)
        assert nms(boxes, torch.ones(2), -0.5).tolist() == [0]
        assert nms(boxes, torch.tensor([-torch.inf, torch.inf]), 0.5).tolist() == [1, 0]


@pytest.mark.usefixtures("all_to_ours")
def test_nms_too(monkeypatch):
    boxes, scores = ROIS[:, 1:], torch.arange(30.0)
    before = nms(boxes, scores, 0.3)
    asked = []
    import roilearn.patching as module  # noqa: PLC0415

    real = ops.nms
    with monkeypatch.context() as watch:
        watch.setattr(module.ops, "nms", lambda *call: asked.append(1) or real(*call))
        with roilearn.patch():
            assert torch.equal(nms(boxes, scores, 0.3), before)
            torchvision.ops.batched_nms(boxes, scores, torch.zeros(30).long(), 0.3)
    assert len(asked) == 2
    assert torch.equal(nms(boxes, scores, 0.3), before)
    assert len(asked) == 2


def gives_box_gradients():
    rois = ROIS.clone().requires_grad_()
    roi_align(FEATURES, rois, 2, 0.5, 2).sum().backward()
    return rois.grad is not None


def test_boxes_get_gradients_while_it_lasts():
    assert not gives_box_gradients()
    with roilearn.patch():
        assert gives_box_gradients()
    assert not gives_box_gradients()


def test_as_a_function_nested_repeated_and_through_an_exception():
    undo = roilearn.patch()
    with roilearn.patch():
        assert gives_box_gradients()
    assert gives_box_gradients()  # the outer one is still open
    undo()
    undo()
    assert not gives_box_gradients()
    with pytest.raises(KeyError), roilearn.patch():
        raise KeyError
    assert not gives_box_gradients()


def test_a_patch_that_was_undone_can_be_entered_again():
    again = roilearn.patch()
    again()
    with again:
        assert gives_box_gradients()
    assert not gives_box_gradients()


def test_other_threads_are_patched_too():
    seen = []
    with roilearn.patch():
        thread = threading.Thread(target=lambda: seen.append(gives_box_gradients()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_a_bad_box_raises_where_torchvision_reads_foreign_memory():
    rois = ROIS.clone()
    rois[3, 0] = 7
    with roilearn.patch(), pytest.raises(ValueError, match="got batch index 7 in row 3"):
        roi_align(FEATURES, rois, 2)


def test_autocast_keeps_its_dtypes():
    half = FEATURES.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        theirs = roi_align(half, ROIS, 2, 0.5, 2)
        with roilearn.patch():
            ours = roi_align(half, ROIS, 2, 0.5, 2)
    assert ours.dtype == theirs.dtype == torch.bfloat16
    torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-2)


def test_torchvisions_mask_rcnn_detects_the_same():
    limits = {"rpn_post_nms_top_n_test": 60, "box_detections_per_img": 12, "min_size": 160}
    images = [make_image(160, 208)]
    model = mask_rcnn(images, **limits)
    (theirs,), (ours,) = (detect(model, images, patched=patched) for patched in (False, True))
    assert len(ours["boxes"]) == 12
    assert torch.equal(ours["labels"], theirs["labels"])
    torch.testing.assert_close(ours["boxes"], theirs["boxes"], rtol=0, atol=1e-3)
    torch.testing.assert_close(ours["scores"], theirs["scores"], rtol=0, atol=1e-4)
    torch.testing.assert_close(ours["masks"], theirs["masks"], rtol=0, atol=1e-4)


def test_as_a_decorator_it_holds_while_the_function_runs():
    @roilearn.patch()
    def pool(features, *, boxes):
        """Pool."""
        return torchvision.ops.roi_align(features, boxes, 2)

    def gives_boxes_a_gradient(call):
        boxes = torch.tensor([[0.0, 1, 1, 6, 6]], requires_grad=True)
        call(torch.rand(1, 1, 8, 8, requires_grad=True), boxes=boxes).sum().backward()
        return boxes.grad is not None

    def plain(features, boxes):
        return torchvision.ops.roi_align(features, boxes, 2)

    for _ in range(2):
        assert not gives_boxes_a_gradient(plain)
        assert gives_boxes_a_gradient(pool)
    assert (pool.__name__, pool.__doc__) == ("pool", "Pool.")
    with pytest.raises(TypeError, match=r"function must be a function to decorate; got int"):
        roilearn.patch()(3)
    assert not gives_boxes_a_gradient(plain)
