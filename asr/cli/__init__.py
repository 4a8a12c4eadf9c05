"""The commands, one small module each.

OpenMP's threads are told to sleep while they wait for each other, before torch loads the library. Spinning, two threads
beside another busy process made a training step 50 times slower; sleeping costs a step 4 % on a quiet machine (3 x 128:
147 against 141 ms) and one transcribed utterance some hundredths of a second (3 s of speech: 0.09 against 0.015 s).
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
