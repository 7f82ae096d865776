"""What is a page made of? Texts, pictures and tables under headings; templates of their names write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol


class Part(Protocol):
    """What a section holds: anything that names the template which writes it, where it is called ``part``.

    Whoever writes something else than HTML goes by ``parts``: the charts and tables that it is made of.
    """

    template: ClassVar[str]

    @property
    def parts(self) -> Sequence["Part"]:
        """Charts, tables, and parts of such."""


@dataclass(frozen=True)
class Card:
    """One key figure: what it is, its value, what to hold it against."""

    label: str
    value: str
    beside: str
    bad: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A paragraph."""

    template: ClassVar[str] = "paragraph.html"
    text: str
    parts: ClassVar[Sequence[Part]] = ()


@dataclass(frozen=True)
class Side:
    """Parts that stand side by side where the window is wide."""

    template: ClassVar[str] = "side.html"
    parts: Sequence[Part]


@dataclass(frozen=True)
class Folded:
    """A part that is hidden until one asks for it."""

    template: ClassVar[str] = "folded.html"
    summary: str
    part: Part

    @property
    def parts(self) -> Sequence[Part]:
        """The one."""
        return (self.part,)


@dataclass(frozen=True)
class Section:
    """Parts under a heading; without parts it is left out."""

    identity: str
    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Page:
    """A study's page, as plain text; escaping is the templates' work.

    Attributes:
        title: of the window.
        kicker: what kind of study it is.
        subject: what was studied.
        headline: the result in one sentence.
        lead: what the headline rests on.
        cards: the key figures.
        sections: in the order in which one understands them.
        methods: terms, and how they were measured.
        machine: names and values of what it ran on.
        command: what made it, as the user typed it.
    """

    title: str
    kicker: str
    subject: str
    headline: str
    lead: str
    cards: Sequence[Card]
    sections: Sequence[Section]
    methods: Sequence[tuple[str, str]]
    machine: Sequence[tuple[str, str]]
    command: str
