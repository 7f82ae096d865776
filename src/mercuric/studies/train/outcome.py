"""What came out of training one network once?"""

from dataclasses import dataclass

import pandas as pd

from mercuric.studies.train.config import RunName


@dataclass(frozen=True)
class Outcome:
    """One network, trained once.

    Attributes:
        run: ``"dense"``, ``"reuse"`` or ``"mercury"``.
        seed: its seed.
        score: the task's metric on the test examples, computed as it was trained (with reuse, if so).
        score_without_reuse: of the same weights, computed densely.
        seconds: training time, evaluations left out.
        layers: what each layer did over the whole training, a layer a row, as its method tells it; empty
            for a dense run.
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
