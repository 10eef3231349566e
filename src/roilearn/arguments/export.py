"""Errors of operators that an exported file cannot hold."""

from typing import NoReturn


def raise_not_in_onnx(name: str, advice: str) -> NoReturn:
    """Raise for an operator of the given name, with what to do instead."""
    raise NotImplementedError(
        f"{name} cannot be written to an ONNX file with these arguments: how many cells it reads "
        f"depends on the values of the boxes, and ONNX has no node for it. {advice}".rstrip()
    )
