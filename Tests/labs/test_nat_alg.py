# SPDX-License-Identifier: Apache-2.0
"""FTP through NAT (FEATURES C4): a real server in the core, real clients behind NAT, with the gateway and without.

    cpe1 (100.64/10) ── [bng] ── vsftpd, which knows 192.0.2.128/30 and no private address
"""
import hashlib
import json
import os
import re

from nat_lab import nat_options, up
from test_nat import online
from topology import SERVER_IP, Process, sh, wait_for

SIZE = 8_000_000
NAMES = ["big.bin", "a.bin", "b.bin", "c.bin"]
# Options of curl for each way to a data connection.
WAYS = {"PORT": "--ftp-port - --disable-eprt", "EPRT": "--ftp-port -", "PASV": "--disable-epsv", "EPSV": ""}
# Two files over one control connection; between them the agent may end. Of a port with six digits in PORT, which
# are more than those of any port below 2,048.
TALK = """
import ftplib, hashlib, os, socket, sys, time
class Client(ftplib.FTP):
    ports = iter(range(57005, 57015))
    def makeport(self):
        host, port = self.sock.getsockname()[0], next(self.ports)
        listening = socket.create_server((host, port))
        listening.settimeout(30)
        self.sendport(host, port)
        return listening
ftp = Client(sys.argv[1], timeout=30)
ftp.set_pasv(False)
ftp.login()
for name in ("a.bin", "b.bin"):
    got = hashlib.sha256()
    ftp.retrbinary("RETR " + name, got.update)
    print(got.hexdigest(), flush=True)
    while name == "a.bin" and not os.path.exists(sys.argv[2]):
        time.sleep(0.1)
print(ftp.quit(), flush=True)
"""


def ftp_server(lab):
    """vsftpd with some files; their SHA-256 by name."""
    root, empty, conf = lab.dir / "ftp", lab.dir / "empty", lab.dir / "vsftpd.conf"
    root.mkdir(mode=0o755)
    empty.mkdir(mode=0o755)
    for path in (root, empty, *root.parents):
        if str(path).startswith(str(lab.dir)):
            path.chmod(0o755)
    sums = {}
    for name in NAMES:
        data = os.urandom(SIZE if name == NAMES[0] else 20_000)
        (root / name).write_bytes(data)
        sums[name] = hashlib.sha256(data).hexdigest()
    conf.write_text(f"""listen=YES
background=NO
anonymous_enable=YES
no_anon_password=YES
anon_root={root}
secure_chroot_dir={empty}
connect_from_port_20=YES
seccomp_sandbox=NO
xferlog_enable=NO
""")
    lab.extra.append(Process("vsftpd", ["/usr/sbin/vsftpd", str(conf)], lab.dir / "vsftpd.log", ns="server"))
    wait_for("vsftpd", lambda: ":21" in sh("ss -Hlnt", ns="server"), 10)
    return sums


def fetch(lab, cpe, way, names):
    """(exit code of curl, sums of what came) over one control connection."""
    into = lab.dir / f"got-{way}"
    into.mkdir()
    urls = " ".join(f"-o {into}/{name} ftp://{SERVER_IP}/{name}" for name in names)
    out = cpe.run(["/bin/sh", "-c", f"curl -sS -m 30 --connect-timeout 5 {WAYS[way]} {urls}; echo exit $?"], timeout=60)
    got = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in into.iterdir()}
    return int(out.split()[-1]), got


def counter(lab, name):
    """Of the agent's gateways (opened, sent, ...), or tx.REASON."""
    family = "bng_dataplane_tx_total" if name.startswith("tx.") else "bng_agent_nat_alg_total"
    found = re.findall(rf'{family}{{[^}}]*reason="{name.removeprefix("tx.")}"[^}}]*}} (\d+)', lab.metrics())
    return sum(int(value) for value in found)


def counted(lab, name, least):
    return wait_for(f"{name} at least {least}", lambda: (lambda n: n if n >= least else None)(counter(lab, name)), 10)


def test_with_the_gateway_every_way_works(make_lab):
    lab = up(make_lab(**nat_options(pool="    ports: 1024-2047", policy="    filtering: address-dependent\n    alg: [ftp]")))
    cpe = online(lab, "cpe1", "02:00:5e:20:00:01", s=200, c=7)
    sums = ftp_server(lab)
    for way in WAYS:
        code, got = fetch(lab, cpe, way, NAMES)
        assert code == 0 and got == sums, (way, code)
    # The control connections went by the agent, and nothing else did: the files are some 22,000 packets.
    assert counted(lab, "opened", 8) == 8
    assert counted(lab, "tx.forward_down", 20_000) > 20_000
    assert 8 * 4 < counted(lab, "sent", 1) < 500
    assert not any(counter(lab, name) for name in ("refused", "lost", "foreign", "cut", "malformed", "low_port"))
    # Another client; and one that asks for a host that is not its own.
    script = lab.dir / "tnftp.txt"
    script.write_text(f"open {SERVER_IP}\nuser anonymous x\nbinary\nlcd {lab.dir}\nget b.bin tn-b\nls\nget c.bin tn-c\n"
                      "quote PORT 192,0,2,1,4,1\nquote PORT 100,64,1,250,4,1\nquit\n")
    out = cpe.run(["/bin/sh", "-c", f"tnftp -n -A -v <{script}"], check=False, timeout=60)
    for name in "bc":
        assert hashlib.sha256((lab.dir / f"tn-{name}").read_bytes()).hexdigest() == sums[f"{name}.bin"], out
    assert out.count("500 Illegal PORT command") == 2, out
    assert counted(lab, "foreign", 2) == 2
    # A connection whose bytes were moved lives through the death of the agent.
    go = lab.dir / "go"
    talk = cpe.start("talk", ["/usr/bin/python3", "-c", TALK, SERVER_IP, str(go)])
    log = lab.dir / "cpe1-talk.log"
    wait_for("the first file", lambda: log.exists() and sums["a.bin"] in log.read_text(), 20)
    kept = [entry["formatted"]["value"] for entry in json.loads(sh(f"bpftool -j map dump pinned {lab.pins}/maps/nat_algs"))]
    assert any(value["edit_count"] == 1 and value["edits"][0]["was"] > value["edits"][0]["is"] for value in kept), kept
    lab.agent.kill()
    go.touch()
    lab.start_agent()
    assert talk.popen.wait(40) == 0, log.read_text()
    assert log.read_text().split("\n")[:2] == [sums["a.bin"], sums["b.bin"]] and "221" in log.read_text()


def test_without_the_gateway_only_passive_ways_work(make_lab):
    lab = up(make_lab(**nat_options()))
    cpe = online(lab, "cpe1", "02:00:5e:20:00:01")
    sums = ftp_server(lab)
    for way in ("PASV", "EPSV"):
        assert fetch(lab, cpe, way, NAMES[1:3]) == (0, {name: sums[name] for name in NAMES[1:3]})
    for way in ("PORT", "EPRT"):
        code, got = fetch(lab, cpe, way, NAMES[1:2])
        assert code != 0 and not got, (way, code)
    assert counted(lab, "tx.forward_up", 20) and counter(lab, "sent") == 0
