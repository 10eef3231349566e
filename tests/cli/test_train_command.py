"""`roilearn train` as typed: what it writes, what it refuses, and how it ends."""

import re
import signal
from dataclasses import replace
from functools import wraps
from shutil import copytree, rmtree

import pytest
import torch
from toy_command import TINY, tiny_command

from roilearn.cli import main, make_parser, train, train_command, validation_run
from roilearn.cli.run_arguments import choose_settings
from roilearn.data import ShapeScenes, export_coco
from roilearn.models import load_model
from roilearn.models.builders import BUILDERS
from roilearn.train import Settings, read_loss_log
from roilearn.train.distributed import ProcessGroup
from roilearn.train.run_folder.validation_log import read_validation_log


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    return export_coco(ShapeScenes(4, size=64), tmp_path_factory.mktemp("coco"))


def test_scenes_become_a_model_a_table_and_a_picture(tmp_path, capsys):
    folder = tmp_path / "new" / "run"
    assert main(tiny_command(folder, "--seed", "5", "--scenes", "3")) == 0
    printed, said = capsys.readouterr()
    assert "3 images to train on, 2 to validate on\n" in said
    assert (folder / "evaluation.txt").read_text(encoding="utf-8").strip() in printed
    assert "triangle" in printed
    model, names = load_model(folder / "model.safetensors")
    assert names == ("disc", "square", "triangle")
    assert model.backbone.fpn.out_channels == 16
    assert (folder / "curves.png").is_file()
    assert read_loss_log(folder / "losses.csv")["step"] == [1, 2]
    assert "torch" in (text := (folder / "command.txt").read_text(encoding="utf-8"))
    assert "processes: 1" in text


def test_a_coco_folder_gives_the_classes_and_weights_the_rest(tmp_path, coco, capsys):
    assert main(tiny_command(tmp_path / "first", "--coco", str(coco))) == 0
    printed, said = capsys.readouterr()
    assert "1 image" in printed  # a tenth of four, and at least one
    (name,) = (tmp_path / "first" / "validation_images.txt").read_text(encoding="utf-8").split()
    assert f"3 images to train on, 1 to validate on: {name}\n" in said
    file = tmp_path / "first" / "model.safetensors"
    words = ("--coco", str(coco.parent), "--validation-coco", str(coco), "--weights", str(file))
    assert main(tiny_command(tmp_path / "second", *words, options={"score_threshold": 0.2})) == 0
    assert "4 images" in capsys.readouterr().out
    first, names = load_model(file)
    second, _ = load_model(tmp_path / "second" / "model.safetensors")
    assert names == ("disc", "square", "triangle")
    assert second.roi_heads.options.score_threshold == 0.2
    moved = first.backbone.body.state_dict(), second.backbone.body.state_dict()
    assert all((moved[1][k] - v).abs().max() < 0.05 for k, v in moved[0].items() if v.ndim == 4)


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(tmp_path, capsys, monkeypatch):
    plain = BUILDERS["mask_rcnn_tiny"]

    @wraps(plain.build)
    def interrupted(*args, **options):
        model = plain(*args, **options)
        model.rpn.register_forward_hook(lambda *_: signal.raise_signal(signal.SIGINT))
        return model

    monkeypatch.setitem(BUILDERS, "mask_rcnn_tiny", replace(plain, build=interrupted))
    assert main(tiny_command(tmp_path)) == 130
    said = capsys.readouterr().err
    assert "interrupted after step 1, which is saved; the same command goes on" in said
    assert not (tmp_path / "model.safetensors").exists()
    monkeypatch.undo()
    told = tmp_path / "command.txt"
    told.write_text(told.read_text().replace("threads in each: ", "threads in each: 1"))
    assert main(tiny_command(tmp_path)) == 0
    said = capsys.readouterr().err
    assert "resumes from step 1 of 2" in said
    assert re.search(
        r"it was roilearn .*threads in each: 1(\d+), and is now .* each: \1: sums", said
    )
    assert main(tiny_command(tmp_path, "--steps", "3")) == 0
    assert "it was" not in capsys.readouterr().err
    assert read_loss_log(tmp_path / "losses.csv")["step"] == [1, 2, 3]


