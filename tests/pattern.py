"""The chapters that follow the pattern of CONTRIBUTING.md. A chapter joins when it is rewritten."""

IN_PATTERN = (
    "notebooks/01_linear_interpolation",
    "notebooks/02_quantization_error",
    "notebooks/03_roipool",
    "notebooks/04_roialign",
    "notebooks/05_what_roialign_leaves_out",
    "notebooks/05b_relatives",
    "notebooks/06_embedding_bag",
    "notebooks/06b_on_a_gpu",
    "notebooks/07_residual_backbones",
    "notebooks/08_feature_pyramids",
    "notebooks/09_anchors_and_rpn",
    "notebooks/10_proposals",
    "notebooks/11_detection_targets",
    "notebooks/12_heads_and_losses",
    "notebooks/13_train_it",
    "notebooks/14_measure_it",
    "notebooks/14b_what_roialign_is_worth",
    "notebooks/15_real_weights",
    "notebooks/15b_where_other_ideas_plug_in",
)
