"""Exports of labelling tools: each is found and read whole, and what is missing is named."""

import json
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tool_exports import EXPORTS, PICTURES, SPLITS, contents, open_export, picture, write

from roilearn.cli import main
from roilearn.data import CocoFolder, find_annotations
from roilearn.data.image_names import ImageNames
from roilearn.train import validation_split


@pytest.mark.parametrize("name", EXPORTS)
def test_the_folder_of_an_export_is_enough(tmp_path, name):
    folder = open_export(name, tmp_path)
    splits = validation_split.coco_splits(folder, None, seed=0)
    train, validation = SPLITS.get(name, (PICTURES - 1, 1))
    assert (len(splits.train), len(splits.validation)) == (train, validation)
    assert set(splits.class_names) - {"_background_"} == {"pear", "plum"}
    opened = splits.folder
    assert not opened.faults
    assert "pear" in str(splits)
    assert "96 x 72 pixels" in str(splits)
    for index, (record, objects) in enumerate(opened.items):
        expected = picture(index)[1]
        names = [opened.names[each.label - 1] for each in objects]
        assert names == [each[0] for each in expected], record.path
        image, target = opened[index]
        boxes = [[x, y, x + w, y + h] for _, _, (x, y, w, h) in expected]
        np.testing.assert_allclose(target["boxes"], boxes)
        stored = np.asarray(Image.open(record.path).convert("RGB"))
        assert np.array_equal((image * 255).round().permute(1, 2, 0), stored)


@pytest.mark.parametrize("name", EXPORTS)
def test_a_folder_around_an_export_and_hidden_files_are_no_matter(tmp_path, name):
    folder = open_export(name, tmp_path / "unpacked")
    files = sorted(folder.rglob("*.json"))
    for file in files:
        file.with_name(f"._{file.name}").write_bytes(b"\0\5\x16\7")
    (folder.parent / "__MACOSX").mkdir()
    (folder.parent / "__MACOSX" / "._result.json").touch()
    (folder.parent / ".cache").mkdir()
    (folder.parent / ".cache" / "state.json").write_text("{}")
    found = find_annotations(folder)
    assert find_annotations(folder.parent) == found
    assert set(filter(None, found)) <= set(files)
    assert (found[1] is not None) == (name in SPLITS)
    splits = validation_split.coco_splits(folder.parent, None, seed=0)
    assert len(splits.train) == SPLITS.get(name, (PICTURES - 1, 1))[0]


def test_of_two_exports_in_a_folder_none_is_guessed(tmp_path):
    for place, kept in (("a", "train2017"), ("b", "val2017")):
        folder = open_export("coco_itself", tmp_path / place)
        for file in folder.glob("annotations/*.json"):
            if kept not in file.name:
                file.unlink()
        folder.rename(tmp_path / f"{place}.export")
        (tmp_path / place).rmdir()
    with pytest.raises(ValueError, match=r"a\.export/annotations/.*, b\.export/annotations/"):
        find_annotations(tmp_path)


def test_an_archive_and_a_folder_are_named_as_such(tmp_path):
    folder = open_export("fiftyone", tmp_path)
    archive = Path(shutil.make_archive(str(tmp_path / "export"), "zip", folder))
    with pytest.raises(ValueError, match=r"export\.zip is a zip archive\. Unpack it"):
        CocoFolder(None, archive)
    with pytest.raises(IsADirectoryError, match=r"is a folder\. .*find_annotations"):
        CocoFolder(None, folder)


