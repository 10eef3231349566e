"""Argument checks, made before any work: each error names the argument, what came, what to do.

They look only at what NumPy arrays and PyTorch tensors share (``ndim``, ``shape``, ``dtype``,
comparisons), so that every telling of an operator answers the same mistake in the same words.
"""

import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any, TypeVar

Array = TypeVar("Array", bound=Any)
BOX_COLUMNS = "batch index, x1, y1, x2, y2"
ROTATED_BOX_COLUMNS = "batch index, centre x, centre y, width, height, angle"
LARGEST_SCALE = 1e9
"""Cells per pixel above which a scale is taken for a mistake: boxes would overflow float32."""


def check_features(input: Any) -> None:
    """Raise unless ``input`` is a floating (N, C, H, W) array that is not empty."""
    check_array("input", input)
    if input.ndim != 4:
        raise ValueError(
            f"input must have 4 dimensions (N, C, H, W); got shape {tuple(input.shape)}. "
            "For a single image pass input[None]."
        )
    check_floating("input", input)
    names = ("channels", "rows", "columns")
    for name, size in zip(names, input.shape[1:], strict=True):
        if size == 0:
            raise ValueError(
                f"input must have at least one of each of {', '.join(names)}; "
                f"got shape {tuple(input.shape)}, which has no {name}."
            )


def check_position_sensitive(input: Any, bins: tuple[int, int]) -> None:
    """Raise unless the channels of ``input`` divide evenly among the bins."""
    number = bins[0] * bins[1]
    if input.shape[1] % number:
        raise ValueError(
            f"input must have a multiple of {number} channels, one map for each of {bins[0]} x "
            f"{bins[1]} bins and output channel; got {input.shape[1]} channels."
        )


def check_array(name: str, value: Any) -> None:
    """Raise unless ``value`` is an array or tensor."""
    if not (hasattr(value, "ndim") and hasattr(value, "dtype")):
        raise TypeError(
            f"{name} must be an array or tensor; got {type(value).__name__}. "
            "Convert it with numpy.array or torch.tensor."
        )


def check_tensor(name: str, value: Any) -> None:
    """Raise unless ``value`` is a PyTorch tensor, told by what only tensors have."""
    if not hasattr(value, "requires_grad"):
        raise TypeError(
            f"{name} must be a torch tensor; got {type(value).__name__}. Pass "
            f"torch.as_tensor({name}), or use roilearn.reference with arrays."
        )


def check_floating(name: str, value: Any) -> None:
    """Raise unless ``value`` holds floating-point numbers of 16 bits or more."""
    if _kind(value.dtype) not in ("float", "bfloat"):
        raise TypeError(
            f"{name} must be floating point; got {value.dtype}. Convert it to float32 first."
        )


def check_real(name: str, value: Any) -> None:
    """Raise unless ``value`` holds real numbers that can be subtracted and compared."""
    tensor = hasattr(value, "requires_grad")
    wide_bytes = tensor and "uint" in str(value.dtype) and value.element_size() > 1
    if _kind(value.dtype) not in ("float", "bfloat", "int", "uint") or wide_bytes:
        raise TypeError(
            f"{name} must hold real numbers that can be computed with; got {value.dtype}. "
            "Convert them to float32 or int64 first."
        )


def check_one_device(**arguments: Any) -> None:
    """Raise unless all tensors among ``arguments``, or in lists there, lie on one device."""
    tensors = [
        (name, tensor)
        for name, value in arguments.items()
        for tensor in (value if _is_list(value) else [value])
        if hasattr(tensor, "requires_grad")
    ]
    for name, tensor in tensors[1:]:
        first, other = tensors[0]
        if tensor.device != other.device:
            raise ValueError(
                f"{name} must lie on the device of {first}; got {tensor.device} and "
                f"{other.device}. Move one with {name}.to({other.device.type!r})."
            )


def check_has_values(name: str, tensor: Any) -> None:
    """Raise if ``tensor`` is on the meta device, where there are shapes alone."""
    if tensor.device.type == "meta":
        raise ValueError(
            f"{name} must hold values, which decide the size of the answer; got a tensor on meta. "
            "Move it to another device."
        )


