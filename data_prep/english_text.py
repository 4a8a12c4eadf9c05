"""Make English text as people write it with a pen: the source of the shipped label model and word list.

    python -m data_prep.english_text books.txt.gz american-english-large.gz --out text

writes these files into a folder:

- `words.tsv`: words with weights. The weight of a word of the books is the square root of its count, because rare words
  are more frequent in handwriting than in novels; a word of the list gets 1 more. The weight is divided between lower
  case, capitals and so on, see `CASES`.
- `words_for_lines.tsv`: the same words with smaller weights, for mixing with the lines.
- `lines.txt`: pieces of the books as long as written lines (`MOST_WORDS`), with straight quotation marks, every
  `EVERY_CAPITAL`th in capitals; then dates, prices, numbers and the like, which novels lack.
- `flat.txt`: one line with every character, letters several times. A model of it gives no text a low probability; mixed
  with the other models, it prevents names and foreign words from being corrected to English ones.
- `lexicon.tsv`: the words of both sources with their counts, for a decoder with a word list.

Books have one paragraph per line, and a line `# name` before each book. The list has one word per line. Both are UTF-8,
plain or gzipped.
"""

from __future__ import annotations

import argparse
import calendar
import random
import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from asr.corpus.cleaning import clean_text
from asr.corpus.text_lines import whole_text
from asr.files import make_folder, write_file

CASES = {"as it is": 0.5, "lower": 0.3, "capitalised": 0.12, "upper": 0.08}
"""Shares of a word's weight for its forms; these and the square root were chosen on the dev set of UNIPEN's words."""
SCALE = 40
"""Total weight of a word that only the list has; it makes all weights whole numbers."""
BESIDE_LINES = 1 / 40
MOST_WORDS = 9
EVERY_CAPITAL = 20
NUMBER_LINES = 20_000

FLAT = "".join(map(chr, range(33, 127))) + " " + 3 * string.ascii_lowercase + 2 * string.ascii_uppercase

_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
_PLAIN = re.compile(r"[ -~]+")  # ASCII, the characters of the pen models
_MONTHS = tuple(calendar.month_name)[1:]


def paragraphs(books: Path) -> Iterator[str]:
    """Yield the cleaned paragraphs of a file of books; leave out those with characters outside ASCII."""
    for paragraph in whole_text(books, "books, one paragraph per line").splitlines():
        text = clean_text(paragraph.replace("\u2026", "..."))
        if not paragraph.startswith("# ") and _PLAIN.fullmatch(text):
            yield text


def words_of(texts: Iterable[str]) -> Counter[str]:
    """Count the words of texts; a word consists of letters, with apostrophes inside.

    >>> words_of(["It's late, it's 9."])["it's"]
    1
    """
    return Counter(word for text in texts for word in _WORD.findall(text))


def word_forms(books: Mapping[str, int], listed: Iterable[str]) -> dict[str, int]:
    """Compute the weights of words in all cases: as they are, lower, capitalised and upper case.

    Args:
        books: counts of words in the books.
        listed: words of the list; those with other characters than letters and apostrophes are left out.

    Returns:
        Weights, as whole numbers, by form.
    """
    weights: Counter[str] = Counter()
    for word in [*books, *(one for one in listed if _WORD.fullmatch(one))]:
        weights[word] = 0
    known = {one for one in listed if one in weights}
    forms: dict[str, float] = {}
    for word in weights:
        weight = SCALE * (books.get(word, 0) ** 0.5 + (word in known))
        cased = (word, word.lower(), word[:1].upper() + word[1:].lower(), word.upper())
        for form, share in zip(cased, CASES.values(), strict=True):
            forms[form] = forms.get(form, 0.0) + share * weight
    return {form: max(1, round(weight)) for form, weight in sorted(forms.items())}


def lines_of(texts: Iterable[str], seed: int = 1) -> Iterator[str]:
    """Cut texts into lines of one to `MOST_WORDS` words; the end of a sentence ends a line half of the time."""
    draw = random.Random(seed)
    for text in texts:
        line: list[str] = []
        wanted = draw.randint(1, MOST_WORDS)
        for word in text.split():
            line.append(word)
            if len(line) >= wanted or (word[-1] in ".?!" and draw.random() < 0.5):
                yield _cased(" ".join(line), draw)
                line, wanted = [], draw.randint(1, MOST_WORDS)
        if line:
            yield _cased(" ".join(line), draw)


def _cased(line: str, draw: random.Random) -> str:
    return line.upper() if draw.randrange(EVERY_CAPITAL) == 0 else line


def number_lines(count: int, seed: int = 1) -> Iterator[str]:
    """Make random lines of digits: plain numbers, prices, dates, times, telephone numbers, percentages."""
    draw = random.Random(seed)
    for _ in range(count):
        number = draw.randrange(10 ** draw.randint(1, 6))
        month, day, year = draw.choice(_MONTHS), draw.randint(1, 31), draw.randint(1900, 2030)
        yield draw.choice(
            (
                f"{number}", f"{number:,}", f"${number:,}", f"${number / 100:.2f}", f"{number / 10:.1f}%",
                f"No. {number}",
                f"{month} {day}, {year}", f"{day}/{draw.randint(1, 12)}/{year % 100:02d}", f"{month[:3]}. {day}",
                f"{draw.randint(1, 12)}:{draw.randrange(60):02d}", f"{draw.randint(1, 12)} {draw.choice(('am', 'pm'))}",
                f"({draw.randint(200, 999)}) {draw.randint(200, 999)}-{draw.randrange(10_000):04d}",
                " ".join(draw.choice("0123456789") for _ in range(draw.randint(2, 10))),
                "".join(draw.choice("0123456789") for _ in range(draw.randint(1, 10))),
                " ".join(draw.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(draw.randint(1, 6))),
            )
        )  # fmt: skip


def lexicon(books: Mapping[str, int], listed: Iterable[str]) -> dict[str, int]:
    """Count words for a word list: words that occur at least twice in the books, and the words of the list.

    A word of the list gets a count of 1, added to its count in the books.
    """
    known = {word for word in listed if _WORD.fullmatch(word)}
    both = {word: count + (word in known) for word, count in books.items() if count > 1 or word in known}
    return both | {word: 1 for word in sorted(known) if word not in both}


def main() -> None:
    """Run the command: read both sources and write the files."""
    parser = argparse.ArgumentParser(prog="python -m data_prep.english_text", description=__doc__.split("\n")[0])
    parser.add_argument("books", type=Path)
    parser.add_argument("list", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    texts, listed = list(paragraphs(given.books)), whole_text(given.list, "a list of words").split()
    counts = words_of(texts)
    make_folder(given.out)
    forms = word_forms(counts, listed)
    _write_counts(given.out / "words.tsv", forms)
    lighter = {word: max(1, int(weight * BESIDE_LINES)) for word, weight in forms.items()}
    _write_counts(given.out / "words_for_lines.tsv", lighter)
    _write(given.out / "flat.txt", (FLAT,))
    _write(given.out / "lines.txt", (*lines_of(texts), *number_lines(NUMBER_LINES)))
    _write_counts(given.out / "lexicon.tsv", lexicon(counts, listed))


def _write_counts(path: Path, counts: Mapping[str, int]) -> None:
    _write(path, (f"{word}\t{count}" for word, count in counts.items()))


def _write(path: Path, lines: Iterable[str]) -> None:
    write_file(path, "".join(f"{line}\n" for line in lines).encode())


if __name__ == "__main__":
    main()
