"""HTML around values: where in it each action of a template stands, and how a value is written there.

In:   the nodes of a template.
Out:  the same nodes; each output knows its context, and comments of HTML are gone.
From: the documentation of Go's html/template. Of its contexts there are text, tags, attributes, URLs in them, scripts and
      styles; where branches end in different contexts Go refuses the template, and here the first branch decides.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

from pipeline_processing.alerts.templates.functions import Script, json_value, print_
from pipeline_processing.alerts.templates.syntax import Branch, Node, Output, Text, Word
from pipeline_processing.results.json_text import text_of

SIGNS = str.maketrans(
    {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "+": "&#43;", "<": "&lt;", ">": "&gt;"}
)
UNQUOTED = str.maketrans({sign: f"&#{ord(sign)};" for sign in "\t\n\v\f\r =`"})
URL_ATTRIBUTES = ("href", "src", "action", "formaction", "cite", "poster", "background", "data", "srcset")
TAG = re.compile(r"<(?P<close>/)?(?P<name>[a-zA-Z][a-zA-Z0-9:-]*)")
ATTRIBUTE = re.compile(r"\s*(?P<name>[^\s=>/\"']+)\s*(?:(?P<equals>=)\s*(?P<quote>[\"'])?)?")
SCHEME = re.compile(r"^[^/?#]*:")
RAW = ("script", "style")


def in_context(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    return _walked(nodes, "text")[0]


def _walked(nodes: tuple[Node, ...], context: str) -> tuple[tuple[Node, ...], str]:
    found: list[Node] = []
    for node in nodes:
        if isinstance(node, Text):
            text, context = after(node.text, context)
            found.append(Text(text))
        elif isinstance(node, Output):
            found.append(dataclasses.replace(node, context=_own(node, context)))
        elif isinstance(node, Branch):
            body, ended = _walked(node.body, context)
            otherwise, _ = _walked(node.otherwise, context)
            found.append(dataclasses.replace(node, body=body, otherwise=otherwise))
            context = ended
    return tuple(found), context


def _own(node: Output, context: str) -> str:
    """What its own last function made fit is not made so twice."""
    last = node.pipeline.commands[-1][0]
    done = isinstance(last, Word) and last.name in ("html", "urlquery")
    return "as_is" if done and context in ("text", "attribute:", 'attribute:"', "attribute:'") else context


def after(text: str, context: str) -> tuple[str, str]:
    """The text without comments, and the context at its end: `text`, `tag`, `attribute:"`, `url:"`, `script`, `style`,
    `comment`."""
    kept, at = "", 0
    while at < len(text):
        start = at
        at, following = STEPS[context.partition(":")[0]](text, at, context)
        if context != "comment":
            kept += text[start:at] if following != "comment" else text[start : text.index("<!--", start)]
        context = following
    return kept, context


def _in_text(text: str, at: int, context: str) -> tuple[int, str]:
    comment, tag = text.find("<!--", at), TAG.search(text, at)
    if comment >= 0 and (tag is None or comment < tag.start()):
        return comment + 4, "comment"
    if tag is None:
        return len(text), "text"
    raw = tag["name"].lower() if not tag["close"] and tag["name"].lower() in RAW else ""
    return tag.end(), f"tag:{raw}"


def _in_comment(text: str, at: int, context: str) -> tuple[int, str]:
    end = text.find("-->", at)
    return (len(text), "comment") if end < 0 else (end + 3, "text")


def _in_tag(text: str, at: int, context: str) -> tuple[int, str]:
    raw = context.partition(":")[2]
    if text[at] in ">/" or text[at].isspace():
        return at + 1, (raw or "text") if text[at] == ">" else context
    found = ATTRIBUTE.match(text, at)
    if found is None:
        return at + 1, context
    if not found["equals"]:
        return found.end(), context
    kind = "url" if found["name"].lower() in URL_ATTRIBUTES else "attribute"
    return found.end(), f"{kind}:{found['quote'] or ''}{raw}"


def _in_attribute(text: str, at: int, context: str) -> tuple[int, str]:
    rest = context.partition(":")[2]
    quote, raw = (rest[:1], rest[1:]) if rest[:1] in tuple("\"'") else ("", rest)
    if quote:
        end = text.find(quote, at)
        return (len(text), context) if end < 0 else (end + 1, f"tag:{raw}")
    end = re.compile(r"[\s>]").search(text, at)
    return (len(text), context) if end is None else (end.start(), f"tag:{raw}")


def _in_raw(text: str, at: int, context: str) -> tuple[int, str]:
    end = re.compile(f"</{context}", re.I).search(text, at)
    return (len(text), context) if end is None else (end.end(), "tag:")


STEPS: Mapping[str, Callable[[str, int, str], tuple[int, str]]] = {
    "text": _in_text,
    "comment": _in_comment,
    "tag": _in_tag,
    "attribute": _in_attribute,
    "url": _in_attribute,
    "script": _in_raw,
    "style": _in_raw,
}


def escaped(value: Any, context: str) -> str:
    """A value as it may stand there; nothing is ''."""
    if context == "script":
        return str(value) if isinstance(value, Script) else text_of(json_value(value))
    text = "" if value is None else print_(value)
    if context in ("as_is", "comment"):
        return text if context == "as_is" else ""
    if context.startswith("url:"):
        text = _url(text)
    text = text.translate(SIGNS)
    return text if context == "text" or context[-1] in "\"'" else text.translate(UNQUOTED)


def _url(text: str) -> str:
    """Schemes other than http, https and mailto are refused, as they may hold scripts."""
    scheme = SCHEME.match(text)
    if scheme and scheme[0].lower() not in ("http:", "https:", "mailto:"):
        return "#ZgotmplZ"
    return urllib.parse.quote(text, safe="!#$&*+,/:;=?@[]%-._~")
