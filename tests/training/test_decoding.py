import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mercuric.training.decoding import beam_search
from mercuric.zoo.transformer import Transformer, build_transformer

VOCABULARY = 6
END = 2


def network(seed: int) -> Transformer:
    torch.manual_seed(seed)
    return build_transformer(VOCABULARY, width=0.1, layers=1, heads=2).eval()


def log_probabilities(model: Transformer, source: list[int], prefix: list[int]) -> Tensor:
    """Of the next id after ``prefix``, knowing one unpadded source: padding and begin are impossible."""
    with torch.no_grad():
        logits = model(torch.tensor([source]), torch.tensor([[1, *prefix]]))[0, -1]
    logits[[0, 1]] = -torch.inf
    return logits.log_softmax(0)


def exhaustive(model: Transformer, source: list[int], limit: int, length_penalty: float) -> list[int]:
    """The best of all translations, walked through one id at a time."""

    def best(prefix: list[int], log_probability: float) -> tuple[float, list[int]]:
        found: list[tuple[float, list[int]]] = []
        length = len(prefix) + 1
        for word, chance in enumerate(log_probabilities(model, source, prefix).tolist()):
            score = log_probability + chance
            if word == END or length == limit:
                found.append((score / ((5 + length) / 6) ** length_penalty, [*prefix, word]))
            elif chance > -torch.inf:
                found.append(best([*prefix, word], score))
        return max(found)

    return [word for word in best([], 0.0)[1] if word != END]


def greedy(model: Transformer, source: list[int], limit: int) -> list[int]:
    found: list[int] = []
    while len(found) < limit:
        word = int(log_probabilities(model, source, found).argmax())
        if word == END:
            break
        found.append(word)
    return found


def padded(sources: list[list[int]]) -> Tensor:
    longest = max(map(len, sources))
    return torch.tensor([source + [0] * (longest - len(source)) for source in sources])


SOURCES = st.lists(st.lists(st.integers(3, 5), min_size=1, max_size=4), min_size=1, max_size=3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), SOURCES, st.sampled_from([0.0, 0.6, 3.0]), st.data())
def test_a_beam_that_holds_everything_finds_the_best_of_all(
    seed: int, sources: list[list[int]], length_penalty: float, draw: st.DataObject
) -> None:
    model = network(seed)
    limits = [draw.draw(st.integers(1, 3)) for _ in sources]
    found = beam_search(model, padded(sources), torch.tensor(limits), 200, length_penalty)
    assert found == [
        exhaustive(model, source, limit, length_penalty)
        for source, limit in zip(sources, limits, strict=True)
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), SOURCES, st.data())
def test_a_beam_of_1_is_greedy(seed: int, sources: list[list[int]], draw: st.DataObject) -> None:
    model = network(seed)
    limits = [draw.draw(st.integers(1, 12)) for _ in sources]
    found = beam_search(model, padded(sources), torch.tensor(limits), beam=1)
    assert found == [greedy(model, source, limit) for source, limit in zip(sources, limits, strict=True)]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), SOURCES, st.integers(2, 5))
def test_a_translation_does_not_depend_on_the_sentences_beside_it(
    seed: int, sources: list[list[int]], beam: int
) -> None:
    model = network(seed)
    together = beam_search(model, padded(sources), torch.full((len(sources),), 6), beam)
    alone = [beam_search(model, torch.tensor([source]), torch.tensor([6]), beam)[0] for source in sources]
    assert together == alone


class Scripted:
    """A network that writes 4, 5 and the end with growing certainty, and counts its steps."""

    def __init__(self, certainty: float) -> None:
        self.certainty = certainty
        self.steps = 0

    def encode(self, source: Tensor) -> Tensor:
        return source[:, :, None].float()

    def decode(self, memory: Tensor, target: Tensor, hidden: Tensor) -> Tensor:
        assert memory.shape[:2] == hidden.shape
        self.steps += 1
        return torch.tensor([4, 5, END, END, END, END])[: target.shape[1]].expand_as(target)[:, :, None]

    def logits(self, states: Tensor) -> Tensor:
        return self.certainty * torch.nn.functional.one_hot(states[..., 0], VOCABULARY).float()


@pytest.mark.parametrize("beam", [1, 3])
def test_it_stops_when_nothing_better_can_come(beam: int) -> None:
    model = Scripted(certainty=30)
    assert beam_search(model, torch.tensor([[3], [4]]), torch.tensor([6, 6]), beam) == [[4, 5], [4, 5]]
    assert model.steps == 3


def test_a_translation_that_reaches_its_limit_ends_there() -> None:
    model = Scripted(certainty=30)
    assert beam_search(model, torch.tensor([[3], [3], [3]]), torch.tensor([1, 2, 3])) == [[4], [4, 5], [4, 5]]


def test_no_sentences_have_no_translations() -> None:
    empty = torch.empty(0, 3, dtype=torch.int64)
    assert beam_search(Scripted(1), empty, torch.empty(0, dtype=torch.int64)) == []


@pytest.mark.parametrize(
    ("limit", "beam", "length_penalty", "complaint"),
    [
        (0, 4, 0.6, "limits held 0, but each must be at least 1"),
        (5, 0, 0.6, "beam was 0, but it must be at least 1"),
        (5, 4, -0.1, "length_penalty was -0.1, but it must be at least 0"),
        (5, 4, float("nan"), "length_penalty was nan, but it must be at least 0"),
    ],
)
def test_an_impossible_search_is_refused(
    limit: int, beam: int, length_penalty: float, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        beam_search(Scripted(1), torch.tensor([[3]]), torch.tensor([limit]), beam, length_penalty)
