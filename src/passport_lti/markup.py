"""XML that others have written, read without the traps of XML."""

from lxml import etree

MOST_DEPTH = 64
"""Elements within each other: SAML needs about ten."""


def parsed(document: bytes) -> etree._Element:
    """The root of a document in UTF-8. Raises ValueError for everything that is not plain XML.

    A document type is refused as such: entities that grow or that name files need one. The
    encoding is fixed, or an exotic one could hide it from sight.
    """
    # Looked for before parsing, too: entities in attributes grow while they are read.
    if b"\x00" in document or b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        raise ValueError("a document type is not allowed")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
    )
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise ValueError("not well-formed XML") from None
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise ValueError("a document type is not allowed")
    if _depth(root) > MOST_DEPTH:
        raise ValueError("too deeply nested")
    return root


def _depth(root: etree._Element) -> int:
    deepest, depth = 0, 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest
