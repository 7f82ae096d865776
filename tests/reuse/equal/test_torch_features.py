"""Do PyTorch's own features give with exact reuse what they give without it?

Gradients of maps and second derivatives: ``test_asked_gradients.py``; copies: ``test_equal_copies.py``.
"""

import copy
import gc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from plain_twin import Twins, Two, close, gradients, images, network, step
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

from mercuric.reuse.equal.shared_tensor import SharedTensor

MODES = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "enabled": torch.enable_grad,
}


def test_a_step_of_training() -> None:
    twins = Twins()
    twins.step_alike()
    assert twins.computes[:2] == ["classes"] * 2 and twins.computes[2].startswith("dense: ")
    for (name, buffer), expected in zip(twins.reused.named_buffers(), twins.plain.buffers(), strict=True):
        torch.testing.assert_close(buffer, expected, rtol=1e-12, atol=1e-12, msg=name)


LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "transposed": lambda x: x.transpose(2, 3).contiguous().transpose(2, 3),
    "every second": lambda x: torch.cat([x, x])[::2],
    "expanded": lambda x: x[:1].expand(4, 3, 16, 12),
    "channels_last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "flipped": lambda x: x.flip(2),
    "of inference": lambda x: made_in_inference_mode(x),
}


def made_in_inference_mode(x: Tensor) -> Tensor:
    with torch.inference_mode():
        return x.clone()


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "of inference"])
def test_inputs_of_any_layout(layout: str) -> None:
    Twins().step_alike(LAYOUTS[layout](images()))


@pytest.mark.parametrize("mode", MODES)
def test_modes_of_autograd(mode: str) -> None:
    twins = Twins().eval()
    with MODES[mode]():
        found = twins.agree(lambda model: model(images()))
    assert found.requires_grad == (mode == "enabled") and found.is_inference() == (mode == "inference_mode")
    assert twins.computes == ["classes"] * 3
    twins.step_alike()


def test_inputs_made_in_inference_mode() -> None:
    twins = Twins().eval()
    with torch.no_grad():
        twins.agree(lambda model: model(LAYOUTS["of inference"](images())))


def test_gradients_switched_within_a_pass() -> None:
    class Switching(Two):
        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                y = self.a(x).relu_()
            z: Tensor = F.relu(self.b(y), inplace=True)
            w: Tensor = self.a(x)
            with torch.no_grad():
                w.mul_(2)
            return z + w

    Twins(Switching).step_alike()


def test_bfloat16_autocast() -> None:
    twins = Twins(lambda: network(0.0).float()).eval()
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = (model(images().float()) for model in twins.both)
    assert found.dtype == expected.dtype == torch.bfloat16
    close(found.detach().double(), expected.detach().double(), 0.02)
    found.float().sum().backward()
    expected.float().sum().backward()
    for one, other in zip(gradients(twins.reused), gradients(twins.plain), strict=True):
        assert one.dtype == torch.float32
        close(one, other, 0.05)


def test_deterministic_algorithms() -> None:
    torch.use_deterministic_algorithms(True)
    try:
        Twins().step_alike()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints_within_a_model(reentrant: bool) -> None:
    class Checkpointed(Two):
        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = checkpoint(lambda z: self.b(z).relu(), self.a(x).relu(), use_reentrant=reentrant)
            return found * 2

    twins = Twins(Checkpointed)
    twins.step_alike()
    assert twins.computes[0] == "classes"
    if not reentrant:
        assert twins.computes[1] == "classes"


def test_forward_and_full_backward_hooks() -> None:
    twins = Twins()
    seen: list[tuple[Tensor, Tensor]] = []
    for model in twins.both:
        model[2][0].register_full_backward_hook(
            lambda _, inner, outer: seen.append((inner[0].clone(), outer[0].clone()))
        )
        model[0].register_forward_hook(lambda *given: given[2] * 2)
        model[6].register_forward_pre_hook(lambda _, given: (given[0] + 1,))
    twins.step_alike()
    found, expected = seen
    close(found, expected)


def test_traced_and_exported() -> None:
    twins = Twins().eval()
    expected = twins.plain(images())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        close(torch.jit.trace(twins.reused, (images(),), check_trace=False)(images()), expected)
        close(torch.export.export(twins.reused, (images(),), strict=False).module()(images()), expected)


@pytest.mark.parametrize("whole", [True, False])
def test_compiled(whole: bool) -> None:
    torch.compiler.reset()
    twins = Twins().eval()
    expected = twins.plain(images())
    if whole:
        close(torch.compile(twins.reused, backend="eager")(images()), expected)
        assert set(twins.computes) == {"dense: the model is compiled"}
    else:
        twins.reused[2] = torch.compile(twins.reused[2], backend="eager")
        close(twins.reused(images()), expected)
        assert twins.computes[0] == "classes"


def test_tensors_without_numbers() -> None:
    twins = Twins().eval()
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        assert twins.reused(mode.from_tensor(images())).shape == (4, 5)
    on_meta = copy.deepcopy(twins.reused).to("meta")
    assert on_meta(images().to("meta")).shape == (4, 5)
    assert twins.reused(images()[:0]).shape == (0, 5)


@pytest.mark.parametrize(
    "parametrised",
    [
        parametrizations.spectral_norm,
        parametrizations.weight_norm,
        lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
    ],
    ids=["spectral_norm", "weight_norm", "prune"],
)
def test_parametrised_weights(parametrised: Callable[[nn.Module], Any]) -> None:
    twins = Twins()
    for model in twins.both:
        torch.manual_seed(2)
        parametrised(model[2][0])
        model[0].weight.register_hook(lambda gradient: gradient * 2)
    twins.step_alike()
    assert twins.computes[:2] == ["classes"] * 2


def test_data_parallel() -> None:
    twins = Twins().eval()
    close(nn.DataParallel(twins.reused)(images()), twins.plain(images()))


def test_synchronised_statistics_of_a_process_alone() -> None:
    twins = Twins(lambda: nn.SyncBatchNorm.convert_sync_batchnorm(network()))
    twins.step_alike()


def test_lazy_layers() -> None:
    def build() -> nn.Module:
        lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1)).double()
        torch.manual_seed(1)
        lazy(images())
        return lazy

    twins = Twins(build)
    twins.step_alike()
    assert twins.computes == ["classes"] * 2


def trained(rank: int, folder: str) -> None:
    """Two steps of one rank, with exact reuse and without it."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/ranks", rank=rank, world_size=2)
    own = images().roll(rank, 1)[rank:]
    twins, steps = Twins(), []
    for model in twins.both:
        parallel = DistributedDataParallel(model)
        optimizer = torch.optim.SGD(model.parameters(), 0.01)
        for _ in range(2):
            found = step(parallel, own)
            optimizer.step()
        steps.append([found, [parameter.detach() for parameter in model.parameters()]])
    close(steps[0], steps[1])
    assert twins.computes[:2] == ["classes"] * 2
    torch.save(steps[0][1], Path(folder, f"{rank}.pt"))
    dist.destroy_process_group()


def test_two_processes(tmp_path: Path) -> None:
    mp.spawn(trained, args=(str(tmp_path),), nprocs=2)
    close(*(torch.load(tmp_path / f"{rank}.pt") for rank in range(2)))


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.usefixtures("no_collection")
def test_nothing_is_left_of_a_step(backward: bool) -> None:
    twins = Twins()
    step(twins.reused, images()) if backward else twins.reused(images())
    # Types, as isinstance() asks some objects for their class, which warn.
    assert not [each for each in gc.get_objects() if type(each) is SharedTensor]
