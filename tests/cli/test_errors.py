"""Errors speak of options, and only of options."""

from pathlib import Path

import pytest

import roilearn
from roilearn.cli.errors import PHRASES, as_command_error

OPTIONS = ("batch_size", "max_grad_norm", "model", "seed", "steps", "weight_decay", "weights")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("weights must be a file", "--weights must be a file"),
        ("--weights must be a file", "--weights must be a file"),
        ("the weights of a model", "the weights of a model"),
        ("a lower weight_decay", "a lower --weight-decay"),
        ("weights 'the first' then and 'a' now", "--weights 'the first' then and 'a' now"),
        ("seed of data 3 then and 4 now", "seed of data 3 then and 4 now"),
        ("delete it or pass resume=False (there)", "delete it or add --restart (there)"),
    ],
)
def test_names_of_arguments_become_options(said, expected):
    assert as_command_error(ValueError(said), OPTIONS) == expected


@pytest.mark.parametrize("phrase", PHRASES)
def test_every_phrase_is_still_said(phrase):
    sources = Path(roilearn.__file__).parent
    files = [
        file for room in ("data", "models", "train") for file in sources.glob(f"{room}/**/*.py")
    ]
    saying = [file for file in files if phrase in file.read_text(encoding="utf-8")]
    assert saying
