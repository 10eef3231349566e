"""The shapes written in the types of `roilearn.ops` are true, and untrue ones would be noticed."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKED = {**os.environ, "ROILEARN_CHECK_SHAPES": "1"}

WRONG_CALL = """
import torch
from jaxtyping import TypeCheckError, install_import_hook
install_import_hook("roilearn.ops", "type_checker.check")
from roilearn.ops.embedding_bags.bag import bag_of_entries
try:
    bag_of_entries(torch.zeros(2, 3, dtype=torch.int32), 4)
except TypeCheckError as error:
    print(error)
"""


def test_every_call_keeps_the_shapes_and_dtypes_of_its_types():
    tests = [
        "tests/ops/pooling/test_odd_boxes.py",
        "tests/ops/pooling/test_implementations_agree.py",
    ]
    command = [sys.executable, "-m", "pytest", "-q", *tests]
    done = subprocess.run(
        command, cwd=ROOT, env=CHECKED, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_a_wrong_shape_would_be_noticed():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-c", WRONG_CALL]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "Actual value: i32[2,3](torch)" in done.stdout
