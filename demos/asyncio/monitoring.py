"""Monitoring by hand: beside the workers a task that says how long the queue is, what was done, and
how long the payloads of each priority waited.

It keeps every waiting time, and sorts them for each report.
"""

import asyncio
import itertools
import sys
import time

from payloads import PRIORITIES, Run

EVERY = 0.1  # seconds


class Metrics:
    def __init__(self):
        self.queue_length = [0] * PRIORITIES
        self.waits = [[] for _ in range(PRIORITIES)]

    def put(self, payload):
        self.queue_length[payload.priority] += 1

    def got(self, payload, since):
        self.queue_length[payload.priority] -= 1
        self.waits[payload.priority].append(time.monotonic() - since)

    def report(self):
        for priority, waits in enumerate(self.waits):
            length, waits = self.queue_length[priority], sorted(waits)
            if waits:
                p50, p99 = (waits[len(waits) * percent // 100] * 1000 for percent in (50, 99))
                wait = f"wait p50 {p50:.1f} ms, p99 {p99:.1f} ms"
                print(f"band {priority}: length {length}, {wait}", file=sys.stderr)


async def worker(queue, run, metrics):
    while True:
        _priority, _order, since, payload = await queue.get()
        metrics.got(payload, since)
        try:
            await run.handle(payload)
            run.done(payload)
        finally:
            queue.task_done()


async def monitor(metrics):
    while True:
        await asyncio.sleep(EVERY)
        metrics.report()


async def main(run):
    queue = asyncio.PriorityQueue()
    order = itertools.count()
    metrics = Metrics()
    workers = range(run.options.workers)
    tasks = [asyncio.create_task(worker(queue, run, metrics)) for _ in workers]
    tasks.append(asyncio.create_task(monitor(metrics)))
    async for payload in run.arrivals():
        metrics.put(payload)
        await queue.put((payload.priority, next(order), time.monotonic(), payload))
        run.accepted(queue)
    await queue.join()
    metrics.report()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    this_run = Run()
    asyncio.run(main(this_run))
    this_run.summary()
