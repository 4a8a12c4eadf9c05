"""Cut pages into lines and recognise them: `python -m benchmarks.pages [--sample N] [--recognise] ...`.

    python -m benchmarks.pages                          # cutting: single lines and 1,000 composed pages
    python -m benchmarks.pages --recognise --sample 100 # also error rates, on 100 pages
    python -m benchmarks.pages --time                   # time for a page of 200 lines
    python -m benchmarks.pages --show FOLDER --layers tight --sample 20   # pictures of pages with errors

The lines are the segments of UNIPEN's category 8, dev writers, that hold one line (by the rule in `unipen_lines.py`).
The pages are composed of them (`tests/ink/composed_pages.py`). `tests/ink/page_truth.py` defines what is right.

- Single lines: each alone on a page; wrong if its writing is not in exactly one line.
- Composed pages, by layer: lines wrongly cut, joined or lost; neighbouring lines in the wrong order; strokes of marks
  that are in a line / all strokes of marks; strokes of writing taken for marks / all strokes of writing.
- Error rates: the character error rate on the pages, and that of the same lines given apart. The text of a true line is
  the text of the found lines that share most of their strokes with it, in the order in which they were found.
- Time: processor time on one core for a page of 200 lines: for cutting alone, for the whole page, and for the lines
  given apart in batches.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.ink import Ink, analyse
from asr.recogniser.batching import transcribe_each
from asr.recogniser.loading import load
from asr.recogniser.page import transcribe_pages
from asr.recogniser.recogniser import Recogniser
from asr.scoring.edits import ErrorCounts, count_errors
from asr.text import normalise_text
from benchmarks.measuring import Run, environment, spread
from benchmarks.unipen_lines import Lines, lines_of
from tests.ink.composed_pages import LAYERS, ComposedPage, Written, compose, composed_pages
from tests.ink.page_truth import Judgement, judge, wrong_lines

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "unipen.zip"
SEED = "report"  # the rules were tuned on pages of other seeds

Strokes = tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """The strokes of the lines found on a page, in reading order, and of the marks."""

    lines: list[Strokes]
    marks: list[Strokes]


def main() -> None:
    given = _arguments()
    lines = lines_of(given.data, given.split)
    print(
        f"UNIPEN category 8, {given.split}: {len(lines.all)} lines of {len(lines.writers)} writers; left out:"
        f" {len(lines.several)} segments with several lines, {len(lines.jumps)} with points that are no ink"
    )
    print(environment("numpy"))
    if given.time:
        _print_time(lines, load(given.model, engine=given.engine), given.lines)
        return
    if given.recognise:
        _print_errors(lines, load(given.model, engine=given.engine).for_many(1000), given)
        return
    _print_single(lines, given)
    _print_pages(_pages(lines, given), given)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="the release of UNIPEN")
    parser.add_argument("--split", choices=("dev", "test"), default="dev", help="test is for the last report")
    parser.add_argument("--sample", type=int, help="number of pages and of single lines (default: 1,000 and all)")
    parser.add_argument("--seed", default=SEED, help="seed of the composed pages; use another one to tune rules")
    parser.add_argument("--layers", nargs="+", choices=LAYERS, default=LAYERS)
    parser.add_argument("--recognise", action="store_true", help="measure error rates (on 200 pages, or --sample)")
    parser.add_argument("--time", action="store_true", help="measure the time for a page")
    parser.add_argument("--lines", type=int, default=200, help="number of lines on the page of --time")
    parser.add_argument("--model", default="unipen")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--show", type=Path, help="write a picture of each page with errors to this folder")
    return parser.parse_args()


def _pages(lines: Lines, given: argparse.Namespace) -> Iterator[ComposedPage]:
    n_pages = given.sample or (200 if given.recognise else 1000)
    return composed_pages(lines.writers, n_pages, given.seed, given.layers)


def found_by_geometry(page: Ink) -> Found:
    """Return the lines and marks that geometry finds on a page."""
    layout = analyse(page)
    return Found([line.strokes for line in layout.lines], [mark.strokes for mark in layout.marks])


# ---- cutting


def _print_single(lines: Lines, given: argparse.Namespace) -> None:
    chosen = lines.all
    if given.sample:
        chosen = chosen[:: max(1, len(chosen) // given.sample)]
    found = [found_by_geometry(line.ink) for line in chosen]
    wrong = sum(len(one.lines) != 1 for one in found)
    n_strokes = sum(len(line.ink.strokes) for line in chosen)
    taken = sum(len(mark) for one in found for mark in one.marks)
    print(f"\nsingle lines: {wrong} of {len(chosen)} not one line ({100 * wrong / len(chosen):.2f} %);", end=" ")
    print(f"{taken} of {n_strokes} strokes taken for marks ({100 * taken / n_strokes:.2f} %)")


def _print_pages(pages: Iterator[ComposedPage], given: argparse.Namespace) -> None:
    totals: dict[str, Judgement] = {}
    counts: dict[str, int] = {}
    for number, page in enumerate(pages):
        found = found_by_geometry(page.page)
        judgement = judge(page, found.lines, found.marks)
        totals[page.layer] = totals.get(page.layer, Judgement()) + judgement
        counts[page.layer] = counts.get(page.layer, 0) + 1
        if given.show and (judgement.wrong or judgement.in_text or judgement.taken):
            _picture(given.show / f"{page.layer}-{number:04}.png", page, found)
    print(
        "\n| layer | pages | lines | wrong, % | out of order | strokes of marks in lines, % | of writing in marks, % |"
    )
    print("|---|---|---|---|---|---|---|")
    for layer, judgement in totals.items():
        print(_row(layer, counts[layer], judgement))
    print(_row("**all**", sum(counts.values()), sum(totals.values(), Judgement())))


def _row(layer: str, n_pages: int, judgement: Judgement) -> str:
    one = judgement
    wrong, in_text, taken = (
        _share(*pair)
        for pair in ((one.wrong, one.lines), (one.in_text, one.mark_strokes), (one.taken, one.writing_strokes))
    )
    return f"| {layer} | {n_pages} | {one.lines} | {wrong} | {one.out_of_order} | {in_text} | {taken} |"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} ({part})" if whole else ""


def _picture(path: Path, page: ComposedPage, found: Found) -> None:
    """Draw a page: found lines in colours, found marks grey, marks found in lines red, wrong strokes thick."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    colours = ("tab:blue", "tab:green", "tab:purple", "tab:orange", "tab:cyan", "tab:olive")
    of_line = {k: number for number, line in enumerate(found.lines) for k in line}
    wrong = {k for n in wrong_lines(page, found.lines) for k in page.lines[n].strokes}
    drawn = {k for mark in page.marks for k in mark.strokes}
    figure, axes = plt.subplots(figsize=(12, 12))
    for k, stroke in enumerate(page.page.strokes):
        number = of_line.get(k)
        colour = "0.6" if number is None else "red" if k in drawn else colours[number % len(colours)]
        thick = 2.0 if k in wrong or (number is None) != (k in drawn) else 0.7
        axes.plot(*stroke.points.T, ".-" if len(stroke) < 3 else "-", color=colour, linewidth=thick, markersize=4)
    axes.set_aspect("equal")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=60, bbox_inches="tight")
    plt.close(figure)


