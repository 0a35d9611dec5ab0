# SPDX-License-Identifier: Apache-2.0
"""Stands between an agent and a controller on Unix sockets and does to whole frames what a bad network, or a bad program, does: loses,
doubles, swaps, delays, spoils and cuts them. The seed decides what happens to the n-th frame of each connection.

A spoiled frame is one that no longer decodes: over TLS, changed bytes that decode do not exist."""

import os
import random
import socket
import struct
import threading
import time

KINDS = ("lose", "double", "swap", "delay", "spoil", "cut")


class Cut(Exception):
    """The connection ends here."""


class FrameProxy:
    def __init__(self, path, target, seed, share=0.02):
        self.path, self.target, self.seed, self.share = path, target, seed, share
        self.done = {kind: 0 for kind in KINDS}
        self.frames = self.connections = 0
        self.open = set()
        self.lock = threading.Lock()
        if os.path.exists(path):
            os.unlink(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(self.target)
            except OSError:
                near.close()
                far.close()
                continue
            with self.lock:
                self.connections += 1
                number = self.connections
                self.open.add((near, far))
            for way, (source, sink) in enumerate(((near, far), (far, near))):
                chance = random.Random(f"{self.seed}/{number}/{way}")
                threading.Thread(target=self._carry, args=(source, sink, chance, (near, far)), daemon=True).start()

    def _carry(self, source, sink, chance, pair):
        held = None
        try:
            while True:
                frame = self._frame(source)
                kind = chance.choice(KINDS) if chance.random() < self.share else None
                with self.lock:
                    self.frames += 1
                    if kind:
                        self.done[kind] += 1
                if kind == "swap" and held is None:
                    held = frame
                    continue
                for part in self._suffer(frame, kind, sink, chance):
                    sink.sendall(part)
                if held is not None:
                    sink.sendall(held)
                    held = None
        except (OSError, EOFError, Cut):
            self._end(pair)

    @staticmethod
    def _suffer(frame, kind, sink, chance):
        if kind == "lose":
            return []
        if kind == "double":
            return [frame, frame]
        if kind == "delay":
            time.sleep(chance.uniform(0, 0.3))
        if kind == "spoil":
            return [frame[:4] + b"\xff" * (len(frame) - 4)]
        if kind == "cut":
            sink.sendall(frame[:chance.randrange(len(frame))])
            raise Cut
        return [frame]

    @staticmethod
    def _frame(source):
        def exactly(size):
            data = b""
            while len(data) < size:
                part = source.recv(size - len(data))
                if not part:
                    raise EOFError
                data += part
            return data
        head = exactly(4)
        return head + exactly(struct.unpack(">I", head)[0])

    def _end(self, pair):
        with self.lock:
            self.open.discard(pair)
        for end in pair:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def heal(self, cut=True):
        """From now on frames pass; with `cut` over connections that are new."""
        self.share = 0
        if cut:
            with self.lock:
                pairs = list(self.open)
            for pair in pairs:
                self._end(pair)

    def close(self):
        self.listener.close()
        self.heal()
