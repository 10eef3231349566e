"""Fonts for words that come from data: one that has their characters, or a line that says how."""

import logging
from functools import lru_cache

from matplotlib import font_manager

LOG = logging.getLogger(__name__)
DEFAULT = "DejaVu Sans"
"""Matplotlib's own font, with Latin, Greek, Cyrillic, Arabic and Hebrew letters."""
PLACEHOLDERS = "Last Resort"
"""How the names of fonts begin that have a frame in place of each character."""
_NAMED: set[int] = set()
"""Characters of which a warning has said that no font has them."""


@lru_cache(maxsize=1024)
def font_families(text: str) -> tuple[str, ...]:
    """Choose fonts that together have all characters of a text, the usual one first.

    If no font of the machine has some of them, a warning says so once for each of them and names a
    font to install.

    Examples
    --------
    >>> font_families("pear")
    ('DejaVu Sans',)
    """
    missing = {ord(each) for each in text if not each.isspace()}
    missing -= characters(file_of(DEFAULT))
    families = [DEFAULT]
    names = (entry.name for entry in font_manager.fontManager.ttflist)
    others = dict.fromkeys(name for name in names if not name.startswith(PLACEHOLDERS))
    for family in others if missing else ():
        if there := missing & characters(file_of(family)):
            families.append(family)
            missing -= there
        if not missing:
            break
    if new := missing - _NAMED:
        _NAMED.update(new)
        LOG.warning(
            "no font on this machine has the characters %s; they are drawn as question marks. "
            "Install one that has them, such as Noto Sans CJK (package fonts-noto-cjk).",
            " ".join(map(chr, sorted(new))),
        )
    return tuple(families)


def drawable(text: str) -> str:
    """Replace the characters of a text that no font on this machine has by question marks."""
    files = map(file_of, font_families(text))
    known = {code for file in files for code in characters(file)}
    return "".join(each if each.isspace() or ord(each) in known else "?" for each in text)


def file_of(family: str) -> str:
    """Find the file of a font by its name: that of its regular face, if there is one."""
    faces = [entry for entry in font_manager.fontManager.ttflist if entry.name == family]
    # Matplotlib's findfont would warn of each font without a face of normal weight.
    regular = [face for face in faces if face.weight in (400, "normal") and face.style == "normal"]
    return (regular or faces)[0].fname


@lru_cache(maxsize=512)
def characters(file: str) -> frozenset[int]:
    """Return the code points that a font file has; none if it cannot be read."""
    try:
        return frozenset(font_manager.get_font(file).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
