"""Layers built without Docker: for the right machine, the same bytes every time, small, and enough to start."""

from __future__ import annotations

import platform
import subprocess
import sys
import tomllib
from pathlib import Path
from shutil import which

import pytest

from infra.build.artifacts import BUDGET, CATALOG, FUNCTIONS, ROOT, function, layers
from infra.build.target import Target
from infra.build.tree import digest, files
from infra.build.wheels import BuildError

LOCK = ROOT / "layers" / "dependencies" / "requirements.txt"


@pytest.fixture(scope="session", params=["arm64", "x86_64"])
def target(request):
    return Target(request.param)


@pytest.fixture(scope="session")
def built(target, tmp_path_factory):
    return build(target, tmp_path_factory.mktemp(target.architecture))


def build(target, into):
    try:
        return {layer.name: layer for layer in layers(target, into)}
    except BuildError as error:
        if "pip download failed" in str(error):
            pytest.skip("the wheels were never fetched, and there is no package index to fetch them from")
        raise


@pytest.mark.parametrize(
    ("wheel", "arm64", "x86_64"),
    [
        ("h11-0.16.0-py3-none-any.whl", True, True),
        ("six-1.17.0-py2.py3-none-any.whl", True, True),
        ("a-1-cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64.whl", True, False),
        ("a-1-cp313-cp313-manylinux_2_28_x86_64.whl", False, True),
        ("a-1-cp39-abi3-manylinux2014_x86_64.whl", False, True),
        ("a-1-cp312-cp312-manylinux2014_x86_64.whl", False, False),
        ("a-1-cp314-abi3-manylinux2014_x86_64.whl", False, False),
        ("a-1-cp313-cp313t-manylinux2014_x86_64.whl", False, False),
        ("a-1-cp313-cp313-manylinux_2_39_x86_64.whl", False, False),
        ("a-1-cp313-cp313-musllinux_1_2_x86_64.whl", False, False),
        ("a-1-cp313-cp313-macosx_11_0_arm64.whl", False, False),
        ("a-1-cp313-cp313-win_amd64.whl", False, False),
        ("a-1-py2-none-any.whl", False, False),
    ],
)
def test_a_wheel_is_judged_by_its_tags(wheel, arm64, x86_64):
    assert (Target("arm64").accepts(wheel), Target("x86_64").accepts(wheel)) == (arm64, x86_64)


def test_the_same_sources_make_the_same_bytes(target, built, tmp_path):
    again = build(target, tmp_path)
    assert {name: layer.digest for name, layer in again.items()} == {n: layer.digest for n, layer in built.items()}


def test_the_exec_wrapper_can_be_executed(built):
    wrapper = built["stream_runtime"].folder / "stream-runtime"
    assert wrapper.stat().st_mode & 0o777 == 0o755


def test_a_lost_executable_bit_is_another_layer(built, tmp_path):
    path = tmp_path / "stream-runtime"
    path.write_bytes((built["stream_runtime"].folder / "stream-runtime").read_bytes())
    path.chmod(0o755)
    before = digest(tmp_path)
    path.chmod(0o644)
    assert digest(tmp_path) != before


def test_compiled_code_is_for_the_target(target, built):
    libraries = [path.name for path in files(built["dependencies"].folder) if ".so" in path.suffixes]
    assert libraries
    assert all(f"cpython-313-{target.machine}-linux-gnu" in name for name in libraries)


def test_all_layers_together_are_within_the_budget(built):
    assert sum(layer.size for layer in built.values()) <= BUDGET


def test_nothing_of_this_machine_is_in_a_layer(built):
    for layer in built.values():
        for path in files(layer.folder):
            assert path.suffix != ".pyc"
            assert path.name not in ("RECORD", "INSTALLER", "direct_url.json")
    assert not (built["stream_runtime"].folder / "python" / "stream_runtime" / "local").exists()


def test_the_functions_hold_their_code_and_no_example_events(tmp_path):
    gateway = function("gateway", tmp_path)
    assert (gateway.folder / "gateway" / "app.py").exists()
    assert not (gateway.folder / "gateway" / "events").exists()


def test_the_functions_hold_the_tool_catalog_beside_their_code(tmp_path):
    for name in FUNCTIONS:
        built = function(name, tmp_path)
        assert {path.name for path in built.folder.iterdir()} == {name, "tool_catalog.json"}
        assert (built.folder / "tool_catalog.json").read_bytes() == CATALOG.read_bytes()


def test_layers_hold_the_versions_that_the_tests_run_with():
    developing = versions(ROOT / "requirements-dev.txt")
    deployed = versions(LOCK)
    assert deployed.items() <= developing.items()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {requirement.partition("==")[0] for requirement in declared}
    assert names - deployed.keys() == {"boto3"}, "the managed runtime ships boto3, and nothing else of ours"


def test_the_tool_catalog_is_checked_by_the_versions_that_read_it_when_it_is_deployed():
    deployed, checking = versions(LOCK), versions(ROOT / "requirements-infra.txt")
    reading = ("pydantic", "simpleeval", "uritemplate")
    assert {name: checking.get(name) for name in reading} == {name: deployed[name] for name in reading}


def versions(lock: Path) -> dict[str, str]:
    lines = [line.split()[0] for line in lock.read_text().splitlines() if "==" in line and not line.startswith(" ")]
    return dict(line.split("==", 1) for line in lines)


def test_the_layers_alone_are_enough_to_import_both_functions(tmp_path):
    """On Lambda's Python with nothing installed; boto3 is not needed until AWS is asked."""
    architecture = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
    if sys.platform != "linux" or architecture is None:
        pytest.skip(f"Lambda has no {sys.platform} {platform.machine()}")
    python = python_of_lambda()
    here = Target(architecture)
    folders = [str(layer.folder / "python") for layer in build(here, tmp_path / "layers").values()]
    folders += [str(function(name, tmp_path).folder) for name in ("gateway", "workspace_keys")]
    code = (
        f"import sys; sys.path[:0] = {folders!r}; import gateway.app, workspace_keys.app; print(sys.version_info[:2])"
    )
    done = subprocess.run([python, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "(3, 13)\n"), done.stderr


def python_of_lambda() -> str:
    """Some CPython 3.13; pyenv's is not on the path by itself."""
    candidates = ["python3.13", *map(str, Path.home().glob(".pyenv/versions/3.13*/bin/python3.13"))]
    for candidate in filter(which, candidates):
        if subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.skip("there is no python3.13 here")
