"""Spanish has every text that the pages have, and what is compiled is what is written."""

import subprocess
import sys
from pathlib import Path

from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import passport_lti

SOURCE = Path(passport_lti.__file__).parent
SPANISH = SOURCE / "translations" / "es" / "LC_MESSAGES"


def _texts(catalogue):
    """Singular (and plural) of each text, and what is said for it."""
    return {_key(m.id): _key(m.string) for m in catalogue if m.id}


def _key(text):
    return text if isinstance(text, str) else tuple(text)


def test_every_text_is_translated_and_compiled(tmp_path: Path) -> None:
    found = tmp_path / "texts.pot"
    mapping = SOURCE / "translations" / "babel.cfg"
    subprocess.run(
        [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", mapping,
         "-k", "N_", "-k", "lazy_gettext", "-o", found, SOURCE], check=True,
    )  # fmt: skip
    with found.open("rb") as texts, (SPANISH / "messages.po").open("rb") as written:
        wanted, translated = _texts(read_po(texts)), _texts(read_po(written, locale="es"))
    with (SPANISH / "messages.mo").open("rb") as compiled:
        assert _texts(read_mo(compiled)) == translated
    assert set(wanted) == set(translated), "run make texts, and translate what is new"
    empty = [
        text
        for text, said in translated.items()
        if not (said if isinstance(said, str) else all(said))
    ]
    assert len(wanted) > 600 and empty == []
