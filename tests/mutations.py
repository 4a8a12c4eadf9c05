"""Files damaged at random, to see that readers survive them."""

from __future__ import annotations

import numpy as np

_INSERTED = (
    *(bytes([one]) for one in b"<>&\"'/[]{},: -.\\\0\xff\n!*?#T0"),
    *(b"1e999", b"nan", b"inf", b"-1e308", b"1e-400", b"9" * 400),
    *(b"&lt;", b"&x;", b"]]>", b"<!--", b"<![CDATA["),  # XML
    *(b"}", b"{", b"/*", b"#c", b"display:none", b' style="opacity:0"', b' transform="scale(1e308)"'),  # SVG and InkML
    *(b"\n.PEN_DOWN\n", b"\n.PEN_UP\n", b"\n.SEGMENT WORD 0-1 ? ", b"\n.DT ", b"\n.INCLUDE "),  # UNIPEN
)


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """With one to four changes: bytes flipped, cut out, doubled, moved, replaced or put in between, or the end lost."""
    data = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        a = int(rng.integers(0, len(data) + 1))
        b = min(len(data), a + int(2 ** rng.uniform(0, 8)))
        kind = int(rng.integers(0, 7))
        if kind == 0 and a < len(data):
            data[a] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            del data[a:b]
        elif kind == 2:
            data[a:a] = data[a:b] * int(rng.integers(1, 4))
        elif kind == 3:
            c = int(rng.integers(0, len(data) + 1))
            data[c:c] = data[a:b]
        elif kind == 4:
            data[a:b] = _INSERTED[int(rng.integers(0, len(_INSERTED)))]
        elif kind == 5:
            data[a:a] = _INSERTED[int(rng.integers(0, len(_INSERTED)))]
        elif rng.random() < 0.2:
            del data[a:]
    return bytes(data)
