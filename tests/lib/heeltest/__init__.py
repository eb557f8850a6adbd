"""What the black-box tests share: a heeld of their own, clients for it, and eyes in /proc.

Import this first: it makes the Python stubs of heel.v1, and everything that is loaded later must be
loaded before the tests leave root (runner.py).
"""

from heeltest.agent import Agent
from heeltest.api import (
    Code,
    Failure,
    duration,
    event_pb,
    health_pb2,
    health_pb2_grpc,
    pb,
    process_pb,
    sandbox_pb2_grpc,
)
from heeltest.case import ServerCase, TestCase
from heeltest.exec_call import AttachCall, ExecCall
from heeltest.heeld import Heeld
from heeltest.processes import Skip, alive_with, every_process, mark, wait_for
from heeltest.runner import main, main_once

__all__ = [
    "Agent",
    "AttachCall",
    "Code",
    "ExecCall",
    "Failure",
    "Heeld",
    "ServerCase",
    "Skip",
    "TestCase",
    "alive_with",
    "duration",
    "event_pb",
    "every_process",
    "health_pb2",
    "health_pb2_grpc",
    "main",
    "main_once",
    "mark",
    "pb",
    "process_pb",
    "sandbox_pb2_grpc",
    "wait_for",
]
