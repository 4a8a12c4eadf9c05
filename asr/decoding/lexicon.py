"""Lexicon decoding: the best sequence of a lexicon's words under posteriors and language models.

A hypothesis is a sequence of words w_1..w_n with a spelling of each. Its labelling l is the spellings one behind
another: with the blank between words (a label of its own) between them where the inventory is of characters, without
anything between them where it is of whole labels. The search maximises

    log p_ctc(l) + word_lm_weight * log p_word(w_1..w_n </s>) + word_bonus * n
                 + label_lm_weight * log p_label(l </s>) - oov_penalty * (words outside the lexicon),

p_ctc(l) being the sum over all paths of l (Graves 2012, "Supervised sequence labelling with recurrent neural
networks", section 7.5, whose token passing follows single paths). With `one_word`, n = 1. With an `oov_penalty`, a word
may be spelled by any labels that are no spelling of the lexicon; `word_lm` gives it the probability of `<unk>`.

Two paths are one hypothesis, and their probabilities are added, if they have the same labelling and the same words with
the same spellings: words that are spelled alike (homophones), and different ways to cut a labelling into words, stay
apart. Inside the beam every hypothesis has the sum over all its paths; the beam alone makes the search inexact. What is
pruned: labels below `min_probability` in a frame, hypotheses beyond the best `beam`, and those that are `gap` nats
below the best. In frames whose blank is above `skip_blank` nothing but blank is read. For this comparison, a hypothesis
within a word is given what the likeliest word below its node would gain (smeared unigram look-ahead: Ortmanns, Ney and
Eiden 1996, "Language-model look-ahead for large vocabulary speech recognition"), which is taken back at the word's end.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asr.compiling import Loop, can_compile
from asr.config import check_values
from asr.decoding.confidence import utterance_confidence
from asr.decoding.finishing import Candidate, Finish, FinishConfig
from asr.decoding.hypothesis import Hypothesis, Score, Span
from asr.decoding.lexicon_file import Lexicon, read_lexicon
from asr.decoding.lexicon_kernel import (
    FINISH,
    N_LIVE,
    NONE,
    OUTSIDE,
    SCALE,
    SEARCH,
    Beam,
    Candidates,
    Found,
    Rules,
)
from asr.decoding.lexicon_model import Scorer, frequencies, label_scorer, no_scorer, nodes_of, unigram, word_scorer
from asr.decoding.lexicon_tree import tree_of
from asr.decoding.posteriors import posteriors_of
from asr.decoding.timing import spans_of
from asr.engines.names import MANY
from asr.errors import ConfigError
from asr.lm.model import LanguageModel
from asr.text import normalise_text

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory


@dataclass
class LexiconConfig(FinishConfig):
    """Options of `LexiconDecoder`."""

    _target_: str = "asr.decoding.lexicon.LexiconDecoder"
    lexicon: str = ""  # a file of words; see asr.decoding.lexicon_file
    word_lm: str | None = None  # a language model of words, by name or path; null: the lexicon's frequencies, if any
    word_lm_weight: float = 1.0
    word_bonus: float = 0.0  # nats a word
    label_lm: str | None = None  # a language model of labels, by name or path
    label_lm_weight: float = 1.0
    oov_penalty: float | None = None  # nats that a word outside the lexicon costs; null: there are none
    one_word: bool = False  # an utterance is one entry of the lexicon
    reject: float | None = None  # nats a label that the words may fall behind the best path; null: nothing is rejected
    leave_out: bool = False  # pass over words of the lexicon that the inventory cannot spell
    beam: int = 100
    min_probability: float = 1e-4  # labels below it are not looked at in a frame; 0: all are
    gap: float = 25.0  # nats below the best at which hypotheses are dropped
    skip_blank: float = 0.999  # frames whose blank is above it are skipped; 1: none


class LexiconDecoder:
    """Decoding to the words of a lexicon; see the module for its objective.

    The hypotheses of an utterance differ in their words. `labels` and `spans` are what spells the words, `words` and
    `text` are the words as the lexicon writes them, whatever the inventory's unit. Labels stand where the likeliest
    path of the labelling has them, and their confidences are the highest posteriors there; a word lasts from its first
    to its last label and has the lowest confidence of its labels. If no sequence of words is left in the beam at the
    end, the complete words of the best hypothesis are returned, at worst none.

    Args:
        inventory: labels of the posteriors.
        lexicon: a file (see `asr.decoding.lexicon_file`), or the words themselves.
        word_lm, label_lm: language models, or their names or paths.
        word_lm_weight, word_bonus, label_lm_weight, oov_penalty, one_word: see the objective.
        reject: for closed lists: the first hypothesis is the empty one if the acoustic score of the best one is more
            than this below that of the best path of any labels, divided by the number of its labels.
        leave_out, beam, min_probability, gap, skip_blank: see `LexiconConfig`.
        candidates, posterior_scale, risk, rescore, rescore_weight, calibration: see `asr.decoding.finishing`.

    Raises:
        ConfigError: an option out of range, or a language model of another unit or other symbols.
        DataError: the lexicon cannot be used; see `read_lexicon`.
    """

    def __init__(
        self,
        inventory: Inventory,
        lexicon: str | Lexicon,
        word_lm: str | LanguageModel | None = None,
        word_lm_weight: float = 1.0,
        word_bonus: float = 0.0,
        label_lm: str | LanguageModel | None = None,
        label_lm_weight: float = 1.0,
        oov_penalty: float | None = None,
        one_word: bool = False,
        reject: float | None = None,
        leave_out: bool = False,
        beam: int = 100,
        min_probability: float = 1e-4,
        gap: float = 25.0,
        skip_blank: float = 0.999,
        candidates: int = 20,
        posterior_scale: float = 1.0,
        risk: str = "none",
        rescore: str | LanguageModel | None = None,
        rescore_weight: float = 0.5,
        calibration: Sequence[float] = (),
    ) -> None:
        check_values(
            locals(),
            {
                "lexicon": (lexicon != "", "a file of words"),
                "word_lm_weight": (0 <= word_lm_weight < math.inf, "a number, 0 or more"),
                "word_bonus": (math.isfinite(word_bonus), "a number"),
                "label_lm_weight": (0 <= label_lm_weight < math.inf, "a number, 0 or more"),
                "oov_penalty": (oov_penalty is None or math.isfinite(oov_penalty), "a number or null"),
                "reject": (reject is None or math.isfinite(reject), "a number or null"),
                "beam": (beam >= 1, "a whole number, 1 or more"),
                "min_probability": (0 <= min_probability < 1, "a number from 0 to below 1"),
                "gap": (gap > 0, "a number above 0"),
                "skip_blank": (0 < skip_blank <= 1, "a number above 0, 1 at most"),
            },
        )
        self.inventory, self.reject = inventory, reject
        self.many = False
        """Whether there is so much to decode that numba is worth its loading."""
        finish = FinishConfig(candidates, posterior_scale, risk, None, rescore_weight, list(calibration))
        self.finish = Finish.of(inventory, finish, _loaded(rescore))
        self.lexicon = lexicon if isinstance(lexicon, Lexicon) else read_lexicon(lexicon, inventory, leave_out)
        separator = _separator(inventory, one_word, oov_penalty is not None)
        models = _models(self.lexicon, inventory, _loaded(word_lm), _loaded(label_lm), oov_penalty is not None)
        self.word_scorer, self.label_scorer = models
        of_word, of_unknown = unigram(self.word_scorer)
        penalty = 0.0 if oov_penalty is None else oov_penalty
        self.nodes = nodes_of(tree_of(self.lexicon), word_lm_weight * of_word + word_bonus)
        self.rules = Rules(
            width=len(inventory),
            blank=inventory.blank,
            separator=separator,
            one_word=one_word,
            open=oov_penalty is not None,
            fused=label_lm is not None,
            unknown=self.word_scorer.unknown,
            beam=beam,
            min_probability=float(min_probability),
            gap=math.exp(-gap),
            skip_blank=float(skip_blank),
            word_weight=float(word_lm_weight),
            word_bonus=float(word_bonus),
            outside=penalty,
            ahead=word_lm_weight * of_unknown + word_bonus - penalty if oov_penalty is not None else 0.0,
            label_weight=float(label_lm_weight),
        )

    def for_many(self, utterances: int) -> LexiconDecoder:
        """Return the decoder that decodes so many utterances soonest: it compiles its loops if they are many."""
        if self.many or utterances < MANY:
            return self
        other = copy(self)
        other.many = True
        return other

    @property
    def compiles(self) -> bool:
        """Whether the loops are compiled; importing numba for a few utterances would take longer than they do."""
        return can_compile() and (self.many or "numba" in sys.modules)

    def begin(self, frame_seconds: float, offset: float = 0.0) -> LexiconSearch:
        """Begin with an utterance; see `asr.decoding.search.Decoder`."""
        return LexiconSearch(self, frame_seconds, offset)


def _separator(inventory: Inventory, one_word: bool, is_open: bool) -> int:
    """Return the label between two words, or NONE where nothing stands between them."""
    if inventory.unit == "labels":
        if is_open:
            raise ConfigError("oov_penalty needs an inventory of characters: labels do not say how a word is written")
        return NONE
    if one_word:
        return inventory.index.get(" ", NONE)
    if " " not in inventory.index:
        raise ConfigError("the inventory has no blank to stand between words; set one_word=true")
    return inventory.index[" "]


def _loaded(model: str | LanguageModel | None) -> LanguageModel | None:
    if not isinstance(model, str):
        return model
    from asr.lm.stored import load_model

    return load_model(model)


def _models(
    lexicon: Lexicon, inventory: Inventory, word_lm: LanguageModel | None, label_lm: LanguageModel | None, is_open: bool
) -> tuple[Scorer, Scorer]:
    words = frequencies(lexicon) if word_lm is None else word_scorer(word_lm, lexicon, is_open)
    return words, no_scorer() if label_lm is None else label_scorer(label_lm, inventory)


class _Way(NamedTuple):
    """A way to end: the labels, the words with the labels that each covers, and the parts of the objective."""

    labels: tuple[int, ...]
    words: tuple[_Word, ...]
    score: Score


class _Word(NamedTuple):
    """A word's number (or OUTSIDE), its text, and the labels `start` to `end` - 1 that spell it."""

    number: int
    text: str
    start: int
    end: int


