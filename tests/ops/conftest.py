"""ROILEARN_CHECK_SHAPES=1 checks every shape and dtype written in the types of `roilearn.ops`.

Each call of each function is then compared with its annotations, which takes time and answers bad
arguments before our own messages can: for tests only, and not for those of bad input.
"""

import os

if os.environ.get("ROILEARN_CHECK_SHAPES") == "1":
    from jaxtyping import install_import_hook

    install_import_hook("roilearn.ops", "type_checker.check")
    collect_ignore = ["pooling/test_bad_input.py", "pooling/test_compile.py", "test_onnx.py"]
    collect_ignore += ["boxes/test_bad_boxes.py", "boxes/test_compile_boxes.py"]
    collect_ignore += ["suppression/test_bad_nms.py", "suppression/test_compile_nms.py"]
