from __future__ import annotations

from pathlib import Path

import pytest

from asr.errors import DataError
from asr.ink.xml import parse_xml

PATH = Path("ink.xml")


def test_names_lose_their_prefix():
    root = parse_xml(PATH, b'<i:ink xmlns:i="u">\n<i:trace xml:id="a" b="c">1 <x/>2</i:trace></i:ink>')
    (trace,) = root.all("trace")
    assert (root.name, trace.attributes, trace.line, trace.text) == ("ink", {"id": "a", "b": "c"}, 2, "1 2")
    assert [element.name for element in root.everything()] == ["ink", "trace", "x"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings(encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?><ink a="ä">ö &lt; &#252;</ink>'
    root = parse_xml(PATH, text.encode(encoding))
    assert (root.text, root.attributes) == ("ö < ü", {"a": "ä"})


LAUGHS = '<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><ink>&b;</ink>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<ink>\n<trace></ink>", "line 2: not well-formed XML: mismatched tag"),
        (b"<ink>\n<trace>1 2", "line 2: not well-formed XML: no element found; was it cut"),
        (b"<!-- nothing -->", "not well-formed XML: no element found"),
        (b"<ink>\xff</ink>", "not well-formed XML: not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><ink/>', "its encoding cannot be read: .*; save it as UTF-8"),
        (b'<?xml version="1.0" encoding="shift_jis"?><ink/>', "its encoding cannot be read"),
        (b"<ink>&nbsp;</ink>", "not well-formed XML: undefined entity"),
        (LAUGHS.encode(), "declares entities"),
        (LAUGHS.encode("utf-16"), "declares entities"),
        (b'<!DOCTYPE ink SYSTEM "http://localhost/ink.dtd">\n<ink/>', "line 1: has a document type definition"),
        (b"<!DOCTYPE ink>\n<ink/>", "has a document type definition"),
        (b"<!DOCTYPE svg [<!ATTLIST svg a CDATA 'b'>]><svg/>", "has a document type definition"),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x" [<!ELEMENT a ANY>]><svg/>', "has a document type"),
        (b"<a>" * 501, "nests more than 500 elements"),
    ],
)
def test_what_could_do_harm_is_refused(content, message):
    with pytest.raises(DataError, match=rf"ink\.xml: .*{message}"):
        parse_xml(PATH, content)


def test_the_doctype_of_drawing_programs_is_passed_over():
    content = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://localhost/svg11.dtd"><svg/>'
    assert parse_xml(PATH, content).name == "svg"


def test_the_number_of_elements_is_bounded(monkeypatch):
    monkeypatch.setattr("asr.ink.xml.MAX_ELEMENTS", 1000)
    assert len(parse_xml(PATH, b"<a>" + b"<b/>" * 999 + b"</a>").children) == 999
    with pytest.raises(DataError, match="has more than 1000 elements"):
        parse_xml(PATH, b"<a>" + b"<b/>" * 1000 + b"</a>")
