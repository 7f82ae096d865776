"""In which setting is a form fastest, and how long do its steps take there?"""

import time
from itertools import accumulate

from mercuric.progress import Progress, silent
from mercuric.studies.bench.compiler import compiler_works
from mercuric.studies.schedule.config import ScheduleConfig
from mercuric.studies.schedule.forms import DENSE
from mercuric.studies.schedule.forms.form import Form, Stage, Unfit
from mercuric.studies.schedule.pace import Pace, StageState, StepSeconds
from mercuric.studies.schedule.setting import Setting, settings
from mercuric.studies.schedule.stopwatch import Stopwatch
from mercuric.studies.schedule.trainee import Trainee

BAR = "timing"
MIDDLE = 0.5


def measured(form: Form, config: ScheduleConfig, stopwatch: Stopwatch, progress: Progress = silent) -> Pace:
    """The form's fastest setting, and the seconds of its steps in it.

    Args:
        form: which; dense before all others, whose steps are timed beside its.
        config: batches, precisions, and whether compiled forms are tried.
        stopwatch: that times.
        progress: told what is timed.
    """
    try:
        stages = form.stages(stopwatch.ground)
    except Unfit as unfit:
        return Pace(form=form.name, refused=str(unfit))
    progress(0, 2, f"{form.shown}: which setting", BAR)
    setting, compiling = _fastest(form, _middle(stages), config, stopwatch)
    progress(1, 2, f"{form.shown}: steps, {setting.shown}", BAR)
    if form.name == DENSE:
        steps = stopwatch.alone({one: stopwatch.trainee(form, one, setting) for one in config.batches})
    else:
        steps = [
            one for batch in config.batches for one in _of_stages(form, stages, setting, batch, stopwatch)
        ]
    progress(2, 2, "", BAR)
    return Pace(
        form=form.name, clock=config.clock, channels_last=setting.channels_last,
        precision=setting.precision, compiled=setting.compiled, compiling=compiling, steps=steps,
        stages=[StageState(name=stage.name, share=stage.share) for stage in stages],
    )  # fmt: skip


def _of_stages(
    form: Form, stages: tuple[Stage, ...], setting: Setting, batch: int, stopwatch: Stopwatch
) -> list[StepSeconds]:
    """Steps of the stages that are known beforehand: the first, and those with a share."""
    trainee = stopwatch.trainee(form, batch, setting)
    found = []
    for place, stage in enumerate(stages):
        if place and stage.share is None:
            break
        if place:
            trainee.enter(place)
        found.append(stopwatch.beside_dense(trainee, batch))
    return found


def _fastest(form: Form, stage: int, config: ScheduleConfig, stopwatch: Stopwatch) -> tuple[Setting, float]:
    """The fastest setting in a stage, and the seconds that compiling took."""

    def trainee(setting: Setting) -> Trainee:
        made = stopwatch.trainee(form, config.batch, setting)
        if stage:
            made.enter(stage)
        return made

    plain = {setting: trainee(setting) for setting in settings(config.precisions)}
    best = stopwatch.fastest(plain, config.batch)
    # Where dense gains nothing by it, compiling a dozen forms like it would take minutes for nothing.
    worth = form.name == DENSE or stopwatch.dense.compiled
    if not (config.compiled and form.compiles and worth and compiler_works()):
        return best, 0.0
    compiled = trainee(best.compiled_too())
    started = time.perf_counter()
    compiled.warm_up()
    compiling = time.perf_counter() - started
    both = {best: plain[best], best.compiled_too(): compiled}
    return stopwatch.fastest(both, config.batch), compiling


def _middle(stages: tuple[Stage, ...]) -> int:
    """The stage that a schedule is in when half of its steps are done; where nobody knows it the first."""
    done = accumulate(stage.share or 0.0 for stage in stages)
    return next((place for place, share in enumerate(done) if share > MIDDLE), 0)