def check_flag(name: str, value: Any) -> None:
    """Raise unless ``value`` is True or False; any other word would count as True."""
    if type(value).__name__ not in ("bool", "bool_"):
        raise TypeError(f"{name} must be True or False; got {value!r}.")


def check_gradient(gradient: Any, boxes: int, channels: int) -> None:
    """Raise unless ``gradient`` has a row for each box and each channel."""
    if gradient.ndim != 4 or tuple(gradient.shape[:2]) != (boxes, channels):
        raise ValueError(
            f"gradient must have shape ({boxes}, {channels}, height, width), one row a box and "
            f"channel; got shape {tuple(gradient.shape)}."
        )


def check_filled(name: str, value: Array, dimensions: int) -> Array:
    """Return ``value``; raise unless its last ``dimensions`` axes exist and are not empty."""
    check_array(name, value)
    if dimensions == 1 and value.ndim != 1:
        raise ValueError(f"{name} must have 1 dimension; got shape {tuple(value.shape)}.")
    if value.ndim < dimensions or 0 in value.shape[-dimensions:]:
        raise ValueError(
            f"{name} must have {dimensions} dimensions that are not empty; "
            f"got shape {tuple(value.shape)}."
        )
    return value


def check_position(name: str, position: Any) -> Any:
    """Return ``position``; raise unless it is a finite number."""
    if not math.isfinite(position):
        raise ValueError(f"{name} must be a finite index coordinate; got {position}.")
    return position


def check_boxes(boxes: Any, batch_size: int, columns: str = BOX_COLUMNS) -> None:
    """Raise unless ``boxes`` is (K, 5), or a list with one (Ki, 4) array for each image.

    Parameters
    ----------
    columns : names of the columns, which also say how many there are; the first is the image.
    """
    if _is_list(boxes):
        check_box_list(boxes, batch_size, columns)
        return
    check_array("boxes", boxes)
    sides = columns.count(",")
    if boxes.ndim == 2 and boxes.shape[1] == sides + 1:
        return
    advice = "For a single image pass [boxes]." if tuple(boxes.shape[1:]) == (sides,) else ""
    raise ValueError(
        f"boxes must have {sides + 1} columns ({columns}) or be a list of (K, {sides}) arrays; "
        f"got shape {tuple(boxes.shape)}. {advice}".rstrip()
    )


def check_box_list(boxes: Sequence[Any], batch_size: int, columns: str = BOX_COLUMNS) -> None:
    """Raise unless there is one (Ki, 4) array for each of the ``batch_size`` images."""
    _, _, sides = columns.partition(", ")
    for position, image_boxes in enumerate(boxes):
        check_columns(f"boxes[{position}]", image_boxes, sides)
    if len(boxes) != batch_size:
        raise ValueError(
            f"boxes must be a list with one (K, {columns.count(',')}) array for each image of "
            f"input; got a list of {len(boxes)} for a batch of {batch_size}."
        )


def check_four_columns(name: str, boxes: Any) -> None:
    """Raise unless ``boxes`` is a (K, 4) array."""
    check_columns(name, boxes, "x1, y1, x2, y2")


def check_columns(name: str, boxes: Any, columns: str) -> None:
    """Raise unless ``boxes`` has the ``columns`` named, whatever its number of rows."""
    check_array(name, boxes)
    number = columns.count(",") + 1
    if boxes.ndim != 2 or boxes.shape[1] != number:
        raise ValueError(
            f"{name} must have shape (K, {number}), columns {columns}; "
            f"got shape {tuple(boxes.shape)}. Without boxes pass shape (0, {number})."
        )


def check_last_axis(name: str, boxes: Any) -> None:
    """Raise unless ``boxes`` holds four numbers a box along its last axis, however many axes."""
    check_array(name, boxes)
    if boxes.ndim == 0 or boxes.shape[-1] != 4:
        raise ValueError(
            f"{name} must hold 4 numbers a box along the last axis; got shape "
            f"{tuple(boxes.shape)}. Without boxes pass shape (0, 4)."
        )
    check_real(name, boxes)


