"""`roilearn.patch()`: torchvision's operators become ours for every caller, and are restored."""

import threading

import numpy as np
import pytest
import torch
import torchvision
from boxes import draw
from torchvision.ops import nms, ps_roi_align, ps_roi_pool, roi_align, roi_pool

import roilearn
from roilearn import ops
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


@pytest.mark.parametrize("name", CALLS)
def test_names_imported_before_answer_with_ours_and_then_with_theirs_again(name):
    before = answers(CALLS[name])
    with roilearn.patch():
        assert equal(answers(CALLS[name]), answers(OURS[name]))
        assert not equal(answers(CALLS[name]), before) or name == "roi_pool"
    assert equal(answers(CALLS[name]), before)


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
