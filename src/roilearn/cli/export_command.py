"""``roilearn export``: write a model to an ONNX file, and run it beside the model."""

import argparse
import sys
from importlib.util import find_spec

from roilearn.arguments import check_between, check_count, check_fraction
from roilearn.cli.errors import as_command_error
from roilearn.data import read_image
from roilearn.models.export.onnx_check import check_onnx
from roilearn.models.export.onnx_file import export_onnx
from roilearn.ops.onnx.nodes import FIRST_OPSET, LAST_OPSET
from roilearn.train.predict import named_model

OPTIONS = ("images", "opset_version", "output", "score_threshold", "size", "weights")
DIFFERENT, BAD_ARGUMENTS, INTERRUPTED = 1, 2, 130
"""Exit statuses."""


def run(options: argparse.Namespace) -> int:
    """Run ``roilearn export``.

    Returns
    -------
    Exit status: 0; 2 if an argument is bad; 1 if the file does not give the model's detections, and
    then there is no file; 130 after Ctrl-C.
    """
    try:
        check_fraction("score_threshold", options.score_threshold)
        check_between("opset_version", options.opset_version, FIRST_OPSET, LAST_OPSET)
        if options.size is not None:
            check_count("size", options.size)
        images = [read_image(image) for image in options.images]
        model, names = named_model(options.weights)
        path = export_onnx(
            model,
            options.output,
            names,
            score_threshold=options.score_threshold,
            size=options.size,
            opset_version=options.opset_version,
        )
    except (ImportError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        return fail(as_command_error(error, OPTIONS), BAD_ARGUMENTS)
    except KeyboardInterrupt:
        return fail("interrupted; nothing was written.", INTERRUPTED)
    if find_spec("onnxruntime") is None:
        report("not run, since onnxruntime is not installed: pip install 'roilearn[onnx]'")
    else:
        try:
            report(str(check_onnx(path, model, images or None)))
        except KeyboardInterrupt:
            path.unlink()
            return fail(f"interrupted; {path} was removed.", INTERRUPTED)
        except Exception as error:  # noqa: BLE001  onnxruntime's errors have no narrower base
            path.unlink()
            return fail(f"{error} {path} was removed.", DIFFERENT)
    report(f"{path} holds the model and the names of {len(names) or 'no'} classes")
    return 0


def report(text: str) -> None:
    """Write a line to stderr."""
    print(f"roilearn export: {text}", file=sys.stderr)  # noqa: T201


def fail(text: str, status: int) -> int:
    """Report an error; return the exit status."""
    report(f"error: {text}")
    return status
