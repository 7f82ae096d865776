"""What holds for every test: no deadline, how many draws, what a plain run leaves out, Triton's interpreter.

Without a GPU the kernels for it run under Triton's interpreter, chosen before anything imports Triton.
"""

import os

import pytest
import torch
from hypothesis import HealthCheck, is_hypothesis_test, settings
from plain_run import draws

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")

# How long an example takes says what else the machine does, not whether it is right. What a change must pass
# is the same each time; everybody's own runs go on drawing.
settings.register_profile(
    "mercuric",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("mercuric")

pytest_plugins = ["command", "drawn_charts", "run_folders"]

ASKED_FOR = {"download": "MERCURIC_TEST_DOWNLOAD", "slow": "MERCURIC_TEST_SLOW"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    properties = {item.obj for item in items if is_hypothesis_test(getattr(item, "obj", None))}
    for test in properties:
        asked = test._hypothesis_internal_use_settings or settings.default
        test._hypothesis_internal_use_settings = settings(asked, max_examples=draws(asked.max_examples))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, variable in ASKED_FOR.items():
        if item.get_closest_marker(marker) and os.environ.get(variable) != "1":
            pytest.skip(f"{variable} is not 1")
