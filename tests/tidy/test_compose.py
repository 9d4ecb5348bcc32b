"""What the stack promises: hardened, private, bounded, in flow order.

In:    the configuration that Compose resolves (it needs no engine), the file's own text, and the Dockerfiles.
Out:   one test a promise, and one that each promise can be broken.
Skips: where there is no `docker compose`.
A rule takes the resolved configuration and gives the breaches it finds, in words.
"""

import copy
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pipeline_queue.setting_names import SETTING_NAMES

Config = dict[str, Any]
Rule = Callable[[Config], list[str]]

ROOT = Path(__file__).parents[2]
FLOW = (
    *("kafka", "topics", "input-monitoring", "input-random-numbers", "input-census", "collector"),
    *("cassandra", "tables", "db-password", "postgres", "loader"),
    *("spark-master", "spark-worker", "processing", "tasks", "submit", "display"),
)
OVERLAYS = {"docker-compose.kafka3.yml": "kafka", "docker-compose.cassandra3.yml": "cassandra"}
"""Each with the service of which it adds two more, such as `kafka-2` and `kafka-3`."""
MEMORY_MAX_BYTES = 5_500_000_000
"""Of the stack without an overlay; a service that an overlay adds may take what the first of its kind does."""
NETWORKS = {
    "kafka": {"queue"},
    "topics": {"queue"},
    "input-monitoring": {"queue"},
    "input-random-numbers": {"queue"},
    "input-census": {"queue"},
    "collector": {"queue", "edge"},
    "cassandra": {"output"},
    "tables": {"output"},
    "db-password": {"output"},
    "postgres": {"output"},
    "loader": {"queue", "output"},
    "spark-master": {"processing"},
    "spark-worker": {"processing", "queue", "output"},
    "processing": {"processing", "queue", "output"},
    "tasks": {"queue", "edge"},
    "submit": {"queue"},
    "display": {"queue", "output", "edge"},
}
WRITABLE_ROOT = {"cassandra"}
"""The only exception, reasoned in the file. It may go; none may come."""
HOST_NAMESPACES = ("network_mode", "pid", "ipc", "uts", "userns_mode", "cgroup")


@pytest.fixture(scope="module")
def config() -> Config:
    return resolved("docker-compose.yml")


@pytest.fixture(scope="module", params=OVERLAYS)
def overlaid(request: pytest.FixtureRequest) -> Config:
    return resolved("docker-compose.yml", request.param)


