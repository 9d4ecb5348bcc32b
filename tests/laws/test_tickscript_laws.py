"""What holds for every script: laid out twice it is laid out, and says the same; what is refused is refused with its place."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from pipeline_processing.tickscript.errors import NestedTooDeep, TickError
from pipeline_processing.tickscript.evaluate import evaluate
from pipeline_processing.tickscript.formatting import formatted
from pipeline_processing.tickscript.parser import NESTING_MAX, parse
from pipeline_processing.tickscript.printer import printed
from pipeline_processing.tickscript.tokens import tokens
from pipeline_processing.tickscript.upgrade import upgraded
from tickscript_trees import Trees
from tickscript_words import WORDS

CORPUS = sorted((Path(__file__).parents[1] / "tickscripts").glob("*.tick"))
NEW = [path for path in CORPUS if "old" not in path.stem]
SCRIPTS = [path.read_text() for path in CORPUS]
PIECES = [
    *"()[]|.@,'\"/*-+!=~<>%\n \\µ",
    "//",
    "'''",
    "lambda:",
    "AND ",
    " var ",
    "1h",
    "010",
    "5.5",
    "=~",
    "\x00",
    "\ud800",
]
TREES, MUTANTS, NOISES = 600, 1_000, 300


def test_the_corpus_is_there() -> None:
    assert len(CORPUS) >= 4


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_script_laid_out_twice_is_laid_out_once(path: Path) -> None:
    once = formatted(path.read_text()) if "old" not in path.stem else upgraded(path.read_text())
    assert (formatted(once), upgraded(once)) == (once, once)


@pytest.mark.parametrize("path", NEW, ids=lambda path: path.stem)
def test_a_script_says_the_same_when_it_is_laid_out(path: Path) -> None:
    assert parse(formatted(path.read_text())) == parse(path.read_text())


def test_a_tree_is_read_again_as_it_was_printed() -> None:
    programs = (Trees(seed).program() for seed in range(TREES))
    assert [seed for seed, program in enumerate(programs) if parse(printed(program)) != program] == []


def test_a_tree_laid_out_twice_is_laid_out_once() -> None:
    texts = (printed(Trees(seed).program()) for seed in range(TREES))
    assert [seed for seed, text in enumerate(texts) if formatted(formatted(text)) != formatted(text)] == []


def is_stable(text: str) -> bool:
    """Whether it says the same when it is laid out, and then stays as it is."""
    once = formatted(text)
    return parse(once) == parse(text) and formatted(once) == once


def respaced(text: str, chance: random.Random) -> str:
    """The script's tokens with other spaces, line breaks and comments between them."""
    between = [" ", " ", " ", "\n", "\n\n ", " // c\n", "\n//x\n// y\n\n//z\n"]
    return "".join(token.text + chance.choice(between) for token in list(tokens(text))[:-1])


def test_however_it_is_spaced_a_script_is_laid_out_at_once_and_says_the_same() -> None:
    scripts = [path.read_text() for path in NEW] * 20 + [printed(Trees(seed).program()) for seed in range(TREES)]
    texts = [respaced(text, random.Random(seed)) for seed, text in enumerate(scripts)]
    assert [text for text in texts if not is_stable(text)] == []


def is_within(text: str, error: TickError) -> bool:
    lines = text.encode("utf-8", "surrogatepass").split(b"\n")
    return 1 <= error.at.line <= len(lines) and 1 <= error.at.char <= len(lines[error.at.line - 1]) + 1


def misplaced(read: Callable[[str], object], text: str) -> bool:
    """Whether the text is refused for a place that it does not have; anything else than a TickError is raised."""
    try:
        read(text)
    except TickError as error:
        return not is_within(text, error)
    return False


def mutant(chance: random.Random) -> str:
    """A script of the corpus, cut, or with a few pieces taken out, put in, or doubled."""
    text = chance.choice(SCRIPTS)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.randrange(12))
        match chance.randrange(4):
            case 0:
                text = text[:start]
            case 1:
                text = text[:start] + text[end:]
            case 2:
                text = text[:end] + text[start:]
            case _:
                text = text[:start] + "".join(chance.choices(PIECES, k=chance.randint(1, 3))) + text[start:]
    return text


@pytest.mark.parametrize("read", [lambda text: evaluate(parse(text), WORDS), upgraded], ids=["1.x", "0.10"])
def test_every_refusal_of_a_mutant_has_a_place_within_it(read: Callable[[str], object]) -> None:
    mutants = [mutant(random.Random(seed)) for seed in range(MUTANTS)]
    assert [text for text in mutants if misplaced(read, text)] == []


def test_every_refusal_of_noise_has_a_place_within_it() -> None:
    noises = [random.Random(seed).randbytes(seed % 200).decode("latin-1") for seed in range(NOISES)]
    noises += ["".join(random.Random(seed).choices(PIECES, k=seed % 40)) for seed in range(NOISES)]
    assert [text for text in noises if misplaced(formatted, text)] == []


def test_mutants_that_are_read_say_the_same_when_they_are_laid_out() -> None:
    changed = []
    for text in (mutant(random.Random(seed)) for seed in range(MUTANTS)):
        with suppress(TickError):
            changed += [] if is_stable(text) else [text]
    assert changed == []


@pytest.mark.parametrize(
    "opening",
    ["(", "-", "!", "f(", "x|f(", "x.f(", "('a' OR (", "a == b + (", "a OR b AND c == d < e + f * ("],
)
def test_deep_nesting_is_refused(opening: str) -> None:
    for times in (NESTING_MAX + 1, 5_000):
        with pytest.raises(NestedTooDeep, match="nested deeper than 100 levels"):
            parse("var x = " + opening * times)


@pytest.mark.parametrize("opening", ["(b + ", "-", "f(", "a OR b AND c == d < e + f * (g - "])
def test_the_deepest_that_is_read_is_walked_by_all(opening: str) -> None:
    closing = ")" * opening.count("(")
    deepest = ""
    for times in range(1, NESTING_MAX + 1):
        text = f"var x = lambda: {opening * times}1{closing * times}"
        with suppress(NestedTooDeep):
            parse(text)
            deepest = text
    known = "".join(f"var {name} = {number}\n" for number, name in enumerate("abcdefg"))
    evaluate(parse(known + deepest), WORDS)
    assert parse(formatted(deepest)) == parse(upgraded(deepest))


def test_a_long_run_of_operators_is_not_deep() -> None:
    hosts = " OR ".join(f"\"host\" == 'h{number}'" for number in range(5_000))
    text = f"stream|from().where(lambda: {hosts})"
    assert formatted(text).count(" OR ") == len(
        evaluate(parse(text), WORDS).calls[1].properties[0].arguments[0].body.rest
    )
