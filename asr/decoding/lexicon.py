"""Lexicon decoding: find the best sequence of a lexicon's words under posteriors and language models.

A hypothesis is a sequence of words w_1..w_n with a spelling for each. Its labelling l is the concatenation of the
spellings; if the inventory has characters, a space stands between words. The search maximises

    log p_ctc(l) + word_lm_weight * log p_word(w_1..w_n </s>) + word_bonus * n
                 + label_lm_weight * log p_label(l </s>) - oov_penalty * (words outside the lexicon),

where p_ctc(l) is the sum over all paths of l. (The token passing of Graves 2012, "Supervised sequence labelling with
recurrent neural networks", section 7.5, follows single paths instead.) With `one_word`, n = 1. With an `oov_penalty`, a
word may also be spelled by any labels that are not a spelling of the lexicon; `word_lm` gives it the probability of
`<unk>`.

Paths with the same labelling, the same words and the same spellings are merged, and their probabilities added. Words
that are spelled alike (homophones), and different divisions of a labelling into words, remain different hypotheses. The
sums are exact but for pruning:

- only the best `beam` hypotheses are kept from frame to frame, and only those at most `gap` nats worse than the best;
- a label does not begin in a frame where its posterior is below `min_probability`;
- a frame whose blank has a posterior above `skip_blank` is treated as if blank were certain.

For the comparison, a hypothesis within a word already gets the score of the best word that it may become, without
context (smeared unigram look-ahead: Ortmanns, Ney and Eiden 1996, "Language-model look-ahead for large vocabulary
speech recognition"); at the end of the word, the true score replaces it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asr.config import check_values
from asr.decoding.compiled import CompiledDecoder
from asr.decoding.finishing import Finish, FinishConfig
from asr.decoding.lexicon_file import Lexicon, read_lexicon
from asr.decoding.lexicon_kernel import NONE, Rules
from asr.decoding.lexicon_model import frequencies, label_scorer, no_scorer, nodes_of, unigram, word_scorer
from asr.decoding.lexicon_search import LexiconSearch
from asr.decoding.lexicon_tree import tree_of
from asr.decoding.marks import LM_FILE, WORDS_FILE, weight
from asr.decoding.restriction import ALL, Restriction, restricted
from asr.errors import ConfigError
from asr.lm.model import LanguageModel, Unit
from asr.lm.stored import load_model

if TYPE_CHECKING:
    from asr.corpus.inventory import Inventory
    from asr.decoding.search import Search


@dataclass
class LexiconConfig(FinishConfig):
    """Options of `LexiconDecoder`.

    The options inherited from `FinishConfig` control the steps after the search.

    Attributes:
        lexicon: a file of words; see `asr.decoding.lexicon_file`.
        word_lm: a language model of words, by name or file; None: the frequencies of the lexicon serve as one.
        word_lm_weight: the factor of its log probability.
        word_bonus: nats added for each word.
        label_lm: a language model of labels, by name or file.
        label_lm_weight: the factor of its log probability.
        oov_penalty: nats subtracted for a word outside the lexicon; None: such words are not recognised.
        one_word: whether each utterance is exactly one entry of the lexicon.
        reject: nats for each label by which words may be worse than the best path; None: nothing is rejected.
        leave_out: ignore words that the inventory cannot spell, instead of raising an error.
        beam: how many hypotheses are kept from frame to frame.
        min_probability: labels with a lower posterior in a frame do not begin there; 0: all may begin.
        gap: nats by which a hypothesis may be worse than the best; inf: the limit of the numbers, 700.
        skip_blank: a frame whose blank has a higher posterior is treated as certain blank; 1: no frame.
    """

    _target_: str = "asr.decoding.lexicon.LexiconDecoder"
    lexicon: str = field(default="", metadata=WORDS_FILE)
    word_lm: str | None = field(default=None, metadata=LM_FILE)
    word_lm_weight: float = field(default=1.0, metadata=weight(0.25, least=0.0))
    word_bonus: float = field(default=0.0, metadata=weight(0.5))
    label_lm: str | None = field(default=None, metadata=LM_FILE)
    label_lm_weight: float = field(default=1.0, metadata=weight(0.25, needs="label_lm", least=0.0))
    oov_penalty: float | None = field(default=None, metadata=weight(1.0, needs="oov_penalty", least=0.0))
    one_word: bool = False
    reject: float | None = None
    leave_out: bool = False
    beam: int = 100
    min_probability: float = 1e-4
    gap: float = 25.0
    skip_blank: float = 0.999


class LexiconDecoder(CompiledDecoder):
    """A decoder that writes the words of a lexicon; the module describes the objective, `LexiconConfig` the options.

    The hypotheses of an utterance differ in their words. `labels` and `spans` of a hypothesis are the spelling; `words`
    and `text` are the words as the lexicon writes them, whatever the inventory's unit. The times of labels are those of
    the likeliest path of the labelling. A word lasts from its first label to its last. If no sequence of complete words
    is left in the beam at the end, the complete words of the best hypothesis are returned, possibly none.

    Args:
        inventory: the labels, one of which is the blank.
        lexicon: a file of words, or a `Lexicon`.
        word_lm: a language model of words, or its name or file; it is not read if its weight is 0.
        label_lm: a language model of labels, or its name or file; it is not read if its weight is 0.
        reject: for closed lists of words: if the acoustic score of the best hypothesis is worse than that of the best
            path by more than this many nats for each of its labels, the empty hypothesis is returned first.

    Raises:
        ConfigError: an option is out of range or does not fit the inventory (no space to write; `oov_penalty` with
            whole labels), no language model has this name, or it has another unit or lacks symbols.
        DataError: the lexicon cannot be used, see `read_lexicon`; or an .arpa file is damaged.
        CheckpointError: the file of a language model is missing, or an .lm file is damaged.

    >>> import numpy as np
    >>> from asr.corpus.inventory import Inventory
    >>> from asr.decoding.lexicon_file import lexicon_of
    >>> inventory = Inventory(("<blank>", "a", "b"), unit="labels")
    >>> decoder = LexiconDecoder(inventory, lexicon_of(["first a a", "second b b"], inventory), one_word=True)
    >>> search = decoder.begin(frame_seconds=0.02)
    >>> frames = [[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.5, 0.4]]
    >>> search.step(np.log(np.array(frames, dtype=np.float32)))
    >>> [found] = search.end()
    >>> found.text, found.labels
    ('first', ('a', 'a'))
    """

    writes_words = True
    """The mark of decoders whose text is not `Inventory.text(labels)`; see `asr.decoding.search.writes_words`."""

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
        rescore: str | None = None,
        rescore_weight: float = 0.5,
        calibration: Sequence[float] = (),
        labels: str = ALL,
    ) -> None:
        options = LexiconConfig(
            candidates, posterior_scale, risk, rescore, rescore_weight, list(calibration),
            word_lm_weight=word_lm_weight, word_bonus=word_bonus, label_lm_weight=label_lm_weight,
            oov_penalty=oov_penalty, one_word=one_word, reject=reject, beam=beam, min_probability=min_probability,
            gap=gap, skip_blank=skip_blank,
        )  # fmt: skip
        _check(options, lexicon)
        self.inventory, self.reject = inventory, reject
        self.finish = Finish.of(inventory, options)
        self.restriction = Restriction.of(labels, inventory)
        separator = _separator(inventory, options)
        self.lexicon = lexicon if isinstance(lexicon, Lexicon) else read_lexicon(lexicon, inventory, leave_out)
        is_open = oov_penalty is not None
        words = _loaded(word_lm, "words") if word_lm_weight > 0 else None
        label_model = _loaded(label_lm, inventory.unit) if label_lm_weight > 0 else None
        self.words = frequencies(self.lexicon) if words is None else word_scorer(words, self.lexicon, is_open)
        self.labels = no_scorer() if label_model is None else label_scorer(label_model, inventory)
        of_word, of_unknown = unigram(self.words)
        self.nodes = nodes_of(tree_of(self.lexicon), word_lm_weight * of_word + word_bonus)
        penalty = 0.0 if oov_penalty is None else float(oov_penalty)
        self.rules = Rules(
            width=len(inventory),
            blank=inventory.blank,
            separator=separator,
            one_word=one_word,
            is_open=is_open,
            fused=label_model is not None,
            unknown=self.words.unknown,
            beam=beam,
            min_probability=float(min_probability),
            gap=math.exp(-gap),
            skip_blank=float(skip_blank),
            word_weight=float(word_lm_weight),
            word_bonus=float(word_bonus),
            outside=penalty,
            ahead=word_lm_weight * of_unknown + word_bonus - penalty if is_open else 0.0,
            label_weight=float(label_lm_weight),
        )

    def begin(self, frame_seconds: float, offset: float = 0.0) -> Search:
        """Return the search for one utterance; see `asr.decoding.search.Decoder`."""
        return restricted(LexiconSearch(self, frame_seconds, offset), self.restriction)


def _check(options: LexiconConfig, lexicon: str | Lexicon) -> None:
    penalty, reject = options.oov_penalty, options.reject
    check_values(
        vars(options) | {"lexicon": lexicon},
        {
            "lexicon": (lexicon != "", "a file of words"),
            "word_lm_weight": (0 <= options.word_lm_weight < math.inf, "0 or more"),
            "word_bonus": (abs(options.word_bonus) <= 100, "-100 to 100 nats"),
            "label_lm_weight": (0 <= options.label_lm_weight < math.inf, "0 or more"),
            "oov_penalty": (penalty is None or 0 <= penalty <= 100, "0 to 100 nats, or null"),
            "reject": (reject is None or 0 <= reject < math.inf, "0 nats or more, or null"),
            "beam": (1 <= options.beam <= 100_000, "1 to 100,000 hypotheses"),
            "min_probability": (0 <= options.min_probability < 1, "0 to below 1"),
            "gap": (options.gap > 0, "more than 0 nats"),
            "skip_blank": (0 < options.skip_blank <= 1, "above 0 to 1"),
        },
    )


def _separator(inventory: Inventory, options: LexiconConfig) -> int:
    """Return the label between two words, or NONE if there is none."""
    if inventory.unit == "labels":
        if options.oov_penalty is not None:
            raise ConfigError("oov_penalty is set, but the inventory has whole labels, not characters; leave it out")
        return NONE
    if options.one_word:
        return inventory.index.get(" ", NONE)  # a word outside the lexicon has no space
    if " " not in inventory.index:
        raise ConfigError("the inventory has no space to write between words; set one_word=true")
    return inventory.index[" "]


def _loaded(model: str | LanguageModel | None, unit: Unit) -> LanguageModel | None:
    return load_model(model, unit) if isinstance(model, str) else model