def test_each_remark_is_made_once(tmp_path, capsys, coco):
    assert main(tiny_command(tmp_path, "--coco", str(coco))) == 0
    said = capsys.readouterr().err
    assert said.count("held out to validate on, so AP says little") == 1
    told = tmp_path / "command.txt"
    told.write_text(told.read_text().replace("threads in each: ", "threads in each: 1"))
    assert main(tiny_command(tmp_path, "--coco", str(coco), "--steps", "3")) == 0
    said = capsys.readouterr().err
    assert said.count("held out to validate on, so AP says little") == 1
    assert said.count("it was roilearn ") == 1


def test_a_finished_run_has_nothing_left_and_another_is_refused(tmp_path, capsys, coco):
    assert main(tiny_command(tmp_path)) == 0
    said = capsys.readouterr().err
    assert "resumes" not in said
    assert "steps are done" not in said
    assert main(tiny_command(tmp_path)) == 0
    assert "all 2 steps are done, so only the evaluation is repeated" in capsys.readouterr().err
    (tmp_path / "command.txt").write_bytes(b"as it was")
    for words, said in (
        (["--seed", "1"], "--seed 0 then and 1 now"),
        (["--learning-rate", "1"], "--learning-rate 0.002 then and 1.0 now"),
        (["--weights", "SHAPES"], "--weights 'random numbers' then and 'SHAPES' now"),
        (["--coco", str(coco)], "data 'drawn scenes' then and 'a COCO file' now"),
    ):
        assert main(tiny_command(tmp_path, *words, options={} if "SHAPES" in words else TINY)) == 2
        error = capsys.readouterr().err
        assert said in error
        assert "delete it or add --restart" in error
    assert (tmp_path / "command.txt").read_bytes() == b"as it was"
    assert main(tiny_command(tmp_path, "--seed", "1", "--restart")) == 0


def test_the_images_that_another_run_held_out_are_not_this_ones(tmp_path, coco):
    listed = tmp_path / "validation_images.txt"
    assert main(tiny_command(tmp_path, "--coco", str(coco))) == 0
    assert listed.read_text(encoding="utf-8")
    assert main(tiny_command(tmp_path, "--restart")) == 0
    assert not listed.exists()


def test_renamed_classes_are_another_run(tmp_path, capsys, coco):
    folder = copytree(coco.parent, tmp_path / "data")
    assert main(tiny_command(tmp_path / "run", "--coco", str(folder))) == 0
    file = folder / coco.name
    file.write_text(file.read_text(encoding="utf-8").replace('"disc"', '"dog"'), encoding="utf-8")
    capsys.readouterr()
    assert main(tiny_command(tmp_path / "run", "--coco", str(folder))) == 2
    assert "class 1 'disc' then and 'dog' now" in capsys.readouterr().err
    _, names = load_model(tmp_path / "run" / "model.safetensors")
    assert names[0] == "disc"


def test_a_folder_in_use_is_named(tmp_path, capsys, monkeypatch):
    def taken(folder):
        raise OSError(f"folder must be free; another run is writing into {folder}.")

    monkeypatch.setattr(train_command, "locked_run_folder", taken)
    assert main(tiny_command(tmp_path)) == 2
    assert f"error: FOLDER must be free; another run is writing into {tmp_path}" in (
        capsys.readouterr().err
    )
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_ends_with_2(tmp_path, capsys):
    (tmp_path / "run").write_text("")
    assert main(tiny_command(tmp_path / "run")) == 2
    assert "FOLDER must be one that can be written" in capsys.readouterr().err