class LexiconSearch:
    """The search through one utterance.

    However the frames are cut into chunks, the hypotheses are the same.

    Args:
        decoder: see `LexiconDecoder`.
        frame_seconds, offset: see `asr.decoding.search.Decoder`.
    """

    def __init__(self, decoder: LexiconDecoder, frame_seconds: float, offset: float) -> None:
        self._decoder, self._frame_seconds, self._offset = decoder, frame_seconds, offset
        self._frames: list[NDArray[np.float32]] = []
        self._n_frames = 0
        self._best_path = 0.0
        beam = decoder.rules.beam
        self._found = _room_for_found(max(1024, 2 * beam))
        self._beam = Beam(np.zeros(beam, np.int32), np.zeros(beam), np.zeros(beam))
        self._new = _room_for_candidates(16 * beam)
        self._active = np.zeros(decoder.rules.width, np.int32)
        self._levels = np.zeros(4)
        self._counts = np.array([1, 1, 0])
        self._levels[SCALE] = decoder.nodes.ahead[0]
        self._beam.in_blank[0] = 1.0
        self._found.parent[0] = self._found.label[0] = self._found.word[0] = NONE
        self._found.child[0] = self._found.sibling[0] = self._found.slot[0] = NONE
        self._found.node[0] = 0
        self._found.language[0] = 0.0
        self._found.word_state[0] = decoder.word_scorer.start
        self._found.label_state[0] = decoder.label_scorer.start

    def step(self, log_probs: NDArray[np.float32]) -> None:
        """Take the next frames; see `asr.decoding.search.Search`."""
        posteriors = posteriors_of(log_probs, self._decoder.rules.width, self._n_frames)
        if len(log_probs):
            self._best_path += float(log_probs.max(axis=1).sum(dtype=np.float64))
            self._frames.append(np.array(log_probs, dtype=np.float32))
            self._n_frames += len(log_probs)
            self._take(posteriors.reshape(-1), len(log_probs))

    def _take(self, probabilities: NDArray[np.float64], n_frames: int) -> None:
        """Search through frames, and make room wherever the loop stops for want of it."""
        decoder, frame = self._decoder, 0
        complete = decoder.word_scorer.growing.complete and decoder.label_scorer.growing.complete
        while frame < n_frames:
            until = n_frames if complete else frame + 1
            words, labels = self._models()
            frame = self._run(
                SEARCH, probabilities, frame, until, self._active, decoder.rules, decoder.nodes, words, labels,
                self._found, self._beam, self._new, self._levels, self._counts,
            )  # fmt: skip
            if frame == until:
                continue
            if self._counts[2]:
                self._new = _room_for_candidates(2 * len(self._new.hypothesis))
                self._counts[2] = 0
            else:
                self._found = Found(*(np.concatenate([one, np.empty_like(one)]) for one in self._found))

    def _run(self, loop: Loop, *values: object) -> int:
        """Run a loop over arrays, and tuples that hold arrays."""
        if self._decoder.compiles:
            return int(loop.compiled(*values))
        return int(loop(*(_viewed(value) for value in values)))

    def _models(self, more: Sequence[int] = ()) -> tuple[Any, Any]:
        """Return the language models, with the arcs of the states that the beam is in, and of more of the words'."""
        live = self._beam.hypothesis[: self._counts[N_LIVE]]
        words, labels = self._decoder.word_scorer, self._decoder.label_scorer
        states = np.append(self._found.word_state[live], np.array(more, dtype=np.int32))
        return words.arrays(states), labels.arrays(self._found.label_state[live])

    def _behind_last_words(self) -> list[int]:
        """List the states behind the words that end here, from which a growing model has to tell the end."""
        scorer, nodes, found = self._decoder.word_scorer, self._decoder.nodes, self._found
        if scorer.growing.complete:
            return []
        live = self._beam.hypothesis[: self._counts[N_LIVE]]
        arcs = scorer.growing.expanded(found.word_state[live])
        states = []
        for one in live.tolist():
            node, state = int(found.node[one]), int(found.word_state[one])
            ending = nodes.word[nodes.first_word[node] : nodes.first_word[node + 1]].tolist() if node >= 0 else []
            symbols = {int(scorer.symbol_of[word]) for word in ending} | ({scorer.unknown} - {NONE})
            states += [arcs.step(state, symbol)[1] for symbol in symbols]
        return states

    @property
    def text(self) -> str:
        """The best text of the frames so far: whole words, and of characters those of a word that is not at its end."""
        if self._counts[N_LIVE] == 0:
            return ""
        best = self._best()
        ends = [(score, word) for score, one, word, _ in self._ends() if one == best]
        labels, words = self._read(best, max(ends)[1] if ends else NONE)
        said = [word.text for word in words]
        if not ends and self._decoder.inventory.unit == "characters":
            rest = labels[words[-1].end :] if words else labels
            said.append(normalise_text("".join(self._decoder.inventory.decode(rest))))
        return " ".join(said).strip()

    def end(self, n_best: int = 1) -> list[Hypothesis]:
        """Return the best hypotheses, best first, no two with the same words; see `asr.decoding.search.Search`."""
        finish = self._decoder.finish
        ways = self._ways(max(n_best, finish.candidates))
        if not ways:
            found = [self._unfinished()]
        else:
            candidates = [
                Candidate(self._names(way), way.score, tuple(word.text for word in way.words)) for way in ways
            ]
            found = finish(candidates, lambda i: self._hypothesis(ways[i]), n_best)
        reject = self._decoder.reject
        if reject is None or not self._is_rejected(found[0], reject):
            return found
        return [self._rejection(found[0], reject), *found][:n_best]

    def _ways(self, most: int) -> list[_Way]:
        """List the best ways to end, best first, no two with the same words."""
        ways: dict[tuple[str, ...], _Way] = {}
        rules = self._decoder.rules
        for score, one, last_word, language in sorted(self._ends(), reverse=True):
            labels, words = self._read(one, last_word)
            outside = sum(word.number == OUTSIDE for word in words)
            insertion = rules.word_bonus * len(words) - rules.outside * outside
            said = tuple(word.text for word in words)
            ways.setdefault(said, _Way(labels, words, Score(score - language - insertion, language, insertion)))
            if len(ways) == most:
                break
        return list(ways.values())

    def _ends(self) -> list[tuple[float, int, int, float]]:
        """List the ways in which the utterance can end here: objective, hypothesis, last word, models' part."""
        decoder = self._decoder
        n_live = int(self._counts[N_LIVE])
        nodes = self._found.node[self._beam.hypothesis[:n_live]]
        nodes = nodes[nodes >= 0]
        n_words = (decoder.nodes.first_word[nodes + 1] - decoder.nodes.first_word[nodes]).sum()
        room = n_live + int(n_words)
        ones, words, scores, language = np.empty(room, np.int32), np.empty(room, np.int32), *np.empty((2, room))
        n_ends = self._run(
            FINISH, decoder.rules, decoder.nodes, *self._models(self._behind_last_words()), self._found, self._beam,
            self._levels, self._counts, ones, words, scores, language,
        )  # fmt: skip
        columns = (column[:n_ends].tolist() for column in (scores, ones, words, language))
        return list(zip(*columns, strict=True))

    def _read(self, one: int, last_word: int) -> tuple[tuple[int, ...], tuple[_Word, ...]]:
        """Read a hypothesis backwards: its labels, and its words, the last of which its last label ends."""
        labels: list[int] = []
        ended: list[tuple[int, int]] = []  # words, and how many labels stand behind each and the blank behind it
        if last_word != NONE:
            ended.append((last_word, 0))
        while one > 0:
            labels.append(int(self._found.label[one]))
            if self._found.word[one] != NONE:
                ended.append((int(self._found.word[one]), len(labels)))
            one = int(self._found.parent[one])
        labels.reverse()
        gap = 1 if self._decoder.rules.separator != NONE else 0
        words, start = [], 0
        for number, behind in reversed(ended):
            end = len(labels) - behind
            words.append(_Word(number, self._text_of(number, labels[start:end]), start, end))
            start = end + gap
        return tuple(labels), tuple(words)

    def _text_of(self, word: int, labels: list[int]) -> str:
        if word != OUTSIDE:
            return self._decoder.lexicon.words[word]
        return normalise_text("".join(self._decoder.inventory.decode(labels)))

    def _names(self, way: _Way) -> tuple[str, ...]:
        return self._decoder.inventory.decode(way.labels)

    def _candidate(self, way: _Way) -> Candidate:
        return Candidate(self._names(way), way.score, tuple(word.text for word in way.words))

    def _hypothesis(self, way: _Way) -> Hypothesis:
        """Make a hypothesis with times and confidences."""
        labels = np.array(way.labels, dtype=np.int64)
        spans = spans_of(labels, self._all_frames(), self._decoder.inventory, self._frame_seconds, self._offset)
        words = tuple(_word_span(word, spans) for word in way.words)
        text = " ".join(word.text for word in way.words)
        return Hypothesis(self._names(way), text, way.score, spans, words, utterance_confidence(words))

    def _all_frames(self) -> NDArray[np.float32]:
        if len(self._frames) != 1:
            width = len(self._decoder.inventory)
            self._frames = [np.concatenate([np.zeros((0, width), np.float32), *self._frames])]
        return self._frames[0]

    def _unfinished(self) -> Hypothesis:
        """Make a hypothesis of the complete words of the best one; what of the last word was read is left out."""
        labels: tuple[int, ...] = ()
        words: tuple[_Word, ...] = ()
        language = 0.0
        if self._counts[N_LIVE]:
            best = self._best()
            labels, words = self._read(best, NONE)
            language = float(self._found.language[best])
        labels = labels[: words[-1].end] if words else ()
        acoustic = log_probability(self._all_frames(), labels, self._decoder.inventory.blank)
        if acoustic == -math.inf:
            return Hypothesis((), "", Score(-math.inf), (), (), 0.0)
        score = Score(acoustic, language, self._decoder.rules.word_bonus * len(words))
        return self._hypothesis(_Way(labels, words, score))

    def _best(self) -> int:
        """Return the best hypothesis in the beam, at a word's end or not."""
        n_live = int(self._counts[N_LIVE])
        return int(self._beam.hypothesis[(self._beam.in_blank[:n_live] + self._beam.in_label[:n_live]).argmax()])

    def _is_rejected(self, best: Hypothesis, reject: float) -> bool:
        return self._best_path - best.score.acoustic > reject * len(best.labels)

    def _rejection(self, best: Hypothesis, reject: float) -> Hypothesis:
        """Make the hypothesis that nothing of the list was said, which is better than the best by their objectives."""
        score = Score(self._best_path, best.score.language_model, best.score.insertion - reject * len(best.labels))
        return Hypothesis((), "", score, (), (), best.confidence)


