"""Time lexicon decoding against the size of the lexicon, in compiled and in plain loops, and the loading of a lexicon.

    python benchmarks/lexicon.py POSTERIORS.npz --words WORDS.txt [--texts TEXTS.txt] [--one-word]

`POSTERIORS.npz` holds `log_probs` (sum T, L) of utterances one behind another, `lengths` (N,), `labels` and `texts`.
The lexicon is the words of the texts and, up to each size, words of the list that the labels can spell; the language
model is a 3-gram of the words of the texts. Processor time of one thread, the median over utterances of the best of
three runs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from asr.corpus.inventory import Inventory
from asr.decoding.lexicon import LexiconDecoder
from asr.decoding.lexicon_file import read_lexicon
from asr.lm.corpus import Corpus
from asr.lm.kneser_ney import estimate
from asr.lm.stored import load_model, save_model


def seconds(run: Callable[[], Any]) -> float:
    """Processor time of a call."""
    start = time.process_time()
    run()
    return time.process_time() - start


def words_of(arguments: argparse.Namespace, inventory: Inventory) -> tuple[list[str], list[str], Counter[str]]:
    """Read the texts, the words of the list in capitals where the labels are, and count the words of the texts."""
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
        import numba  # noqa: F401  (decoders compile where it is loaded)
    stored = dict(np.load(arguments.posteriors))
    inventory = Inventory(tuple(map(str, stored["labels"])), "characters")
    texts, listed, own = words_of(arguments, inventory)
    ends = np.cumsum(stored["lengths"])
    chosen = np.arange(0, len(ends), max(1, len(ends) // arguments.utterances))[: arguments.utterances]
    frames = [stored["log_probs"][ends[one] - stored["lengths"][one] : ends[one]] for one in chosen]
    print("| words | load lexicon, s | load model, s | ms an utterance | mean score | words wrong, % |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path, model_path = Path(folder) / "words.txt", Path(folder) / "words.lm"
        for size in (1_000, 10_000, 60_000, 100_000):
            kept = [word for word, _ in own.most_common(size)]
            kept += [word for word in listed if len(word) > 1][:: max(1, len(listed) // size)][: max(0, size - len(kept))]
            if arguments.one_word:
                path.write_text("".join(f"{word}\t{own[word] + 0.1:g}\n" for word in kept), encoding="utf-8")
            else:
                path.write_text("".join(f"{word}\n" for word in kept), encoding="utf-8")
                save_model(model_path, estimate(Corpus.of(texts, "words"), 3))
            at_model = 0.0 if arguments.one_word else seconds(lambda: load_model(model_path))
            options = {"word_lm": None if arguments.one_word else str(model_path), "one_word": arguments.one_word}
            at_words = seconds(lambda: read_lexicon(path, inventory))
            start = time.process_time()
            decoder = LexiconDecoder(
                inventory, str(path), word_lm_weight=arguments.weight, candidates=1, **options
            )  # type: ignore[arg-type]
            at_words = max(at_words, time.process_time() - start - at_model)
            times, scores, wrong, spoken = [], [], 0, 0
            for one, log_probs in zip(chosen, frames, strict=True):
                best = np.inf
                for _ in range(3):
                    start = time.process_time()
                    search = decoder.begin(1.0)
                    search.step(log_probs)
                    (found,) = search.end()
                    best = min(best, time.process_time() - start)
                times.append(best)
                scores.append(found.log_probability)
                reference = str(stored["texts"][one]).split()
                wrong += _errors(reference, found.text.split())
                spoken += len(reference)
            print(
                f"| {len(kept):,} | {at_words:.2f} | {at_model:.2f} | {1e3 * float(np.median(times[1:])):.3f} (mean "
                f"{1e3 * float(np.mean(times[1:])):.3f}) | {np.mean(scores):.2f} | {100 * wrong / spoken:.1f} |",
                flush=True,
            )


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
