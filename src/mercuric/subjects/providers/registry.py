"""Which places are there that networks come from, and which of them has a name?"""

from mercuric import zoo
from mercuric.errors import ArgumentError
from mercuric.subjects.providers.hf_folder import HfFolder
from mercuric.subjects.providers.onnx_file import OnnxFile
from mercuric.subjects.providers.own_code import OwnFile, OwnModule
from mercuric.subjects.providers.provider import Provider
from mercuric.subjects.providers.timm_names import TimmNames
from mercuric.subjects.providers.torchvision_names import TorchvisionNames
from mercuric.subjects.providers.zoo_names import ZooNames

ZOO = ZooNames()
PROVIDERS: list[Provider] = [
    ZOO, TimmNames(), TorchvisionNames(), HfFolder(), OnnxFile(), OwnFile(), OwnModule()
]  # fmt: skip
"""The first that has a name provides its network."""


def forms() -> str:
    """What names look like that are not of the zoo, as a sentence lists them."""
    *first, last = [one.form for one in PROVIDERS if one is not ZOO]
    return f"{', '.join(first)} or {last}"


def is_name(name: str) -> bool:
    """Whether a network may have this name."""
    return any(provider.has(name) for provider in PROVIDERS)


def provider_of(name: str) -> Provider:
    """Where the network comes from.

    Raises:
        ValueError: no network may have this name.
    """
    for provider in PROVIDERS:
        if provider.has(name):
            return provider
    raise ArgumentError(f"model was {name!r}, but must be one of {', '.join(zoo.all_names())}, or {forms()}")
