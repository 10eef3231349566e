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
    logits_weight : of the loss of the logits beside the losses of the labels.

    The logits are compared in the boxes that are sampled for the labels. Among all proposals nearly
    every one is background, and a student who agrees on these alone would look good.

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
        logits_weight: float = 0.25,
    ) -> None:
        super().__init__()
        self.student, self.adapter = student, adapter
        self.temperature, self.logits_weight = temperature, logits_weight
        # In a tuple it is no part of this module: it is neither trained nor saved.
        self._teacher = (teacher.eval(),)

    def forward(self, images: Sequence[Tensor], targets: Sequence[Any]) -> dict[str, Tensor]:
        """Compute the student's losses, and how far it is from the teacher."""
        student, (teacher,) = self.student, self._teacher
        batch, resized = student.transform(images, targets)
        maps = student.backbone(batch.tensors)
        proposals, proposal_losses = student.rpn(batch, maps, resized)
        heads: Any = student.roi_heads
        with torch.no_grad():
            pairs = zip(proposals, resized, strict=True)
            samples = [heads.sample_proposals(*image) for image in pairs]
            boxes = [image.boxes for image in samples]
            better_maps = teacher.backbone(batch.tensors)
            wanted, _ = teacher.roi_heads.predict_boxes(better_maps, boxes, batch.sizes)
        losses = heads.losses(maps, samples, batch.sizes, resized) | proposal_losses
        logits, _ = heads.predict_boxes(maps, boxes, batch.sizes)
        soft = distillation_loss(logits, wanted, self.temperature)
        losses["loss_logits"] = self.logits_weight * soft
        if self.adapter is not None:
            errors = [F.mse_loss(self.adapter(maps[name]), better_maps[name]) for name in maps]
            losses["loss_maps"] = torch.stack(errors).mean()
        return losses
