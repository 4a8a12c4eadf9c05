"""Separate the writing of a page from its marks, and cut it into lines.

All lengths in the rules are in h, the size of the writing. The steps:

1. **Size** (`size.py`): h is the median height of the pen's ups and downs, each weighted by its height. Straight
   strokes and frames with something inside count only if there is nothing else.
2. **Slope** (`slope.py`): the page is turned by the angle at which its ink lies in the narrowest horizontal bands.
3. **Marks by shape** (`boxes.py`, `arrows.py`, `scribbles.py`): boxes and ellipses around writing, arrows, scribbles.
4. **Lines** (`lines.py`): strokes are cut into pieces of about one letter. Pairs of neighbouring pieces, in the order
   of writing and on the page, have log odds of being in the same line, which were measured on composed pages
   (`evidence.py`). The two groups with the largest sum of log odds are united, until no sum is above 0 (`grouping.py`).
   So a line may bend and slant.
5. **Weak strokes**, such as dots, commas, hyphens, the bars of t, and groups with less ink than a letter, join the line
   whose ink is nearest; the line that was being written is preferred. Between two lines, a stroke near the one before
   and far from the one after ends the first line, and the other way round.
6. **Columns** (`columns.py`): a line is split at a gap if the pen wrote elsewhere between its two sides.
   A word at its end, a step lower and just above another line, is split off too (`steps.py`).
7. **Marks by the writing around them**: a level stroke (`level_marks.py`) is an underline below words, a strike-through
   in their middle, a rule beside or beyond them, and otherwise a dash or the bar of a letter. A tall stroke
   (`tall_marks.py`) beside two lines is a margin or a bracket. Small strokes before lines, one below the other, are
   bullets (`bullets.py`). Dots far from all writing are strays (`dots.py`).
8. **Order** (`order.py`): columns from left to right, lines from top to bottom.
9. **Doubts** (`doubts.py`): two lines with little evidence against being one; recognition decides.

A stroke stays writing if geometry cannot tell that it is a mark. Highlighter strokes are not part of the ink, see
`Sheet.highlights`.
"""

from asr.ink.layout.analysis import analyse
from asr.ink.layout.types import KINDS, Doubt, Layout, Line, Mark

__all__ = ["KINDS", "Doubt", "Layout", "Line", "Mark", "analyse"]