# ---- recognition


def _print_errors(lines: Lines, recogniser: Recogniser, given: argparse.Namespace) -> None:
    pages = list(_pages(lines, given))
    whole: dict[str, ErrorCounts] = {}
    apart: dict[str, ErrorCounts] = {}
    cut: dict[str, Judgement] = {}
    for page, texts, found in zip(pages, _texts_apart(recogniser, pages), _texts_found(recogniser, pages), strict=True):
        layer = page.layer
        for n, (line, text) in enumerate(zip(page.lines, texts, strict=True)):
            apart[layer] = apart.get(layer, ErrorCounts()) + _errors(line.text, text)
            if line.corrects is None:
                whole[layer] = whole.get(layer, ErrorCounts()) + _group_errors(page, n, found)
        cut[layer] = cut.get(layer, Judgement()) + judge(page, [strokes for strokes, _ in found])
    print(f"\nread by `{given.model}`\n\n| layer | lines | wrong, % | CER apart, % | CER on the page, % | times |")
    print("|---|---|---|---|---|---|")
    for layer in cut:
        print(_error_row(layer, cut[layer], apart[layer], whole[layer]))
    totals = sum(apart.values(), ErrorCounts()), sum(whole.values(), ErrorCounts())
    print(_error_row("**all**", sum(cut.values(), Judgement()), *totals))


