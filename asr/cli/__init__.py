"""The commands, one small module each.

OpenMP's threads are told to sleep while they wait for each other, before torch loads the library: spinning gains
nothing here, and beside another busy process it made a training step of two threads 50 times slower.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
