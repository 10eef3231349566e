"""Distillation: a small detector, the student, learns from a trained one, the teacher."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from roilearn.models.rcnn.generalized_rcnn import GeneralizedRCNN


def distillation_loss(
    student_logits: Float[Tensor, "K classes"],
    teacher_logits: Float[Tensor, "K classes"],
    temperature: float = 2.0,
) -> Float[Tensor, ""]:
    """Compute the divergence of the student's class probabilities from the teacher's.

    Parameters
    ----------
    student_logits, teacher_logits : (K, C) logits of the same boxes.
    temperature : divides all logits. Above 1, unlikely classes count for more.

    Returns
    -------
    Kullback-Leibler divergence, the mean of all boxes, times the temperature squared: so its
    gradient keeps its size when the temperature changes.

    Source
    ------
    Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015), section 2.

    Examples
    --------
    The teacher gives 3/4 and 1/4, the student a half to each:

    >>> teacher = torch.tensor([[3.0, 1.0]]).log()
    >>> loss = distillation_loss(torch.zeros(1, 2), teacher, temperature=1)
    >>> round(loss.item(), 4)  # 3/4 ln(3/2) + 1/4 ln(1/2)
    0.1308
    """
    wanted = (teacher_logits / temperature).softmax(1)
    found = (student_logits / temperature).log_softmax(1)
    return F.kl_div(found, wanted, reduction="batchmean") * temperature**2


class Distillation(nn.Module):
    """A student with the losses of its labels, and in addition those of a teacher.

    Parameters
    ----------
    student : the detector that is trained.
    teacher : a trained detector of the same classes and the same transform.
    adapter : student's maps to as many channels as the teacher's have; None: maps are not compared.
    temperature : as in ``distillation_loss``.

    Source
    ------
    Logits: Hinton et al. (2015). Maps through an adapter of 1 x 1 cells: Romero et al., FitNets
    (2015). Both in a detector: Chen et al., Learning Efficient Object Detection Models with
    Knowledge Distillation (2017).
    """

    def __init__(
        self,
        student: GeneralizedRCNN,
        teacher: GeneralizedRCNN,
        adapter: nn.Module | None = None,
        temperature: float = 2.0,
    ) -> None:
        super().__init__()
        self.student, self.adapter, self.temperature = student, adapter, temperature
        # In a tuple it is no part of this module: it is neither trained nor saved.
        self._teacher = (teacher.eval(),)

    def forward(self, images: Sequence[Tensor], targets: Sequence[Any]) -> dict[str, Tensor]:
        """Compute the student's losses, and how far it is from the teacher."""
        student, (teacher,) = self.student, self._teacher
        batch, resized = student.transform(images, targets)
        maps = student.backbone(batch.tensors)
        boxes, proposal_losses = student.rpn(batch, maps, resized)
        _, losses = student.roi_heads(maps, boxes, batch.sizes, resized)
        with torch.no_grad():
            better_maps = teacher.backbone(batch.tensors)
            wanted, _ = teacher.roi_heads.predict_boxes(better_maps, boxes, batch.sizes)
        logits, _ = student.roi_heads.predict_boxes(maps, boxes, batch.sizes)
        losses["loss_logits"] = distillation_loss(logits, wanted, self.temperature)
        if self.adapter is not None:
            pairs = [(self.adapter(maps[name]), better_maps[name]) for name in maps]
            losses["loss_maps"] = torch.stack([F.mse_loss(*pair) for pair in pairs]).mean()
        return losses | proposal_losses
