"""Comparison with recorded results of torchvision's CUDA kernels, on any machine.

``roilearn.records`` reads what a GPU computed for the cases of a recorder. As long as nothing has
been recorded, the functions here say so.
"""

import importlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from types import ModuleType

import numpy as np

from roilearn.records import Case, Record, read

GRADIENT_OPTIONS: dict[str, dict[str, bool]] = {"ps_roi_pool": {"read_last": True}}
"""Options under which our gradient equals torchvision's, if that is not its output's gradient: its
``ps_roi_pool`` gives a gradient to the last row and column, which its forward never reads."""

PERTURBATION = 2.0**-16
"""Cells by which a borderline box is moved to get both results; inputs are multiples of 1/64."""

KERNEL = "kernel "
"""Prefix of a recorded quantity that our own kernels computed on the GPU, not torchvision's."""


def run(case: Case, implementation: str) -> dict[str, np.ndarray]:
    """Run an implementation on the inputs of ``case``; return its forward result and gradient.

    Parameters
    ----------
    implementation : ``"reference"``, ``"ops"``, or ``"kernels"`` in Triton's interpreter.
    """
    module = importlib.import_module(f"roilearn.{implementation}")
    if implementation == "reference":
        return _run_on_arrays(module, case)
    return _run_on_tensors(module, case)


def _run_on_arrays(module: ModuleType, case: Case) -> dict[str, np.ndarray]:
    function, inputs = getattr(module, case.operator), case.inputs
    if "upstream" not in inputs:
        return {"forward": np.asarray(function(inputs["boxes"], inputs["scores"], **case.options))}
    if case.group == "pyramid":
        return _run_pyramid_on_arrays(module, case)
    features, boxes = inputs["features"], inputs["boxes"]
    options = {name: value for name, value in case.options.items() if name != "output_size"}
    backward = getattr(module, f"{case.operator}_backward")
    return {
        "forward": function(features, boxes, **case.options),
        "gradient": backward(
            inputs["upstream"],
            features,
            boxes,
            **options,
            **GRADIENT_OPTIONS.get(case.operator, {}),
        ),
    }


def _run_pyramid_on_arrays(module: ModuleType, case: Case) -> dict[str, np.ndarray]:
    """Pool level by level; the gradients of all maps are concatenated, as they are recorded."""
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


def _run_on_tensors(module: ModuleType, case: Case) -> dict[str, np.ndarray]:
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
    differentiated = output
    if case.operator in GRADIENT_OPTIONS and module.__name__.startswith("roilearn"):
        options = case.options | GRADIENT_OPTIONS[case.operator]
        differentiated = function(features, tensors["boxes"], **options)
    (gradient,) = torch.autograd.grad(differentiated, features, tensors["upstream"])
    return {"forward": output.detach().numpy(), "gradient": gradient.numpy()}


def max_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest difference where ``theirs`` is finite; infinite for unequal shapes."""
    if ours.shape != theirs.shape:
        return float("inf")
    finite = np.isfinite(theirs)
    difference = np.abs(ours[finite].astype(float) - theirs[finite])
    return float(np.nan_to_num(difference, nan=np.inf).max(initial=0))


def differences(
    record: Record, operator: str, implementation: str
) -> Iterator[tuple[Case, str, float]]:
    """Yield case, quantity and largest difference, over the ordinary cases and the pyramids.

    A quantity is ``forward`` or ``gradient``; with the prefix ``kernel``, the recorded value is of
    this package's kernels on the GPU.
    """
    for case in (*record.of(operator), *record.of(operator, "pyramid")):
        ours = run(case, implementation)
        for quantity in case.results:
            difference = max_difference(ours[quantity.removeprefix(KERNEL)], case.results[quantity])
            yield case, quantity, difference


@cache
def largest_difference(operator: str, implementation: str = "reference") -> float | None:
    """Return the largest difference from torchvision's CUDA kernels; None if nothing is recorded.

    It is taken over every ordinary case, for the output and the feature gradient. Borderline cases
    have a comparison of their own, ``borderline_difference``; unsafe cases are not compared.
    """
    record = read()
    if record is None:
        return None
    return max(
        difference
        for _, quantity, difference in differences(record, operator, implementation)
        if not quantity.startswith(KERNEL)
    )


def statement(operator: str, implementation: str = "reference") -> str:
    """Return a line for a page: the largest difference and the GPU, or that nothing is recorded."""
    record = read()
    if record is None:
        return "torchvision's CUDA kernels: not recorded yet"
    machine = record.machine
    return (
        f"torchvision {machine['torchvision']}'s CUDA {operator} on one {machine['gpu']}, "
        f"{len(record.of(operator))} recorded cases, forward and gradient: "
        f"largest difference {largest_difference(operator, implementation):.1e}"
    )


def borderline_difference(case: Case, implementation: str) -> float:
    """Return the largest difference from the nearer of a borderline case's two results.

    A result that depends on a rounding has two right values. Both come from the same inputs, moved
    by ``PERTURBATION`` one way or the other or computed in float64.
    """
    answers = [run(side, implementation) for side in perturbed(case)]
    gaps = []
    for recorded, theirs in case.results.items():
        quantity = recorded.removeprefix(KERNEL)
        if quantity == "gradient" or case.operator == "nms":
            gaps.append(min(max_difference(ours[quantity], theirs) for ours in answers))
        else:
            nearest = np.min([np.abs(ours[quantity] - theirs) for ours in answers], axis=0)
            gaps.append(float(nearest.max()))
    return max(gaps)


def perturbed(case: Case) -> Iterator[Case]:
    """Yield the case with its inputs moved off the borderline, in every direction."""
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
    by = PERTURBATION / case.options["spatial_scale"]
    for dtype in (np.float32, np.float64):
        inputs = {name: values.astype(dtype) for name, values in case.inputs.items()}
        for signs in [(0, 0, 0, 0), *itertools.product((-1, 1), repeat=4)]:
            moved = inputs["boxes"] + np.array([0, *signs], dtype) * dtype(by)
            yield replace(case, inputs=inputs | {"boxes": moved})
