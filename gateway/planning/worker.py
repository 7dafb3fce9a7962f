"""The program that makes one plan: a question on standard input, the plan on standard output. `process` starts it."""

import pickle
import sys

from gateway.core.plan import Plan
from gateway.planning.question import Question


def answer(question: Question) -> Plan:
    """The plan for this question."""
    raise NotImplementedError


def main() -> None:
    """Read, plan, write. What goes wrong is told on standard error, with exit code 1."""
    question: Question = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent through a pipe
    pickle.dump(answer(question), sys.stdout.buffer)


if __name__ == "__main__":
    main()
