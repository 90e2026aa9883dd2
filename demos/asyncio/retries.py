"""Retries with exponential backoff and jitter, inside the worker.

The bug to look at: a worker that sleeps through a backoff works on nothing else. With all of them
asleep the queue stands still, and it grows with every failure.
"""

import asyncio
import itertools
import random

from payloads import Run

BASE = 0.05  # seconds
ATTEMPTS = 5


async def worker(queue, run):
    while True:
        _priority, _order, payload = await queue.get()
        try:
            await with_retries(payload, run)
        finally:
            queue.task_done()


async def with_retries(payload, run):
    for attempt in range(1, ATTEMPTS + 1):
        try:
            await run.handle(payload, attempt)
        except ConnectionError:
            if attempt == ATTEMPTS:
                return  # given up
            backoff = BASE * 2 ** (attempt - 1)
            await asyncio.sleep(random.uniform(0, backoff))  # and so does this worker
        else:
            run.done(payload)
            return


async def main(run):
    queue = asyncio.PriorityQueue()
    order = itertools.count()
    workers = [asyncio.create_task(worker(queue, run)) for _ in range(run.options.workers)]
    async for payload in run.arrivals():
        await queue.put((payload.priority, next(order), payload))
        run.accepted(queue)
    await queue.join()
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


if __name__ == "__main__":
    this_run = Run()
    asyncio.run(main(this_run))
    this_run.summary()
