"""A page parted into lines of writing and marks. The rule, of which every number is in h, the size of the writing:

1. **Size** (`size.py`): h is the median height of the pen's ups and downs, each counted by its height. Strokes that are
   straight, and frames with something inside, do not count where there are others.
2. **Slope** (`slope.py`): the page is turned by the angle at which its ink is in the narrowest bands.
3. **Marks by shape** (`candidates.py`): boxes and ellipses round writing, arrows, scribbles.
4. **Lines** (`lines.py`): strokes are cut into pieces of about one letter. Neighbours, in the order of writing and on
   the page, speak for or against being of one line by log odds that were measured on composed pages (`evidence.py`).
   The two groups that have most evidence for each other are united, while the sum is above 0 (`grouping.py`). So a
   line may bend and slant.
5. **Weak strokes**, such as dots, commas, hyphens, the bars of t, and groups with less ink than a letter, join the line
   whose ink is nearest; the line that was being written is preferred. At the seam of two lines, what is near the stroke
   before and far from the one after ends the first, and the other way round.
6. **Columns** (`columns.py`): a line is parted at a gap between whose sides the pen wrote elsewhere.
7. **Marks by what is round them** (`marks.py`): a level stroke is an underline below words, a strike-through in their
   middle, a rule beside or beyond them, else a dash or the bar of a letter. Drawn when the pen came back, it is no bar.
   A tall one beside two lines is a margin or a bracket. Dots far from all writing are strays. What is small, apart,
   level and first of its line is a bullet.
8. **Order** (`order.py`): columns from left to right, lines from top to bottom.
9. **Doubts** (`doubts.py`): two lines with little evidence against being one; recognition decides.

What geometry cannot tell stays writing. Highlighters are told apart by the formats that know them.
"""

from asr.ink.layout.analysis import analyse
from asr.ink.layout.types import KINDS, Doubt, Layout, Line, Mark

__all__ = ["KINDS", "Doubt", "Layout", "Line", "Mark", "analyse"]
