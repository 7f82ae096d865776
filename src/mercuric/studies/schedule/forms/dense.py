"""How does a network train as it is, on a whole schedule or on a shortened one?"""

from mercuric.studies.schedule.forms.form import Form


class Dense(Form):
    """PyTorch's own layers. On fewer seconds than all: a schedule that is shortened, and tuned as such."""

    name = "dense"
    shown = "dense"
    source = "PyTorch's own layers; in fewer seconds its schedule is shortened"
