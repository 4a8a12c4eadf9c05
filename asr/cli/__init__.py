"""The command-line programs, one small module each.

Waiting OpenMP threads sleep instead of spinning; this must be set before torch loads OpenMP. Beside another busy
process, spinning made a training step with two threads 50 times slower. On a quiet machine, sleeping makes a step 4 %
slower (3 x 128: 147 against 141 ms) and one utterance of 3 s of speech some hundredths of a second (0.09 against
0.015 s).
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
