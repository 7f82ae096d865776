"""Which methods are networks trained by here?"""

from mercuric.errors import ArgumentError
from mercuric.reuse import Alike, Directions, Equal, ReuseConfig
from mercuric.studies.train.ways.directions import DirectionsWay
from mercuric.studies.train.ways.exact import ExactWay
from mercuric.studies.train.ways.mercury import MercuryWay
from mercuric.studies.train.ways.way import Way

_WAYS: dict[type[ReuseConfig], Way] = {
    Alike: MercuryWay(),
    Directions: DirectionsWay(),
    Equal: ExactWay(),
}


def way_of(config: ReuseConfig) -> Way:
    """The way of a configuration's method.

    Raises:
        ValueError: no network is trained by it here.
    """
    if type(config) in _WAYS:
        return _WAYS[type(config)]
    known = ", ".join(one.__name__ for one in _WAYS)
    raise ArgumentError(f"reuse was a {type(config).__name__}, but must be one of {known} to be trained by")
