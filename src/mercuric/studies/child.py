"""How does a command that a study has started end when the study does, however that ends?

Its standard input is a pipe that the study holds open.
"""

import os
import runpy
from threading import Thread


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    Thread(target=_end_with_parent, daemon=True).start()
    runpy.run_module("mercuric", run_name="__main__", alter_sys=True)
