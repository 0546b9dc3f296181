"""Steps of an update of a node, what they may do, and how they end."""

from rkx.model.step import (
    CopyFile,
    Do,
    Done,
    Effect,
    FileCopied,
    NodeRequest,
    NodeResponse,
    Refuse,
    Responses,
    Results,
    RunTask,
    Step,
    TaskResult,
    Verdict,
    Wait,
)

__all__ = [
    "CopyFile",
    "Do",
    "Done",
    "Effect",
    "FileCopied",
    "NodeRequest",
    "NodeResponse",
    "Refuse",
    "Responses",
    "Results",
    "RunTask",
    "Step",
    "TaskResult",
    "Verdict",
    "Wait",
]
