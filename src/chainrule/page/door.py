"""Where the page is found: a port on loopback, and a token that only the link holds.

It is open before anything else is loaded, so that a browser can be on its way meanwhile.
"""

import secrets
import socket

from chainrule.errors import ArgumentError

HOST = "127.0.0.1"


class Door:
    """A socket that listens on this machine alone.

    Parameters
    ----------
    port
        0 is any that is free.

    Raises
    ------
    ArgumentError
        If the port is taken, or is none.
    """

    def __init__(self, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(24)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if not 0 <= port <= 65_535:
                raise OverflowError("ports are from 0 to 65,535")
            self.socket.bind((HOST, port))
            self.socket.listen()
        except (OSError, OverflowError) as error:
            self.socket.close()
            said = getattr(error, "strerror", None) or error
            raise ArgumentError(
                f"--port must be a port that is free; the system says of {port}: {said}. Leave it out to "
                "take any."
            ) from None
        self.port: int = self.socket.getsockname()[1]

    @property
    def link(self) -> str:
        """Where to watch."""
        return f"http://{HOST}:{self.port}/?token={self.token}"

    @property
    def hosts(self) -> frozenset[str]:
        """What browsers call it."""
        return frozenset(f"{host}:{self.port}" for host in (HOST, "localhost"))
