# SPDX-License-Identifier: Apache-2.0
"""A hand-made agent on one TLS connection: what an attacker, or a test of the controller's questions, would send."""

import hashlib
import hmac
import os
import socket
import ssl
import struct
import subprocess

from agent_controller import s
from bng.agent.v1 import identity_pb2 as i


def own_certificate(directory, name="impostor"):
    """A self-signed certificate and its key; returns their paths and the SubjectPublicKeyInfo, DER."""
    key, certificate = directory / f"{name}.key", directory / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         f"/CN={name}", "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key, public_key(certificate)


def public_key(certificate):
    pem = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], check=True, capture_output=True).stdout
    return subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pem, check=True, capture_output=True).stdout


class Impostor:
    def __init__(self, certificate, key, port=7401, host="127.0.0.1"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(socket.create_connection((host, port), timeout=20))
        self.server_hash = hashlib.sha256(self.socket.getpeercert(binary_form=True)).digest()
        self.own_key = public_key(certificate)

    def send(self, **body):
        frame = s.AgentFrame(**body).SerializeToString()
        self.socket.sendall(struct.pack(">I", len(frame)) + frame)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError("the controller closed")
            data += part
        return data

    def receive(self):
        frame = s.ControllerFrame()
        frame.ParseFromString(self._exactly(struct.unpack(">I", self._exactly(4))[0]))
        return frame

    def hello(self, node, minor=1):
        self.send(hello=s.Hello(node_id=node, protocol_minor_max=minor, boot_id=os.urandom(16), next_event_sequence=1))

    def psk_proof(self, challenge, key, nonce=None, server_hash=None, own_key=None):
        nonce = nonce or os.urandom(32)
        text = b"bng-psk-v1" + challenge.nonce + nonce + (server_hash or self.server_hash) + (own_key or self.own_key)
        mac = hmac.new(key, text, hashlib.sha256).digest()
        return i.Proof(challenge_id=challenge.challenge_id, psk=i.PSKProof(nonce=nonce, mac=mac))

    def close(self):
        self.socket.close()
