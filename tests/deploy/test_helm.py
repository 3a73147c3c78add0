"""What is deployed to Kubernetes: that the chart knows the values, and that they say what the topology says.

No cluster and no helm run here.
"""

from __future__ import annotations

import copy
import importlib
import ipaddress
import re
import tomllib
from typing import Any

import jsonschema
import pytest
import yaml
from airflow.cli import cli_parser
from airflow.configuration import conf

import topology
from local_airflow import ROOT

FILE = ROOT / "deploy" / "helm-values.yaml"
JOBS = ROOT / "deploy" / "kubernetes"
CHART = ROOT / "tests" / "deploy" / "chart_values.yaml"
GUIDE = ROOT / "docs" / "operations.md"
TYPES = {"any": {}, "never": False}

CHART_SETS = {"AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"}
"""What the chart itself sets, from its own values."""

OF_A_SITE = {"AIRFLOW__API__BASE_URL", "FORWARDED_ALLOW_IPS"}
"""What differs from site to site."""

DERIVED = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"}
"""What Airflow itself makes of another variable, if it is not set."""

KEPT = {
    "AIRFLOW__CORE__FERNET_KEY": ("fernetKeySecretName", "fernet-key"),
    "AIRFLOW__API__SECRET_KEY": ("apiSecretKeySecretName", "api-secret-key"),
    "AIRFLOW__API_AUTH__JWT_SECRET": ("jwtSecretName", "jwt-secret"),
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": ("metadataSecretName", "connection"),
    "AIRFLOW__CELERY__RESULT_BACKEND": ("resultBackendSecretName", "connection"),
    "AIRFLOW__CELERY__BROKER_URL": ("brokerUrlSecretName", "connection"),
}
"""Variable → the value by which the chart is told the secret of it, and the key that the chart takes of that."""

