"""Sphinx extension: write the pages that come from the program, and mend the links of pages that also stand elsewhere.

Nothing that the program can state is typed by hand. Before Sphinx looks for pages, each module here returns the pages
of one part by their names; they are written into the documentation's folder, where git ignores them.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from building import code, commands, configuration, copies, python_api
from building.contents import with_contents
from building.docstrings import as_restructured_text, readable_signature
from building.formats import with_schemas
from building.links import Links
from building.places import DOCS, ROOT, names, read_page, remove_old_pages, write_pages


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension with Sphinx."""
    links = Links(ROOT, DOCS.relative_to(ROOT).as_posix(), copies.origins(), copies.STAND_INS)

    def write(app: Sphinx, config: object) -> None:
        made = copies.pages() | commands.pages() | configuration.pages() | python_api.pages()
        write_pages(made)
        shown = code.pages(links, {name: read_page(name) for name in names()})
        write_pages(shown)
        remove_old_pages(made | shown)

    def mend(app: Sphinx, name: str, source: list[str]) -> None:
        text = copies.with_summary(name, links.mended(name, source[0]), links)
        source[0] = with_contents(name, with_schemas(text), names())

    def docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
        lines[:] = as_restructured_text(lines, what)

    def signature(
        app: Sphinx, what: str, name: str, obj: object, options: object, given: str | None, returned: str | None
    ) -> tuple[str | None, str | None]:
        return readable_signature(given, what), readable_signature(returned, what)

    app.connect("config-inited", write)
    app.connect("source-read", mend)
    app.connect("autodoc-process-docstring", docstring)
    app.connect("autodoc-process-signature", signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
