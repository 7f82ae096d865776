"""Which vectors are alike? Signatures, MCACHE and Hitmap: tensors in, tensors out."""

from mercuric.similarity.hitmap import Hitmap, HitState
from mercuric.similarity.mcache import MCache
from mercuric.similarity.rpq import random_projection, reference_signatures, signatures

__all__ = ["HitState", "Hitmap", "MCache", "random_projection", "reference_signatures", "signatures"]
