"""What did it run on?"""

import os
import platform
from pathlib import Path
from typing import Any

import torch

import mercuric
from mercuric.training.ranks import ranks


def machine() -> dict[str, Any]:
    """Processor, cores used, memory and versions, for a result's ``machine`` entry; ranks, if several."""
    return {
        "processor": _processor(),
        "cores": torch.get_num_threads(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "mercuric": mercuric.__version__,
        **({} if ranks() == 1 else {"ranks": ranks()}),
    }


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
