"""Time lexicon decoding against the size of the lexicon, in compiled and in plain loops, and the loading of a lexicon.

    python benchmarks/lexicon.py POSTERIORS.npz --words WORDS.txt [--texts TEXTS.txt] [--one-word]

`POSTERIORS.npz` holds `log_probs` (sum T, L) of utterances one behind another, `lengths` (N,), `labels` and `texts`.
The lexicon is the words of the texts, filled up to each size with words of the list that the labels can spell. The
language model is a 3-gram of the words of the texts. Times are processor time of one thread: the median over utterances
of the best of three runs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.corpus.inventory import Inventory
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.lexicon import LexiconDecoder
from asr.lm.corpus import Corpus
from asr.lm.counting import count_ngrams
from asr.lm.kneser_ney import estimate_from_counts
from asr.lm.stored import load_model, save_model


def words_of(arguments: argparse.Namespace, inventory: Inventory) -> tuple[list[str], list[str], Counter[str]]:
    """Read the texts and the words of the list (in capitals if the labels are), and count the words of the texts."""
    texts = arguments.texts.read_text(encoding="utf-8").split("\n") if arguments.texts else []
    own = Counter(word for text in texts for word in text.split() if not inventory.missing(word))
    upper = "a" not in inventory.index
    listed = arguments.words.read_text(encoding="utf-8").split("\n")
    listed = list(dict.fromkeys(word.upper() if upper else word for word in listed))
    return texts, [word for word in listed if word and word not in own and not inventory.missing(word)], own


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("posteriors", type=Path)
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--one-word", action="store_true")
    parser.add_argument("--weight", type=float, default=0.5)
    parser.add_argument("--utterances", type=int, default=100)
    parser.add_argument("--plain", action="store_true", help="do not compile")
    arguments = parser.parse_args()
    if not arguments.plain:
        import numba  # noqa: F401  (decoders are compiled if it is loaded)
    stored = dict(np.load(arguments.posteriors))
    inventory = Inventory(tuple(map(str, stored["labels"])), "characters")
    texts, listed, own = words_of(arguments, inventory)
    ends = np.cumsum(stored["lengths"])
    chosen = np.arange(0, len(ends), max(1, len(ends) // arguments.utterances))[: arguments.utterances]
    frames = [stored["log_probs"][ends[one] - stored["lengths"][one] : ends[one]] for one in chosen]
    print("| words | load lexicon, s | load model, s | ms an utterance, median | mean | mean score | words wrong, % |")
    print("|---|---|---|---|---|---|---|")
    for size in (1_000, 10_000, 60_000, 100_000):
        kept = [word for word, _ in own.most_common(size)]
        more = [word for word in listed if len(word) > 1][:: max(1, len(listed) // size)]
        kept += more[: max(0, size - len(kept))]
        with tempfile.TemporaryDirectory() as folder:
            decoder, at_words, at_model = loaded(arguments, inventory, Path(folder), kept, own, texts)
        found = [decoded(decoder, log_probs) for log_probs in frames]
        times = 1e3 * np.array([taken for taken, _ in found[1:]])
        references = [str(stored["texts"][one]).split() for one in chosen]
        wrong = sum(_errors(said, one.text.split()) for said, (_, one) in zip(references, found, strict=True))
        print(
            f"| {len(kept):,} | {at_words:.2f} | {at_model:.2f} | {np.median(times):.3f} | {np.mean(times):.3f} "
            f"| {np.mean([one.log_probability for _, one in found]):.2f} "
            f"| {100 * wrong / sum(map(len, references)):.1f} |",
            flush=True,
        )


def loaded(
    arguments: argparse.Namespace,
    inventory: Inventory,
    folder: Path,
    kept: list[str],
    own: Counter[str],
    texts: list[str],
) -> tuple[LexiconDecoder, float, float]:
    """Write the files of a lexicon and a model, and return the decoder and the seconds that loading each takes."""
    path, model = folder / "words.txt", folder / "words.lm"
    if arguments.one_word:
        path.write_text("".join(f"{word}\t{own[word] + 0.1:g}\n" for word in kept), encoding="utf-8")
        begin = time.process_time()
        decoder = LexiconDecoder(inventory, str(path), word_lm_weight=arguments.weight, one_word=True, candidates=1)
        return decoder, time.process_time() - begin, 0.0
    path.write_text("".join(f"{word}\n" for word in kept), encoding="utf-8")
    save_model(model, estimate_from_counts(count_ngrams(Corpus.of(texts, "words"), 3)))
    begin = time.process_time()
    read = load_model(model)
    at_model = time.process_time() - begin
    begin = time.process_time()
    decoder = LexiconDecoder(inventory, str(path), read, arguments.weight, candidates=1)
    return decoder, time.process_time() - begin, at_model


def decoded(decoder: LexiconDecoder, log_probs: NDArray[np.float32]) -> tuple[float, Hypothesis]:
    """Return the best hypothesis of an utterance, and the fewest seconds of three runs."""
    best = np.inf
    for _ in range(3):
        begin = time.process_time()
        search = decoder.begin(1.0)
        search.step(log_probs)
        (found,) = search.end()
        best = min(best, time.process_time() - begin)
    return best, found


def _errors(reference: list[str], found: list[str]) -> int:
    costs = list(range(len(found) + 1))
    for row, word in enumerate(reference):
        new = [row + 1]
        for column, other in enumerate(found):
            new.append(min(costs[column] + (word != other), costs[column + 1] + 1, new[-1] + 1))
        costs = new
    return costs[-1]


if __name__ == "__main__":
    main()