def resolved(*files: str) -> Config:
    """What Compose makes of the files and .env, whatever this machine's environment says."""
    command = ["docker", "compose", *(word for file in files for word in ("-f", file)), "--profile", "*"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_CONFIG") if name in os.environ}
    try:
        done = subprocess.run(
            [*command, "config", "--format", "json"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("no `docker` here: Docker Engine with Compose v2 is needed to resolve the configuration")
    if "compose" in done.stderr and "not a docker command" in done.stderr:
        pytest.skip("`docker` has no `compose` here: Compose v2 is needed to resolve the configuration")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def hardened(config: Config) -> list[str]:
    wanted = {
        "cap_drop": ["ALL"],
        "cap_add": None,
        "security_opt": ["no-new-privileges:true"],
        "privileged": None,
        "devices": None,
        "init": True,
    }
    return [
        f"{name}: {key} is {service.get(key)!r}, not {value!r}"
        for name, service in config["services"].items()
        for key, value in wanted.items()
        if service.get(key) != value
    ]


def not_root(config: Config) -> list[str]:
    return [
        f"{name} runs as {service.get('user')!r}"
        for name, service in config["services"].items()
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", service.get("user") or "")
    ]


def read_only(config: Config) -> list[str]:
    return [
        f"{name} has a writable root"
        for name, service in config["services"].items()
        if not service.get("read_only") and first_of(name) not in WRITABLE_ROOT
    ]


def no_host_namespace(config: Config) -> list[str]:
    return [
        f"{name}: {key} is {service[key]!r}"
        for name, service in config["services"].items()
        for key in HOST_NAMESPACES
        if service.get(key) is not None
    ]


def only_named_volumes(config: Config) -> list[str]:
    return [
        f"{name} mounts {volume.get('source')!r}, a {volume['type']}"
        for name, service in config["services"].items()
        for volume in service.get("volumes", [])
        if volume["type"] != "volume" or volume.get("source") not in config["volumes"]
    ]


def networks_as_drawn(config: Config) -> list[str]:
    open_networks = {name for name, network in config["networks"].items() if not network.get("internal")}
    found = [f"network {name} reaches outside" for name in open_networks - {"edge"}]
    for name, service in config["services"].items():
        if set(service["networks"]) != NETWORKS.get(first_of(name)):
            found.append(f"{name} is on {sorted(service['networks'])}")
    return found


def publishes_pages_and_doors_only(config: Config) -> list[str]:
    published = [
        (name, port.get("host_ip"), port.get("published"), port["target"])
        for name, service in config["services"].items()
        for port in service.get("ports", [])
    ]
    expected = [
        ("collector", "127.0.0.1", "8081", 8081),
        ("display", "127.0.0.1", "8080", 8080),
        ("tasks", "127.0.0.1", "9092", 9092),
    ]
    return [] if sorted(published) == expected else [f"published are {published}"]


def pinned(config: Config) -> list[str]:
    return [
        f"{name}: {service['image']} is not pinned"
        for name, service in config["services"].items()
        if not re.fullmatch(r"[\w./-]+:\d+(\.\d+)+", service["image"])
    ]


def bounded_memory(config: Config) -> list[str]:
    limits = {
        name: int(service.get("mem_limit", 0)) for name, service in config["services"].items() if is_default(service)
    }
    found = [f"{name} has no memory limit" for name, limit in limits.items() if not limit]
    found += [f"{name} may take more than the first" for name in limits if limits[name] > limits[first_of(name)]]
    if (taken := sum(limit for name, limit in limits.items() if name == first_of(name))) > MEMORY_MAX_BYTES:
        found.append(f"limits sum to {taken:,} bytes")
    return found


def memory_as_tabled(config: Config) -> list[str]:
    tabled = {
        name: int(mib) << 20
        for text in texts_of(config)  # an overlay's table adds rows and says another sum
        for name, mib in re.findall(r"^#     ([\w-]+)(?:, once)? +(\d+)", text, re.M)
    }
    limits = {name: int(service["mem_limit"]) for name, service in config["services"].items() if is_default(service)}
    expected = {**limits, "sum": sum(limits.values())}
    return [
        f"{name}: the table says {tabled.get(name)}, the file {expected.get(name)}"
        for name in tabled.keys() | expected.keys()
        if tabled.get(name) != expected.get(name)
    ]


def rotated_logs(config: Config) -> list[str]:
    return [
        f"{name} keeps its log for ever"
        for name, service in config["services"].items()
        if not {"max-size", "max-file"} <= service.get("logging", {}).get("options", {}).keys()
    ]


def watched_and_revived(config: Config) -> list[str]:
    return [
        f"{name} has no health check or is not started again"
        for name, service in config["services"].items()
        if service.get("restart") != "no"
        and not (service.get("restart") == "unless-stopped" and "healthcheck" in service)
    ]


def one_shots_are_awaited(config: Config) -> list[str]:
    """`up --wait` fails on a finished one-shot that nothing waits for."""
    one_shots = {
        n for n, service in config["services"].items() if service.get("restart") == "no" and is_default(service)
    }
    awaited = {
        needed
        for service in config["services"].values()
        for needed, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    return [f"nothing waits for {name}" for name in one_shots - awaited]


def started_in_order(config: Config) -> list[str]:
    """Each waits until what it needs is ready; a Spark worker alone finds its master by itself, which saves seconds."""
    return [
        f"{name} waits for {needed} to be {how['condition']}"
        for name, service in config["services"].items()
        for needed, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_started" and (name, needed) != ("spark-worker", "spark-master")
    ]


def no_secret(config: Config) -> list[str]:
    return [
        f"{name} is given {key}"
        for name, service in config["services"].items()
        for key in service.get("environment", {})
        if re.search("PASSWORD|SECRET|TOKEN", key) and not key.endswith("_FILE")
    ]


def is_default(service: Config) -> bool:
    return not service.get("profiles")


def first_of(name: str) -> str:
    """The service that `name` is one more of, or itself."""
    return re.sub(r"-[23]$", "", name)


def texts_of(config: Config) -> list[str]:
    """The texts of the files that it was made of."""
    overlays = [file for file, first in OVERLAYS.items() if f"{first}-2" in config["services"]]
    return [compose_text(), *((ROOT / file).read_text() for file in overlays)]


def compose_text() -> str:
    return (ROOT / "docker-compose.yml").read_text()


RULES: tuple[Rule, ...] = (
    hardened,
    not_root,
    read_only,
    no_host_namespace,
    only_named_volumes,
    networks_as_drawn,
    publishes_pages_and_doors_only,
    pinned,
    bounded_memory,
    memory_as_tabled,
    rotated_logs,
    watched_and_revived,
    one_shots_are_awaited,
    started_in_order,
    no_secret,
)


def breaches(config: Config) -> Iterator[tuple[Rule, Config]]:
    """For each rule a configuration that breaks it, made from the real one by one change."""
    display: Config = {"host_ip": "0.0.0.0", "published": "8080", "target": 8080}
    changes: dict[Rule, tuple[str, Config]] = {
        hardened: ("kafka", {"cap_add": ["NET_ADMIN"]}),
        not_root: ("display", {"user": "0:0"}),
        read_only: ("kafka", {"read_only": False}),
        no_host_namespace: ("display", {"pid": "host"}),
        only_named_volumes: ("display", {"volumes": [{"type": "bind", "source": "/var/run/docker.sock"}]}),
        networks_as_drawn: ("cassandra", {"networks": {"edge": None, "output": None}}),
        publishes_pages_and_doors_only: ("display", {"ports": [display]}),
        pinned: ("kafka", {"image": "apache/kafka:latest"}),
        bounded_memory: ("kafka", {"mem_limit": "2000000000"}),
        memory_as_tabled: ("display", {"mem_limit": "1"}),
        rotated_logs: ("display", {"logging": {}}),
        watched_and_revived: ("display", {"restart": "always"}),
        one_shots_are_awaited: ("kafka", {"restart": "no"}),
        started_in_order: ("display", {"depends_on": {"topics": {"condition": "service_started"}}}),
        no_secret: ("cassandra", {"environment": {"CASSANDRA_PASSWORD": "cassandra"}}),
    }
    for rule, (service, change) in changes.items():
        broken = copy.deepcopy(config)
        broken["services"][service].update(change)
        yield rule, broken


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_stack_keeps_its_promise(rule: Rule, config: Config) -> None:
    assert rule(config) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_an_overlay_keeps_it_too(rule: Rule, overlaid: Config) -> None:
    assert rule(overlaid) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_adds_two_of_a_kind_to_the_same_stack(overlay: str, config: Config) -> None:
    overlaid, first = resolved("docker-compose.yml", overlay), OVERLAYS[overlay]
    assert overlaid["services"].keys() - config["services"].keys() == {f"{first}-2", f"{first}-3"}
    assert config["services"].keys() <= overlaid["services"].keys()
    volumes = [
        volume["source"] for name in (first, f"{first}-2", f"{first}-3") for volume in volumes_of(overlaid, name)
    ]
    assert sorted(volumes) == [f"{first}-data", f"{first}-data-2", f"{first}-data-3"]


@pytest.mark.parametrize(("variable", "overlay"), [*zip(("QUEUE_URL", "STORES"), OVERLAYS, strict=True)])
def test_under_an_overlay_everyone_knows_all_three(variable: str, overlay: str, config: Config) -> None:
    overlaid, first = resolved("docker-compose.yml", overlay), OVERLAYS[overlay]
    told = {name: service["environment"][variable] for name, service in knowing(config, variable).items()}
    now = {name: service["environment"][variable] for name, service in knowing(overlaid, variable).items()}
    assert now.keys() == told.keys()
    assert {
        name for name, url in now.items() if not all(f"{first}{more}:" in url for more in ("", "-2", "-3"))
    } == set()


def knowing(config: Config, variable: str) -> Config:
    return {name: each for name, each in config["services"].items() if variable in (each.get("environment") or {})}


def volumes_of(config: Config, name: str) -> list[Config]:
    return config["services"][name]["volumes"]


def test_each_promise_can_be_broken(config: Config) -> None:
    seen = {rule: rule(broken) for rule, broken in breaches(config)}
    assert [rule.__name__ for rule in RULES if not seen.get(rule)] == []


def test_the_guides_file_of_ones_own_says_what_there_is_and_breaks_no_promise_but_by_its_folders(
    tmp_path: Path, config: Config
) -> None:
    own = tmp_path / "docker-compose.override.yml"
    own.write_text(re.search(r"```yaml\n(services:\n.*?)```", (ROOT / "docs/events.md").read_text(), re.S)[1])
    merged = resolved("docker-compose.yml", str(own))
    before = {name: set(each.get("environment") or {}) for name, each in config["services"].items()}
    said = {name: set(each.get("environment") or {}) - before[name] for name, each in merged["services"].items()}
    assert {name: each for name, each in said.items() if each} == {
        "collector": {"EVENTS_CLIENTS"},
        "display": {"EVENTS_TOKEN_FILE"},
        "loader": {"DB_LOAD_PARQUET"},
    }
    assert {*SETTING_NAMES} >= set().union(*said.values())
    broken = [breach for rule in RULES for breach in rule(merged)]
    assert [breach for breach in broken if not breach.endswith(", a bind")] == []


def test_services_stand_in_flow_order() -> None:
    services = compose_text().split("\nservices:\n")[1].split("\nnetworks:\n")[0]
    assert tuple(re.findall(r"^  ([\w-]+):", services, re.M)) == FLOW


def test_the_source_is_mounted_for_development_and_only_then(config: Config) -> None:
    development = resolved("docker-compose.yml", "docker-compose.dev.yml")
    ours = {name for name, service in config["services"].items() if "build" in service} - {"spark-master"}
    assert mounting_source(development) == ours
    assert mounting_source(config) == set()


def mounting_source(config: Config) -> set[str]:
    return {
        name
        for name, service in config["services"].items()
        for volume in service.get("volumes", [])
        if volume["type"] == "bind" and volume["source"] == str(ROOT) and volume["read_only"]
    }
