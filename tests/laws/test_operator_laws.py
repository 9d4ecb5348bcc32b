"""What holds for every operator: borders of steps, snapshots and other groups change nothing."""

from __future__ import annotations

import pytest
from operator_examples import CASES, Case
from operator_stories import borders_at_random, groups_of, outcome, random_story
from pipeline_processing.operators import OPERATORS
from pipeline_processing.points.keys import Keys

SEEDS = range(4)
WITHOUT_LAWS = {
    "batch": "is never run",
    "query": "is never run",
}
"""Names of operators, and why no law is held of them."""
ACROSS_GROUPS = {
    "union": "a point waits until all parents have come as far, with whichever groups",
    "groupBy": "batches wait until one of another time comes, of whichever group; what comes out is of other groups",
    "alert-counting": "what an alert's expression remembers is of all groups, as Kapacitor has it",
}
"""Cases (their names begin so) in which a group's points wait for, or meet, those of others, and how."""
PER_GROUP = {name: each for name, each in CASES.items() if not name.startswith(tuple(ACROSS_GROUPS))}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_other_borders_of_steps_and_snapshots_between_them_change_nothing(case: Case, seed: int) -> None:
    keys = Keys()
    story = random_story(case, keys, seed)
    whole = outcome(case, story, keys)
    for restore in (False, True):
        parts = outcome(case, story, keys, borders=borders_at_random(story, seed), restore=restore)
        assert parts.exactly() == whole.exactly()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", PER_GROUP.values(), ids=PER_GROUP)
def test_points_of_other_groups_change_nothing(case: Case, seed: int) -> None:
    keys = Keys()
    story = random_story(case, keys, seed)
    whole = outcome(case, story, keys)
    for group, node in groups_of(story, keys):
        assert repr(outcome(case, story.of(group), keys).of(node)) == repr(whole.of(node))


def test_no_operator_is_without_these_laws() -> None:
    held = {each.KIND for case in CASES.values() for each in case.operators}
    assert held == {*OPERATORS, "alert"} - WITHOUT_LAWS.keys()
