import pytest
import yaml

from mercuric.config import Config
from mercuric.studies.evaluate.config import EvaluationConfig
from mercuric.studies.shrink.config import ShrinkConfig
from mercuric.studies.similarity.config import SimilarityConfig
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.train.config import RunConfig
from mercuric.subjects.config import DataConfig, NetworkConfig, SubjectConfig

SHARED = "data_root: null\nimage_size: 32\n"


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (
            RunConfig,
            f"model: vgg13\ndata: photos\n{SHARED}width: 0.5\nvocabulary_size: null\nseeds: [0, 1]\n",
        ),
        (EvaluationConfig, f"model: vgg13\naccelerators: [eyeriss-like]\ndata: photos\n{SHARED}seed: 1\n"),
        (SimilarityConfig, f"model: vgg13\nweights: runs/that/are/gone\n{SHARED}images: null\nbits: 12\n"),
        (ShrinkConfig, f"model: custom-cnn\n{SHARED}width: 0.5\nseed: 3\nmercury: true\n"),
        (
            SweepConfig,
            f"models: [vgg13, transformer]\nvary: {{ways: [4, 8]}}\n{SHARED}data: null\nseed: 2\n",
        ),
    ],
)
def test_what_version_0_4_wrote_is_read(kind: type[Config], written: str) -> None:
    fields = yaml.safe_load(written)
    assert kind.from_yaml(written).model_dump(mode="json", include=set(fields)) == fields


def test_what_a_network_reads_where_no_data_are_named() -> None:
    assert NetworkConfig(model="vgg13").data == NetworkConfig(model="vgg13", data=None).data == "photos"
    assert NetworkConfig(model="transformer").data == "help-en-de"
    sweep = SweepConfig(models=("vgg13", "transformer"), vary={}, image_size=224)
    assert [sweep.subject_of(model).data for model in sweep.models] == ["photos", "help-en-de"]
    assert [sweep.subject_of(model).size for model in sweep.models] == [224, None]


def test_pretrained_weights_set_the_size_of_images() -> None:
    weights = "vgg16-hed"
    assert SubjectConfig(model="vgg16", weights=weights).size == 224
    assert SubjectConfig(model="vgg16", weights=weights, image_size=96).size == 96
    assert SubjectConfig(model="vgg16").size is None


def test_a_network_on_data_of_a_study() -> None:
    on = DataConfig(data="cifar10", data_root="there", image_size=40)
    subject = on.subject(model="vgg13", width=0.5, seed=4)
    assert (subject.data, subject.data_root, subject.image_size) == ("cifar10", "there", 40)
    assert (subject.model, subject.width, subject.seed) == ("vgg13", 0.5, 4)
