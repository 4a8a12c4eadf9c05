"""The search through one utterance with a lexicon; `asr.decoding.lexicon` describes the objective."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiling import Loop
from asr.decoding.confidence import candidate_posteriors
from asr.decoding.finishing import IMPOSSIBLE, Candidate
from asr.decoding.hypothesis import Evidence, Hypothesis, Score, Span, Trust
from asr.decoding.lexicon_kernel import FINISH, N_FRAMES, NONE, OUTSIDE, SEARCH, Model
from asr.decoding.lexicon_memory import Memory
from asr.decoding.posteriors import checked_posteriors
from asr.decoding.timing import spans_of
from asr.text import normalise_text

if TYPE_CHECKING:
    from asr.decoding.lexicon import LexiconDecoder


class LexiconSearch:
    """A lexicon search through one utterance; see `LexiconDecoder`.

    The result does not depend on how the frames are divided into chunks.

    Args:
        decoder: the decoder, with its options.
        frame_seconds: see `asr.decoding.search.Decoder.begin`.
        offset: see `asr.decoding.search.Decoder.begin`.
    """

    def __init__(self, decoder: LexiconDecoder, frame_seconds: float, offset: float) -> None:
        self._decoder, self._frame_seconds, self._offset = decoder, frame_seconds, offset
        self._chunks: list[NDArray[np.float32]] = []
        self._best_path = 0.0
        self._words, self._labels = decoder.words.begin(), decoder.labels.begin()
        self._memory = Memory(
            decoder.rules.beam, decoder.rules.width, decoder.words.start, decoder.labels.start, decoder.nodes.ahead[0]
        )

    def step(self, log_probs: NDArray[np.float32]) -> None:
        """Read the next frames; see `asr.decoding.search.Search`.

        Raises:
            ValueError: the shape is another one, a value is NaN, or the probabilities of a frame do not sum to 1.
        """
        posteriors = checked_posteriors(log_probs, self._decoder.rules.width, int(self._memory.counts[N_FRAMES]))
        if len(log_probs):
            self._best_path += float(log_probs.max(axis=1).sum(dtype=np.float64))
            self._chunks.append(np.array(log_probs, dtype=np.float32))
            self._advance(posteriors.reshape(-1), len(log_probs))
            self._memory.counts[N_FRAMES] += len(log_probs)

    @property
    def text(self) -> str:
        """The best text of the frames so far: complete words and, for characters, the beginning of the next word."""
        if not len(self._memory.live):
            return ""
        best = self._memory.best
        ends = [(score, word) for score, one, word, _ in self._ends() if one == best]
        labels, _, words = self._read(best, max(ends)[1] if ends else NONE)
        said = [word.text for word in words]
        if not ends and self._decoder.inventory.unit == "characters":
            rest = labels[words[-1].end :] if words else labels
            said.append(normalise_text("".join(self._decoder.inventory.decode(rest))))
        return " ".join(said).strip()

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        """Return the best hypotheses, best first, no two with the same words; see `asr.decoding.search.Search`."""
        n_best = max(1, n_best)
        ways = self._ways(n_best)
        if ways:
            found = self._decoder.finish([self._candidate(way) for way in ways], lambda i: self._made(ways[i]), n_best)
        else:
            found = [self._unfinished()]
        reject = self._decoder.reject
        if reject is None or self._best_path - found[0].score.acoustic <= reject * len(found[0].labels):
            return found
        return [self._rejection(found[0].score, reject * len(found[0].labels)), *found][:n_best]

    def _advance(self, posteriors: NDArray[np.float64], n_frames: int) -> None:
        """Search through frames, and make room for hypotheses whenever the loop stops for lack of it."""
        memory, decoder, frame = self._memory, self._decoder, 0
        whole = self._words.complete and self._labels.complete
        while frame < n_frames:
            until = n_frames if whole else frame + 1
            frame = self._run(
                SEARCH, posteriors, frame, until, decoder.rules, decoder.nodes, *self._models(), memory.found,
                memory.beam, memory.new, memory.scale, memory.counts,
            )  # fmt: skip
            if frame < until:
                memory.more_hypotheses()

    def _run(self, loop: Loop, *values: object) -> int:
        return int(loop.run(self._decoder.compiles, *values))

    def _models(self, is_end: bool = False) -> tuple[Model, Model]:
        """Return the models of words and of labels, with the arcs that the next frame, or the end, reads."""
        found, live = self._memory.found, self._memory.live
        labels = self._labels.arrays(lambda: found.label_state[live])
        words = self._words.arrays(lambda: found.word_state[live])
        if is_end and not self._words.complete:
            behind = self._behind_last_words()
            words = self._words.arrays(lambda: np.append(found.word_state[live], behind))
        return words, labels

    def _behind_last_words(self) -> NDArray[np.int32]:
        """Return the states after each word that may end here; a growing model computes the end from each of them."""
        found, nodes, scorer = self._memory.found, self._decoder.nodes, self._decoder.words
        arcs = self._words.growing.expanded(found.word_state[self._memory.live])
        states = []
        for one in self._memory.live.tolist():
            node, state = int(found.node[one]), int(found.word_state[one])
            ending = nodes.word[nodes.first_word[node] : nodes.first_word[node + 1]].tolist() if node >= 0 else []
            symbols = {int(scorer.symbol_of[word]) for word in ending} | ({scorer.unknown} - {NONE})
            states += [arcs.step(state, symbol)[1] for symbol in symbols]
        return np.array(states, dtype=np.int32)

    def _ends(self) -> list[tuple[float, int, int, float]]:
        """Return all endings: objective, hypothesis, last word, and the part of language models; see `_finish`."""
        memory, nodes = self._memory, self._decoder.nodes
        at = memory.found.node[memory.live]
        at = at[at >= 0]
        room = len(memory.live) + int((nodes.first_word[at + 1] - nodes.first_word[at]).sum())
        ones, words = np.empty((2, room), np.int32)
        scores, language = np.empty((2, room))
        n_ends = self._run(
            FINISH, self._decoder.rules, nodes, *self._models(is_end=True), memory.found, memory.beam, memory.scale,
            memory.counts, ones, words, scores, language,
        )  # fmt: skip
        columns = (column[:n_ends].tolist() for column in (scores, ones, words, language))
        return list(zip(*columns, strict=True))

    def _ways(self, n_best: int) -> list[_Way]:
        """Return the best endings, best first, no two with the same words: `n_best`, and all others that matter."""
        ways: dict[tuple[str, ...], _Way] = {}
        finish, rules = self._decoder.finish, self._decoder.rules
        ends = sorted(self._ends(), reverse=True)
        for score, one, last_word, language in ends:
            if len(ways) >= n_best and (len(ways) >= finish.candidates or score < ends[0][0] - finish.gap):
                break
            labels, births, words = self._read(one, last_word)
            outside = sum(word.number == OUTSIDE for word in words)
            insertion = rules.word_bonus * len(words) - rules.outside * outside
            said = tuple(word.text for word in words)
            ways.setdefault(said, _Way(labels, births, words, Score(score - language - insertion, language, insertion)))
        return list(ways.values())

    def _read(self, one: int, last_word: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[_Word, ...]]:
        """Return the labels of a hypothesis, the births of the labels, and the words; the last word is `last_word`.

        The birth of a label is the frame in which the hypothesis up to the label was made.
        """
        found = self._memory.found
        labels: list[int] = []
        births: list[int] = []
        ended = [(last_word, 0)] if last_word != NONE else []  # words, and how many labels follow each
        while one > 0:
            labels.append(found.label.item(one))
            births.append(found.born.item(one))
            word = found.word.item(one)
            if word != NONE:
                ended.append((word, len(labels)))
            one = found.parent.item(one)
        labels.reverse()
        words, start = [], 0
        for number, behind in reversed(ended):
            end = len(labels) - behind
            words.append(_Word(number, self._text_of(number, labels[start:end]), start, end))
            start = end if self._decoder.rules.separator == NONE else end + 1
        return tuple(labels), tuple(reversed(births)), tuple(words)

    def _text_of(self, word: int, labels: list[int]) -> str:
        if word != OUTSIDE:
            return self._decoder.lexicon.words[word]
        return normalise_text("".join(self._decoder.inventory.decode(labels)))

    def _candidate(self, way: _Way) -> Candidate:
        return Candidate(self._decoder.inventory.decode(way.labels), way.score, tuple(word.text for word in way.words))

    def _made(self, way: _Way) -> Hypothesis:
        """Make a hypothesis with times and confidences."""
        labels, births = np.array(way.labels, dtype=np.int64), np.array(way.births, dtype=np.int64)
        inventory = self._decoder.inventory
        spans = spans_of(labels, self._frames(), inventory, self._frame_seconds, self._offset, births)
        words = tuple(_word_span(word, spans) for word in way.words)
        text = " ".join(word.text for word in way.words)
        return Hypothesis(inventory.decode(way.labels), text, way.score, spans, words)

    def _frames(self) -> NDArray[np.float32]:
        if len(self._chunks) != 1:
            self._chunks = [np.concatenate([np.zeros((0, self._decoder.rules.width), np.float32), *self._chunks])]
        return self._chunks[0]

    def _unfinished(self) -> Hypothesis:
        """Return the best hypothesis without its unfinished last word."""
        labels: tuple[int, ...] = ()
        births: tuple[int, ...] = ()
        words: tuple[_Word, ...] = ()
        language = 0.0
        if len(self._memory.live):
            labels, births, words = self._read(self._memory.best, NONE)
            language = float(self._memory.found.language[self._memory.best])
        labels = labels[: words[-1].end] if words else ()
        births = births[: len(labels)]
        acoustic = log_probability(self._frames(), labels, self._decoder.inventory.blank)
        if acoustic == -math.inf:
            return IMPOSSIBLE
        score = Score(acoustic, language if words else 0.0, self._decoder.rules.word_bonus * len(words))
        way = _Way(labels, births, words, score)
        return self._decoder.finish([self._candidate(way)], lambda _: self._made(way), 1)[0]

    def _rejection(self, best: Score, penalty: float) -> Hypothesis:
        """Return the empty hypothesis: none of the words of the list was said.

        Its acoustic score is that of the best path, less the nats that words may be worse. Its posterior is computed
        with the best candidate as the only alternative; without labels it has no peak, so the posterior replaces it.
        """
        score, finish = Score(self._best_path, best.language_model, best.insertion - penalty), self._decoder.finish
        posterior = candidate_posteriors([score.total, best.total], finish.posterior_scale)[0]
        evidence = Evidence((), (), Trust(posterior, posterior))
        return finish.confident(Hypothesis((), "", score, ()), evidence)


class _Word(NamedTuple):
    """A word's number (or OUTSIDE), its text, and the labels `start` to `end` - 1 that spell it."""

    number: int
    text: str
    start: int
    end: int


