"""How far this package lies from torchvision's CUDA kernels, on any machine.

A GPU's answers were recorded once (``roilearn.records``). Until they are, the functions here say
that there is no record.
"""

import importlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from types import ModuleType

import numpy as np

from roilearn.records import Case, Record, read

GRADIENT_OF: dict[str, dict[str, bool]] = {"ps_roi_pool": {"read_last": True}}
"""Options under which our gradient is torchvision's, where it is not that of its own output: its
``ps_roi_pool`` pays the last row and column, which it never read."""

NUDGE = 2.0**-16
"""Cells by which a box is moved to see both sides of a knife edge; every input lies on 1/64."""


KERNEL = "kernel "
"""Before the name of a part: what our kernels answered on the GPU, not torchvision's."""


def answer(case: Case, telling: str) -> dict[str, np.ndarray]:
    """Give the answer of a telling to the inputs of ``case``.

    Parameters
    ----------
    telling : ``"reference"``, ``"ops"``, or ``"kernels"`` in Triton's interpreter.
    """
    module = importlib.import_module(f"roilearn.{telling}")
    if telling == "reference":
        return _answer_of_arrays(module, case)
    return _answer_of_tensors(module, case)


def _answer_of_arrays(module: ModuleType, case: Case) -> dict[str, np.ndarray]:
    function, inputs = getattr(module, case.operator), case.inputs
    if "upstream" not in inputs:
        return {"forward": np.asarray(function(inputs["boxes"], inputs["scores"], **case.options))}
    if case.group == "pyramid":
        return _answer_of_arrays_to_a_pyramid(module, case)
    features, boxes = inputs["features"], inputs["boxes"]
    options = {name: value for name, value in case.options.items() if name != "output_size"}
    backward = getattr(module, f"{case.operator}_backward")
    return {
        "forward": function(features, boxes, **case.options),
        "gradient": backward(
            inputs["upstream"], features, boxes, **options, **GRADIENT_OF.get(case.operator, {})
        ),
    }


def _answer_of_arrays_to_a_pyramid(module: ModuleType, case: Case) -> dict[str, np.ndarray]:
    """Pool and pay level by level; the gradients to all maps end to end, as they are recorded."""
    options, boxes = case.options, case.inputs["boxes"]
    maps, scales = [case.inputs[name] for name in _maps(case)], options["spatial_scales"]
    first = round(-np.log2(scales[0]))
    levels = (options["canonical_scale"], options["canonical_level"])
    which = module.assign_levels(boxes[:, 1:], first, first + len(maps) - 1, *levels) - first
    gradients = [
        module.roi_align_backward(
            case.inputs["upstream"][which == number],
            level_map,
            boxes[which == number],
            scales[number],
            options["sampling_ratio"],
        )
        for number, level_map in enumerate(maps)
    ]
    return {
        "forward": module.multi_scale_roi_align(maps, boxes, **options),
        "gradient": np.concatenate([gradient.ravel() for gradient in gradients]),
    }


def _maps(case: Case) -> list[str]:
    """Names of the levels of a pyramid among the inputs."""
    return sorted(name for name in case.inputs if name.startswith("map"))


def _answer_of_tensors(module: ModuleType, case: Case) -> dict[str, np.ndarray]:
    torch, function = importlib.import_module("torch"), getattr(module, case.operator)
    tensors = {name: torch.from_numpy(values.copy()) for name, values in case.inputs.items()}
    if "upstream" not in tensors:
        return {"forward": function(tensors["boxes"], tensors["scores"], **case.options).numpy()}
    if case.group == "pyramid":
        maps = [tensors[name].requires_grad_() for name in _maps(case)]
        output = function(maps, tensors["boxes"], **case.options)
        gradients = torch.autograd.grad(output, maps, tensors["upstream"])
        flat = np.concatenate([gradient.numpy().ravel() for gradient in gradients])
        return {"forward": output.detach().numpy(), "gradient": flat}
    features = tensors["features"].requires_grad_()
    output = function(features, tensors["boxes"], **case.options)
    paid = output
    if case.operator in GRADIENT_OF and module.__name__.startswith("roilearn"):
        options = case.options | GRADIENT_OF[case.operator]
        paid = function(features, tensors["boxes"], **options)
    (gradient,) = torch.autograd.grad(paid, features, tensors["upstream"])
    return {"forward": output.detach().numpy(), "gradient": gradient.numpy()}


