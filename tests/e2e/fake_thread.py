"""A fake upstream in a thread of its own, for tests whose client is the synchronous `openai` package."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import trio
from attrs import define, field

from tests.fake_upstream import FakeUpstream, Received, Step, start_fake_upstream


@define
class ThreadedFake:
    """`answer` is what every request gets until it is changed."""

    answer: Sequence[Step] = ()
    upstream: FakeUpstream = field(init=False)
    _token: trio.lowlevel.TrioToken = field(init=False)
    _scope: trio.CancelScope = field(factory=trio.CancelScope, init=False)
    _started: threading.Event = field(factory=threading.Event, init=False)

    def wait_closed(self, count: int) -> None:
        """Until so many connections are over since the start."""
        trio.from_thread.run(self.upstream.wait_closed, count, trio_token=self._token)

    @contextmanager
    def running(self) -> Iterator["ThreadedFake"]:
        """Listening while the block runs."""
        thread = threading.Thread(target=trio.run, args=(self._serve,))
        thread.start()
        self._started.wait()
        try:
            yield self
        finally:
            self._token.run_sync_soon(self._scope.cancel)
            thread.join()

    async def _serve(self) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                self.upstream = await start_fake_upstream(nursery, self._respond)
                self._token = trio.lowlevel.current_trio_token()
                self._started.set()

    def _respond(self, _received: Received) -> Sequence[Step]:
        return self.answer
