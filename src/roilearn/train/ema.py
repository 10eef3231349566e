"""The exponential moving average (EMA) of the weights, which smooths the optimizer's path."""

from typing import Any

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def make_ema_model(model: nn.Module, decay: float) -> AveragedModel | None:
    """Copy a model into one that holds the moving average of its weights; None for a decay of 0.

    After the first update the copy holds the model's weights. From the next one on it keeps the
    fraction ``ema_decay_at(n, decay)`` of its own weights and takes the rest from the model. The
    running statistics of normalisations are averaged in the same way.

    Examples
    --------
    >>> model = nn.Linear(1, 1, bias=False)
    >>> ema_model = make_ema_model(model, 0.5)
    >>> for weight in (1, 3, 3):
    ...     _ = nn.init.constant_(model.weight, weight)
    ...     ema_model.update_parameters(model)
    >>> round(ema_model.module.weight.item(), 3)  # 1, then 3 - 2 * 2/11, then 3 - 2 * 2/11 * 3/12
    2.909
    """

    def update(averaged: Any, current: Any, updates: Any) -> None:
        get_ema_multi_avg_fn(ema_decay_at(int(updates), decay))(averaged, current, updates)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True) if decay else None


def ema_decay_at(updates: int, decay: float) -> float:
    """Decay of the moving average after a number of updates: less at first, then ``decay``.

    The first weights are those of a model that has hardly learned, so they are forgotten faster.

    Source
    ------
    TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``.

    Examples
    --------
    >>> [round(ema_decay_at(updates, 0.998), 3) for updates in (1, 10, 100, 10_000)]
    [0.182, 0.55, 0.918, 0.998]
    """
    return min(decay, (1 + updates) / (10 + updates))