def gap(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference where the recorded value is finite; infinite for unequal shapes."""
    if ours.shape != theirs.shape:
        return float("inf")
    finite = np.isfinite(theirs)
    apart = np.abs(ours[finite].astype(float) - theirs[finite])
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0))


def differences(record: Record, operator: str, telling: str) -> Iterator[tuple[Case, str, float]]:
    """Yield case, part and largest difference, over the cases that hang on no rounding.

    A part is ``forward`` or ``gradient``; with ``kernel`` before it, of what the kernels of this
    package answered there.
    """
    for case in (*record.of(operator), *record.of(operator, "pyramid")):
        ours = answer(case, telling)
        for part in case.results:
            yield case, part, gap(ours[part.removeprefix(KERNEL)], case.results[part])


@cache
def largest_difference(operator: str, telling: str = "reference") -> float | None:
    """Largest difference from torchvision's CUDA kernels; None until they have been recorded.

    Over every ordinary case, forward and gradient to the features. Knife edges have a comparison
    of their own, ``knife_edge_gap``; hostile cases are facts, not answers to agree with.
    """
    record = read()
    if record is None:
        return None
    return max(
        apart
        for _, part, apart in differences(record, operator, telling)
        if not part.startswith(KERNEL)
    )


def statement(operator: str, telling: str = "reference") -> str:
    """One line for a page: the largest difference and whose kernels, or that there is none yet."""
    record = read()
    if record is None:
        return "torchvision's CUDA kernels: not recorded yet"
    machine = record.machine
    return (
        f"torchvision {machine['torchvision']}'s CUDA {operator} on one {machine['gpu']}, "
        f"{len(record.of(operator))} recorded cases, forward and gradient: "
        f"largest difference {largest_difference(operator, telling):.1e}"
    )


def knife_edge_gap(case: Case, telling: str) -> float:
    """Difference from the nearer side of a knife edge, at its worst element.

    An answer that hangs on a rounding has two right values. Both come from the same inputs moved
    by ``NUDGE`` one way or the other, or computed in float64.
    """
    answers = [answer(side, telling) for side in sides(case)]
    gaps = []
    for recorded, theirs in case.results.items():
        part = recorded.removeprefix(KERNEL)
        if part == "gradient" or case.operator == "nms":
            gaps.append(min(gap(ours[part], theirs) for ours in answers))
        else:
            nearest = np.min([np.abs(ours[part] - theirs) for ours in answers], axis=0)
            gaps.append(float(nearest.max()))
    return max(gaps)


def sides(case: Case) -> Iterator[Case]:
    """Yield the case with its inputs moved off the knife edge, every way there is."""
    if case.operator == "nms":
        threshold, scores = case.options["iou_threshold"], case.inputs["scores"]
        ramp = np.linspace(0, 1e-3, len(scores), dtype=np.float32)
        for by, tilt in itertools.product((-1e-6, 1e-6), (-ramp, ramp)):
            yield replace(
                case,
                options={"iou_threshold": threshold + by},
                inputs=case.inputs | {"scores": scores + tilt},
            )
        return
    by = NUDGE / case.options["spatial_scale"]
    for dtype in (np.float32, np.float64):
        inputs = {name: values.astype(dtype) for name, values in case.inputs.items()}
        for signs in [(0, 0, 0, 0), *itertools.product((-1, 1), repeat=4)]:
            moved = inputs["boxes"] + np.array([0, *signs], dtype) * dtype(by)
            yield replace(case, inputs=inputs | {"boxes": moved})
