from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.corpus.inventory import Inventory
from asr.decoding.greedy import GreedyConfig, GreedyDecoder
from asr.decoding.hypothesis import Hypothesis, Span, words_of
from asr.text import normalise_text


@dataclass(frozen=True)
class TinyInventory:
    """The three things a decoder asks of an inventory; its blank may stand anywhere."""

    labels: tuple[str, ...]
    unit: str
    blank: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def text(self, labels: tuple[str, ...]) -> str:
        return ("" if self.unit == "characters" else " ").join(labels)


CHARACTERS = TinyInventory(("<blank>", " ", "a", "b"), "characters")
PHONEMES = TinyInventory(("<blank>", "aa", "sh"), "labels")


def decoder(inventory: TinyInventory) -> GreedyDecoder:
    return GreedyDecoder(inventory)  # type: ignore[arg-type]


def posteriors(path: str, inventory: TinyInventory = CHARACTERS, peak: float = 0.7) -> torch.Tensor:
    """(T, L) log posteriors whose best path is spelled with `-` for blank."""
    indices = [inventory.blank if symbol == "-" else inventory.labels.index(symbol) for symbol in path]
    probabilities = torch.full((len(path), len(inventory)), (1 - peak) / (len(inventory) - 1))
    probabilities[torch.arange(len(path)), torch.tensor(indices, dtype=torch.long)] = peak
    return probabilities.log()


def decode_one(log_probs: torch.Tensor, inventory: TinyInventory = CHARACTERS, step: float = 1.0) -> Hypothesis:
    (hypothesis,) = decoder(inventory).decode(log_probs[None], torch.tensor([len(log_probs)]), step)
    return hypothesis


# a path, and the labelling that merging repeats and then removing blanks leaves (Graves 2006, section 3.1)
@pytest.mark.parametrize(
    ("path", "text"),
    [("", ""), ("---", ""), ("a", "a"), ("aab", "ab"), ("a-a", "aa"), ("-aa--ab-", "aab"), ("aa bb", "a b")],
)
def test_labelling_of_a_path(path: str, text: str) -> None:
    assert decode_one(posteriors(path)).text == text


def test_spans_last_from_the_first_frame_to_the_frame_after_the_last() -> None:
    hypothesis = decode_one(posteriors("-aa-b"), step=0.5)
    assert [(span.label, span.start, span.end) for span in hypothesis.spans] == [("a", 0.5, 1.5), ("b", 2.0, 2.5)]


def test_offset_moves_the_spans_of_each_utterance() -> None:
    batch = torch.stack([posteriors("a-"), posteriors("-b")])
    first, second = decoder(CHARACTERS).decode(batch, torch.tensor([2, 2]), 0.1, offset=[10.0, 20.0])
    assert (first.spans[0].start, first.spans[0].end) == pytest.approx((10.0, 10.1))
    assert (second.spans[0].start, second.spans[0].end) == pytest.approx((20.1, 20.2))


def test_confidence_is_the_highest_posterior_of_the_run() -> None:
    log_probs = torch.cat([posteriors("a", peak=0.6), posteriors("a", peak=0.9), posteriors("a", peak=0.5)])
    assert decode_one(log_probs).spans[0].confidence == pytest.approx(0.9)


def test_log_probability_is_that_of_the_best_path() -> None:
    hypothesis = decode_one(posteriors("a-b", peak=0.5))
    assert hypothesis.log_probability == pytest.approx(3 * torch.tensor(0.5).log().item())


def test_words_of_characters_lie_between_spaces() -> None:
    hypothesis = decode_one(torch.cat([posteriors(" ab-", peak=0.9), posteriors("a  b", peak=0.8)]), step=1.0)
    assert [(word.label, word.start, word.end) for word in hypothesis.words] == [("aba", 1.0, 5.0), ("b", 7.0, 8.0)]
    assert hypothesis.words[0].confidence == pytest.approx(0.8)  # the lowest of its characters


def test_words_of_whole_labels_are_the_labels() -> None:
    log_probs = torch.eye(3)[[1, 0, 2, 2]].clamp_min(1e-6).log()
    hypothesis = decode_one(log_probs, PHONEMES)
    assert hypothesis.text == "aa sh"
    assert hypothesis.words == hypothesis.spans


def test_silence_is_an_empty_text() -> None:
    found = decode_one(posteriors("- -  -"))
    assert (found.text, found.labels, found.spans, found.words) == ("", (), (), ())