def check_sides(name: str, boxes: Any) -> None:
    """Raise unless every (K, 4) box is wider and higher than 0, naming the first that is not."""
    x1, y1, x2, y2 = boxes.T
    extended = (x2 > x1) & (y2 > y1)
    if not bool(extended.all()):
        row = _first(~extended)
        raise ValueError(
            f"{name} must be wider and higher than 0; got {_row(boxes, row)} in row {row}. "
            "A logarithm is taken of every side: drop such boxes before the call."
        )


def check_finite(name: str, boxes: Any) -> None:
    """Raise unless every coordinate of ``boxes`` is finite, naming the first row that is not."""
    finite = (abs(boxes) < math.inf).all(-1)
    if not bool(finite.all()):
        row = _first(~finite)
        raise ValueError(
            f"{name} must be finite; got {_row(boxes, row)} in row {row}. "
            "Drop such boxes before the call: they come from a diverged or masked prediction."
        )


def check_box_values(rois: Any, batch_size: int, columns: str = BOX_COLUMNS) -> None:
    """Raise unless every row of the (K, 5) ``rois`` is finite and names an image of the batch."""
    check_finite("boxes", rois)
    index = rois[:, 0]
    known = (index >= 0) & (index < batch_size) & (index % 1 == 0)
    if not bool(known.all()):
        row = _first(~known)
        raise ValueError(
            f"boxes must name an image in column 0, a whole number from 0 to {batch_size - 1}; "
            f"got batch index {float(index[row]):g} in row {row}. The columns are {columns}."
        )


def check_no_negative_size(rois: Any) -> None:
    """Raise unless width and height, columns 3 and 4 of the (K, 6) ``rois``, are at least 0."""
    negative = (rois[:, 3:5] < 0).any(1)
    if bool(negative.any()):
        row = _first(negative)
        raise ValueError(
            f"boxes must have a width and a height of at least 0; got {_row(rois, row)} in row "
            f"{row}. The columns are {ROTATED_BOX_COLUMNS}."
        )


def check_output_size(output_size: Any, name: str = "output_size") -> tuple[int, int]:
    """Return ``output_size`` as (height, width); raise unless both are whole and positive."""
    pair = tuple(output_size) if isinstance(output_size, Sequence) else (output_size, output_size)
    if len(pair) != 2:
        raise ValueError(
            f"{name} must be a whole number or a pair (height, width); got {output_size!r}."
        )
    height, width = (_whole(name, side) for side in pair)
    if height < 1 or width < 1:
        raise ValueError(f"{name} must be at least 1 along both axes; got {output_size!r}.")
    # Sizes of maps and images may be symbols, which a comparison would tie to a range.
    if name in ("output_size", "crop_size") and max(height, width) >= 2**31:
        raise ValueError(f"{name} must be below 2**31 along both axes; got {output_size!r}.")
    return height, width


def check_spatial_scale(spatial_scale: Any) -> float:
    """Return ``spatial_scale`` as a float; raise unless it is positive and not absurdly large."""
    scale = check_number("spatial_scale", spatial_scale)
    if scale > LARGEST_SCALE:
        raise ValueError(
            f"spatial_scale must be finite and at most {LARGEST_SCALE:g}; got {scale:g}. It takes "
            "image pixels to cells: 1 / stride, for example 1 / 16."
        )
    if not scale > 0:
        raise ValueError(
            f"spatial_scale must be finite and positive; got {scale}. It takes image pixels to "
            "cells: 1 / stride, for example 1 / 16."
        )
    return scale


def check_positive(name: str, values: Any) -> tuple[float, ...]:
    """Return ``values``, a number or a sequence, as floats; raise unless all are above 0."""
    many = tuple(values) if _is_list(values) else (values,)
    numbers = tuple(check_number(name, value) for value in many)
    if not many or not all(0 < number < math.inf for number in numbers):
        raise ValueError(f"{name} must be finite and positive numbers; got {values!r}.")
    return numbers


