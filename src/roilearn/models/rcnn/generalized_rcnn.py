"""The whole detector: images go in, losses (in training) or detections come out.

It is four modules in a row: transform, backbone, region proposal network and RoI heads.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from roilearn.models.roi_heads.roi_heads import RoIHeads
from roilearn.models.rpn.region_proposal_network import RegionProposalNetwork
from roilearn.models.transform.detector_transform import DetectorTransform
from roilearn.models.transform.input_checks import as_image_list, check_image_dtypes, check_targets
from roilearn.ops.tracing import is_exporting_graph


class GeneralizedRCNN(nn.Module):
    """Two-stage detector: region proposals first, then class and box of each, and what heads add.

    ``FasterRCNN``, ``MaskRCNN`` and ``KeypointRCNN`` put its four parts together.
    ``roilearn.models.export`` writes it to an ONNX file, and says why ``torch.compile`` is for the
    backbone alone.

    Parameters
    ----------
    backbone : turns the batch into feature maps of consecutive levels, which all the rest shares: a
        dictionary by name, finest first; or one map, which is then called ``"0"``.
    rpn : turns feature maps into proposals, in training with its losses.
    roi_heads : turns proposals into detections, in training into losses.
    transform : turns images into a batch, and brings detections back to the images.

    Source
    ------
    He et al., Mask R-CNN (2017); names of parameters, results and losses as in torchvision 0.29.
    """

    def __init__(
        self,
        backbone: nn.Module,
        rpn: RegionProposalNetwork,
        roi_heads: RoIHeads,
        transform: DetectorTransform,
    ) -> None:
        super().__init__()
        self.transform = transform
        self.backbone = backbone
        self.rpn = rpn
        self.roi_heads = roi_heads

    def forward(
        self,
        images: Sequence[Float[Tensor, "C _ _"]] | Float[Tensor, "N C H W"],
        targets: Sequence[Mapping[str, Tensor]] | None = None,
    ) -> Any:
        """Compute the training losses of images with targets, or detect the objects in images.

        Parameters
        ----------
        images : (3, H, W) each, values 0 to 1, sizes as they come; or one tensor (N, 3, H, W).
            Channels are as many as the transform's ``image_mean`` has entries.
        targets : for each image ``boxes`` (n, 4), x1, y1, x2, y2 in its pixels, ``labels`` (n,)
            from 1; ``iscrowd`` (n,) if there are crowds; with a mask head ``masks`` (n, H, W) of 0
            and 1, with a keypoint head ``keypoints`` (n, points, 3). Needed in training and ignored
            otherwise.

        Returns
        -------
        In training mode a dictionary of losses, four and one for each further head, whose sum is
        minimised. In evaluation mode for each image ``boxes`` (n, 4) in its pixels, ``labels`` (n,)
        and ``scores`` (n,), highest first. With a mask head also ``masks`` (n, 1, H, W), the
        probability that each pixel belongs to the object; with a keypoint head ``keypoints``
        (n, points, 3) and ``keypoints_scores`` (n, points).

        Raises
        ------
        NotImplementedError: while ``torch.export``, or the newer ONNX exporter, records a graph;
            ``roilearn.models.export`` says what to do instead.
        ValueError, TypeError: no targets in training, or targets that do not fit their image, see
            ``check_ground_truth``; images of another dtype than the model, or with values that are
            not such as 0 to 1, see ``DetectorTransform``.
        """
        if is_exporting_graph():
            raise NotImplementedError(
                "a whole detector cannot be recorded by torch.export or by the newer ONNX "
                "exporter, because the number of its boxes is not known then. For an ONNX file "
                "call roilearn.models.export_onnx(model, path), or pass dynamo=False to "
                "torch.onnx.export. Of the parts, model.backbone can be exported."
            )
        if self.training and targets is None:
            raise ValueError(
                "targets must hold the ground truth of each image in training; got none. "
                "To detect, call eval() first."
            )
        images = as_image_list(images)
        check_image_dtypes(self, images)
        if self.training:
            heads = self.roi_heads
            check_targets(targets, images, heads.required_targets, heads.num_classes)
        batch, targets = self.transform(images, targets if self.training else None)
        features = self.backbone(batch.tensors)
        if isinstance(features, Tensor):
            features = {"0": features}
        proposals, proposal_losses = self.rpn(batch, features, targets)
        detections, losses = self.roi_heads(features, proposals, batch.sizes, targets)
        if self.training:
            return losses | proposal_losses
        sizes = [(image.shape[-2], image.shape[-1]) for image in images]
        return self.transform.postprocess(detections, batch.sizes, sizes)
