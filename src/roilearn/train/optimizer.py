"""What turns gradients into new weights, and the moving average that smooths their path."""

from typing import Any

from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from roilearn.train.settings import Settings


def make_optimizer(model: nn.Module, settings: Settings) -> Optimizer:
    """AdamW or SGD over the parameters that learn, with weight decay on those that are matrices.

    A bias or the factor of a normalisation has one dimension. It says where an activation lies and
    not how strongly inputs mix: pulled to 0 it gains nothing.

    Raises
    ------
    ValueError: nothing in the model learns.

    Examples
    --------
    >>> optimizer = make_optimizer(nn.Linear(3, 2), Settings(steps=1, weight_decay=0.1))
    >>> [(len(group["params"]), group["weight_decay"]) for group in optimizer.param_groups]
    [(1, 0.1), (1, 0.0)]
    """
    learning = [each for each in model.parameters() if each.requires_grad]
    if not learning:
        raise ValueError("model must have parameters that learn; all of them are fixed or none is.")
    groups = [
        {"params": [each for each in learning if each.ndim > 1]},
        {"params": [each for each in learning if each.ndim <= 1], "weight_decay": 0.0},
    ]
    common = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay, "foreach": True}
    if settings.optimizer == "sgd":
        return SGD(groups, momentum=0.9, **common)
    return AdamW(groups, **common)


def make_average(model: nn.Module, average: float) -> AveragedModel | None:
    """Copy a model, to follow it as a moving average of its weights; None for ``average`` 0.

    After its first step the copy holds the weights of that step. Later it keeps the share
    ``keeps(n, average)`` of its own and takes the rest from the model; statistics of normalisation
    follow in the same way.

    Examples
    --------
    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = make_average(model, 0.5)
    >>> for weight in (1, 3, 3):
    ...     _ = nn.init.constant_(model.weight, weight)
    ...     average.update_parameters(model)
    >>> round(average.module.weight.item(), 3)  # 1, then 3 - 2 * 2/11, then 3 - 2 * 2/11 * 3/12
    2.909
    """

    def follow(own: Any, new: Any, done: Any) -> None:
        get_ema_multi_avg_fn(keeps(int(done), average))(own, new, done)

    return AveragedModel(model, multi_avg_fn=follow, use_buffers=True) if average else None


def keeps(done: int, average: float) -> float:
    """Share of the old that the average keeps once it holds ``done`` steps.

    Less at first, when the old is a beginning that is best forgotten.

    Source
    ------
    TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``.

    Examples
    --------
    >>> [round(keeps(done, 0.998), 3) for done in (1, 10, 100, 10_000)]
    [0.182, 0.55, 0.918, 0.998]
    """
    return min(average, (1 + done) / (10 + done))
