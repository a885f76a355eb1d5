"""What surely does not count is told from its name; whatever else is asked for."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.objective.program.observing.file_owners import RunGround
from tunesmith.objective.program.observing.installed_files import (
    is_installed,
    is_package,
    surely_installed,
)

PARTS = ["usr", "lib", "proc", "dev", "home", "p", "..", ".", "", "site-packages", "python3.11"]
PATHS = st.lists(st.sampled_from([*PARTS, "lib64", "etc", "x.py", "work", ".venv"]), max_size=7)
PROJECTS = [
    "/lib",
    "/home/lib",
    "/home/p",
    "/usr/src/p",
    "/usr",
    "/opt/lib/python3.11/p",
    "/site-packages/p",
]


@settings(deadline=None, max_examples=300)
@given(PATHS.map(lambda parts: "/" + "/".join(parts)), st.sampled_from(PROJECTS))
def test_what_passes_is_installed_and_no_way_to_the_project(path: str, project: str) -> None:
    if surely_installed(project, (f"{project}/.tunesmith/work",))(path.encode()):
        own = path[len(project) + 1 :] if path.startswith(f"{project}/") else None
        assert is_installed(path) if own is None else is_package(own, project)
        assert not path.startswith((f"{project}/.tunesmith/work", "/proc/", "/dev/"))
        assert not {"..", ".", ""} & {*path.strip("/").split("/")}


def test_the_libraries_of_a_program_pass_wherever_the_project_lies() -> None:
    ground = RunGround("/home/p/.tunesmith/runs/1/p", "/home/p/.tunesmith/runs/1", "/home/p")
    names = ["/usr/lib/python3.11/json/__init__.py", "/lib/x86_64-linux-gnu/libc.so.6"]
    names += ["/home/p/.venv/lib/python3.11/x.py", "/opt/conda/lib/python3.12/site-packages/y"]
    passing = [ground.passes(name.encode(), 1) for name in names]
    assert passing == [True, True, True, True]
    assert not ground.passes(b"/home/p/data.csv", 1)
    assert not ground.passes(b"data.csv", 1)
    assert not ground.passes(b"/usr/lib/../../home/p/data.csv", 1)


def test_a_look_at_a_library_ends_a_search_for_modules() -> None:
    # A folder that is asked for and then listed is searched by Python, if nothing lies between.
    ground = RunGround("/home/p/w/p", "/home/p/w", "/home/p")
    ground._last_look[7] = "/home/p/w/p"
    assert ground.passes(b"/usr/lib/libc.so", 7)
    assert ground._last_look[7] == ""


def test_attached_disks_and_files_in_memory_are_data() -> None:
    quick = surely_installed("/home/me/project", ("/home/me/project/.tunesmith/runs/1/work",))
    for path in ("/run/media/me/disk/data.csv", "/dev/shm/data.npy"):  # noqa: S108 - only names
        assert not is_installed(path)
        assert not quick(path.encode())
    assert is_installed("/run/lock/x")
    assert is_installed("/dev/null")
