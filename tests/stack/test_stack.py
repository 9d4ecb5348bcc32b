"""The Compose stack as a whole: it stands up healthy, shows only the page, notices what hangs, keeps and forgets."""

import urllib.request

import pytest
from running_stack import Stack, running_stack
from stack_reading import CENSUS_ROWS, census_rows
from waiting import until

pytestmark = pytest.mark.engine

STORES = ("disk:///data/disk", "cassandra://cassandra:9042/pipeline")
ONE_SHOTS = {"topics", "input-census", "tables"}
WINDOWS_WITHIN_S = 420
"""From all healthy; 20 s were seen at a load of 12, more than 90 s at one of 25 with a second stack beside it."""
HEALTHY_WITHIN_S = 300
"""The aim is 60 s on 2 idle cores; a machine that tests has other work too."""
NOTICED_WITHIN_S = 240
"""On an idle machine within 40 s: three failed checks of 5 s each, 5 s apart, and the 10 s that a service forgives its queue."""


def test_every_service_is_healthy_and_every_one_shot_ended_well(stack: Stack) -> None:
    services = stack.services()
    ended = {name: service.exit_code for name, service in services.items() if service.state == "exited"}
    unwell = {name: service.health for name, service in services.items() if service.health != "healthy"}
    assert ended == dict.fromkeys(ONE_SHOTS, 0)
    assert unwell == dict.fromkeys(ONE_SHOTS, "none")


def test_the_stack_stands_within_minutes(stack: Stack) -> None:
    assert stack.healthy_after_s < HEALTHY_WITHIN_S


def test_nothing_but_the_page_is_published_and_it_answers(stack: Stack) -> None:
    published = {name: service.published for name, service in stack.services().items() if service.published}
    assert published == {"display": [f"127.0.0.1:{stack.port}"]}
    with urllib.request.urlopen(stack.page, timeout=60) as answer:
        assert answer.status == 200


def test_an_input_does_not_see_the_store(stack: Stack) -> None:
    seen = stack.python(
        "input-monitoring",
        # An unknown name is asked for outside, too, and an internal network gets no answer: wait one second for it.
        "import os, socket\nos.environ['RES_OPTIONS'] = 'timeout:1 attempts:1'\nfor name in ('kafka', 'cassandra'):\n"
        "    try: socket.gethostbyname(name); print(name)\n    except OSError: pass\n",
    )
    assert seen.split() == ["kafka"]


def test_our_services_cannot_write_where_they_have_no_volume(stack: Stack) -> None:
    code = "import os\ntry: os.mkdir('/opt/pipeline/x')\nexcept OSError as error: print(error.strerror)"
    assert stack.python("display", code).strip() == "Read-only file system"


def test_windows_reach_both_stores(stack: Stack) -> None:
    assert until(lambda: all(windows(stack, url) for url in STORES), WINDOWS_WITHIN_S, pause_s=5)


@pytest.mark.parametrize("url", STORES)
def test_the_census_is_computed_into_both_stores(stack: Stack, url: str) -> None:
    assert until(lambda: census_rows(stack, url) == CENSUS_ROWS, WINDOWS_WITHIN_S, pause_s=5), census_rows(stack, url)


def test_a_frozen_queue_makes_itself_and_its_producers_unhealthy(stack: Stack) -> None:
    concerned = {"kafka", "input-monitoring", "input-random-numbers"}
    with stack.frozen("kafka"):
        assert until(lambda: concerned <= unhealthy(stack), NOTICED_WITHIN_S, pause_s=1), unhealthy(stack)
    assert until(lambda: not unhealthy(stack), NOTICED_WITHIN_S, pause_s=1), unhealthy(stack)


def test_a_frozen_service_is_unhealthy_and_recovers(stack: Stack) -> None:
    others = set(stack.services()) - ONE_SHOTS - {"kafka"}
    with stack.frozen(*others):
        assert until(lambda: others <= unhealthy(stack), NOTICED_WITHIN_S, pause_s=1), unhealthy(stack)
    assert until(lambda: not unhealthy(stack), NOTICED_WITHIN_S, pause_s=1), unhealthy(stack)


def test_a_stack_that_went_down_comes_back_with_its_data(stack: Stack) -> None:
    assert until(lambda: all(windows(stack, url) for url in STORES), WINDOWS_WITHIN_S, pause_s=5)
    first = first_event(stack), [windows(stack, url)[0] for url in STORES]
    stack.command("down", "--timeout", "10")
    stack.command("up", "--wait")
    assert (first_event(stack), [windows(stack, url)[0] for url in STORES]) == first


def test_down_with_its_volumes_leaves_nothing() -> None:
    with running_stack("input-random-numbers") as small:
        kept_while_up = bool(small.volumes())
        small.command("down", "--volumes")
        assert (kept_while_up, small.volumes()) == (True, [])


def unhealthy(stack: Stack) -> set[str]:
    return {name for name, service in stack.services().items() if service.health not in {"healthy", "none"}}


def windows(stack: Stack, url: str) -> list[str]:
    """The starts of the windows of random numbers in a store, oldest first."""
    return stack.python(
        "display",
        "from pipeline_output.stores import open_store\nfrom pipeline_output.tables import RANDOM_NUMBERS_WINDOWS\n"
        f"store = open_store({url!r})\n"
        "print(*store.read(RANDOM_NUMBERS_WINDOWS)['window_start_ns'].to_pylist())\nstore.close()\n",
    ).split()


def first_event(stack: Stack) -> str:
    """The oldest event of random numbers, as it travelled; each producer has a partition of its own."""
    return stack.python(
        "display",
        "from pipeline_queue.brokers import open_broker\nbroker = open_broker('kafka://kafka:9092')\n"
        "begins = broker.begin_offsets('random-numbers').items()\n"
        "found = [broker.read('random-numbers', dict([begin]), wait_s=2, limit=1) for begin in begins]\n"
        "print(min((each[0].append_time_ns, each[0].value) for each in found if each))\n",
    )
