"""Deprecation: modules and functions go on working under the names that they had in 0.2.0."""

import importlib
import os
import subprocess
import sys

import pytest

from roilearn import _moved, _old_names, ops, reference

MOVED, RENAMED = _old_names.MOVED_MODULES, _old_names.RENAMED_NAMES
LIGHT = [old for old in MOVED if old.startswith(("roilearn.reference.", "roilearn.ops."))]


@pytest.fixture
def forgotten():
    """Forget imports of old modules, before the test and after it."""
    forget()
    yield
    forget()


def forget():
    for old in MOVED:
        package, _, name = old.rpartition(".")
        if (module := sys.modules.get(old)) and module.__name__ != old:
            del sys.modules[old]
            if vars(sys.modules[package]).get(name) is module:
                delattr(sys.modules[package], name)


def is_package(name):
    return importlib.util.find_spec(name).submodule_search_locations is not None


@pytest.mark.parametrize("new", sorted(set(MOVED.values())))
def test_every_new_module_is_there(root, new):
    path = root / "src" / new.replace(".", "/")
    assert path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("old", LIGHT)
def test_an_old_module_is_the_new_module(old):
    if old.count(".") == 2 and is_package(old):
        return  # the next test
    with pytest.warns(DeprecationWarning, match=f"{old} is now {MOVED[old]}") as warned:
        module = importlib.import_module(old)
    assert module is importlib.import_module(MOVED[old])
    assert module.__spec__.name == module.__name__ == MOVED[old]
    assert len(warned) == 1


@pytest.mark.usefixtures("forgotten")
def test_every_way_to_import_an_old_module():
    with pytest.warns(DeprecationWarning, match="roi_align is now"):
        from roilearn.ops.roi_align import region, roi_align  # noqa: PLC0415
    assert roi_align is ops.roi_align
    assert region.__module__ == "roilearn.ops.pooling.roi_align"
    with pytest.warns(DeprecationWarning, match="hand_over is now"):
        from roilearn.ops import hand_over  # noqa: PLC0415
    assert hand_over.__name__ == "roilearn.ops.dispatch"
    with pytest.warns(DeprecationWarning, match="eager is now"):
        import roilearn.ops.eager  # noqa: PLC0415
    assert roilearn.ops.eager.__name__ == "roilearn.ops.tracing"


@pytest.mark.usefixtures("forgotten")
def test_an_old_name_in_an_old_module():
    with pytest.warns(DeprecationWarning, match="judging is now"):
        from roilearn.reference.judging import judge_image  # noqa: PLC0415
    assert judge_image is reference.evaluate_image


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("package", [ops, reference])
def test_an_old_module_does_not_hide_the_function_of_its_name(package):
    with pytest.warns(DeprecationWarning, match="nms is now"):
        importlib.import_module(f"{package.__name__}.nms")
    assert callable(package.nms)


def test_a_package_in_place_of_a_module_offers_what_the_module_had():
    from roilearn.ops.boxes import as_rois, box_area  # noqa: PLC0415
    from roilearn.ops.masks import masks_to_boxes  # noqa: PLC0415

    assert (as_rois, box_area, masks_to_boxes) == (
        ops.as_rois,
        ops.box_area,
        ops.masks_to_boxes,
    )


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_name_is_the_new_object(old):
    package, _, name = old.rpartition(".")
    new = RENAMED[old] if "." in RENAMED[old] else f"{package}.{RENAMED[old]}"
    module, _, attribute = new.rpartition(".")
    with pytest.warns(DeprecationWarning, match=f"{old} is now {new}"):
        value = getattr(importlib.import_module(package), name)
    assert value is getattr(importlib.import_module(module), attribute)


def test_old_names_are_not_listed():
    for old in RENAMED:
        package, _, name = old.rpartition(".")
        assert name not in dir(importlib.import_module(package))


def test_what_was_never_there_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"roilearn\.ops\.never"):
        importlib.import_module("roilearn.ops.never")
    with pytest.raises(AttributeError, match="never"):
        _ = ops.never


def test_the_finder_is_installed_once_and_last():
    _moved.install()
    _moved.install()
    finders = [isinstance(finder, _moved.OldModules) for finder in sys.meta_path]
    assert sum(finders) == 1


@pytest.mark.parametrize("old", ["roilearn.ops.roi_align", "roilearn.ops.LARGEST_LOG"])
def test_the_warning_names_the_line_that_uses_the_old_name(tmp_path, old):
    program = tmp_path / "program.py"
    package, _, name = old.rpartition(".")
    program.write_text(f"\nfrom {package} import {name}\nimport roilearn.ops.roi_align\n")
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", program],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f'program.py", line {3 if name == "roi_align" else 2}' in done.stderr
    assert "DeprecationWarning: roilearn.ops." in done.stderr
