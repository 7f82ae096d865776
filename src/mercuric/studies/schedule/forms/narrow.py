"""How does a narrower network train?"""

from mercuric.studies.schedule.forms.form import Form, Ground, Learner, Stage, Unfit


class Narrow(Form):
    """The same network with fewer channels in every layer."""

    name = "narrow"
    shown = "narrower network"
    source = "the width multiplier of MobileNets (Howard and others, arXiv 2017)"

    def stages(self, ground: Ground) -> tuple[Stage, ...]:
        """See :meth:`Form.stages`."""
        self.learner(ground, 0)
        return (Stage("whole"),)

    def learner(self, ground: Ground, examples: int) -> Learner:  # noqa: ARG002
        """See :meth:`Form.learner`."""
        try:
            return Learner(ground.build(ground.width))
        except ValueError as error:
            raise Unfit(f"{ground.network} can't be {ground.width:g} times as wide: {error}") from None
