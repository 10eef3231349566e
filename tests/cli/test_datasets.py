"""The registry of data sets: one entry is all that the command line needs."""

import json
import sys

import pytest
from toy_command import TINY

from roilearn.cli import datasets, main, make_parser
from roilearn.data import ShapeScenes
from roilearn.train.validation_split import DatasetSplits


def ring_splits(count, validation_count, seed):
    """Scenes of one class: what a new entry names."""
    train, validation = (
        ShapeScenes(n, 64, seed + k, shapes=("ring",)) for k, n in enumerate((count, 2))
    )
    assert validation_count is None
    return DatasetSplits(train, validation, ("ring",), {"data": "rings"})


@pytest.fixture
def rings(monkeypatch):
    """Enter a data set under the name of rings."""
    monkeypatch.setattr(datasets, "import_module", lambda _: sys.modules[__name__])
    entry = datasets.DatasetEntry(int, "N", "train on rings", "validate on rings", ".ring_splits")
    monkeypatch.setitem(datasets.DATASETS, "rings", entry)


@pytest.mark.usefixtures("rings")
def test_a_new_entry_has_its_options_and_is_trained_on(tmp_path, capsys):
    sizes = ["--steps", "1", "--batch-size", "2", "--workers", "0"]
    options = ["--rings", "3", "--model-options", json.dumps(TINY)]
    assert main(["train", str(tmp_path), *sizes, *options]) == 0
    told, said = capsys.readouterr()
    assert "3 images to train on, 2 to validate on" in said
    assert "ring" in told


@pytest.mark.usefixtures("rings")
def test_the_first_entry_is_the_default_and_two_exclude_each_other(capsys):
    assert datasets.choose_dataset(make_parser().parse_args(["train", "run"])) == "scenes"
    with pytest.raises(SystemExit):
        make_parser().parse_args(["train", "run", "--rings", "3", "--coco", "folder"])
    assert "--coco/--annotations: not allowed with argument --rings" in capsys.readouterr().err
