"""Which methods are there?"""

from mercuric.reuse.alike.config import Alike
from mercuric.reuse.alike.method import AlikeMethod
from mercuric.reuse.config import METHODS, PRESETS, ReuseConfig
from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.method import DirectionsMethod
from mercuric.reuse.equal.config import Equal
from mercuric.reuse.equal.method import EqualMethod
from mercuric.reuse.method import Method

_KNOWN: dict[type[ReuseConfig], Method] = {
    Alike: AlikeMethod(),
    Directions: DirectionsMethod(),
    Equal: EqualMethod(),
}
METHODS.update(_KNOWN)

PRESETS |= {"default": Alike, "paper": Alike.paper, "fast": Directions.fast}
