"""How many times faster is each layer in fewer directions, on this machine?"""

import torch

from mercuric.reuse import Directions, ReuseHandle, reuse_
from mercuric.studies.bench.layer_choice import keep_faster
from mercuric.studies.schedule.config import ScheduleConfig
from mercuric.studies.schedule.forms.form import Form, Ground, Learner
from mercuric.studies.schedule.stopwatch import RATE, Stopwatch


class _Everywhere(Form):
    """Principal directions in every layer where they save multiplications."""

    name = shown = source = "directions everywhere"

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        network = ground.build()
        self.handle: ReuseHandle = reuse_(network, Directions(rank=ground.rank))
        return Learner(network)


def layer_speeds(config: ScheduleConfig, stopwatch: Stopwatch) -> dict[str, float]:
    """Layer to dense milliseconds over those in directions, of layers that have directions.

    Timed as ``Directions.fast()`` times them, forward and backward, in the setting in which dense is fastest;
    compiled layers can't be timed one by one.
    """
    setting = stopwatch.dense.setting
    form = _Everywhere()
    trainee = stopwatch.trainee(form, config.batch, type(setting)(setting.channels_last, setting.precision))
    examples = torch.arange(min(config.batch, trainee.examples))

    def step() -> float:
        return trainee.step(examples, RATE)

    step()
    costs = keep_faster(trainee.learner.network, form.handle, step, config.now).costs
    return {
        name: cost.baseline / cost.signatures_and_products
        for name, cost in costs.items()
        if cost is not None and cost.signatures_and_products > 0
    }
