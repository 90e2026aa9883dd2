"""What the four programs share: their options, the same payloads as `payload.rs` makes, and what a
run counts."""

import argparse
import asyncio
import json
import os
import sys
import time

PRIORITIES = 4
MASK = (1 << 64) - 1


class Payload:
    """A request: its number, its priority (0 is the most urgent), and how often it fails."""

    __slots__ = ("number", "priority", "amount", "failures")

    def __init__(self, number, failing):
        bits = mixed(number + 1)
        self.number = number
        self.priority = bits & 3
        self.amount = bits >> 40
        percent = (bits >> 8 & 0xFFFF) * 100 >> 16
        if percent >= failing:
            self.failures = 0
        else:
            self.failures = 2 if bits >> 24 & 3 == 0 else 1


def mixed(number):
    """A number's bits, stirred (splitmix64)."""
    bits = number * 0x9E3779B97F4A7C15 & MASK
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 & MASK
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB & MASK
    return bits ^ bits >> 31


class Run:
    """One run: its options, and what became of the payloads."""

    def __init__(self):
        options = argparse.ArgumentParser()
        options.add_argument("--jobs", type=int, default=10_000)
        options.add_argument("--workers", type=int, default=16)
        options.add_argument("--work-ms", type=int, default=0, help="what each takes")
        options.add_argument("--spread-ms", type=int, default=0, help="they come over that time")
        options.add_argument("--failing", type=int, default=0, help="percent that fail at first")
        options.add_argument("--grace-ms", type=int, default=200, help="from SIGTERM to the end")
        options.add_argument("--ledger", help="a file for a byte an event")
        self.options = options.parse_args()
        ledger = self.options.ledger
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.ledger = os.open(ledger, flags) if ledger else None
        self.done_count = 0
        self.digest = 0
        self.longest = 0
        self.began = time.monotonic()

    async def arrivals(self):
        """The payloads, when they are due."""
        options = self.options
        for number in range(options.jobs):
            due = options.spread_ms / 1000 * number / options.jobs
            early = self.began + due - time.monotonic()
            if early > 0:
                await asyncio.sleep(early)
            yield Payload(number, options.failing)

    async def handle(self, payload, attempt=1):
        """Stands for a call to a service."""
        if self.options.work_ms > 0:
            await asyncio.sleep(self.options.work_ms / 1000)
        if attempt <= payload.failures:
            raise ConnectionError("no answer")

    def accepted(self, queue):
        self.note(b"a")
        self.longest = max(self.longest, queue.qsize())

    def done(self, payload):
        self.note(b"d")
        self.done_count += 1
        self.digest = (self.digest + payload.number * payload.amount) & MASK

    def saved(self):
        """A payload that was not done and is not lost either."""
        self.note(b"s")

    def note(self, event):
        if self.ledger is not None:
            os.write(self.ledger, event)

    def summary(self):
        """The line that ends each run."""
        summary = {
            "done": self.done_count,
            "digest": self.digest,
            "seconds": time.monotonic() - self.began,
            "busy": time.process_time(),
            "longest": self.longest,
            "peak_kb": peak_kb(),
        }
        json.dump(summary, sys.stdout)
        print()


def peak_kb():
    """The most memory that the process ever had, where that can be told."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return None