def _error_row(layer: str, cut: Judgement, apart: ErrorCounts, whole: ErrorCounts) -> str:
    ratio = whole.rate / apart.rate if apart.errors else float("nan")
    rates = f"{100 * apart.rate:.2f} | {100 * whole.rate:.2f} | {ratio:.3f}"
    return f"| {layer} | {cut.lines} | {_share(cut.wrong, cut.lines)} | {rates} |"


def _errors(reference: str, text: str) -> ErrorCounts:
    return count_errors(tuple(normalise_text(reference)), tuple(normalise_text(text)))


def _texts_apart(recogniser: Recogniser, pages: Sequence[ComposedPage]) -> Iterator[list[str]]:
    """Yield the texts of the true lines of each page, recognised apart."""
    inks = [Ink(tuple(page.page.strokes[k] for k in line.strokes)) for page in pages for line in page.lines]
    texts = iter([_text(one) for one in transcribe_each(recogniser, inks)])
    for page in pages:
        yield [next(texts) for _ in page.lines]


def _text(found: object) -> str:
    return found[0].text if isinstance(found, list) else ""


def _texts_found(recogniser: Recogniser, pages: Sequence[ComposedPage]) -> Iterator[list[tuple[Strokes, str]]]:
    """Yield the strokes and the text of each line found on each page."""
    for found in transcribe_pages(recogniser, [page.page for page in pages]):
        if isinstance(found, Exception):
            raise found
        yield [(line.strokes, line.hypothesis.text) for line in found.lines]


def _group_errors(page: ComposedPage, n: int, found: Sequence[tuple[Strokes, str]]) -> ErrorCounts:
    """Count the errors in a true line and the corrections above it."""
    group = [m for m, line in enumerate(page.lines) if m == n or line.corrects == n]
    group.sort(key=lambda m: page.lines[m].strokes[0])  # in the order of writing
    owner = {k: m for m, line in enumerate(page.lines) for k in line.strokes}
    mine = []
    for strokes, text in found:
        owners = [owner[k] for k in strokes if k in owner]
        if owners and max(set(owners), key=owners.count) in group:
            mine.append((strokes[0], text))
    if len(group) > 1:
        mine.sort()
    return _errors(" ".join(page.lines[m].text for m in group), " ".join(text for _, text in mine))


# ---- time


def _print_time(lines: Lines, recogniser: Recogniser, n_lines: int) -> None:
    page = compose(_enough(lines, n_lines), "plain", SEED)
    many = recogniser.for_many(n_lines)
    apart = [Ink(tuple(page.page.strokes[k] for k in line.strokes)) for line in page.lines]
    runs: dict[str, Run] = {
        "cutting": lambda: found_by_geometry(page.page),
        "the page": lambda: list(transcribe_pages(many, [page.page])),
        "the lines apart, in batches": lambda: list(transcribe_each(many, apart)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(3):
        for name, run in runs.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    print(f"\n{n_lines} lines, {page.page.n_points} points, `{recogniser.config.features.target}`")
    for name, values in seconds.items():
        print(f"{name}: {spread(values)} s")


def _enough(lines: Lines, n_lines: int) -> list[Written]:
    """Return the lines of the writer with the most lines, repeated as often as necessary."""
    most = max(lines.writers, key=len)
    return [most[k % len(most)] for k in range(n_lines)]


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
