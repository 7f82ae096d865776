"""Each import runs in a fresh interpreter: an operator is declared once a process."""

import subprocess
import sys

import pytest

USE = """
import torch
from mercuric.torchvision_operators import torchvision
assert torchvision.models.alexnet(weights=None, num_classes=2)(torch.zeros(1, 3, 64, 64)).shape == (1, 2)
torch.ops.torchvision.nms
"""
DECLARE_FIRST = """
import torch
library = torch.library.Library("torchvision", "FRAGMENT")
for name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, name):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""
ANOTHER_ERROR = """
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            raise RuntimeError("something else")
sys.meta_path.insert(0, Broken())
try:
    import mercuric.torchvision_operators
except RuntimeError as error:
    assert str(error) == "something else"
else:
    raise SystemExit("the error was swallowed")
"""


@pytest.mark.parametrize(
    "program", [USE, DECLARE_FIRST + USE, ANOTHER_ERROR], ids=["missing", "present", "other"]
)
def test_torchvision_imports(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