class _Way(NamedTuple):
    """An ending: the labels and their births, the words with the labels of each, and the score."""

    labels: tuple[int, ...]
    births: tuple[int, ...]
    words: tuple[_Word, ...]
    score: Score


def _word_span(word: _Word, spans: tuple[Span, ...]) -> Span:
    own = spans[word.start : word.end]
    return Span(word.text, own[0].start, own[-1].end, min(span.confidence for span in own))


def log_probability(log_probs: NDArray[np.float32], labels: tuple[int, ...], blank: int) -> float:
    """Return the log probability of a labelling, summed over its paths (Graves 2006, section 4.1).

    Args:
        log_probs: (T, L) natural logarithms.
        labels: the indices of the labels, without blanks.
        blank: the index of the blank.

    >>> frames = np.log(np.array([[0.6, 0.4], [0.6, 0.4]], dtype=np.float32))
    >>> round(math.exp(log_probability(frames, (1,), blank=0)), 2)
    0.64
    """
    symbols = np.full(2 * len(labels) + 1, blank)
    symbols[1::2] = labels
    skips = np.full(len(symbols), -np.inf)  # 0 where a path may leave out the blank before a label
    skips[3::2][symbols[3::2] != symbols[1:-2:2]] = 0.0
    alpha = np.full(len(symbols), -np.inf)
    alpha[0] = 0.0
    for frame in log_probs[:, symbols].astype(np.float64):
        entered = np.concatenate([[-np.inf], alpha[:-1]])
        skipped = np.concatenate([[-np.inf, -np.inf], alpha[:-2]])[: len(alpha)] + skips
        alpha = np.logaddexp(np.logaddexp(alpha, entered), skipped) + frame
    return float(np.logaddexp.reduce(alpha[-2:]))
