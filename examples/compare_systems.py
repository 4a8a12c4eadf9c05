"""Compare two systems on the same utterances: the difference of their word error rates, with a 95 % interval.

    python examples/compare_systems.py ref.trn first.trn second.trn

A paired bootstrap (Bisani and Ney 2004): speakers are drawn with replacement, and each drawn speaker counts for both
systems. With fewer than about ten speakers the interval is too short.
"""

import sys
from collections import defaultdict

import numpy as np

from asr.scoring.edits import count_errors
from asr.scoring.trn import read_trn

DRAWS = 5000

if len(sys.argv) != 4:
    sys.exit("usage: python examples/compare_systems.py REFERENCES.trn FIRST.trn SECOND.trn")
references, first, second = (read_trn(path).lines for path in sys.argv[1:])
if not references.keys() == first.keys() == second.keys():
    sys.exit("the three files must hold the same utterances")

speakers = defaultdict(lambda: np.zeros(3, dtype=np.int64))  # errors of each system, and words of the reference
for name, reference in references.items():
    counts = [count_errors(reference.tokens, system[name].tokens) for system in (first, second)]
    speakers[reference.speaker] += [counts[0].errors, counts[1].errors, counts[0].reference]

table = np.stack(list(speakers.values()))  # (speakers, 3)
drawn = np.random.default_rng(1).integers(len(table), size=(DRAWS, len(table)))
errors_first, errors_second, words = table[drawn].sum(axis=1).T
low, high = np.percentile(100 * (errors_second - errors_first) / words, [2.5, 97.5])
errors_first, errors_second, words = table.sum(axis=0)
print(f"first   {100 * errors_first / words:5.1f} %")
print(f"second  {100 * errors_second / words:5.1f} %")
print(f"difference {100 * (errors_second - errors_first) / words:+.1f} points [{low:+.1f}, {high:+.1f}]")
