"""The optimizer: AdamW or SGD, with weight decay on matrices and kernels alone."""

from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from roilearn.train.settings import Settings


def make_optimizer(model: nn.Module, settings: Settings) -> Optimizer:
    """Make AdamW or SGD over the trainable parameters.

    Weight decay applies to parameters with more than one dimension. A bias, or the scale of a
    normalisation, has one dimension: it says where an activation lies and not how strongly inputs
    are mixed, so pulling it towards 0 regularises nothing.

    Raises
    ------
    ValueError: the model has no trainable parameter.

    Examples
    --------
    >>> optimizer = make_optimizer(nn.Linear(3, 2), Settings(steps=1, weight_decay=0.1))
    >>> [(len(group["params"]), group["weight_decay"]) for group in optimizer.param_groups]
    [(1, 0.1), (1, 0.0)]
    """
    trainable = [each for each in model.parameters() if each.requires_grad]
    if not trainable:
        raise ValueError(
            "model must have trainable parameters; it has none with requires_grad=True."
        )
    groups = [
        {"params": [each for each in trainable if each.ndim > 1]},
        {"params": [each for each in trainable if each.ndim <= 1], "weight_decay": 0.0},
    ]
    common = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay, "foreach": True}
    if settings.optimizer == "sgd":
        return SGD(groups, momentum=0.9, **common)
    return AdamW(groups, **common)
