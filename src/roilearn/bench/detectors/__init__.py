"""Whole detectors: speed of Mask R-CNN, and ablations of its RoI operator and mask coordinates.

In reading order: ``mask_rcnn`` (torchvision's model and ours), ``coco_weights`` (their detections
with torchvision's COCO weights), ``patched_mask_rcnn`` and ``patched_models`` (torchvision's with
``roilearn.patch()``); ``ablation`` (models trained with one thing changed), ``oracle_masks`` (the
mask IoU of a mask head without errors), ``half_cell`` (a trained model run with the other value of
``aligned``), ``degradation`` (plain and residual networks of two depths), ``missing_pieces`` (a
trained model without the branch or the shortcut of one block), ``mask_losses`` (masks trained with
a sigmoid for each class, or with one softmax over them), ``training_faults`` (a healthy training
run and six with one fault each), ``fine_tuning`` (few pictures of new classes, from random and from
trained weights), ``error_kinds`` (kinds of errors of a trained model, and what each costs),
``ap_by_size`` (its mask AP in fine ranges of size), ``extensions`` (a folder: what ideas that plug
into a detector do, in short paired runs).
"""
