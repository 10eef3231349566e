from .masks import masks_to_boxes as masks_to_boxes
