# SPDX-License-Identifier: Apache-2.0
"""The tools of the PPPoE labs against each other, without the BNG: Debian's pppoe-server in the guest, bng-load outside.

    ns `vm`: [qemu: pppoe-server, pppd] eth0 ── tap ── br0 ── veth ── br0 in ns `switch` ── veth ── ns `load`: bng-load
"""
import json
import types

import pytest

from topology import BIN, CPE, sh, wait_for

SERVER_OPTIONS = """require-{auth}
lcp-echo-interval 1
lcp-echo-failure 3
ms-dns 192.0.2.53
ms-dns 192.0.2.54
noipdefault
noccp
+ipv6
nodetach
debug
logfile /tmp/server.log
"""


@pytest.fixture
def line(guest, tmp_path):
    """A switch between the guest and a host, both behind the same tags; no BNG."""
    sh("ip netns add switch")
    sh("ip link add br0 type bridge", ns="switch")
    sh("ip link set br0 up", ns="switch")
    lab = types.SimpleNamespace(dir=tmp_path)
    guest.attach(lab, s=200, c=7)
    host = CPE(lab, "load", "02:00:5e:00:00:fe", s=200, c=7)
    yield host
    guest.run("killall -9 pppoe-server pppd; rm -f /tmp/server.log")
    for ns in ("load", "switch"):
        sh(f"ip netns del {ns}", check=False)


def serve(guest, auth):
    guest.run(f"""cat >/etc/ppp/pppoe-server-options <<'.'
{SERVER_OPTIONS.format(auth=auth)}.
printf '"alice" * "secret" *\\n' >/etc/ppp/chap-secrets; cp /etc/ppp/chap-secrets /etc/ppp/pap-secrets
pppoe-server -I eth0 -C guest -S internet -L 10.9.0.1 -R 10.9.0.2 -N 20 </dev/null >/dev/null 2>&1""", check=True)
    wait_for("pppoe-server runs", lambda: "pppoe-server" in guest.run("ps"), 10)


def load(host, *options):
    out = host.run([BIN / "bng-load", "--interface", "wan", "--user", "alice", "--timeout", "3", "--lines", "3", *options],
                   check=False, timeout=90)
    return json.loads(out)["phases"]


@pytest.mark.parametrize("auth", ["pap", "chap"])
def test_bng_load_dials_debians_pppoe_server(guest, line, auth):
    serve(guest, auth)
    dialled, held, closed = load(line, "--auth", auth, "--ipv6cp", "--phases", "pppoe,hold,padt", "--duration", "4", "--rate", "10",
                                 "--terminate")
    assert (dialled["completed"], dialled["failed"], dialled["ipv6cp_open"], dialled["unexpected"]) == (3, 0, 3, 0), (dialled, guest.run("cat /tmp/server.log"))
    assert held["completed"] == 3 and held["echo_requests"] >= 6 and held["echo_replies"] >= 30, held
    assert closed["completed"] == 3 and closed["timeouts"] == 0, closed


def test_a_wrong_password_is_refused_and_said_so(guest, line):
    serve(guest, "chap")
    dialled, = load(line, "--password", "wrong", "--phases", "pppoe")
    assert (dialled["completed"], dialled["refused"], dialled["failed_in"]["authentication"]) == (0, 3, 3), dialled
