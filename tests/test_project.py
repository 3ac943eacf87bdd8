"""The files around the code name what there is: workflows, hooks, changelog, citation."""

import configparser
import re
from pathlib import Path

import pytest
import yaml

from rnnpipe import __version__

ROOT = Path(__file__).parents[1]
if not (ROOT / ".github").exists():
    pytest.skip("not a checkout of the repository", allow_module_level=True)

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
#: Files of the repository, as commands name them.
FILE = re.compile(r"(?<![\w./-])(?:\./)?((?:\.ci|plugins|docs)\b/?|[\w-]+\.(?:txt|md))(?![\w-])")
MADE = {"only-torch.txt"}


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf8"))


def steps(workflow):
    return [step for job in load(workflow)["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_names_files_that_exist(workflow):
    assert steps(workflow)
    for step in steps(workflow):
        named = set(FILE.findall(step.get("run", ""))) - MADE
        assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_workflows_and_jobs_that_exist(workflow):
    jobs = load(workflow)["jobs"]
    for job in jobs.values():
        assert (ROOT / job.get("uses", "README.md")).exists()
        assert set(job.get("needs", ())) <= set(jobs)


def test_workflows_name_environments_of_tox():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf8")
    commands = [step.get("run", "") for workflow in WORKFLOWS for step in steps(workflow)]
    named = {name for command in commands for name in re.findall(r"tox run -e (\S+)", command)}
    assert named
    assert {f"testenv:{name}" for name in named} <= set(tox.sections())


def test_hooks_run_what_is_installed():
    (repository,) = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}
    tools = {hook["entry"].split()[0] for hook in repository["hooks"]}
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf8")
    assert [tool for tool in tools if f"\n{tool}==" not in pinned] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_the_fields_of_an_issue_form_have_names(form):
    fields = [field["id"] for field in load(form).get("body", [])]
    assert len(fields) == len(set(fields))


def test_the_changelog_and_the_citation_name_the_released_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf8")
    headings = re.findall(r"^## (\S+) - (\S+)$", changelog, re.MULTILINE)
    released = [heading for heading in headings if heading[1] != "Unreleased"]
    citation = load(ROOT / "CITATION.cff")
    assert released[0] == (citation["version"], citation["date-released"])
    assert __version__ in dict(headings)
