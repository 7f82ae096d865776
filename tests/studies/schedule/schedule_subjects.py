"""A small network on a few photographs, in any form."""

from collections.abc import Mapping

import torch

from mercuric.data import ImageData
from mercuric.studies.schedule.forms import FORMS
from mercuric.studies.schedule.forms.form import Ground
from mercuric.studies.schedule.setting import Setting
from mercuric.studies.schedule.trainee import Recipe, Trainee
from mercuric.subjects.config import NetworkConfig
from mercuric.subjects.lesson import Lesson
from mercuric.subjects.network import open_network
from mercuric.training import ClassificationTask

FASTER = {"features.3": 2.0, "features.6": 3.0}
"""Layers of the small network that would be faster in directions."""


def ground_of(images: ImageData, network: str = "custom-cnn", faster: Mapping[str, float] = FASTER) -> Ground:
    """What forms are given."""
    config = NetworkConfig(model=network)
    lesson = Lesson(config, open_network(config), images, ClassificationTask(images), len(images.test))
    return Ground(lesson, faster=faster)


def trainee_of(form: str, ground: Ground, rate: float = 0.02, seed: int = 0, batch: int = 8) -> Trainee:
    """The network in a form, on all of its images; its first stage has not begun."""
    places = torch.arange(len(ground.data.train))
    return Trainee(ground, FORMS[form], Recipe(rate, batch), Setting(), seed, places)


def begun(form: str, ground: Ground, seed: int = 0) -> Trainee:
    """The same in its first stage."""
    trainee = trainee_of(form, ground, seed=seed)
    trainee.enter(0)
    return trainee
