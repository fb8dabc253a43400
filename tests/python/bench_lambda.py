"""Measures a function's cold start, first call and peak memory: our bootstrap against Python.

    bench_lambda.py BOOTSTRAP [ROUNDS]

Both get the same event in the same environment, and make the same calls to the same server: what a
plan asks about a database that there is not. The two take turns, so that whatever else the machine
does befalls both. Prints a table in Markdown: medians, and the worst of all rounds.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import step_functions
from step_functions import Function

EVENT = {
    "execution": "bench",
    "entered": "2026-11-23T00:00:00Z",
    "input": {"identifier": "nobody", "task": "db_restore", "isCluster": False},
}


def measure(command: list[str], env: dict[str, str]) -> tuple[float, float, float, str]:
    """Milliseconds until ready and of the first call, MiB at the peak, and the calls it made."""
    function = Function("Plan", command, 60, env)
    _, answer = function.invoke(json.dumps(EVENT).encode())
    environment = function.environments[0]
    status = Path(f"/proc/{environment.process.pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    body = json.loads(answer)
    body = json.loads(body["errorMessage"]) if "errorMessage" in body else body
    call = (environment.answered - environment.asked) * 1000
    function.stop()
    calls = json.dumps(body["calls"], sort_keys=True)
    return environment.ready_after * 1000, call, int(peak.split()[1]) / 1024, calls


def main() -> None:
    """Measures both and prints the table."""
    bootstrap, rounds = sys.argv[1], int((sys.argv + ["20"])[2])
    ready, functions = step_functions.start([bootstrap])
    env = functions.by_name["Plan"].settings
    contestants = {
        "`bootstrap`": [bootstrap],
        f"Python {sys.version_info.major}.{sys.version_info.minor}, boto3": [
            sys.executable,
            str(Path(__file__).with_name("bench_handler.py")),
        ],
    }
    measured: dict[str, list[tuple[float, float, float, str]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, command in contestants.items():
            measured[name].append(measure(command, env))
    calls = {calls for rows in measured.values() for *_, calls in rows}
    assert len(calls) == 1, f"they make different calls: {calls}"
    print(f"calls of both: {calls.pop()}; {rounds} rounds each\n")
    print("| function | cold start | first call | peak memory |\n|---|---|---|---|")
    medians = {}
    for name, rows in measured.items():
        columns = list(zip(*rows))[:3]
        medians[name] = [statistics.median(column) for column in columns]
        texts = [
            f"{statistics.median(column):.1f} {unit} ({max(column):.1f})"
            for column, unit in zip(columns, ("ms", "ms", "MiB"))
        ]
        print(f"| {name} | {' | '.join(texts)} |")
    ours, theirs = medians.values()
    ratios = [f"1/{there / here:.1f}" for here, there in zip(ours, theirs)]
    print(f"| ours of theirs | {' | '.join(ratios)} |")


if __name__ == "__main__":
    main()
