"""What came out of training one network once?"""

from dataclasses import dataclass

import pandas as pd

from mercuric.studies.train.config import RunName


@dataclass(frozen=True)
class Outcome:
    """One network, trained once.

    Attributes:
        run: ``"dense"`` or ``"reuse"``.
        seed: its seed.
        score: the task's metric on the test examples, computed as it was trained (with reuse, if so).
        score_without_reuse: of the same weights, computed densely.
        seconds: training time, evaluations left out.
        layers: similarity and cycles over the whole training, a layer a row, or the rank, error and
            milliseconds of its directions; empty for a dense run.
        changes: what adaptation changed, a change a row: step, layer (empty where the bits of all
            layers grew), what, before, after.
    """

    run: RunName
    seed: int
    score: float
    score_without_reuse: float
    seconds: float
    layers: pd.DataFrame
    changes: pd.DataFrame
