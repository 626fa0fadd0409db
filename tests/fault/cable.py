"""A TCP cable between a process and a server, as a process of its own: kill it and the line is cut, stop it and the
line is held without a word. `python cable.py PORT TARGET_PORT` forwards until then.
"""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

_PIECE = 65_536


@dataclass
class Cable:
    """From `port` to `target`, both on 127.0.0.1."""

    port: int
    target: int
    _process: "subprocess.Popen[bytes] | None" = None

    def plug(self) -> None:
        """Connect; returns once it forwards. After a cut it is the same port again."""
        self._process = subprocess.Popen([sys.executable, "-S", __file__, str(self.port), str(self.target)])
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < end, "the cable does not forward"
                time.sleep(0.02)
            else:
                return

    def cut(self) -> None:
        """Every connection breaks, and there are no new ones."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def hold(self) -> None:
        """Connections stay and take new ones, and nothing arrives any more."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        """After `hold`: what waited goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await source.read(_PIECE):
            sink.write(piece)
            await sink.drain()
    sink.close()


async def _forward(port: int, target: int) -> None:
    pumps: set[asyncio.Task[None]] = set()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        for pump in (_pump(reader, back), _pump(there, writer)):
            task = asyncio.create_task(pump)
            pumps.add(task)
            task.add_done_callback(pumps.discard)

    server = await asyncio.start_server(met, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_forward(int(sys.argv[1]), int(sys.argv[2])))
