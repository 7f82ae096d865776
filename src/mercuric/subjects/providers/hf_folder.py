"""How is a model of transformers had that lies in a folder?"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from mercuric.errors import ArgumentError, MercuricError
from mercuric.extras import needed_for
from mercuric.subjects.providers.library import made_by
from mercuric.subjects.providers.provider import (
    Arguments,
    Opened,
    Purpose,
    digest,
    finished,
    last_line,
)
from mercuric.zoo import Reads

_PREFIX, _CONFIG = "hf/", "config.json"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


class HfFolder:
    """``hf/FOLDER``: a model as ``save_pretrained`` leaves it, or its ``config.json`` alone.

    Nothing is downloaded, and no code of the folder runs.
    """

    form = "hf/FOLDER"

    def has(self, name: str) -> bool:
        """See ``Provider.has``."""
        return name.startswith(_PREFIX)

    def reads(self, _: str) -> Reads:
        """See ``Provider.reads``."""
        return "images"

    def weights(self, name: str) -> str | None:
        """See ``Provider.weights``: those that lie in the folder."""
        return f"of {name}" if _stored(_folder(name)) else None

    def open(self, name: str, arguments: Arguments) -> Opened:
        """See ``Provider.open``; arguments are fields of the configuration."""
        folder = _folder(name)
        if not (folder / _CONFIG).is_file():
            raise MercuricError(f"there is no {folder / _CONFIG}, which {name!r} must be made by")
        with needed_for("hf/FOLDER", "hf"):
            import transformers
        config = _config(transformers, name, folder, arguments)
        kind, stored = _class(transformers, name, config), _stored(folder)
        headless: Any = transformers.AutoModel

        def make() -> Any:
            if stored:
                with _silent(transformers):
                    return kind.from_pretrained(folder, config=config, local_files_only=True)
            return kind.from_config(config) if kind is headless else kind(config)

        def build(purpose: Purpose) -> nn.Module:
            if not stored and purpose.classes is not None and "num_labels" not in arguments:
                config.num_labels = purpose.classes
            return finished(name, made_by(name, make, {}).train(), purpose)

        def rests_on() -> dict[str, str]:
            files = [folder / _CONFIG, *stored]
            return {"transformers": transformers.__version__, **{path.name: digest(path) for path in files}}

        size = getattr(config, "image_size", None)
        return Opened(build, size if isinstance(size, int) else None, rests_on=rests_on)


@contextmanager
def _silent(transformers: Any) -> Iterator[None]:
    """Within the block no bars are drawn for weights that are read in a moment."""
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _folder(name: str) -> Path:
    return Path(name.removeprefix(_PREFIX)).expanduser()


def _stored(folder: Path) -> list[Path]:
    return sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern))


def _config(transformers: Any, name: str, folder: Path, arguments: Arguments) -> Any:
    try:
        config, unused = transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, return_unused_kwargs=True, **arguments
        )
    except Exception as error:
        raise MercuricError(f"{name} can't be made: {last_line(error)}") from error
    if unused:
        raise ArgumentError(
            f"model_args named {', '.join(unused)}, but the configuration of {name} has no such field"
        )
    return config


def _class(transformers: Any, name: str, config: Any) -> Any:
    """The class that the configuration says it is of; without one, the model without a head."""
    named = (getattr(config, "architectures", None) or ["AutoModel"])[0]
    found = getattr(transformers, str(named), None)
    if found is None:
        raise MercuricError(
            f"{name} is a {named}, which transformers {transformers.__version__} does not have"
        )
    return found