SERVICES = {
    "api-server": "apiServer",
    "scheduler": "scheduler",
    "dag-processor": "dagProcessor",
    "triggerer": "triggerer",
    "worker": "workers",
}
OWN_JOBS = ("store", "administrator", "maintenance")
ENTRY_POINT = "/opt/outsmart-sync/deploy/entrypoint.sh"
"""Where the image has it: a probe runs wherever the pod's working folder is."""


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def chart() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(CHART.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def schema(chart: dict[str, Any]) -> dict[str, Any]:
    found = schema_of(chart["values"])
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def guide() -> str:
    text = GUIDE.read_text(encoding="utf-8")
    return text[text.index("**On Kubernetes**") : text.index("\n## ", text.index("**On Kubernetes**"))]


def schema_of(kind: Any) -> dict[str, Any] | bool:
    """The JSON Schema of what stands in ``chart_values.yaml``."""
    if isinstance(kind, dict):
        known = {name: schema_of(each) for name, each in kind.items()}
        return {"type": "object", "properties": known, "additionalProperties": False}
    if isinstance(kind, list):
        return {"type": "array", "items": schema_of(kind[0])}
    if kind in TYPES:
        return TYPES[kind]
    return {"type": kind.split("-or-")}


def job(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((JOBS / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def container(name: str) -> dict[str, Any]:
    spec = job(name)["spec"]
    [found] = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def told(name: str, values: dict[str, Any]) -> dict[str, str]:
    """Which variables of which value a service is told; a secret one is the secret and its key."""
    part = values[SERVICES[name]]
    plain = {each["name"]: each["value"] for each in (*values["env"], *part.get("env", []))}
    for section, options in values["config"].items():
        plain |= {f"AIRFLOW__{section}__{option}".upper(): str(value) for option, value in options.items()}
    places = {**values, **values["data"]}
    plain |= {variable: f"{places[where]}/{key}" for variable, (where, key) in KEPT.items()}
    return plain | {each["envName"]: f"{each['secretName']}/{each['secretKey']}" for each in values["secret"]}


def wanted(name: str) -> dict[str, str]:
    """What the topology tells a service, with what compose takes if ``.env`` says nothing else."""
    found = {}
    for variable, value in topology.environment(name, topology.COMPOSE).items():
        default = re.fullmatch(r"\$\{\w+:-(.*)\}", value)
        found[variable] = default[1] if default else value
    unneeded = {each for each, value in found.items() if not value or "__METRICS__" in each}
    return {each: value for each, value in found.items() if each not in CHART_SETS | OF_A_SITE | DERIVED | unneeded}


def test_versions_are_those_of_the_project(values: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"apache-airflow=={values['airflowVersion']}" in project["dependencies"]
    assert values["defaultAirflowTag"] == project["version"]


def test_the_chart_knows_every_value(values: dict[str, Any], schema: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(values, schema)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("worker",), {}),
        (("workers", "concurrency"), 4),
        (("workers", "replicas"), "2"),
        (("workers", "livenessProbe", "commands"), []),
        (("apiServer", "startupProbe", "command"), []),
        (("triggerer", "startupProbe"), {}),
        (("webserver", "defaultUser", "password"), "admin"),
        (("createUserJob", "enable"), False),
        (("statsd", "mappings"), []),
        (("data", "metadataSecret"), "outsmart-sync-metadata"),
        (("logs", "persistence"), False),
    ],
)
def test_a_value_that_the_chart_does_not_know_is_found(
    values: dict[str, Any], schema: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    wrong = copy.deepcopy(values)
    place = wrong
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_airflow_knows_every_option(values: dict[str, Any]) -> None:
    known = {
        (section.upper(), option.upper())
        for section, described in conf.configuration_description.items()
        for option in described["options"]
    }
    names = [each["name"] for part in SERVICES.values() for each in values[part].get("env", [])]
    names += [each["name"] for each in values["env"]]
    names += [each["name"] for name in OWN_JOBS for each in container(name)["env"]]
    options = [tuple(name.split("__", 2)[1:]) for name in names if name.startswith("AIRFLOW__")]
    options += [(section.upper(), option.upper()) for section, each in values["config"].items() for option in each]
    assert options
    assert [each for each in options if each not in known] == []


def test_a_workers_log_is_asked_for_at_its_address(values: dict[str, Any]) -> None:
    # Without a claim for its log a worker's pod has no name of its own in the DNS.
    assert not values["workers"]["persistence"]["enabled"]
    names = {each["name"]: each["value"] for each in values["env"]}
    module, _, function = names["AIRFLOW__CORE__HOSTNAME_CALLABLE"].rpartition(".")
    assert ipaddress.ip_address(getattr(importlib.import_module(module), function)())


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_told_what_the_topology_tells_it(values: dict[str, Any], name: str) -> None:
    told_it = told(name, values)
    assert all(isinstance(value, str) for value in told_it.values())
    for variable, value in wanted(name).items():
        if "${" in value:  # a secret of .env
            assert re.fullmatch(r"outsmart-sync(-\w+)?/[\w-]+", told_it[variable]), variable
        else:
            assert told_it[variable] == value, variable
    assert values["executor"] == "CeleryExecutor"
    assert yaml.safe_load(values["extraEnvFrom"]) == [{"secretRef": {"name": "outsmart-sync-connections"}}]


def test_what_is_run_is_what_the_topology_runs(values: dict[str, Any]) -> None:
    for name in ("api-server", "scheduler"):
        assert values[SERVICES[name]]["args"] == ["bash", "-c", "exec " + " ".join(topology.SERVICES[name].command)]
    for name in ("dag-processor", "triggerer", "worker"):
        assert "args" not in values[SERVICES[name]]  # the chart's own are the same


def test_a_worker_has_the_memory_that_its_tasks_take(values: dict[str, Any]) -> None:
    tasks, each, itself = values["config"]["celery"]["worker_concurrency"], 220, 400
    assert tasks * each + itself < int(values["workers"]["resources"]["limits"]["memory"].removesuffix("Gi")) * 1_024


def test_no_probe_and_no_sidecar_needs_airflows_own_image(values: dict[str, Any]) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))["services"]
    for name in ("scheduler", "dagProcessor", "triggerer", "workers"):
        assert values[name]["logGroomerSidecar"] == {"enabled": False}
        assert values[name]["livenessProbe"]["command"]
    assert not re.search(r"^[^#]*\s\W?(/entrypoint|/clean-logs)\b", FILE.read_text(encoding="utf-8"), re.MULTILINE)
    for probe in ("startupProbe", "livenessProbe"):
        assert ["CMD", *values["scheduler"][probe]["command"]] == compose["scheduler"]["healthcheck"]["test"]
    [_, ping] = compose["worker"]["healthcheck"]["test"]
    ping = ping.replace("deploy/entrypoint.sh", ENTRY_POINT).replace("$$", "$")
    assert values["workers"]["livenessProbe"]["command"] == ["sh", "-c", ping]


def test_the_image_has_the_probes_entry_point() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f'ENTRYPOINT ["{ENTRY_POINT}"]' in text
    folder = re.findall(r"^WORKDIR (\S+)$", text, re.MULTILINE)[-1]
    [target] = re.findall(r"^COPY --chmod=755 deploy/entrypoint.sh (\S+)$", text, re.MULTILINE)
    assert f"{folder}/{target}" == ENTRY_POINT
    assert not re.search(r"(?<!/opt/outsmart-sync/)deploy/entrypoint", FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "kind"), [("dagProcessor", "DagProcessorJob"), ("triggerer", "TriggererJob")])
def test_airflow_knows_the_probes_commands(values: dict[str, Any], name: str, kind: str) -> None:
    [entry_point, program, *arguments] = values[name]["livenessProbe"]["command"]
    assert entry_point == ENTRY_POINT  # secrets that are files are read by it
    given = cli_parser.get_parser().parse_args(arguments)
    assert (program, given.job_type, given.local) == ("airflow", kind, True)  # of this pod, whatever its host is called


def test_nobody_has_a_password_that_everybody_knows(values: dict[str, Any]) -> None:
    assert values["createUserJob"] == {"enabled": False}
    assert values["webserver"] == {"defaultUser": {"enabled": False}}
    assert not values["postgresql"]["enabled"]
    assert not values["redis"]["enabled"]
    assert container("administrator")["args"] == list(topology.SERVICES["administrator"].command)


def test_nothing_secret_stands_in_it(values: dict[str, Any]) -> None:
    names = {name for name in (*values, *values["data"]) if re.search("secret|fernet|jwt|key", name, re.IGNORECASE)}
    assert names - {"secret"} == {each for each in names - {"secret"} if each.endswith("SecretName")}
    for file in (FILE, *JOBS.iterdir()):
        assert not re.search(r"pass(word)?:|://[^.\s]+:[^.\s]+@", file.read_text(encoding="utf-8"))


def test_metrics_get_the_names_that_the_dashboard_asks_for(values: dict[str, Any]) -> None:
    mapping = yaml.safe_load((ROOT / "deploy" / "monitoring" / "statsd-mapping.yaml").read_text(encoding="utf-8"))
    assert values["statsd"] == {"enabled": True, "overrideMappings": mapping["mappings"]}


@pytest.mark.parametrize("name", SERVICES.values())
def test_every_service_has_requests_and_limits(values: dict[str, Any], name: str) -> None:
    check_resources(values[name]["resources"])


def check_resources(resources: dict[str, dict[str, str]]) -> None:
    assert set(resources) == {"requests", "limits"}
    for part in resources.values():
        assert re.fullmatch(r"\d+m?", part["cpu"])
        assert re.fullmatch(r"\d+[MG]i", part["memory"])


@pytest.mark.parametrize("name", OWN_JOBS)
def test_jobs_run_what_the_topology_runs_and_are_told_no_more(values: dict[str, Any], name: str) -> None:
    one = container(name)
    assert one["image"] == f"{values['defaultAirflowRepository']}:{values['defaultAirflowTag']}"
    once = ["--once"] if name == "maintenance" else []
    assert one["args"] == [*topology.SERVICES[name].command, *once]  # the image's entry point stays
    assert "command" not in one
    check_resources(one["resources"])
    known = topology.environment(name, topology.COMPOSE)
    told_it = {each["name"]: each for each in one["env"]}
    secret = {each for each, value in known.items() if ":?}" in value} - DERIVED
    assert {each for each in told_it if "valueFrom" in told_it[each]} == secret
    for variable, each in told_it.items():
        if variable not in secret:
            assert each["value"] == known[variable]


def test_jobs_end_and_the_one_that_comes_back_does_so_daily() -> None:
    assert {file.stem for file in JOBS.iterdir()} == set(OWN_JOBS)
    assert {name: job(name)["kind"] for name in OWN_JOBS} == {
        "store": "Job",
        "administrator": "Job",
        "maintenance": "CronJob",
    }
    spec = job("maintenance")["spec"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", spec["schedule"])
    assert spec["concurrencyPolicy"] == "Forbid"


def test_jobs_and_chart_take_the_secrets_that_the_guide_makes(values: dict[str, Any], guide: str) -> None:
    lines = re.findall(r"kubectl create secret generic (\S+) (.*)", guide)
    made = {f"{name}/{key}" for name, rest in lines for key in re.findall(r"--from-literal=([\w-]+)=", rest)}
    files = {name for name, rest in lines if "--from-env-file=connections.env" in rest}
    assert files == {"outsmart-sync-connections"}
    taken = {
        value for value in told("api-server", values).values() if re.fullmatch(r"outsmart-sync[\w-]*/[\w-]+", value)
    }
    for name in OWN_JOBS:
        refs = [each["valueFrom"]["secretKeyRef"] for each in container(name)["env"] if "valueFrom" in each]
        taken |= {f"{each['name']}/{each['key']}" for each in refs}
    assert made == taken


def test_the_guide_names_the_chart_and_its_version(chart: dict[str, Any], guide: str) -> None:
    assert chart["version"] in FILE.read_text(encoding="utf-8").splitlines()[0]
    [first, second, *_] = re.findall(r"^    (kubectl .*)$", guide, re.MULTILINE)
    assert first == "kubectl create namespace outsmart-sync"
    assert second.endswith("set-context --current --namespace outsmart-sync")
    [install] = re.findall(r"^    (helm upgrade .*)$", guide, re.MULTILINE)
    assert "--namespace outsmart-sync" in install
    assert f"--version {chart['version']}" in install
    for name in OWN_JOBS:
        assert f"deploy/kubernetes/{name}.yaml" in guide


def test_no_old_code_runs_while_an_upgrade_changes_tables(guide: str) -> None:
    steps = re.findall(r"^    ((?:kubectl|helm) .*)$", guide, re.MULTILINE)
    [ends] = [step for step in steps if step.startswith("kubectl scale deployment --replicas=0")]
    [gone] = [step for step in steps if step.startswith("kubectl wait --for=delete pod")]
    [cleans] = [step for step in steps if step.startswith("kubectl delete") and "maintenance.yaml" in step]
    [changes] = [step for step in steps if step.startswith("kubectl apply") and "store.yaml" in step]
    [comes_back] = [step for step in steps if step.startswith("helm upgrade")]
    [cleans_again] = [step for step in steps if step.startswith("kubectl apply") and "maintenance.yaml" in step]
    order = [steps.index(step) for step in (cleans, ends, gone, changes, comes_back, cleans_again)]
    assert order == sorted(order)
    release = re.findall(r"helm upgrade --install (\S+)", comes_back)
    for step in (ends, gone):
        assert re.findall(r"--selector='release=(\w+),component in \((.*)\)'", step) == [(*release, ",".join(SERVICES))]
