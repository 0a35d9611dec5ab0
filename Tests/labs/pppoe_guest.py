# SPDX-License-Identifier: Apache-2.0
"""A subscriber with a real kernel PPPoE client: Debian's kernel and pppd with the rp-pppoe plugin in an emulated machine.

    qemu: eth0 ── tap ── bridge, all in ns `vm` ── veth ── (tags by tc-BPF) br0 in ns `switch` ── access0 [bng-agent]

One machine serves a whole test module: each lab attaches it to its switch, and takes the veth with it when it goes.
"""
import base64
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import time

from topology import ROOT, Process, plain_veth, sh, tag_line, wait_for

NS, MAC = "vm", "02:00:5e:99:00:01"
# Checksums whole and packets as they are on a wire, or XDP would see what a real line never carries.
OFFLOADS = ",".join(f"{name}=off" for name in ("csum", "gso", "guest_csum", "guest_tso4", "guest_tso6", "guest_ecn", "guest_ufo",
                                               "host_tso4", "host_tso6", "host_ecn", "host_ufo"))


class Guest:
    """The machine. `run` is a shell in it; `dial` starts pppd."""

    def __init__(self, directory):
        self.dir, self.mac, self.number = directory, MAC, 0
        kernel, image = subprocess.run([ROOT / "Tests/labs/guest_image"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        sh(f"ip netns add {NS}")
        # The bridge of the machine's cable is nobody's host.
        sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1", ns=NS)
        sh("ip tuntap add mode tap name tap0", ns=NS)
        sh("ip link add br0 type bridge mcast_snooping 0", ns=NS)
        sh("ip link set tap0 mtu 1600 master br0 up", ns=NS)
        sh("ip link set br0 up", ns=NS)
        self.console, port = directory / "guest-console.log", directory / "guest.sock"
        self.process = Process("guest", [
            "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "256", "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", kernel, "-initrd", image, "-append", "console=ttyS0 quiet panic=-1 mitigations=off",
            "-serial", f"file:{self.console}", "-serial", f"unix:{port},server=on,wait=off",
            "-netdev", "tap,id=net0,ifname=tap0,script=no,downscript=no,vnet_hdr=off",
            "-device", f"virtio-net-pci,netdev=net0,mac={MAC},{OFFLOADS}"], directory / "guest.log", ns=NS)
        self.port = socket.socket(socket.AF_UNIX)
        wait_for("the guest's serial port", lambda: self.port.connect_ex(str(port)) == 0, 20)
        self.buffer = b""
        self._answer(0, 120)

    def _answer(self, number, timeout):
        """(status, output) of a command; what a command before it left is passed over."""
        end = time.monotonic() + timeout
        while True:
            while b"\n" in self.buffer:
                line, self.buffer = self.buffer.split(b"\n", 1)
                words = line.strip().split(b" ")
                if len(words) >= 2 and words[0] == b"%d" % number:
                    return int(words[1]), words[2] if len(words) > 2 else b""
            ready, _, _ = select.select([self.port], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"the guest does not answer within {timeout} s; its console: {self.console}")
            read = self.port.recv(65536)
            if not read:
                raise AssertionError(f"the guest ended; its console: {self.console}")
            self.buffer += read

    def run(self, command, check=False, timeout=60):
        """Runs a shell command in the guest; returns its output."""
        self.number += 1
        self.port.sendall(b"%d %s\n" % (self.number, base64.b64encode(command.encode())))
        status, output = self._answer(self.number, timeout)
        text = base64.b64decode(output).decode(errors="replace")
        if check and status:
            raise RuntimeError(f"guest: {command} -> {status}\n{text}")
        return text

    # --- its line ---

    def attach(self, lab, s=200, c=7, s_tpid=0x88A8, mac=MAC):
        """Connects it to a lab's switch; the line is there until the lab goes."""
        self.lab, self.s, self.c, self.mac = lab, s, c, mac
        self.hang_up()
        sh("ip link del line", ns=NS, check=False)
        sh(f"ip link add guest-sw mtu 1600 netns switch type veth peer name line mtu 1600 netns {NS}")
        for name, ns in (("guest-sw", "switch"), ("line", NS)):
            plain_veth(name, ns)
            sh(f"ip link set {name} master br0", ns=ns)
        if s or c:
            tag_line(lab, "guest-sw", s, c, s_tpid if c else 0x8100)
        self.run(f"ip link set eth0 down; ip link set eth0 address {mac} mtu 1600 up", check=True)
        return self

    def pause(self):
        """Its power is cut: nothing more comes, nothing is said."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    # --- pppd ---

    def dial(self, *options, user="alice", password="secret", mru=1492, wait=True, n=0):
        """Starts pppd on eth0. `n`: which of several at once."""
        secret = f'"{user}" * "{password}" *'
        self.run(f"printf '%s\\n' {shlex.quote(secret)} >/etc/ppp/chap-secrets; cp /etc/ppp/chap-secrets /etc/ppp/pap-secrets", check=True)
        words = ["plugin", "rp-pppoe.so", "eth0", "user", user, "mru", str(mru), "mtu", str(mru), "noauth", "nodetach", "debug", "noipdefault",
                 "defaultroute", "usepeerdns", "noaccomp", "nopcomp", "noccp", "novj", "+ipv6", "maxfail", "1",
                 "pppoe-padi-timeout", "2", "unit", str(n),
                 *map(str, options)]
        self.run(f"setsid pppd {' '.join(map(shlex.quote, words))} >/tmp/pppd{n}.log 2>&1 & echo $! >/tmp/pppd{n}.pid", check=True)
        return self.wait_address(n) if wait else None

    def log(self, n=0):
        return self.run(f"cat /tmp/pppd{n}.log")

    def address(self, n=0):
        found = re.search(r"inet (100\.\d+\.\d+\.\d+) peer", self.run(f"ip -4 addr show dev ppp{n}"))
        return found.group(1) if found else None

    def wait_address(self, n=0, deadline=30):
        def up():
            if "LCP terminated" in self.log(n) or self.ended(n):
                raise AssertionError(f"pppd ended:\n{self.log(n)}")
            return self.address(n)
        try:
            return wait_for("pppd gets an address", up, deadline, pause=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log(n)}") from None

    def ended(self, n=0):
        return "lives" not in self.run(f"kill -0 $(cat /tmp/pppd{n}.pid) && echo lives")

    def wait_ended(self, n=0, deadline=20):
        wait_for("pppd ends", lambda: self.ended(n), deadline, pause=0.2)
        return self.log(n)

    def kill(self, signal_name="KILL"):
        """kill -9: pppd says nothing to anybody. TERM: Terminate-Request and PADT."""
        self.run(f"killall -{signal_name} pppd 2>/dev/null")

    def hang_up(self):
        self.kill()
        self.run("rm -f /tmp/pppd* /run/ppp*")

    def ping(self, target, count=3, size=56, options="", wait=4):
        """(sent, received) and what ping said."""
        out = self.run(f"ping -n -i 0.2 -c {count} -W {wait} -s {size} {options} {target}", timeout=count * (wait + 1) + 30)
        found = re.search(r"(\d+) packets transmitted, (\d+)(?: packets)? received", out)
        return (int(found.group(1)), int(found.group(2))) if found else (0, 0), out

    def stop(self):
        self.process.kill()
        self.port.close()
        sh(f"ip netns del {NS}", check=False)