def check_pair(name: str, value: Any) -> tuple[float, float]:
    """Return ``value``, a positive number or a pair of them, as the pair (down, across)."""
    numbers = list(check_positive(name, value))
    if len(numbers) > 2:
        raise ValueError(f"{name} must be a number or a pair (down, across); got {value!r}.")
    return numbers[0], numbers[-1]


def check_levels(**lists: Any) -> None:
    """Raise unless every argument is a sequence, with as many entries as the others."""
    for name, entries in lists.items():
        if not _is_list(entries):
            raise TypeError(
                f"{name} must be a list with one entry for each level; got {entries!r}."
            )
    if len({len(entries) for entries in lists.values()}) > 1:
        lengths = ", ".join(str(len(entries)) for entries in lists.values())
        raise ValueError(
            f"{', '.join(lists)} must have one entry for each level; got {lengths} of them."
        )


def check_weights(weights: Any) -> tuple[float, ...]:
    """Return ``weights`` as floats; raise unless they are four positive numbers."""
    if not _is_list(weights):
        raise TypeError(
            f"weights must be a list of 4 numbers, for dx, dy, dw and dh; got "
            f"{type(weights).__name__}. From a tensor or an array pass weights.tolist()."
        )
    factors = check_positive("weights", weights)
    if len(factors) != 4:
        raise ValueError(
            f"weights must be 4 numbers, for dx, dy, dw and dh; got {len(factors)}: {weights!r}."
        )
    return factors


def check_same_rows(name: str, boxes: Any, other: str, rows: int) -> None:
    """Raise unless ``boxes`` has as many rows as the argument called ``other``."""
    if boxes.shape[0] != rows:
        raise ValueError(
            f"{name} must have a row for each of {other}; got {boxes.shape[0]} rows for {rows}."
        )


def check_deltas(deltas: Any) -> None:
    """Raise unless ``deltas`` is (K, 4), or (K, C, 4) for C classes."""
    check_array("deltas", deltas)
    check_floating("deltas", deltas)
    if deltas.ndim not in (2, 3) or deltas.shape[-1] != 4:
        raise ValueError(
            f"deltas must have shape (K, 4), or (K, C, 4) for C classes; got "
            f"{tuple(deltas.shape)}. From (K, 4 * C) pass deltas.reshape(len(deltas), -1, 4)."
        )


def check_number(name: str, value: Any) -> float:
    """Return ``value`` as a float; raise unless it is one number."""
    if isinstance(value, str | bytes):
        raise TypeError(f"{name} must be a number; got {value!r}.")
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a number; got {type(value).__name__}.") from error


def check_finite_number(name: str, value: Any) -> float:
    """Return ``value`` as a float; raise unless it is finite."""
    number = check_number(name, value)
    if not abs(number) < math.inf:  # torch.compile knows no math.isfinite
        raise ValueError(f"{name} must be a finite number; got {number}.")
    return number


def check_at_least(name: str, value: Any, least: float) -> float:
    """Return ``value`` as a float; raise unless it is at least ``least``; infinity is."""
    number = check_number(name, value)
    if not number >= least:
        raise ValueError(f"{name} must be at least {least:g}; got {number:g}.")
    return number


def check_iou_threshold(iou_threshold: Any) -> float:
    """Return ``iou_threshold`` as a float; raise unless it lies from 0 to 1."""
    threshold = check_number("iou_threshold", iou_threshold)
    if not 0 <= threshold <= 1:
        raise ValueError(
            f"iou_threshold must lie from 0 to 1; got {threshold:g}. Boxes whose intersection "
            "over union is above it suppress each other: 1 keeps all, 0 those that do not meet."
        )
    return threshold


def check_one_a_box(name: str, values: Any, boxes: int) -> None:
    """Raise unless ``values`` is a list of numbers, one for each of the ``boxes``."""
    check_array(name, values)
    if tuple(values.shape) != (boxes,):
        raise ValueError(
            f"{name} must have shape ({boxes},), a number for each of {boxes} boxes; "
            f"got shape {tuple(values.shape)}."
        )


