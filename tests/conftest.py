"""What holds for every test: no deadline, one marker for what a plain run leaves out, Triton's interpreter.

Without a GPU the kernels for it run under Triton's interpreter, chosen before anything imports Triton.
"""

import os

import pytest
import torch
from hypothesis import settings

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

# How long an example takes says what else the machine does, not whether it is right. What a change must pass
# is the same each time; everybody's own runs go on drawing.
settings.register_profile("mercuric", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("mercuric")

pytest_plugins = ["command", "run_folders"]

ASKED_FOR = {"download": "MERCURIC_TEST_DOWNLOAD", "slow": "MERCURIC_TEST_SLOW"}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, variable in ASKED_FOR.items():
        if item.get_closest_marker(marker) and os.environ.get(variable) != "1":
            pytest.skip(f"{variable} is not 1")
