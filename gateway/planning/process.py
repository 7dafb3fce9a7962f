"""A process for each plan: it can be killed when it hangs, and takes its memory with it."""

import asyncio
import pickle
import sys
from collections.abc import Sequence

from gateway.core.model.plan import Plan
from gateway.planning.plan_inputs import PlanInputs

WORKER = (sys.executable, "-m", "gateway.planning.worker")
PATIENCE_S = 20.0  # on the slowest gateway most of it goes by before planning begins (ADR 11)
LAST_WORDS = 300  # characters of its standard error that are kept


class WorkerError(Exception):
    """The worker gave no plan: `code` is late, failed or nonsense; the text says more for the log."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code


async def ask(inputs: PlanInputs, *, command: Sequence[str] = WORKER, patience_s: float = PATIENCE_S) -> Plan:
    """The plan of a fresh process. Raises WorkerError; the process has ended in any case."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(patience_s):
            answer, words = await child.communicate(pickle.dumps(inputs))
    except TimeoutError:
        raise WorkerError("late", f"no plan within {patience_s:.0f} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise WorkerError("failed", words.decode(errors="replace").strip()[-LAST_WORDS:] or f"{child.returncode}")
    try:
        plan = pickle.loads(answer)  # noqa: S301 - from our own child through a pipe
    except Exception as error:
        raise WorkerError("nonsense", str(error)) from error
    if not isinstance(plan, Plan):
        raise WorkerError("nonsense", f"a {type(plan).__name__}")
    return plan