def check_masks(masks: Any) -> None:
    """Raise unless ``masks`` is (N, H, W), with at least one row and one column."""
    check_array("masks", masks)
    if masks.ndim != 3 or 0 in masks.shape[1:]:
        raise ValueError(
            "masks must have shape (N, H, W), at least one row and one column; got shape "
            f"{tuple(masks.shape)}. From (N, 1, H, W) pass masks[:, 0]."
        )


def check_square_masks(masks: Any) -> None:
    """Raise unless ``masks`` is a floating (N, 1, M, M) array."""
    check_array("masks", masks)
    check_floating("masks", masks)
    shape = tuple(masks.shape)
    if masks.ndim != 4 or shape[1] != 1 or shape[2] != shape[3] or shape[2] == 0:
        raise ValueError(
            f"masks must have shape (N, 1, M, M), one square a box; got shape {shape}. Pick each "
            "box's own class from a head's masks first: masks[range(N), labels][:, None]."
        )


def check_padding(padding: Any) -> int:
    """Return ``padding`` as an int; raise unless it is a whole number and not negative."""
    rings = _whole("padding", padding)
    if rings < 0:
        raise ValueError(f"padding must not be negative; got {rings}.")
    return rings


def check_threshold(threshold: Any) -> float | None:
    """Return ``threshold`` as a float, or None; raise unless it is at least 0."""
    if threshold is None:
        return None
    limit = check_number("threshold", threshold)
    if not limit >= 0:
        raise ValueError(f"threshold must be at least 0, the value outside boxes; got {limit}.")
    return limit


def check_whole_numbers(name: str, values: Any) -> None:
    """Raise unless ``values`` holds integers."""
    if "int" not in str(values.dtype):
        raise TypeError(
            f"{name} must hold whole numbers; got {values.dtype}. Convert it to int64 first."
        )


def check_spatial_scales(spatial_scales: Any, maps: int) -> list[float]:
    """Return one scale for each map of a pyramid; raise unless they fall from map to map."""
    if not _is_list(spatial_scales):
        raise TypeError(
            f"spatial_scales must be a list of numbers, one for each map; got {spatial_scales!r}."
        )
    scales = [check_spatial_scale(scale) for scale in spatial_scales]
    if len(scales) != maps:
        raise ValueError(
            f"spatial_scales must hold one number for each of {maps} maps; got {len(scales)}."
        )
    if any(fine <= coarse for fine, coarse in itertools.pairwise(scales)):
        raise ValueError(
            "input must hold maps finest first, each of a smaller spatial scale than the one "
            f"before; got maps of the scales {', '.join(f'{scale:g}' for scale in scales)}."
        )
    return scales


def check_pyramid(maps: Sequence[Any]) -> None:
    """Raise unless ``maps`` are floating (N, C, H, W) arrays of one N, C and dtype."""
    if not maps:
        raise ValueError("input must hold at least one map; got none.")
    for number, features in enumerate(maps):
        check_features(features)
        kinds = [(tuple(m.shape[:2]), m.dtype) for m in (maps[0], features)]
        if kinds[0] != kinds[1]:
            raise ValueError(
                "input must hold maps of the same images, channels and dtype; got "
                f"{kinds[0][0]}, {kinds[0][1]} in map 0 and {kinds[1][0]}, {kinds[1][1]} in map "
                f"{number}."
            )


def check_level_range(min_level: Any, max_level: Any) -> None:
    """Raise unless both are whole numbers and there is a level from one to the other."""
    if _whole("min_level", min_level) > _whole("max_level", max_level):
        raise ValueError(f"min_level must be at most max_level; got {min_level} and {max_level}.")


def check_canonical(canonical_scale: Any, canonical_level: Any) -> None:
    """Raise unless there is a size to measure boxes by, and a whole number for its level."""
    _whole("canonical_level", canonical_level)
    if not 0 < check_number("canonical_scale", canonical_scale) < math.inf:
        raise ValueError(
            f"canonical_scale must be finite and positive, in image pixels; got {canonical_scale}."
        )