def test_an_image_that_goes_missing_is_named_and_what_was_learned_is_saved(
    tmp_path, capsys, coco, monkeypatch
):
    folder = copytree(coco.parent, tmp_path / "data")
    plain = BUILDERS["mask_rcnn_tiny"]

    @wraps(plain.build)
    def deleting(*args, **options):
        model = plain(*args, **options)
        model.rpn.register_forward_hook(lambda *_: rmtree(folder / "images"))
        return model

    monkeypatch.setitem(BUILDERS, "mask_rcnn_tiny", replace(plain, build=deleting))
    words = ("--coco", str(folder))
    assert main(tiny_command(tmp_path / "run", *words)) == 1
    said = capsys.readouterr().err
    assert "an item of the data set cannot be loaded: [Errno 2] No such file" in said
    assert ".png" in said
    assert "Traceback" not in said
    monkeypatch.undo()
    copytree(coco.parent / "images", folder / "images")
    assert main(tiny_command(tmp_path / "run", *words)) == 0
    assert "resumes from step 1 of 2" in capsys.readouterr().err


def test_ctrl_c_while_measuring_keeps_the_table_of_before(tmp_path, capsys, monkeypatch):
    assert main(tiny_command(tmp_path)) == 0
    whole = (tmp_path / "evaluation.txt").read_text(encoding="utf-8")
    plain = validation_run.evaluate

    def interrupted(*args, **options):
        return replace(plain(*args, **options), images=1, interrupted=True)

    monkeypatch.setattr(validation_run, "evaluate", interrupted)
    assert main(tiny_command(tmp_path)) == 130
    told, said = capsys.readouterr()
    assert "1 image, interrupted" in told
    assert "this table is not saved" in said
    assert (tmp_path / "evaluation.txt").read_text(encoding="utf-8") == whole


def test_divergence_ends_with_1(tmp_path, capsys):
    words = (
        "--optimizer",
        "sgd",
        "--learning-rate",
        "1e30",
        "--max-grad-norm",
        "inf",
        "--warmup-fraction",
        "0",
    )
    assert main(tiny_command(tmp_path, *words)) == 1
    assert "diverged" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["mask_rcnn_tiny", "mask_rcnn_resnet50_fpn"])
def test_settings_and_the_command_have_the_same_defaults(model):
    """Apart from loading, processes and evaluations, which change no weight."""
    options = make_parser().parse_args(["train", "folder"])
    builder = BUILDERS[model]
    expected = Settings(workers=1, evaluate_every=200, **builder.training_settings)
    assert choose_settings(options, model, ProcessGroup()) == expected
    assert BUILDERS["mask_rcnn_tiny"].training_settings == {}


def test_the_help_names_the_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    tiny = Settings()
    assert f"optimizer steps (default {tiny.steps})" in said
    resnet = BUILDERS["mask_rcnn_resnet50_fpn"].training_settings
    for name in ("batch_size", "learning_rate", "ema_decay"):
        assert f"(default {getattr(tiny, name):g}; resnet50: {resnet[name]:g})" in said, name
    for name in ("warmup_fraction", "weight_decay", "max_grad_norm", "save_every", "seed"):
        words = said.partition("training: ")[2].partition(f"--{name.replace('_', '-')} ")[2]
        assert f"(default {getattr(tiny, name):g})" in words.partition(" --")[0], name
    assert train.EXAMPLES.splitlines()[0] in said


def test_the_best_model_of_a_run_is_kept_beside_the_last(tmp_path, capsys, monkeypatch):
    """APs of 0.1, 0.3 and 0.2 in turn."""
    plain, values = validation_run.evaluate, iter([0.1, 0.3, 0.2])

    def pretended(*args, **options):
        found = plain(*args, **options)
        return replace(found, metrics={"boxes": {**found.metrics["boxes"], "AP": next(values)}})

    monkeypatch.setattr(validation_run, "evaluate", pretended)
    words = tiny_command(tmp_path, "--evaluate-every", "1")
    words[words.index("--steps") + 1] = "3"
    assert main(words) == 0
    assert "holds the model with the best AP boxes, 0.300, of step 2." in capsys.readouterr().out
    rows = read_validation_log(tmp_path / "validation.csv")
    assert rows == [{"step": k, "AP boxes": v} for k, v in ((1, 0.1), (2, 0.3), (3, 0.2))]
    best, last = (load_model(tmp_path / f"{name}.safetensors")[0] for name in ("best", "model"))
    assert any(
        not torch.equal(one, other)
        for one, other in zip(best.parameters(), last.parameters(), strict=True)
    )
