"""Whole detectors: speed of Mask R-CNN, and ablations of its RoI operator and mask coordinates.

In reading order: ``mask_rcnn`` (torchvision's model and ours), ``patched_mask_rcnn`` and
``patched_models`` (torchvision's with ``roilearn.patch()``); ``ablation`` (models trained with one
thing changed), ``oracle_masks`` (the mask IoU of a mask head without errors), ``half_cell`` (a
trained model run with the other value of ``aligned``), ``degradation`` (plain and residual networks
of two depths),
``missing_pieces`` (a trained model without the branch or the shortcut of one block),
``mask_losses`` (masks trained with a sigmoid for each class, or with one softmax over them),
``error_kinds`` (kinds of errors of a trained model, and what each costs), ``ap_by_size`` (its mask
AP in fine ranges of size).
"""