def check_image_shapes(image_shapes: Any, images: int) -> list[tuple[int, int]]:
    """Return (height, width) of each image; raise unless there is one for each of ``images``."""
    if not _is_list(image_shapes) or len(image_shapes) != images:
        came = len(image_shapes) if _is_list(image_shapes) else type(image_shapes).__name__
        raise ValueError(
            f"image_shapes must name (height, width) of each of {images} images in a list; got "
            f"{came}."
        )
    for number, shape in enumerate(image_shapes):
        if not _is_list(shape):
            raise TypeError(
                f"image_shapes[{number}] must be a pair (height, width); got {shape!r}. "
                "For one image pass [(height, width)]."
            )
    return [
        check_output_size(shape, f"image_shapes[{number}]")
        for number, shape in enumerate(image_shapes)
    ]


def check_names(name: str, names: Any) -> None:
    """Raise unless ``names`` is a list of at least one name."""
    if not _is_list(names) or not names:
        raise ValueError(f"{name} must be a list of names, at least one; got {names!r}.")


def check_sampling_ratio(sampling_ratio: Any) -> int:
    """Return ``sampling_ratio`` as an int; any value below 1 means adaptive."""
    return _whole("sampling_ratio", sampling_ratio)


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raise unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")


def check_count(name: str, value: Any) -> int:
    """Return ``value`` as an int; raise unless it is a whole number above 0."""
    count = _whole(name, value)
    if count < 1:
        raise ValueError(f"{name} must be at least 1; got {count}.")
    return count


def check_share(name: str, value: Any) -> float:
    """Return ``value`` as a float; raise unless it lies from 0 to 1."""
    share = check_number(name, value)
    if not 0 <= share <= 1:
        raise ValueError(f"{name} must lie from 0 to 1; got {share:g}.")
    return share


def check_matching(
    iou: Any, high: float, low: float, allow_low_quality: bool
) -> tuple[float, float]:
    """Return both thresholds; raise unless ``iou`` is a table and they are in order."""
    check_array("iou", iou)
    check_floating("iou", iou)
    check_flag("allow_low_quality", allow_low_quality)
    if iou.ndim != 2:
        raise ValueError(
            "iou must have shape (T, A), a row for each true box and a column for each anchor; "
            f"got shape {tuple(iou.shape)}."
        )
    high, low = check_share("high", high), check_share("low", low)
    if low > high:
        raise ValueError(f"low must be at most high; got {low:g} and {high:g}.")
    return high, low


def check_predictions(objectness: Any, deltas: Any, anchors: Any, images: int) -> None:
    """Raise unless every level has a logit and four deltas for each image and each anchor."""
    check_levels(objectness=objectness, deltas=deltas, anchors=anchors)
    for level, (logits, moves, boxes) in enumerate(zip(objectness, deltas, anchors, strict=True)):
        check_four_columns(f"anchors[{level}]", boxes)
        expected = (images, boxes.shape[0])
        if tuple(logits.shape) != expected or tuple(moves.shape) != (*expected, 4):
            raise ValueError(
                f"objectness[{level}] and deltas[{level}] must have shapes {expected} and "
                f"{(*expected, 4)}, for {images} images and {boxes.shape[0]} anchors; got "
                f"{tuple(logits.shape)} and {tuple(moves.shape)}."
            )


def check_target(target: Any, *others: str) -> None:
    """Raise unless ``target``, the ground truth of one image, has rows of all that is needed."""
    for name in ("boxes", "labels", *others):
        if name not in target:
            raise ValueError(
                f"target must have {', '.join(('boxes', 'labels', *others))}; {name} is missing "
                f"among {', '.join(map(repr, target)) or 'nothing'}. An image without objects has "
                "no rows of each: boxes (0, 4), labels (0,), masks (0, H, W)."
            )
    boxes = target["boxes"]
    check_four_columns("boxes", boxes)
    check_floating("boxes", boxes)
    for name in ("labels", "iscrowd"):
        if name in target:
            check_one_a_box(name, target[name], len(boxes))
    check_whole_numbers("labels", target["labels"])
    for name in others:
        check_same_rows(name, target[name], "boxes", len(boxes))


