"""Which text does each element of a help page hold?"""

from html.parser import HTMLParser

_TEXT_TAGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p"})
_CODE = "code"

Attributes = list[tuple[str, str | None]]


def element_texts(html: str) -> dict[str, str]:
    """The text of headings and paragraphs by their id, white space collapsed.

    Elements without an id and those of class ``code`` are left out; an id's first element counts.
    """
    page = _Page()
    page.feed(html)
    page.close()
    return page.texts


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: dict[str, str] = {}
        self._open: tuple[str, str] | None = None
        self._pieces: list[str] = []

    def handle_starttag(self, tag: str, attributes: Attributes) -> None:
        if tag in _TEXT_TAGS:
            values = dict(attributes)
            identity = values.get("id")
            self._open = (tag, identity) if identity and values.get("class") != _CODE else None
            self._pieces = []
        elif tag == "br":
            self._pieces.append(" ")

    def handle_data(self, text: str) -> None:
        if self._open:
            self._pieces.append(text)

    def handle_endtag(self, tag: str) -> None:
        if self._open and tag == self._open[0]:
            self.texts.setdefault(self._open[1], " ".join("".join(self._pieces).split()))
            self._open = None
