"""Shutdown with care: a signal ends the producer, the queue is drained for a time of grace, then
the workers are cancelled, and what is still queued is saved.

What a worker has in hand when it is cancelled is in no queue any more, and so it is lost.
"""

import asyncio
import itertools
import signal

from payloads import Run


async def worker(queue, run):
    while True:
        _priority, _order, payload = await queue.get()
        try:
            await run.handle(payload)
            run.done(payload)
        finally:
            queue.task_done()  # also when cancelled: or `join` would wait for ever


async def produce(queue, run):
    order = itertools.count()
    async for payload in run.arrivals():
        await queue.put((payload.priority, next(order), payload))
        run.accepted(queue)
    await queue.join()


async def main(run):
    queue = asyncio.PriorityQueue()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    workers = [asyncio.create_task(worker(queue, run)) for _ in range(run.options.workers)]
    producer = asyncio.create_task(produce(queue, run))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({producer, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        try:
            async with asyncio.timeout(run.options.grace_ms / 1000):
                await queue.join()
        except TimeoutError:
            pass
    for task in (producer, stopped, *workers):
        task.cancel()
    await asyncio.gather(producer, stopped, *workers, return_exceptions=True)
    while not queue.empty():
        queue.get_nowait()
        run.saved()


if __name__ == "__main__":
    this_run = Run()
    asyncio.run(main(this_run))
    this_run.summary()
