"""How is a component that a circuit has many times emitted once? Equal modules become one (RTLIL)."""

import re
from dataclasses import dataclass, field

from amaranth.back import rtlil
from amaranth.lib.wiring import Component

_MODULE = re.compile(r"^module \\(\S+)\n(.*?)^end$", re.MULTILINE | re.DOTALL)
_INSTANCE = re.compile(r"^  cell \\(\S+) (\S+)\n(.*?)^  end$", re.MULTILINE | re.DOTALL)
_CONNECTED = re.compile(r"^    connect (\S+)", re.MULTILINE)
_NAMELESS = re.compile(r"\\port\$\d+\$\d+")
_NUMBERS = re.compile(r"(_\d+)+$")


def component(module: str) -> str:
    """What the components of a module are called: the last part of its name, without numbers."""
    return _NUMBERS.sub("", module.rsplit(".", 1)[-1])


def circuit_text(circuit: Component, name: str) -> str:
    """The circuit in RTLIL as the module ``name``, each of its different modules once."""
    return merged(rtlil.convert(circuit, name=name, emit_src=False))


def merged(text: str) -> str:
    """A circuit as Amaranth emits it, but each of its different modules once.

    Amaranth gives every instance a module of its own, with its path for a name. Here a module is called
    after the circuit and its component (``mercury.pe_set``); where several differ, they are numbered.

    Args:
        text: RTLIL; a module comes before those of which it is made.
    """
    found = list(_MODULE.finditer(text))
    modules = _Modules(found[0][1])
    for match in reversed(found):
        modules.add(*match.groups())
    return text[: found[0].start()] + "\n".join(
        f"module \\{name}\n{body}end\n" for name, body in reversed(modules.bodies.items())
    )


@dataclass
class _Modules:
    """Those that are kept, by their new names.

    Attributes:
        top: the circuit's name.
        bodies: what is in them.
        names: the new name of each path.
        ports: of each path, its ports that had no name in Amaranth, and what they are called.
    """

    top: str
    bodies: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    ports: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, path: str, body: str) -> None:
        """A module, after those of which it is made."""
        body = _INSTANCE.sub(self._instance, body)
        nameless = dict.fromkeys(_NAMELESS.findall(body))
        self.ports[path] = {port: rf"\port${place}" for place, port in enumerate(nameless)}
        body = _NAMELESS.sub(lambda port: self.ports[path][port[0]], body)
        self.names[path] = name = path if path == self.top else self._name(component(path), body)
        self.bodies[name] = body

    def _instance(self, match: re.Match[str]) -> str:
        """The cell of a module, by new names; its connections begin with that module's ports."""
        path, name, connections = match.groups()
        ports = self.ports[path]
        connections = _CONNECTED.sub(lambda one: f"    connect {ports.get(one[1], one[1])}", connections)
        return f"  cell \\{self.names[path]} {name}\n{connections}  end"

    def _name(self, component: str, body: str) -> str:
        """That of the module that has this body, or a new one."""
        name, number = f"{self.top}.{component}", 1
        while self.bodies.get(name, body) != body:
            number += 1
            name = f"{self.top}.{component}_{number}"
        return name
