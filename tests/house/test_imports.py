"""What an import loads, in a fresh process, and a check that an unwanted import would be noticed.

`import roilearn` is for everyone, so it loads no framework.
"""

import json
import shutil

import pytest

OWN = {"roilearn", "numpy", "lazy_loader"}
HEAVY = {"matplotlib", "onnx", "onnxruntime", "onnxscript", "torch", "torchvision", "triton"}
QUESTION = """
import json, sys
before = set(sys.modules)
{statement}
files = {{name.partition(".")[0]: getattr(module, "__file__", None) or ""
          for name, module in list(sys.modules.items())
          if name not in before and "." not in name}}
print(json.dumps([name for name, file in files.items()
                  if file and name not in sys.stdlib_module_names]))
"""


@pytest.fixture
def loaded_by(fresh_python):
    """Names of the packages outside the standard library that a statement loads."""

    def ask(statement, source=None):
        return set(json.loads(fresh_python(QUESTION.format(statement=statement), source)))

    return ask


@pytest.mark.parametrize(
    "statement",
    [
        "import roilearn",
        "import roilearn; dir(roilearn); roilearn.__version__",
        "import roilearn; roilearn.reference.roi_align",
        "from roilearn.reference import bilinear, resize, roi_align, roi_pool, quantize",
        "import roilearn.reference.pooling.roi_align, roilearn.odd_boxes, roilearn.palette",
    ],
)
def test_the_numpy_part_loads_numpy_alone(loaded_by, statement):
    assert loaded_by(statement) <= OWN


@pytest.mark.parametrize("name", ["explore", "exercises", "plot"])
def test_what_a_reader_plays_with_loads_no_framework(loaded_by, name):
    loaded = loaded_by(f"import roilearn; dir(roilearn.{name}); import roilearn.{name}")
    assert not loaded & (HEAVY - {"matplotlib"})


def test_help_without_torch_shows_what_there_is(fresh_python, root):
    """And each name that it leaves out cannot be imported there."""
    statement = """
import sys
for name in ("torch", "jaxtyping", "PIL", "pycocotools", "filelock", "safetensors", "tqdm"):
    sys.modules[name] = None
import pydoc, roilearn
assert "roilearn.reference" in pydoc.render_doc(roilearn)
for name in set(roilearn.__all__) - set(dir(roilearn)):
    try:
        getattr(roilearn, name)
    except ImportError:
        print(name)
"""
    left_out = set(fresh_python(statement, root / "src").split())
    assert left_out == {"data", "models", "ops", "patch", "train"}


@pytest.mark.parametrize(
    "statement",
    [
        "import roilearn; print(roilearn.models.detection.__name__)",
        "import roilearn.models; print(roilearn.models.detection.__name__)",
        "from roilearn import models; print(models.detection.__name__)",
        "from roilearn import models; print(models.detection.rpn.__name__[:-4])",
        "from roilearn.models import detection; print(detection.__name__)",
    ],
)
def test_torchvisions_detectors_need_no_import_of_their_own(fresh_python, root, statement):
    assert fresh_python(statement, root / "src").strip() == "roilearn.models.detection"


def test_the_operators_load_torch_and_no_peer(loaded_by):
    loaded = loaded_by("from roilearn.ops import roi_align, roi_pool")
    assert "torch" in loaded
    assert not loaded & (HEAVY - {"torch", "triton"})


def test_the_operators_load_no_triton_of_their_own(loaded_by):
    triton = {"triton"}
    loaded = loaded_by("from roilearn.ops import roi_align") & triton
    assert loaded <= loaded_by("import torch") & triton


def test_the_question_sees_an_import_too_many(loaded_by, root, tmp_path):
    copy = tmp_path / "roilearn"
    shutil.copytree(root / "src" / "roilearn", copy)
    module = copy / "reference" / "pooling" / "roi_align.py"
    module.write_text(module.read_text() + "\nimport pytest\n")
    assert "pytest" in loaded_by("from roilearn.reference import roi_align", source=tmp_path)
    assert "pytest" not in loaded_by("from roilearn.reference import roi_align")