def _viewed(value: Any) -> Any:
    """Give the plain loop views, whose elements it reads three times as fast as an array's."""
    if isinstance(value, np.ndarray):
        return value.data
    if isinstance(value, tuple):
        return type(value)(*(_viewed(one) for one in value))
    return value


def _room_for_found(size: int) -> Found:
    return Found(*np.empty((9, size), np.int32), *np.empty((2, size)))


def _room_for_candidates(size: int) -> Candidates:
    whole, real = np.empty((7, size), np.int32), np.empty((6, size))
    return Candidates(whole[0], real[0], real[1], *whole[1:], *real[2:])


def _word_span(word: _Word, spans: tuple[Span, ...]) -> Span:
    own = spans[word.start : word.end]
    return Span(word.text, own[0].start, own[-1].end, min(span.confidence for span in own))


def log_probability(log_probs: NDArray[np.float32], labels: tuple[int, ...], blank: int) -> float:
    """Return the log probability of a labelling, the sum over its paths (Graves 2006, equation 8).

    Args:
        log_probs: (T, L)
        labels: indices without blanks.
        blank: index of the blank.
    """
    symbols = np.full(2 * len(labels) + 1, blank)
    symbols[1::2] = labels
    skips = np.full(len(symbols), -np.inf)  # 0 where a path may leave out the blank before a label
    skips[3::2][symbols[3::2] != symbols[1:-2:2]] = 0.0
    alpha = np.full(len(symbols), -np.inf)
    alpha[0] = 0.0
    for frame in np.concatenate([log_probs[:, symbols]]).astype(np.float64):
        entered = np.concatenate([[-np.inf], alpha[:-1]])
        skipped = np.concatenate([[-np.inf, -np.inf], alpha[:-2]])[: len(alpha)] + skips
        alpha = np.logaddexp(np.logaddexp(alpha, entered), skipped) + frame
    return float(np.logaddexp.reduce(alpha[-2:]))
