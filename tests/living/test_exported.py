"""Does a restored model go out of PyTorch: ``torch.export``, ONNX?"""

from pathlib import Path

import pytest
import torch
from torch import nn

import mercuric

IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def restored() -> nn.Module:
    """Trained a step with reuse, which is taken off again."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))
    handle = mercuric.reuse_(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss = model(IMAGES).square().mean()
    loss.backward()
    optimizer.step()
    handle.step(loss.detach())
    mercuric.restore_(model)
    return model.eval()


def test_torch_export_of_a_restored_model(restored: nn.Module) -> None:
    program = torch.export.export(restored, (IMAGES,))
    torch.testing.assert_close(program.module()(IMAGES), restored(IMAGES))


def test_onnx_of_a_restored_model(restored: nn.Module, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the extra onnx has it")
    path = tmp_path / "model.onnx"
    torch.onnx.export(restored, (IMAGES,), str(path), dynamo=False)
    assert path.stat().st_size > 4 * sum(one.numel() for one in restored.parameters())
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(path)
    (output,) = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: IMAGES.numpy()})
    torch.testing.assert_close(torch.from_numpy(output), restored(IMAGES).detach(), rtol=1e-4, atol=1e-5)
