"""Which methods are there?"""

from mercuric.reuse.alike.config import Alike
from mercuric.reuse.alike.method import AlikeMethod
from mercuric.reuse.config import METHODS, PRESETS
from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.method import DirectionsMethod

METHODS[Alike] = AlikeMethod()
METHODS[Directions] = DirectionsMethod()

PRESETS |= {"default": Alike, "paper": Alike.paper, "fast": Directions.fast}
