"""Does a report name the command that makes it again?"""

import shlex
from pathlib import Path

from mercuric.terminal.command_line import command_line


def test_a_command_line_is_read_back_as_it_was_meant() -> None:
    options = {"image_size": 32, "dense": True, "inference": False, "config": None, "out": Path("my runs")}
    line = command_line("evaluate", ["vgg13", "a;b"], options)
    assert line == "mercuric evaluate vgg13 'a;b' --image-size 32 --dense --out 'my runs'"
    assert shlex.split(line)[-1] == "my runs"
