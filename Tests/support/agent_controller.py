# SPDX-License-Identifier: Apache-2.0
"""A small controller for tests of the agent: speaks the contract over a Unix socket, one call per message, nothing automatic but
heartbeats. Independent of the Swift controller."""

import os
import pathlib
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
_generated = tempfile.TemporaryDirectory()
subprocess.run(
    ["protoc", f"-I{ROOT}/proto", f"--python_out={_generated.name}"]
    + [str(p) for p in sorted((ROOT / "proto/bng/agent/v1").glob("*.proto"))],
    check=True,
)
sys.path.insert(0, _generated.name)
from bng.agent.v1 import desired_pb2 as d, report_pb2 as r, session_pb2 as s  # noqa: E402,F401

DEADLINE = 15.0


def utc_ms(ahead_s=0.0):
    return int((time.time() + ahead_s) * 1000)


class Closed(Exception):
    """The agent closed a lane."""


class Lane:
    def __init__(self, sock):
        self.sock = sock
        self.data = b""
        self.lock = threading.Lock()

    def send_raw(self, data):
        with self.lock:
            self.sock.sendall(data)

    def send(self, **body):
        message = s.ControllerFrame(**body).SerializeToString()
        self.send_raw(struct.pack(">I", len(message)) + message)

    def receive(self, timeout=DEADLINE):
        """The next frame, or None after the timeout."""
        end = time.monotonic() + timeout
        while True:
            if len(self.data) >= 4:
                (size,) = struct.unpack(">I", self.data[:4])
                if len(self.data) >= 4 + size:
                    frame = s.AgentFrame.FromString(self.data[4 : 4 + size])
                    self.data = self.data[4 + size :]
                    return frame
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return None
            try:
                got = self.sock.recv(1 << 20)
            except ConnectionResetError:
                got = b""
            if not got:
                raise Closed()
            self.data += got

    def close(self):
        self.sock.close()


class Controller:
    """Accepts one association after the other."""

    def __init__(self, path, heartbeat_ms=200, timeout_ms=60000):
        self.path, self.heartbeat_ms, self.timeout_ms = path, heartbeat_ms, timeout_ms
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(16)
        self.term, self.batch_id, self.lanes = 1, 0, {}
        self.hello = self.association = None
        self.answer_heartbeats = True

    def accept(self, timeout=DEADLINE):
        if not select.select([self.listener], [], [], timeout)[0]:
            raise TimeoutError("no agent dialled")
        return Lane(self.listener.accept()[0])

    def greet(self, lanes=(s.LANE_PUNT, s.LANE_TELEMETRY), **reply):
        """One whole association: hello, then the other lanes in whatever order they come."""
        state = self.accept()
        self.hello = state.receive().hello
        self.association = os.urandom(16)
        fields = dict(
            association_id=self.association, protocol_minor=0, controller_id="test", node_term=self.term,
            heartbeat_interval_ms=self.heartbeat_ms, heartbeat_timeout_ms=self.timeout_ms, utc_unix_ms=utc_ms(),
        )
        fields.update(reply)
        state.send(hello_reply=s.HelloReply(**fields))
        self.lanes = {s.LANE_STATE: state}
        while set(lanes) - set(self.lanes):
            self.take_lane()
        return self.hello

    def take_lane(self):
        lane = self.accept()
        hello = lane.receive().lane_hello
        assert hello.association_id == self.association and hello.boot_id == self.hello.boot_id
        lane.send(lane_hello_reply=s.LaneHelloReply(lane=hello.lane))
        self.lanes[hello.lane] = lane
        return hello.lane

    @property
    def state(self):
        return self.lanes[s.LANE_STATE]

    @property
    def punt(self):
        return self.lanes[s.LANE_PUNT]

    @property
    def telemetry(self):
        return self.lanes[s.LANE_TELEMETRY]

    def expect(self, body, lane=s.LANE_STATE, timeout=DEADLINE, where=lambda m: True):
        """The next frame with that body; heartbeats are answered on the way, others skipped."""
        end = time.monotonic() + timeout
        while True:
            frame = self.lanes[lane].receive(max(0.0, end - time.monotonic()))
            if frame is None:
                raise TimeoutError(f"no {body}")
            which = frame.WhichOneof("body")
            if which == "heartbeat" and self.answer_heartbeats:
                self.state.send(heartbeat=s.ControllerHeartbeat(sequence=frame.heartbeat.sequence, utc_unix_ms=utc_ms()))
            if which == body and where(getattr(frame, body)):
                return getattr(frame, body)

    def send_batch(self, items, term=None, scope="node"):
        self.batch_id += 1
        batch = s.Batch(batch_id=self.batch_id, scope=scope, term=self.term if term is None else term, items=items)
        self.state.send(batch=batch)
        return self.batch_id

    def batch(self, items, **fields):
        batch_id = self.send_batch(items, **fields)
        return self.expect("batch_result", where=lambda m: m.batch_id == batch_id)

    def apply(self, *objects):
        """Upserts that must all be OK."""
        result = self.batch([s.BatchItem(upsert=o) for o in objects])
        bad = [x for x in result.results if x.code != s.ERROR_CODE_OK]
        assert not result.HasField("error") and not bad, (result.error, bad[:3])
        return result

    def audit(self):
        self.state.send(audit_request=s.AuditRequest(request_id=7))
        return {f.family: (f.count, f.digest) for f in self.expect("audit_summary").families}

    def close(self):
        for lane in self.lanes.values():
            lane.close()
        self.lanes = {}

    def stop(self):
        self.close()
        self.listener.close()
        os.unlink(self.path)


