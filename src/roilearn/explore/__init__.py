"""Live figures: each explains one idea, in Jupyter and in a page without a kernel.

A figure is a Python class beside its JavaScript module. In Jupyter it is an anywidget; in a built
page the same module runs on its stored state. Needs the extra ``roilearn[explore]``.

The figures, in the order of the chapters: ``interpolation_weights``, ``resize_grids``,
``quantization``, ``pool_and_align`` (and ``pool_and_align_still``, its picture), ``sliding_box``,
``bin_mean``, ``bag_matrix``, ``receptive_field``, ``level_of_box``, ``anchors_at_point``,
``nms_steps`` (and ``nms_steps_still``, its picture), ``detection_targets``, ``paste_mask`` (and
``paste_mask_still``), ``loss_curves``, ``average_precision`` (and ``average_precision_still``),
``error_kinds``, ``layer_differences``.

What they share: ``explorable`` (the base class), ``checks`` (validation of their state), ``maps``
(feature maps to open with), ``scene`` (the example scene as a background, its objects and masks),
``example_detections`` (a dozen detections in two images), and in JavaScript ``common.mjs`` (layout,
controls, dragging), ``operators.mjs`` (the RoI operators), ``boxes.mjs`` (anchors, IoU and deltas),
``pasting.mjs`` (pasting masks) and ``box_gestures.mjs`` (moving and resizing a box).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