def test_images_of_another_split_are_not_taken_for_those_of_the_same_name(tmp_path):
    for split, numbers in (("Train", range(2)), ("Test", range(2, 4))):
        (tmp_path / "images" / split).mkdir(parents=True)
        for place, number in enumerate(numbers):
            picture(number)[0].save(tmp_path / "images" / split / f"{place}.png")
        made = contents(lambda n, first=numbers[0]: f"{n - first}.png", {"plum": 1, "pear": 2},
                        1, numbers)  # fmt: skip
        write(tmp_path / "annotations" / f"instances_{split}.json", made)
    for split in ("Train", "Test"):
        opened = CocoFolder(None, tmp_path / "annotations" / f"instances_{split}.json")
        assert {record.path.parent.name for record, _ in opened.items} == {split}
    assert find_annotations(tmp_path) == (tmp_path / "annotations" / "instances_Train.json", None)


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("a b.png", "a%20b.png"),
        ("A.PNG", "a.png"),
        (unicodedata.normalize("NFD", "März.png"), unicodedata.normalize("NFC", "März.png")),
        ("a.png", "0123abcd-a.png"),
        ("0123abcd-a.png", "a.png"),
        ("x/y/a.png", "C:\\y\\a.png"),
    ],
)
def test_one_file_is_meant_by_a_name_in_another_form(tmp_path, stored, written):
    path = tmp_path / stored
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    (tmp_path / "other.png").touch()
    assert ImageNames(tmp_path).find(written) == path


def test_of_several_files_of_a_name_none_is_guessed(tmp_path):
    for place in ("x", "y", "z/x"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "a.png").touch()
    names = ImageNames(tmp_path)
    assert names.find("old/y/a.png") == tmp_path / "y" / "a.png"
    with pytest.raises(FileNotFoundError, match="and 3 files have its name: "):
        names.find("a.png")
    with pytest.raises(FileNotFoundError, match=r"and 2 files have its name: x/a\.png, z/x/a\.png"):
        names.find("k/x/a.png")


def test_a_missing_image_is_named_with_the_path_tried_and_the_nearest(tmp_path):
    folder = open_export("fiftyone", tmp_path)
    (folder / "data" / "shelf-03.png").rename(folder / "data" / "shelf-03 (copy).png")
    opened = CocoFolder(None, folder / "labels.json")
    (example,) = opened.faults.examples["missing file"]
    assert f"there is no {folder / 'data' / 'shelf-03.png'}" in example
    assert f"the nearest name is {folder / 'data' / 'shelf-'}" in example
    assert len(opened) == PICTURES - 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--coco", "{0}/none"], "no such file or folder exists"),
        (["--coco", "{0}/data"], "result.json (Label Studio), labels.json (FiftyOne)"),
        (["--coco", "{0}", "--images", "{0}/none"], "--images must be a folder; there is none"),
        (["--images", "{0}"], "--images must come with --coco"),
    ],
)
def test_a_wrong_path_is_refused_before_anything_is_loaded(
    tmp_path, capsys, monkeypatch, words, said
):
    folder = open_export("fiftyone", tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "roilearn.cli.train_command", None)
    assert main(["train", "run", *(word.format(folder) for word in words)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("inside", ["data", "data/more"])
def test_for_the_folder_of_the_images_that_of_the_export_is_named(tmp_path, inside):
    folder = open_export("fiftyone", tmp_path)
    (folder / "data" / "more").mkdir()
    with pytest.raises(FileNotFoundError, match=rf"There is labels\.json in {folder}, which may"):
        find_annotations(folder / inside)


def test_images_may_lie_elsewhere(tmp_path):
    folder = open_export("fiftyone", tmp_path)
    (folder / "data").rename(tmp_path / "pictures")
    splits = validation_split.coco_splits(folder, None, 0, images=tmp_path / "pictures")
    assert len(splits.train) == PICTURES - 1
    file = folder / "labels.json"
    with pytest.raises(ValueError, match=r"images that can be used"):
        CocoFolder(folder, file)
    assert json.loads(file.read_text())["images"]


def test_small_objects_are_named_with_a_size_that_helps(tmp_path):
    folder = open_export("fiftyone", tmp_path)
    splits = validation_split.coco_splits(folder, None, 0)
    assert splits.size_remark(72, 144) is None
    said = splits.size_remark(24, 48)
    assert "half of the objects are at most 8 pixels" in said
    assert "give --size 96" in said
    assert splits.size_remark(96, 192) is None
