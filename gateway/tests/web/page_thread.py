import asyncio
import threading

from gateway.web import create_app, serve


class PageThread:
    """The real page on a real socket, in a thread beside the test; a cycle every 100 ms while `is_beating`."""

    def __init__(self, view_type, port=0):
        self._view_type, self._port = view_type, port
        self._ready = threading.Event()
        self.is_beating = True
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="page")
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError("the page did not start")

    async def _main(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self.view = self._view_type()
        async with serve(create_app(self.view), host="127.0.0.1", port=self._port) as address:
            self.address = address
            self._ready.set()
            while not self._stop.is_set():
                if self.is_beating:
                    self.view.publish()
                try:
                    await asyncio.wait_for(self._stop.wait(), 0.1)
                except TimeoutError:
                    continue

    def publish(self, state):
        self._loop.call_soon_threadsafe(self.view.publish, state)

    def close(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
