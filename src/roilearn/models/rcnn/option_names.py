"""Options of detectors under torchvision's names, and our older names of the same options."""

from collections.abc import Iterator, Mapping
from typing import Any

from roilearn.arguments import check_known_options, check_one_name

BOX_OPTIONS = {
    "positive_iou": ("box_fg_iou_thresh", "box_bg_iou_thresh"),
    "negative_iou": ("box_bg_iou_thresh",),
    "batch_size_per_image": ("box_batch_size_per_image",),
    "positive_fraction": ("box_positive_fraction",),
    "delta_weights": ("bbox_reg_weights",),
    "score_threshold": ("box_score_thresh",),
    "nms_threshold": ("box_nms_thresh",),
    "detections_per_image": ("box_detections_per_img",),
}
"""Fields of ``HeadOptions``, and torchvision's names of them. ``positive_iou`` alone says that
every proposal is positive or background, so it gives both of torchvision's thresholds."""
RPN_OPTIONS = {
    "positive_iou": "rpn_fg_iou_thresh",
    "negative_iou": "rpn_bg_iou_thresh",
    "batch_size_per_image": "rpn_batch_size_per_image",
    "positive_fraction": "rpn_positive_fraction",
    "pre_nms_top_n": "rpn_pre_nms_top_n",
    "post_nms_top_n": "rpn_post_nms_top_n",
    "nms_threshold": "rpn_nms_thresh",
    "min_size": "rpn_min_size",
    "score_threshold": "rpn_score_thresh",
}
"""Options of ``RegionProposalNetwork``, the keys of ``rpn_options``, by their detector's names."""
MODES = {"training": "train", "testing": "test"}
OUR_NAMES = (*BOX_OPTIONS, "rpn_options", "rpn_pre_nms_top_n", "rpn_post_nms_top_n")
"""Names beyond torchvision's under which detectors take options."""


def torchvision_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """Translate options into torchvision's names; those that it lacks keep theirs.

    Raises
    ------
    TypeError: one option under two names; an unknown key of ``rpn_options``.

    Examples
    --------
    >>> torchvision_names({"score_threshold": 0.2, "rpn_options": {"nms_threshold": 0.6}})
    {'box_score_thresh': 0.2, 'rpn_nms_thresh': 0.6}
    """
    named, given_as = {}, {}
    for given, name, value in translations(options):
        if name in named:
            check_one_name(given_as[name], given)
        named[name], given_as[name] = value, given
    return named


def translations(options: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield the name under which each option was given, torchvision's name, and the value."""
    for given, value in options.items():
        if given == "rpn_options":
            check_known_options(value or (), RPN_OPTIONS, "the region proposal network")
            for each, setting in (value or {}).items():
                yield from one_per_mode(f"rpn_options[{each!r}]", RPN_OPTIONS[each], setting)
        elif given == "positive_iou" and options.get("negative_iou") is not None:
            yield given, "box_fg_iou_thresh", value
        elif given in BOX_OPTIONS:
            if given == "negative_iou" and value is None:
                continue
            for name in BOX_OPTIONS[given]:
                yield given, name, value
        else:
            yield from one_per_mode(given, given, value)


def one_per_mode(given: str, name: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield a number of proposals for training and one for testing, where a dictionary has both."""
    if name not in ("rpn_pre_nms_top_n", "rpn_post_nms_top_n"):
        yield given, name, value
        return
    check_known_options(value, MODES, given)
    for mode, number in value.items():
        yield given, f"{name}_{MODES[mode]}", number
