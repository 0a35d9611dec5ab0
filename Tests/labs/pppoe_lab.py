# SPDX-License-Identifier: Apache-2.0
"""What the PPPoE labs share: a lab that serves PPPoE to local subscribers, raw frames from a line, and bng-load as a dialler."""
import json
import re
import secrets
import subprocess

from topology import BIN, sh

PASSWORD = "secret"
POLICY = """
plans:
  - {{name: basic}}
  - {{name: gold, version: 2, rate-up: 20Mbit, rate-down: 50Mbit}}
  - {{name: idle, idle-timeout: 2s}}
aaa:
  chain: [local]
  default-plan: basic
  key-file: {key}
{more}
"""
# For bng-load: a line may ask as often as it likes, where the guard is not what is tried.
OPEN_GUARD = "".join(f"  {name}: {{line-pps: 1000000, line-burst: 1000000, port-pps: 1000000, port-burst: 1000000}}\n" for name in ("pppoe", "ppp"))


def write_policy(lab, more=""):
    """Plans and local AAA into a lab's configuration; returns the file with PASSWORD."""
    key, password = lab.dir / "aaa.key", lab.dir / "password"
    for file, text in ((key, secrets.token_hex(32)), (password, PASSWORD)):
        file.write_text(text + "\n")
        file.chmod(0o600)
    lab.config.write_text(lab.config.read_text() + POLICY.format(key=key, more=more))
    return password


def serving(make_lab, more="", users=("alice",), lines=(), guard_more="", lab_options=None, **pppoe):
    """A lab that is up, with PPPoE by these settings, subscribers who have PASSWORD, and lines whose name is enough."""
    lab = make_lab(pppoe=pppoe, guard_more=guard_more, **(lab_options or {}))
    password = write_policy(lab, more)
    lab.up()
    for user in users:
        lab.ctl("subscriber", "add", user, "--password-file", password, "--sealed")
    for line in lines:
        lab.ctl("subscriber", "add", line)
    return lab


def load_argv(lines, phases, *options, user="alice", tags="qinq:100:1:4000"):
    return [BIN / "bng-load", "--interface", "wan", "--lines", lines, "--phases", phases, "--tags", tags, "--user", user,
            "--password", PASSWORD, *options]


def dial(cpe, lines, phases="pppoe", *options, timeout=120, **kw):
    """bng-load in a host's namespace; the phases' results."""
    return json.loads(cpe.run([str(a) for a in load_argv(lines, phases, *options, **kw)], check=False, timeout=timeout))["phases"]


def start_dial(cpe, lines, phases, *options, **kw):
    """The same in the background: a Popen whose output `results` reads."""
    argv = ["ip", "netns", "exec", cpe.name, *map(str, load_argv(lines, phases, *options, **kw))]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def results(process, timeout=120):
    return json.loads(process.communicate(timeout=timeout)[0])["phases"]


SEND = """
import select, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 0))
for line in sys.stdin:
    s.send(bytes.fromhex(line))
while select.select([s], [], [], float(sys.argv[2]))[0]:
    frame, address = s.recvfrom(4096)
    if address[2] != 4:
        print(frame.hex())
"""


def send_frames(cpe, frames, listen=0.5, interface="wan"):
    """Sends raw frames from a host; returns what came until nothing has for `listen` seconds."""
    out = subprocess.run(["ip", "netns", "exec", cpe.name, "/usr/bin/python3", "-c", SEND, interface, str(listen)],
                         input="\n".join(bytes(f).hex() for f in frames), stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return [bytes.fromhex(line) for line in out.stdout.split()]


def live(lab):
    """Sessions that are up."""
    found, after = [], 0
    while True:
        page = lab.ctl("show", "sessions", "--limit", "1000", "--after", str(after))["sessions"]
        found += [s for s in page if s["phase"] == "active"]
        if len(page) < 1000:
            return found
        after = page[-1]["id"]


def mac_of(interface, ns=None):
    return re.search(r"link/ether (\S+)", sh(f"ip link show {interface}", ns=ns)).group(1)


def syn_sizes(lab, pcap, source):
    """The MSS of every SYN that a source port's side of a capture shows."""
    out = sh(f"tshark -r {lab.dir}/{pcap} -Y tcp.flags.syn==1&&{source} -T fields -e tcp.options.mss_val", check=False)
    return [int(w) for w in out.split() if w.isdigit()]
