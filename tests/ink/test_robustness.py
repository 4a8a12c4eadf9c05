"""Whatever happens to a file, a reader gives an ink or one of the project's own errors."""

from __future__ import annotations

import gzip
import warnings

import numpy as np
import pytest

from asr.errors import DataError, DataWarning
from asr.ink import Ink, read_ink, read_store, write_inkml, write_json, write_store, write_svg
from asr.seeds import generator
from tests.ink.test_iam_ondb import SESSION
from tests.ink.test_xopp import NOTEBOOK
from tests.mutations import mutated

INK = Ink.of([[1, 2, 0.5], [3.25, -4, 0.75]], [[5, 6]], [[7, 8], [9, 10]], resolution=4.0)
IAM = '<Stroke colour="black"><Point x="1073" y="1058" time="769.05"/><Point x="10" y="-8.5" time="769.06"/></Stroke>'
INKML = """<?xml version="1.0" encoding="utf-8"?>
<ink xmlns="http://www.w3.org/2003/InkML"><definitions><context xml:id="c"><inkSource xml:id="s"><traceFormat>
<channel name="X" type="integer" units="cm"/><channel name="Y"/><intermittentChannels><channel name="T" units="ms"/>
</intermittentChannels></traceFormat><channelProperties><channelProperty channel="X" name="resolution" value="1000"
units="1/cm"/><channelProperty channel="Y" name="resolution" value="50" units="1/mm"/></channelProperties></inkSource>
<canvasTransform><mapping type="affine"><bind source="X" target="X"/><bind source="Y" target="Y"/>
1 0 5, 0 -1 .5</mapping></canvasTransform>
<brush xml:id="h"><brushProperty name="rasterOp" value="maskPen"/><brushProperty name="transparency"
value="0.5"/></brush></context><context xml:id="d" contextRef="#c"/></definitions><trace brushRef="#h">1 2 3</trace>
<traceGroup contextRef="#c">
<trace id="a" continuation="begin">1125 18432,'23'43,"7"-8,3-5,7 -3 4,* ?,!#A0 6</trace>
<trace continuation="end" priorRef="#a" timeOffset="5">1 2 3, 4 5 6</trace></traceGroup>
<trace>1,119 2,118</trace></ink>"""
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="50mm" viewBox="0 0 200 100"><defs><path d="M0 0L9 9"/></defs>
<g transform="translate(10,20) rotate(30 1 2) scale(2) matrix(1 0 0 1 3 4)"><path d="M1 2l3 4H5v6C1 2 3 4 5 6S7 8 9 1
Q1 2 3 4T5 6A5 4 30 0110 12zm1 1l2 2"/><polyline points="1,2 3-4"/><polygon points="0 0 1 0 1 1"/>
<line x1="1" y2="2"/></g><style>/* a */ .h, g > path{display:none;stroke-width:2!important} @media print{a{}}</style>
<g class="h k" style="opacity:.5;fill:none" visibility="visible"><line x2="1"/><line x1="1" x2="2"/></g>
<path d="M0 9h200M0 19h200M0 29h200M0 39h200M0 49h200" stroke="blue"/></svg>"""


def _survives(path, content, read=read_ink):
    path.write_bytes(content)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ink = read(path)
    except DataError as error:
        return 0 if path.name in str(error) else pytest.fail(f"names no file: {error}")
    for one in caught:
        assert (one.category, path.name in str(one.message)) == (DataWarning, True)
        assert len(str(one.message)) < 2000 + len(str(path))
        assert str(one.message).isprintable()
    assert isinstance(ink, Ink)
    assert np.isfinite(ink.points()).all()
    return 1


def survivals(folder, kind, n_mutations, real=()):
    """Read a file of a kind after each of many mutations; how many still gave an ink."""
    folder.mkdir(exist_ok=True)
    path = folder / f"ink.{kind}"
    texts = {"svg": SVG, "inkml": INKML, "xml": SESSION.format(IAM), "xopp": NOTEBOOK}
    originals = [texts[kind].encode()] if kind in texts else []
    if kind in ("svg", "inkml", "json", "inks"):
        writers = {
            "svg": write_svg,
            "inkml": write_inkml,
            "json": write_json,
            "inks": lambda p, ink: write_store(p, [ink]),
        }
        writers[kind](path, INK)
        originals.append(path.read_bytes())
    originals += [file.read_bytes() for file in real]
    read_one = (lambda p: read_store(p, 0)) if kind == "inks" else read_ink
    good = 0
    for k in range(n_mutations):
        rng = generator("mutations", kind, k)
        content = mutated(originals[k % len(originals)], rng)
        if kind == "xopp":
            content = gzip.compress(content, 1)
            content = mutated(content, rng) if rng.random() < 0.2 else content
        good += _survives(path, content, read_one)
    return good


@pytest.mark.parametrize("kind", ["json", "inkml", "svg", "xml", "xopp", "inks"])
def test_small_files(tmp_path, kind):
    assert 0 < survivals(tmp_path, kind, 400) < 400  # some still read, some no longer


def test_real_files(tmp_path, shared_data):
    real = sorted((shared_data / "inkml_samples").rglob("*.inkml"))
    assert 10 < survivals(tmp_path, "inkml", 300, real) < 300


@pytest.mark.parametrize("kind", ["inkml", "svg", "xml", "xopp", "json", "inks"])
def test_every_truncation(tmp_path, kind):
    texts = {"svg": SVG, "inkml": INKML, "xml": SESSION.format(IAM), "xopp": NOTEBOOK}
    path = tmp_path / f"ink.{kind}"
    if kind in texts:
        content = texts[kind].encode().rstrip()
    else:
        (write_json if kind == "json" else lambda p, ink: write_store(p, [ink]))(path, INK)
        content = path.read_bytes().rstrip(b"\n") if kind == "json" else path.read_bytes()
    whole = gzip.compress(content) if kind == "xopp" else content
    assert _survives(path, whole)
    assert sum(_survives(path, whole[:n]) for n in range(0, len(whole), 1 + len(whole) // 200)) == 0


def test_a_wrong_suffix_does_not_matter(tmp_path):
    write_inkml(tmp_path / "ink.inkml", INK)
    (tmp_path / "ink.json").write_bytes((tmp_path / "ink.inkml").read_bytes())
    assert read_ink(tmp_path / "ink.json") == INK
    (tmp_path / "ink.txt").write_bytes(gzip.compress((tmp_path / "ink.inkml").read_bytes()))
    assert read_ink(tmp_path / "ink.txt") == INK


def test_what_other_files_say(tmp_path):
    write_store(tmp_path / "a.inks", [INK])
    for name, content, message in [
        ("a.dat", b".VERSION 1.0\n.PEN_UP\n1 2\n", "holds no ink"),
        ("a.xml", b"<?xml version='1.0'?><html/>", "root element <html>, which is not ink"),
        (
            "store.json",
            (tmp_path / "a.inks").read_bytes(),
            r"is an ink cache with another suffix; rename it to \*\.inks",
        ),
        ("a.png", b"\x89PNG\r\n", "cannot be read as ink; expected InkML"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_ink(tmp_path / name)