def check_scores(scores: Any) -> None:
    """Raise unless the (K, C) ``scores`` of logits are numbers, naming the first bad row."""
    bad = (scores != scores).any(1)  # noqa: PLR0124 - only NaN differs from itself
    if bool(bad.any()):
        raise ValueError(
            f"class_logits must give a score to every class; got NaN in row {_first(bad)}. The "
            "model has diverged, or its weights are no numbers: go back to earlier ones."
        )


def check_labels(labels: Any, least: int, classes: int | None = None) -> None:
    """Raise unless all ``labels`` are at least ``least`` and name one of the ``classes``."""
    known = labels >= least if classes is None else (labels >= least) & (labels < classes)
    if not bool(known.all()):
        row = _first(~known)
        heads = "" if classes is None else f", for heads of {classes} classes with background"
        last = "" if classes is None else f" to {classes - 1}"
        raise ValueError(
            f"labels must be {least}{last or ' or more'}{heads}; got {int(labels[row])} in row "
            f"{row}. Class 0 is background: objects count from 1."
        )


def check_losses(losses: Any) -> None:
    """Raise ``FloatingPointError`` unless every loss is finite, naming the first that is not."""
    for name, loss in losses.items():
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(
                f"{name} is {value}: training has diverged. Go back to weights from before, "
                "lower the learning rate or lengthen its warm-up, and clip gradients."
            )


def check_between(name: str, value: Any, least: int, most: int) -> int:
    """Return ``value`` as an int; raise unless it is a whole number from ``least`` to ``most``."""
    number = _whole(name, value)
    if not least <= number <= most:
        raise ValueError(f"{name} must lie from {least} to {most}; got {number}.")
    return number


def check_images(images: Any) -> None:
    """Raise unless ``images`` is a list of floating (3, H, W) images that are not empty."""
    if not _is_list(images):
        raise TypeError(
            f"images must be a list of (3, H, W) tensors; got {type(images).__name__}. For one "
            "image pass [image], from a batch list(images)."
        )
    if not images:
        raise ValueError("images must hold at least one image; got none.")
    for position, image in enumerate(images):
        name = f"images[{position}]"
        check_tensor(name, image)
        if image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
            raise ValueError(
                f"{name} must have shape (3, H, W), at least one row and one column; got shape "
                f"{tuple(image.shape)}. Colours come first: from (H, W, 3) pass "
                "image.permute(2, 0, 1)."
            )
        if "float" not in str(image.dtype):
            raise TypeError(
                f"{name} must be floating point, values from 0 to 1; got {image.dtype}. "
                "From bytes pass image / 255."
            )


def check_one_an_image(name: str, entries: Any, images: int) -> None:
    """Raise unless ``entries`` is a list with one entry for each of the ``images``."""
    if not _is_list(entries) or len(entries) != images:
        came = f"{len(entries)} of them" if _is_list(entries) else type(entries).__name__
        raise ValueError(
            f"{name} must be a list with one entry for each of {images} images; got {came}."
        )


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number; got {value!r}, a bool.")
    if isinstance(value, int) or type(value).__name__ == "SymInt":
        return value  # a symbol, too: as a number it would tie a traced graph to one size
    try:
        return operator.index(value)
    except TypeError as error:
        raise TypeError(
            f"{name} must be a whole number; got {value!r}, a {type(value).__name__}."
        ) from error


def _kind(dtype: Any) -> str:
    """Name of a dtype without its bits: float, bfloat, int, uint, complex, bool."""
    return str(dtype).removeprefix("torch.").rstrip("0123456789")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _first(mask: Any) -> int:
    return int(mask.nonzero()[0][0])


def _row(rois: Any, row: int) -> str:
    return "[" + ", ".join(f"{float(value):g}" for value in rois[row]) + "]"