def test_spaces_that_the_text_does_not_show_are_no_labels() -> None:
    found = decode_one(posteriors(" a- - b "), step=0.5)
    assert found.text == "a b"
    assert found.labels == ("a", " ", "b")
    assert [(span.start, span.end) for span in found.spans] == [(0.5, 1.0), (1.5, 2.0), (3.0, 3.5)]


@settings(deadline=None)
@given(st.text("-ab ", max_size=12))
def test_labels_spans_words_and_text_agree(path: str) -> None:
    inventory = Inventory(CHARACTERS.labels, "characters")
    (found,) = GreedyDecoder(inventory).decode(posteriors(path)[None], torch.tensor([len(path)]), 1.0)
    assert found.text == normalise_text("".join(found.labels)) == "".join(found.labels)
    assert tuple(span.label for span in found.spans) == found.labels
    assert [word.label for word in found.words] == found.text.split()


def test_words_hold_composed_characters_as_the_text_does() -> None:
    inventory = Inventory(("<blank>", "e", "\u0301"), "characters")
    log_probs = torch.eye(3)[[1, 2]].clamp_min(1e-6).log()
    (found,) = GreedyDecoder(inventory).decode(log_probs[None], torch.tensor([2]), 1.0)
    assert (found.text, found.words[0].label, len(found.spans)) == ("é", "é", 2)


def test_words_of_nothing() -> None:
    assert words_of([], "characters") == ()
    assert words_of([Span(" ", 0.0, 1.0, 0.5)], "characters") == ()


def test_blank_is_asked_of_the_inventory() -> None:
    last = TinyInventory(("a", "b", "<blank>"), "characters", blank=2)
    assert decode_one(posteriors("a-ab", last), last).text == "aab"


def test_an_empty_utterance_gives_an_empty_hypothesis() -> None:
    for log_probs in (torch.zeros(1, 0, 4), torch.full((1, 3, 4), torch.nan)):
        (hypothesis,) = decoder(CHARACTERS).decode(log_probs, torch.tensor([0]), 1.0)
        assert hypothesis == Hypothesis((), "", 0.0, ())
    assert decoder(CHARACTERS).decode(torch.zeros(0, 5, 4), torch.zeros(0, dtype=torch.int64), 1.0) == []


@settings(deadline=None)
@given(st.lists(st.text("-ab ", max_size=8), min_size=1, max_size=5), st.integers(0, 3), st.sampled_from([-1, 2]))
def test_a_batch_gives_what_single_utterances_give(paths: list[str], padding: int, held: int) -> None:
    longest = max(map(len, paths)) + padding
    batch = torch.full((len(paths), longest, len(CHARACTERS)), torch.nan)
    if held >= 0:  # the padding shows a label instead of NaN
        batch = torch.zeros_like(batch).index_fill(2, torch.tensor([held]), 5.0)
    for row, path in enumerate(paths):
        batch[row, : len(path)] = posteriors(path)
    lengths = torch.tensor([len(path) for path in paths])
    together = decoder(CHARACTERS).decode(batch, lengths, 0.01)
    assert together == [decode_one(posteriors(path), step=0.01) for path in paths]


def test_shapes_that_do_not_fit_are_named() -> None:
    greedy = decoder(CHARACTERS)
    with pytest.raises(ValueError, match=r"must be \(B, T, 4\).*got \(1, 2, 3\)"):
        greedy.decode(torch.zeros(1, 2, 3), torch.tensor([2]), 1.0)
    with pytest.raises(ValueError, match=r"lengths must be \(1,\), got \(2,\)"):
        greedy.decode(torch.zeros(1, 2, 4), torch.tensor([2, 2]), 1.0)
    with pytest.raises(ValueError, match=r"lengths must lie in 0..2, got \[3\]"):
        greedy.decode(torch.zeros(1, 2, 4), torch.tensor([3]), 1.0)


def test_nan_within_an_utterance_is_refused() -> None:
    log_probs = posteriors("ab-")[None].repeat(2, 1, 1)
    log_probs[1, 2, 0] = torch.nan
    greedy = decoder(CHARACTERS)
    with pytest.raises(ValueError, match="NaN in item 1 of the batch at frame 2"):
        greedy.decode(log_probs, torch.tensor([3, 3]), 1.0)
    assert [h.text for h in greedy.decode(log_probs, torch.tensor([3, 2]), 1.0)] == ["ab", "ab"]


def test_configuration_names_the_decoder() -> None:
    assert GreedyConfig()._target_ == f"{GreedyDecoder.__module__}.{GreedyDecoder.__qualname__}"
