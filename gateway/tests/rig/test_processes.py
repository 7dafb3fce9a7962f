"""Children start, become ready, are stopped, killed and never left behind. Each child here is a real program."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from gateway.rig.processes import Processes, Program, ProgramError
from gateway.rig.readiness import JsonLine, PageServed, PortOpen

POLITE = "sleep 60"
DEAF = "trap '' TERM; echo '{\"ready\": true}'; while :; do sleep 0.05; done"


def shell(script, tmp_path, **more):
    return Program(name="child", command=("sh", "-c", script), folder=tmp_path, **more)


def is_alive(pid):
    """Runs, or at least is no zombie: read from the kernel, not from the code under test."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pid, within_s=5.0):
    """True once the kernel says that the process has ended."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(watched, ended.set)
    try:
        async with asyncio.timeout(within_s):
            return await ended.wait()
    finally:
        loop.remove_reader(watched)
        os.close(watched)


async def test_a_line_of_json_reports_that_a_program_is_ready(processes, tmp_path):
    script = """echo starting; echo '{"ready": false}'; echo '{"ready": true, "port": 7}'; sleep 60"""
    ready = JsonLine(key="ready")
    child = await processes.start(shell(script, tmp_path, ready=ready))
    assert ready.read(child.output) == {"ready": True, "port": 7}


async def test_half_a_line_is_no_line(tmp_path):
    output = tmp_path / "out"
    output.write_text('{"ready": true}')
    assert not await JsonLine(key="ready").holds(output)


async def test_a_port_and_a_page_tell_that_a_server_is_ready(processes, tmp_path, free_port):
    server = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(free_port))
    port = PortOpen(host="127.0.0.1", port=free_port)
    page = PageServed(address=f"http://127.0.0.1:{free_port}/")
    assert not await port.holds(tmp_path)
    assert not await page.holds(tmp_path)
    await processes.start(Program(name="server", command=server, folder=tmp_path, ready=port))
    assert await page.holds(tmp_path)
    assert not await PageServed(address=f"http://127.0.0.1:{free_port}/nothing").holds(tmp_path)


async def test_a_program_that_ends_early_is_reported_with_its_last_words(processes, tmp_path):
    with pytest.raises(ProgramError, match=r"child ended with 3\n  no such file: x"):
        await processes.start(shell("echo 'no such file: x' >&2; exit 3", tmp_path, ready=JsonLine(key="ready")))


async def test_a_program_that_is_never_ready_is_ended_and_reported(processes, tmp_path):
    program = shell("echo $$ > pid; sleep 60", tmp_path, ready=JsonLine(key="ready"), ready_within_s=0.3)
    with pytest.raises(ProgramError, match=r"waited 0 s for a line"):
        await processes.start(program)
    assert await gone(int((tmp_path / "pid").read_text()))


async def test_stopping_asks_first(processes, tmp_path):
    script = """trap 'echo bye; exit 0' TERM; echo '{"ready": true}'; while :; do sleep 0.05; done"""
    child = await processes.start(shell(script, tmp_path, ready=JsonLine(key="ready")))
    assert await child.stop() == 0
    assert "bye" in child.output.read_text()


async def test_one_that_does_not_listen_is_killed_after_the_bound(processes, tmp_path):
    child = await processes.start(shell(DEAF, tmp_path, ready=JsonLine(key="ready")))
    assert await child.stop(within_s=0.2) == -signal.SIGKILL


async def test_one_that_is_paused_can_still_be_stopped(processes, tmp_path):
    child = await processes.start(shell(POLITE, tmp_path))
    child.send(signal.SIGSTOP)
    assert await child.stop() == -signal.SIGTERM


async def test_what_a_child_started_ends_with_it(processes, tmp_path):
    script = """sleep 60 & echo $! > grandchild; echo '{"ready": true}'; wait"""
    child = await processes.start(shell(script, tmp_path, ready=JsonLine(key="ready")))
    grandchild = int((tmp_path / "grandchild").read_text())
    assert is_alive(grandchild)
    await child.kill()
    assert await gone(grandchild)


async def test_stopping_twice_and_signalling_the_dead_do_nothing(processes, tmp_path):
    child = await processes.start(shell(POLITE, tmp_path))
    code = await child.kill()
    child.send(signal.SIGTERM)
    assert code == await child.stop() == await child.kill() == -signal.SIGKILL


async def two_children_then_a_mistake(folder, pids):
    async with Processes(logs=folder) as running:
        for name in ("first", "second"):
            program = Program(name=name, command=("sleep", "60"), folder=folder)
            pids.append((await running.start(program)).pid)
        assert all(map(is_alive, pids))
        raise ZeroDivisionError


async def test_all_end_when_the_block_ends_with_an_error(tmp_path):
    pids = []
    with pytest.raises(ZeroDivisionError):
        await two_children_then_a_mistake(tmp_path, pids)
    assert len(pids) == 2
    assert not any(map(is_alive, pids))


async def test_a_restart_does_not_take_the_old_ready_line_for_its_own(processes, tmp_path):
    first = shell("""echo '{"ready": true, "n": 1}'; sleep 60""", tmp_path, ready=JsonLine(key="ready"))
    second = shell("""sleep 0.2; echo '{"ready": true, "n": 2}'; sleep 60""", tmp_path, ready=JsonLine(key="ready"))
    await (await processes.start(first)).stop()
    child = await processes.start(second)
    assert JsonLine(key="ready").read(child.output)["n"] == 2


PARENT = """
import asyncio, pathlib, sys
from gateway.rig.processes import Processes, Program
async def main():
    folder = pathlib.Path(sys.argv[1])
    async with Processes(logs=folder) as running:
        child = await running.start(Program(name="child", command=("sleep", "60"), folder=folder))
        print('{"ready": true, "child": %d}' % child.pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


@pytest.mark.skipif(not Path("/usr/bin/setpriv").exists(), reason="needs setpriv of util-linux 2.33 or later")
async def test_children_do_not_outlive_a_parent_that_is_killed(processes, tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    root = str(Path(__file__).parents[3])
    ready = JsonLine(key="ready")
    command = (sys.executable, "-c", PARENT, str(inner))
    parent = await processes.start(
        Program(name="parent", command=command, folder=tmp_path, environment={"PYTHONPATH": root}, ready=ready)
    )
    child = ready.read(parent.output)["child"]
    assert is_alive(child)
    os.kill(parent.pid, signal.SIGKILL)  # only the parent: not its group
    assert await gone(child)