def ip(text):
    return socket.inet_aton(text)


def mac(number):
    return b"\x02" + number.to_bytes(5, "big")


def base_objects(access="access0", core="core0"):
    """Port, identity, template, next hop and routes of the one-box example."""
    return [
        d.Object(object_id=1, generation=1, port=d.Port(
            name=access, role=d.PORT_ROLE_ACCESS, access_domain_id=1, relay_trust=d.RELAY_TRUST_RELAYS,
            trusted_relays=[ip("100.64.255.254")])),
        d.Object(object_id=2, generation=1, port=d.Port(name=core, role=d.PORT_ROLE_CORE)),
        d.Object(object_id=1, generation=1, server_identity=d.ServerIdentity(ipv4_address=ip("100.64.0.1"))),
        d.Object(object_id=1, generation=1, pool_template=d.PoolTemplate(
            server_identity_id=1, gateway=ip("100.64.0.1"), prefix_length=16, lease_seconds=3600, renewal_seconds=1800,
            rebinding_seconds=3150, options=[d.DHCPOption(code=6, data=ip("192.0.2.53"))])),
        d.Object(object_id=1, generation=1, next_hop=d.NextHop(kind=d.NEXT_HOP_KIND_KERNEL)),
        d.Object(object_id=1, generation=1, route=d.Route(
            prefix=ip("0.0.0.0"), kind=d.ROUTE_KIND_NEXT_HOP, next_hop_id=1)),
        d.Object(object_id=2, generation=1, route=d.Route(
            prefix=ip("100.64.0.0"), prefix_length=16, kind=d.ROUTE_KIND_SUBSCRIBERS)),
    ]


def session(number, generation=1, address=None, lease_s=3600, fast=True, **line):
    """Session `number` on its own MAC with an address out of 100.64.0.0/10."""
    line = dict(dict(access_domain_id=1, mac=mac(number)), **line)
    return d.Object(object_id=(1 << 48) | number, generation=generation, session=d.Session(
        line=d.Line(**line), anti_spoof=d.ANTI_SPOOF_STRICT,
        ipv4=d.SessionIPv4(
            address=address or (0x64410000 + number).to_bytes(4, "big"), pool_template_id=1, dhcp_fast_path=fast,
            lease_expires_unix_ms=utc_ms(lease_s) if lease_s else 0)))
