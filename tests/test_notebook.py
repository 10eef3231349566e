"""What a notebook shows of the package is what stands in its files."""

import inspect
import subprocess
import sys

import pytest

from roilearn import notebook
from roilearn.reference.pooling.roi_align import sample_positions

SCRIPT = """
import sys
from roilearn.notebook import source_without_docstring
text = source_without_docstring("roilearn.kernels.steps.one_bin")
print(text.splitlines()[0], "Step 2" in text, {"torch", "triton"} & set(sys.modules))
"""


def test_a_name_shows_what_the_function_shows():
    name = f"{sample_positions.__module__}.{sample_positions.__qualname__}"
    assert notebook.source_by_name(name) == inspect.getsource(sample_positions).rstrip()
    assert notebook.source_without_docstring(name) == notebook.source_without_docstring(
        sample_positions
    )


def test_a_kernel_is_shown_with_its_decorator_and_nothing_is_imported():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "@triton.jit False set()"


@pytest.mark.parametrize(
    "name", ["roilearn.reference.boxes.boxes.no_such", "roilearn.nowhere.x", "x"]
)
def test_a_name_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=f"name must be the full name .* got '{name}'"):
        notebook.source_by_name(name)
