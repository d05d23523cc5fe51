"""Words that need explaining: each is a link to the glossary at the end of the page, with its meaning on hovering."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from markupsafe import Markup, escape

from zspace.figures import slug


@dataclass(frozen=True)
class Word:
    """One entry."""

    anchor: str
    forms: tuple[str, ...]
    """What is looked for in texts; the first names the entry."""
    meaning: str


@cache
def glossary() -> tuple[Word, ...]:
    """Return all entries of ``glossary.toml``, in its order."""
    text = resources.files("zspace.report").joinpath("glossary.toml").read_text(encoding="utf-8")
    entries = [(tuple(key.split(", ")), meaning) for key, meaning in tomllib.loads(text).items()]
    return tuple(Word(f"word-{slug(forms[0])}", forms, meaning) for forms, meaning in entries)


@cache
def _words() -> dict[str, Word]:
    return {form.lower(): word for word in glossary() for form in word.forms}


@cache
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_words(), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE)


def explained(text: str) -> Markup:
    """Return a text as HTML, the first mention of every word of the glossary being a link to its entry.

    Everything else is escaped.

    Examples
    --------
    >>> print(explained("a <b> decoder"))
    a &lt;b&gt; <a class="word" href="#word-decoder" title="second half of an autoencoder: numbers to image">decoder</a>
    """
    parts, end = [], 0
    mentioned: set[Word] = set()
    for match in _pattern().finditer(text):
        word = _words()[match[0].lower()]
        if word in mentioned:
            continue
        mentioned.add(word)
        link = Markup('<a class="word" href="#{}" title="{}">{}</a>').format(word.anchor, word.meaning, match[0])
        parts += [escape(text[end : match.start()]), link]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])
