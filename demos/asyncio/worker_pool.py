"""A pool of workers on a priority queue: put everything, wait for `join`, cancel the workers.

It knows no signals: SIGTERM ends it where it stands.
"""

import asyncio
import itertools

from payloads import Run


async def worker(queue, run):
    while True:
        _priority, _order, payload = await queue.get()
        try:
            await run.handle(payload)
            run.done(payload)
        finally:
            queue.task_done()


async def main(run):
    queue = asyncio.PriorityQueue()
    order = itertools.count()  # or equal priorities would compare their payloads
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
