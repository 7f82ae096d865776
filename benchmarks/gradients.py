"""How far are the gradients of training with reuse from those of dense training?

Prints, for a small network on photographs with random weights, the relative distance and the cosine
of each layer's weight gradient, as a Markdown table.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric import ReuseConfig, restore_, reuse_
from mercuric.data import load_images

FORMS = {
    "exact, 20 bits": ReuseConfig(bits=20, magnitude=None),
    "exact, 20 bits, magnitude 1": ReuseConfig(bits=20, magnitude=1),
    "exact, 32 bits, magnitude 1": ReuseConfig(bits=32, magnitude=1),
    "signature, 20 bits (the paper)": ReuseConfig(bits=20, magnitude=None, backward="signature"),
    "signature, 20 bits, magnitude 1": ReuseConfig(bits=20, magnitude=1, backward="signature"),
    "signature, 32 bits, magnitude 1": ReuseConfig(bits=32, magnitude=1, backward="signature"),
}


def small_network() -> nn.Sequential:
    """Two convolutions with a pooling and a stride between, and a fully connected layer."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 7 * 7, 7),
    )


def gradients(network: nn.Module, images: Tensor, labels: Tensor) -> list[Tensor]:
    """Each layer's weight gradient, flat."""
    network.zero_grad()
    F.cross_entropy(network(images), labels).backward()
    layers = (layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear))
    return [layer.weight.grad.flatten().clone() for layer in layers]


def main() -> None:
    """Print the table."""
    images, labels = load_images("photos").train.batch(torch.arange(56))
    network = small_network()
    dense = gradients(network, images, labels)
    print("| backward | first convolution | second convolution | fully connected |\n|---|--:|--:|--:|")
    for name, config in FORMS.items():
        reuse_(network, config)
        found = gradients(network, images, labels)
        restore_(network)
        cells = [
            f"{float((one - true).norm() / true.norm()):.2f} ({float(F.cosine_similarity(one, true, 0)):.2f})"
            for one, true in zip(found, dense, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
