"""The real peers, started on free loopback ports in a temporary folder: one module per server.

Each module has `NAME`, `missing()` (the Debian package that is not installed, or None) and `start(folder, ...)`, a
context manager that yields a frozen dataclass saying where the server is. The folder lies near the top of the system's
folder of temporary files: accounts that give up root must reach it, and paths of Unix sockets must stay short.
"""
