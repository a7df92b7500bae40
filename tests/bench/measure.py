"""What benchmarks of running programs share: their processor time and memory, and a program that obeys line by line."""

import subprocess
import sys
from pathlib import Path

def skip(why):
    print(f"skipped: {why}")
    sys.exit(0)


def group(leader):
    """The processes of the process group, as directories of /proc."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended meanwhile
        if int(fields[2]) == leader:
            yield stat.parent


def processor_s(process):
    """Of a peers.Process and its children, with all their threads that are there; user and system."""
    tasks = (task for directory in group(process.popen.pid) for task in directory.glob("task/*/schedstat"))
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def private_bytes(process):
    """Memory that would be free without it."""
    total = 0
    for directory in group(process.popen.pid):
        for line in (directory / "smaps_rollup").read_text().splitlines():
            if line.startswith("Private_"):
                total += int(line.split()[1]) * 1024
    return total


class Load:
    """One of the programs of tests/tools that measure: a command is a line, and so is its answer."""

    def __init__(self, *arguments):
        self.popen = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, command):
        self.popen.stdin.write(command + "\n")
        self.popen.stdin.flush()
        answer = self.popen.stdout.readline().split()
        if not answer:
            raise RuntimeError(f"{self.popen.args[0]} ended at: {command}")
        return answer

    def stop(self):
        self.popen.stdin.close()
        self.popen.wait(10)
        self.popen.stdout.close()
