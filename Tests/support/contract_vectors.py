#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the golden vectors of the contract (Tests/vectors/contract/v1); `--check` compares instead of writing."""

import pathlib
import socket
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "Tests/vectors/contract/v1"
PROTOS = ["desired", "identity", "report", "session"]

generated = tempfile.TemporaryDirectory()
subprocess.run(
    ["protoc", f"-I{ROOT}/proto", f"--python_out={generated.name}"]
    + [str(ROOT / f"proto/bng/agent/v1/{name}.proto") for name in PROTOS],
    check=True,
)
sys.path.insert(0, generated.name)
from bng.agent.v1 import desired_pb2 as d, identity_pb2 as i, report_pb2 as r, session_pb2 as s  # noqa: E402
from contract_canon import canon, digest  # noqa: E402
from google.protobuf import text_format  # noqa: E402

def hexed(data):
    return "\n".join("  " + data[i : i + 32].hex(" ") for i in range(0, len(data), 32))


def ip(text):
    return bytes(int(part) for part in text.split("."))


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def prefix6(text):
    address, length = text.split("/")
    return d.IPv6Prefix(address=ip6(address), length=int(length))


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


files = {}


def emit(name, head, message=None, extra="", raw=None, error=None, type_name=None):
    framed = not name.startswith("object_")
    lines = [f"# {line}" for line in head.split("\n")]
    lines += ["message:", "  " + (type_name or message.DESCRIPTOR.name)]
    if message is not None and error is None:
        text = text_format.MessageToString(message).rstrip("\n")
        lines += ["text:"] + ["  " + line for line in text.split("\n") if line]
    body = raw if raw is not None else message.SerializeToString(deterministic=True)
    if framed and raw is None:
        body = struct.pack(">I", len(body)) + body
    lines += ["frame:" if framed else "bytes:", hexed(body)]
    if error:
        lines += ["error:"] + ["  " + line for line in error]
    files[name + ".txt"] = "\n".join(lines) + "\n" + extra


def emit_object(name, head, obj):
    extra = "canon:\n" + hexed(canon(getattr(obj, obj.WhichOneof("body")))) + "\n"
    extra += "digest:\n" + hexed(digest(obj)) + "\n"
    emit("object_" + name, head, obj, extra)


def objects():
    port = d.Object(object_id=1, generation=3)
    port.port.CopyFrom(
        d.Port(
            name="access0", role=d.PORT_ROLE_ACCESS, access_domain_id=1, relay_trust=d.RELAY_TRUST_RELAYS,
            trusted_relays=[ip("100.64.255.254"), ip("100.64.255.253")], mtu_bytes=1500,
        )
    )
    core = d.Object(object_id=2, generation=1)
    core.port.CopyFrom(d.Port(name="core0", role=d.PORT_ROLE_CORE))
    identity = d.Object(object_id=1, generation=1)
    identity.server_identity.CopyFrom(d.ServerIdentity(ipv4_address=ip("100.64.0.1")))
    template = d.Object(object_id=7, generation=0x1122334455667788)
    template.pool_template.CopyFrom(
        d.PoolTemplate(
            server_identity_id=1, gateway=ip("100.64.0.1"), prefix_length=16, lease_seconds=3600,
            renewal_seconds=1800, rebinding_seconds=3150,
            options=[
                d.DHCPOption(code=6, data=ip("192.0.2.53") + ip("192.0.2.54")),
                d.DHCPOption(code=15, data=b"example.net"),
                d.DHCPOption(code=42, data=ip("192.0.2.123")),
                d.DHCPOption(code=80),
                d.DHCPOption(code=224, data=bytes.fromhex("0102ff")),
            ],
        )
    )
    gateway = d.Object(object_id=5, generation=1)
    gateway.next_hop.CopyFrom(
        d.NextHop(kind=d.NEXT_HOP_KIND_GATEWAY, port="core0", ipv4_address=ip("192.0.2.1"))
    )
    kernel = d.Object(object_id=6, generation=2)
    kernel.next_hop.CopyFrom(d.NextHop(kind=d.NEXT_HOP_KIND_KERNEL))
    default = d.Object(object_id=1, generation=1)
    default.route.CopyFrom(
        d.Route(prefix=ip("0.0.0.0"), kind=d.ROUTE_KIND_NEXT_HOP, next_hop_id=6)
    )
    subscribers = d.Object(object_id=2, generation=9)
    subscribers.route.CopyFrom(
        d.Route(vrf=0xFFFFFFFF, prefix=ip("100.64.0.0"), prefix_length=16, kind=d.ROUTE_KIND_SUBSCRIBERS)
    )
    guard = d.Object(object_id=1, generation=4)
    guard.guard_rates.CopyFrom(
        d.GuardRates(
            rates=[
                d.GuardRate(
                    punt_class=d.PUNT_CLASS_DHCPV4, line_packets_per_second=20, line_burst_packets=40,
                    port_packets_per_second=20000, port_burst_packets=20000,
                ),
                d.GuardRate(punt_class=d.PUNT_CLASS_ARP),
            ]
        )
    )
    session = d.Object(object_id=(1 << 48) | 1, generation=1)
    session.session.CopyFrom(
        d.Session(
            line=d.Line(
                access_domain_id=1, s_vlan=100, c_vlan=7, s_tpid=0x88A8, c_tpid=0x8100,
                mac=mac("02:00:00:00:00:01"),
            ),
            anti_spoof=d.ANTI_SPOOF_STRICT,
            ipv4=d.SessionIPv4(
                address=ip("100.64.1.2"), pool_template_id=7, dhcp_fast_path=True,
                client_id=bytes.fromhex("01020000000001"), option82=bytes.fromhex("0106000000000001"),
                lease_expires_unix_ms=1_800_000_000_000,
            ),
            ends_unix_ms=1_800_000_500_000,
        )
    )
    relayed = d.Object(object_id=(1 << 48) | 2, generation=5)
    relayed.session.CopyFrom(
        d.Session(
            line=d.Line(
                access_domain_id=1, mac=mac("02:00:00:00:00:02"), relay_address=ip("100.64.255.254"),
                relay_mac=mac("02:00:00:00:ff:fe"),
            ),
            vrf=9, anti_spoof=d.ANTI_SPOOF_LOG,
            ipv4=d.SessionIPv4(address=ip("100.64.1.3"), pool_template_id=7),
        )
    )
    relayed6 = d.Object(object_id=(1 << 48) | 9, generation=6)
    relayed6.session.CopyFrom(relayed.session)
    relayed6.session.ipv6.CopyFrom(d.SessionIPv6(
        prefixes=[d.IPv6Prefix(address=bytes.fromhex("20010db8000100000000000000000003"), length=128)],
        valid_seconds=3600))
    served = d.Object(object_id=(1 << 48) | 3, generation=2)
    served.session.CopyFrom(
        d.Session(
            line=d.Line(access_domain_id=1, s_vlan=200, s_tpid=0x8100, mac=mac("02:00:00:00:00:03")),
            anti_spoof=d.ANTI_SPOOF_STRICT,
            ipv4=d.SessionIPv4(
                address=ip("100.64.1.4"), pool_template_id=7, dhcp_fast_path=True,
                framed_routes=[
                    d.FramedRoute(prefix=ip("203.0.113.0"), prefix_length=29),
                    d.FramedRoute(prefix=ip("198.51.100.7"), prefix_length=32),
                ],
            ),
            rate_up=d.Rate(bits_per_second=20_000_000, burst_bytes=125_000),
            rate_down=d.Rate(bits_per_second=100_000_000_000, burst_bytes=64 << 20),
            filter_id=8, idle_timeout_seconds=1800,
        )
    )
    filtered = d.Object(object_id=8, generation=1)
    filtered.filter.CopyFrom(
        d.Filter(
            rules=[
                d.FilterRule(
                    action=d.FILTER_ACTION_PERMIT, direction=d.FILTER_DIRECTION_BOTH,
                    remote_prefix=ip("192.0.2.0"), remote_prefix_length=24, protocol=17, remote_port_first=53,
                    remote_port_last=53,
                ),
                d.FilterRule(
                    action=d.FILTER_ACTION_DENY, direction=d.FILTER_DIRECTION_UP, protocol=6, remote_port_first=25,
                    remote_port_last=65535,
                ),
                d.FilterRule(action=d.FILTER_ACTION_DENY, direction=d.FILTER_DIRECTION_DOWN),
            ],
            default_action=d.FILTER_ACTION_PERMIT,
        )
    )
    dialled = d.Object(object_id=(1 << 48) | 4, generation=3)
    dialled.session.CopyFrom(
        d.Session(
            line=d.Line(
                access_domain_id=1, s_vlan=100, c_vlan=7, s_tpid=0x88A8, c_tpid=0x8100,
                mac=mac("02:00:00:00:00:01"),
            ),
            anti_spoof=d.ANTI_SPOOF_STRICT,
            ipv4=d.SessionIPv4(address=ip("100.64.1.5"), pool_template_id=7, lease_expires_unix_ms=1),
            pppoe=d.SessionPPPoE(
                pppoe_id=65534, mtu_bytes=1492, local_magic=0xCAFEF00D, echo_interval_seconds=30, echo_failures=3,
                clamp_mss=True,
            ),
        )
    )
    silent = d.Object(object_id=(1 << 48) | 5, generation=1)
    silent.session.CopyFrom(
        d.Session(
            line=d.Line(access_domain_id=1, mac=mac("02:00:00:00:00:04")), anti_spoof=d.ANTI_SPOOF_STRICT,
            pppoe=d.SessionPPPoE(pppoe_id=1, mtu_bytes=1500),
        )
    )
    service = d.Object(object_id=4, generation=2)
    service.pppoe_service.CopyFrom(
        d.PPPoEService(
            access_domain_id=1, ac_name="edge1-metro", service_names=["internet", "voip"], any_service=True,
            max_payload_bytes=1500, pado_delay_ms=250, cookie_key=bytes(range(16)),
            previous_cookie_key=bytes(range(16, 32)),
        )
    )
    plain = d.Object(object_id=5, generation=1)
    plain.pppoe_service.CopyFrom(
        d.PPPoEService(access_domain_id=2, ac_name="edge1", cookie_key=bytes(range(32, 48)))
    )
    nat_policy = d.Object(object_id=6, generation=2)
    nat_policy.nat_policy.CopyFrom(d.NATPolicy(
        filtering=d.NAT_FILTERING_ADDRESS_DEPENDENT, tcp_established_seconds=7440, tcp_transitory_seconds=240, udp_seconds=300,
        icmp_seconds=60, flows_per_session=2000, inbound_refresh=True, port_parity=True, algs=[d.NATALG_FTP]))
    translated = d.Object()
    translated.CopyFrom(session)
    translated.object_id = (1 << 48) | 8
    translated.session.ipv4.nat.CopyFrom(d.SessionNAT(
        policy_id=6, address=ip("203.0.113.7"), block_ports=512, block_first_ports=[1024, 4096],
        forwards=[d.NATForward(protocol=6, outside_port=443, inside_address=session.session.ipv4.address, inside_port=8443)]))
    static = d.Object()
    static.CopyFrom(session)
    static.object_id = (1 << 48) | 9
    static.session.ipv4.nat.CopyFrom(d.SessionNAT(address=ip("203.0.113.8"), one_to_one=True))
    nat_route = d.Object(object_id=5, generation=1)
    nat_route.route.CopyFrom(d.Route(prefix=ip("203.0.113.0"), prefix_length=24, kind=d.ROUTE_KIND_NAT))
    port6 = d.Object(object_id=3, generation=1)
    port6.port.CopyFrom(
        d.Port(
            name="access1", role=d.PORT_ROLE_ACCESS, access_domain_id=2, relay_trust=d.RELAY_TRUST_NONE,
            ipv6_link_local=ip6("fe80::1"), refused_extension_headers=[0, 43, 255],
        )
    )
    identity6 = d.Object(object_id=2, generation=1)
    identity6.server_identity.CopyFrom(
        d.ServerIdentity(vrf=9, ipv4_address=ip("100.64.0.2"), ipv6_address=ip6("2001:db8::1"))
    )
    gateway6 = d.Object(object_id=7, generation=1)
    gateway6.next_hop.CopyFrom(d.NextHop(kind=d.NEXT_HOP_KIND_GATEWAY, port="core0", ipv6_address=ip6("fe80::ff")))
    default6 = d.Object(object_id=3, generation=1)
    default6.route.CopyFrom(d.Route(prefix=bytes(16), kind=d.ROUTE_KIND_NEXT_HOP, next_hop_id=7))
    subscribers6 = d.Object(object_id=4, generation=2)
    subscribers6.route.CopyFrom(
        d.Route(prefix=ip6("2001:db8:8000::"), prefix_length=33, kind=d.ROUTE_KIND_SUBSCRIBERS)
    )
    filtered6 = d.Object(object_id=9, generation=1)
    filtered6.filter.CopyFrom(
        d.Filter(
            rules=[
                d.FilterRule(
                    action=d.FILTER_ACTION_DENY, direction=d.FILTER_DIRECTION_UP,
                    remote_prefix=ip6("2001:db8:ffff::"), remote_prefix_length=48, protocol=58,
                ),
                d.FilterRule(
                    action=d.FILTER_ACTION_PERMIT, direction=d.FILTER_DIRECTION_BOTH,
                    remote_prefix=ip6("2001:db8::5"), remote_prefix_length=128,
                ),
            ],
            default_action=d.FILTER_ACTION_DENY,
        )
    )
    advertisement = bytes.fromhex("8600000040c0070800000000000000000101020000000001")
    dual = d.Object(object_id=(1 << 48) | 6, generation=4)
    dual.session.CopyFrom(
        d.Session(
            line=d.Line(access_domain_id=2, s_vlan=100, s_tpid=0x8100, mac=mac("02:00:00:00:00:06")),
            anti_spoof=d.ANTI_SPOOF_STRICT,
            ipv4=d.SessionIPv4(address=ip("100.64.1.6"), lease_expires_unix_ms=1_800_000_000_000),
            ipv6=d.SessionIPv6(
                prefixes=[prefix6("2001:db8:1::5/128"), prefix6("2001:db8:100::/56")],
                lease_expires_unix_ms=1_800_000_000_001, valid_seconds=3600, activity_renews=True,
                router_advertisement=advertisement, advertisement_interval_seconds=600,
                dhcpv6=d.SessionDHCPv6(
                    client_id=bytes.fromhex("00030001020000000006"), server_id=bytes.fromhex("00020000ab110102"),
                    associations=[
                        d.DHCPv6Association(kind=3, iaid=0x01020304, resource=prefix6("2001:db8:1::5/128")),
                        d.DHCPv6Association(kind=25, resource=prefix6("2001:db8:100::/56")),
                    ],
                    reply_options=bytes.fromhex("00010004aabbccdd0007000100"),
                ),
            ),
        )
    )
    only6 = d.Object(object_id=(1 << 48) | 7, generation=1)
    only6.session.CopyFrom(
        d.Session(
            line=d.Line(access_domain_id=2, mac=mac("02:00:00:00:00:07")), anti_spoof=d.ANTI_SPOOF_STRICT,
            ipv6=d.SessionIPv6(prefixes=[prefix6("2001:db8:2::/64")], valid_seconds=60),
            pppoe=d.SessionPPPoE(pppoe_id=1, mtu_bytes=1492),
        )
    )
    empty6 = d.Object(object_id=4, generation=1)
    empty6.session.CopyFrom(
        d.Session(ipv6=d.SessionIPv6(
            prefixes=[d.IPv6Prefix()], lease_expires_unix_ms=5, dhcpv6=d.SessionDHCPv6(associations=[d.DHCPv6Association()])))
    )
    empty = d.Object(object_id=3, generation=1)
    empty.session.CopyFrom(d.Session(line=d.Line(), ipv4=d.SessionIPv4(lease_expires_unix_ms=5)))
    return {
        "port_access": ("An access port with relays.", port),
        "port_core": ("A core port: defaults are left out of the digest.", core),
        "server_identity": ("Option 54.", identity),
        "pool_template": ("Options with and without data; a generation that shows byte order.", template),
        "next_hop_gateway": ("A router behind a core port.", gateway),
        "next_hop_kernel": ("The kernel's FIB.", kernel),
        "route_default": ("A prefix of four zero bytes is not a default value: length 4.", default),
        "route_subscribers": ("A pool's prefix in the highest VRF.", subscribers),
        "guard_rates": ("The second rate is 0 everywhere: it refuses the class.", guard),
        "session_qinq": ("A QinQ line; lease_expires_unix_ms is not in canon.", session),
        "session_relayed": ("A client behind a relay in VRF 9.", relayed),
        "session_relayed_dual": ("A client behind a relay, in both families.", relayed6),
        "session_served": ("What AAA granted: rates, a filter, an idle timeout, framed routes.", served),
        "session_pppoe": ("A PPPoE session beside the IPoE one of the same line; its lease means nothing.", dialled),
        "session_pppoe_plain": ("No address yet, no echoes, no clamping, untagged.", silent),
        "pppoe_service": ("All of it, with a key that is being replaced.", service),
        "nat_policy": ("Everything set.", nat_policy),
        "session_nat": ("Two blocks of one public address, and a port forwarded.", translated),
        "session_nat_static": ("A public address of its own.", static),
        "route_nat": ("Public addresses of NAT.", nat_route),
        "pppoe_service_plain": ("The empty name only, no RFC 4638, answered at once.", plain),
        "filter": ("Rules with every part, and with none but action and direction.", filtered),
        "port_ipv6": ("An address on every line, and headers nobody may send; 0 in a list is emitted.", port6),
        "server_identity_ipv6": ("Both families.", identity6),
        "next_hop_gateway_ipv6": ("A router known by its link-local address.", gateway6),
        "route_ipv6_default": ("Sixteen zero bytes.", default6),
        "route_ipv6_subscribers": ("A pool's prefix.", subscribers6),
        "filter_ipv6": ("Prefixes of the other family.", filtered6),
        "session_dual_stack": ("Both families, neither of the leases in canon; an IAID of 0.", dual),
        "session_ipv6_pppoe": ("IPv6 alone, over PPPoE, and nothing served by the node.", only6),
        "session_ipv6_empty_messages": ("Present but empty at every depth.", empty6),
        "session_empty_messages": (
            "Present but empty: line and ipv4 appear with length 0, though ipv4 holds an agent-owned field.",
            empty,
        ),
    }


def identity_frames():
    """What minor 1 added."""
    A, C = s.AgentFrame, s.ControllerFrame
    nonce, other = bytes(range(32)), bytes(range(0x40, 0x60))
    emit("agent_hello_minor_1", "A hello of an agent that speaks minors 0 and 1.", A(hello=s.Hello(
        node_id="edge1", protocol_minor_max=1, boot_id=bytes(range(16)), next_event_sequence=1)))
    emit("controller_hello_reply_minor_1", "Minor 1 agreed on.", C(hello_reply=s.HelloReply(
        association_id=bytes(range(0xA0, 0xB0)), protocol_minor=1, controller_id="ctl1", node_term=1, heartbeat_interval_ms=1000,
        heartbeat_timeout_ms=5000, utc_unix_ms=1_800_000_000_123)))
    emit("controller_challenge_psk", "A kind without fields is there all the same.", C(challenge=i.Challenge(
        challenge_id=1, nonce=nonce, psk=i.PSKChallenge())))
    emit("controller_challenge_quote", "Three registers.", C(challenge=i.Challenge(
        challenge_id=1, nonce=nonce, quote=i.QuoteChallenge(pcrs=[0, 7, 23]))))
    emit("controller_challenge_activation", "The second question.", C(challenge=i.Challenge(
        challenge_id=2, nonce=other, activation=i.ActivationChallenge(credential_blob=b"\0\2\1\2", encrypted_secret=b"\0\1\3"))))
    emit("agent_proof_psk", "Nonce and HMAC.", A(proof=i.Proof(challenge_id=1, psk=i.PSKProof(nonce=other, mac=nonce))))
    emit("agent_proof_quote", "Everything a quote comes with.", A(proof=i.Proof(challenge_id=1, quote=i.QuoteEvidence(
        ek_public=b"\1", ek_certificate=b"\2", ak_public=b"\3", attest=b"\4", signature=b"\5", event_log=b"\6"))))
    emit("agent_proof_activation", "The secret.", A(proof=i.Proof(challenge_id=2, activation_secret=nonce)))
    emit("agent_proof_failure", "Words instead.", A(proof=i.Proof(challenge_id=1, failure="this node has no TPM (tpm = TCTI)")))
    emit("agent_enrol_request", "A host that has no name yet.", A(enrol_request=i.EnrolRequest(
        serial="SN-1", signing_request=bytes(range(8)), agent_version="0.1.0", kernel_release="6.1.0",
        interfaces=[r.PortInfo(name="eth0"), r.PortInfo(name="eth1")])))
    emit("controller_enrol_reply_pending", "Ask again.", C(enrol_reply=i.EnrolReply(
        status=i.ENROL_STATUS_PENDING, message="an operator has to approve it", retry_after_ms=5000)))
    emit("controller_enrol_reply_refused", "Not this one.", C(enrol_reply=i.EnrolReply(
        status=i.ENROL_STATUS_REFUSED, message="an operator refused it")))
    emit("controller_enrol_reply_approved", "A node.", C(enrol_reply=i.EnrolReply(
        status=i.ENROL_STATUS_APPROVED, node_id="edge1", certificates=[b"\1\2", b"\3"], authority=b"\4\5",
        ports=[i.EnrolPort(interface="eth0", role=d.PORT_ROLE_ACCESS), i.EnrolPort(interface="eth1", role=d.PORT_ROLE_CORE)])))
    emit("controller_error_attestation", "A proof was refused.", C(error=s.ErrorNotice(
        code=s.ERROR_CODE_ATTESTATION, message="psk_wrong: not the key, or a proof of another connection")))
    emit("controller_error_not_approved", "A certificate was revoked.", C(error=s.ErrorNotice(
        code=s.ERROR_CODE_NOT_APPROVED, message="the certificate 01 was revoked", field_path="2.1")))


def frames(objs):
    BOOT, ASSOC = bytes(range(16)), bytes(range(0xA0, 0xB0))
    now = 1_800_000_000_123
    counters = r.SessionCounters(
        session_id=(1 << 48) | 1, up_packets=10, up_bytes=1000, down_packets=2**40, down_bytes=2**50,
        dropped_packets=3, last_drop_reason="spoofed_source", last_drop_unix_ms=now, generation=1,
        lease_expires_unix_ms=now + 1000, dhcp_fast_path_replies=4, ppp_echoes_answered=5, ppp_echoes_sent=6,
        ppp_echo_replies=7, ipv6_up_packets=2, ipv6_up_bytes=200, ipv6_down_packets=2**39, ipv6_down_bytes=2**49,
        ipv6_lease_expires_unix_ms=now + 2000, router_advertisements=8, dhcpv6_fast_path_replies=9,
    )
    info = r.PortInfo(
        name="access0", role=d.PORT_ROLE_ACCESS, interface_index=4, mac=mac("02:00:00:00:aa:01"),
        mtu_bytes=1500, mode=r.XDP_MODE_NATIVE, link_up=True, driver="veth",
    )
    A, C = s.AgentFrame, s.ControllerFrame
    emit("agent_hello", "First frame of the state lane.", A(hello=s.Hello(
        node_id="edge1", protocol_minor_min=0, protocol_minor_max=0, boot_id=BOOT,
        epochs=[s.FamilyEpoch(family=f, state_epoch=0x0102030405060700 + f) for f in range(1, 10)],
        ports=[info], capabilities=[r.Capability(name="sessions", limit=65536), r.Capability(name="dhcpv4_fast_path")],
        terms=[s.ScopeTerm(scope="node", term=41)], agent_version="0.1.0", program_version="xdp_access:0011223344556677",
        kernel_release="6.1.0", utc_unix_ms=now, next_event_sequence=1)))
    emit("agent_lane_hello", "First frame of the punt lane.", A(lane_hello=s.LaneHello(
        lane=s.LANE_PUNT, association_id=ASSOC, boot_id=BOOT)))
    emit("agent_heartbeat", "With queue depths.", A(heartbeat=s.AgentHeartbeat(
        sequence=3, utc_unix_ms=now, punt_queue_depth=1, event_queue_depth=2, apply_queue_depth=3, lost_events=4,
        sessions=65536)))
    emit("agent_batch_result", "One item of each outcome, with final counters.", A(batch_result=s.BatchResult(
        batch_id=9, results=[
            s.ItemResult(family=d.FAMILY_PORT, object_id=1, generation=3, code=s.ERROR_CODE_OK),
            s.ItemResult(family=d.FAMILY_SESSION, object_id=8, generation=4, code=s.ERROR_CODE_STALE_GENERATION),
            s.ItemResult(family=d.FAMILY_SESSION, object_id=9, code=s.ERROR_CODE_UNSUPPORTED, field_path="17.4.99",
                         message="unknown critical field"),
            s.ItemResult(family=d.FAMILY_SESSION, object_id=(1 << 48) | 1, code=s.ERROR_CODE_OK,
                         final_counters=counters)])))
    emit("agent_batch_refused", "The whole batch refused.", A(batch_result=s.BatchResult(
        batch_id=10, error=s.ErrorNotice(code=s.ERROR_CODE_STALE_TERM, message="term 3 is older than 41"))))
    emit("agent_audit_summary", "Two families.", A(audit_summary=s.AuditSummary(request_id=5, families=[
        s.FamilyDigest(family=d.FAMILY_PORT, digest=bytes(16)),
        s.FamilyDigest(family=d.FAMILY_SESSION, count=2, digest=bytes.fromhex("ff" * 16))])))
    emit("agent_audit_page", "The last page.", A(audit_page=s.AuditPage(
        request_id=6, family=d.FAMILY_SESSION, last=True,
        entries=[s.AuditEntry(object_id=1, generation=2, digest=ASSOC)])))
    emit("agent_punts", "A DISCOVER's beginning.", A(punts=s.PuntBatch(dropped=7, punts=[s.Punt(
        punt_class=d.PUNT_CLASS_DHCPV4, reason="dhcp_unknown_line", port="access0", access_domain_id=1,
        frame=bytes.fromhex("ffffffffffff02000000000188a800648100000708004500"), received_unix_ms=now)])))
    emit("agent_events", "All three kinds, and the other lease.", A(events=r.EventBatch(lost=1, events=[
        r.Event(sequence=1, utc_unix_ms=now, lease_renewed=r.LeaseRenewed(
            session_id=1, session_generation=2, expires_unix_ms=now + 3_600_000)),
        r.Event(sequence=2, utc_unix_ms=now, session_lapsed=r.SessionLapsed(
            session_id=2, session_generation=2, cause="lost_carrier")),
        r.Event(sequence=3, utc_unix_ms=now, port_changed=r.PortChanged(port=info)),
        r.Event(sequence=4, utc_unix_ms=now, lease_renewed=r.LeaseRenewed(
            session_id=1, session_generation=2, ipv6_expires_unix_ms=now + 3_600_000))])))
    emit("agent_counters", "Node and port counters.", A(counters=r.CounterReport(utc_unix_ms=now, ports=[info], counters=[
        r.NamedCounter(name="drop.spoofed_source", port="access0", value=5),
        r.NamedCounter(name="inject.sent", value=2**63)])))
    emit("agent_session_counters", "One session.", A(session_counters=r.SessionCountersReply(
        request_id=8, sessions=[counters], last=True)))
    emit("agent_error", "A notice with path and retry.", A(error=s.ErrorNotice(
        code=s.ERROR_CODE_INVALID, message="limit", field_path="7.4", retry_after_ms=100)))

    emit("controller_hello_reply", "Answer to hello.", C(hello_reply=s.HelloReply(
        association_id=ASSOC, protocol_minor=0, controller_id="ctl1", node_term=42, heartbeat_interval_ms=1000,
        heartbeat_timeout_ms=5000, utc_unix_ms=now)))
    emit("controller_lane_hello_reply", "Answer to a lane's hello.", C(lane_hello_reply=s.LaneHelloReply(
        lane=s.LANE_TELEMETRY)))
    emit("controller_heartbeat", "Answer to heartbeat 3.", C(heartbeat=s.ControllerHeartbeat(sequence=3, utc_unix_ms=now)))
    batch = s.Batch(batch_id=11, scope="node", term=42)
    for _, obj in objs.values():
        batch.items.add().upsert.CopyFrom(obj)
    getattr(batch.items.add(), "delete").CopyFrom(s.Delete(family=d.FAMILY_SESSION, object_id=4, generation=9))
    batch.items.add().acknowledge_final = 4
    emit("controller_batch", "Every object vector, a delete and an acknowledgement.", C(batch=batch))
    emit("controller_audit_request", "Smallest useful form.", C(audit_request=s.AuditRequest(request_id=5)))
    emit("controller_audit_page_request", "Smallest useful form.", C(audit_page_request=s.AuditPageRequest(
        request_id=6, family=d.FAMILY_SESSION, after_object_id=2**63, limit=4096)))
    emit("controller_punt_credit", "Smallest useful form.", C(punt_credit=s.PuntCredit(punt_class=d.PUNT_CLASS_DHCPV4, credits=1000)))
    emit("controller_injects", "One conditional, one not.", C(injects=s.InjectBatch(injects=[
        s.Inject(port="access0", frame=bytes(range(64)), requires_session_id=1, requires_generation=2),
        s.Inject(port="access0", frame=bytes(14))])))
    emit("controller_event_ack", "Smallest useful form.", C(event_ack=s.EventAck(sequence=3)))
    emit("controller_session_counters_request", "Smallest useful form.", C(session_counters_request=s.SessionCountersRequest(
        request_id=8, session_ids=[1, 2**64 - 1])))
    emit("controller_error", "Smallest useful form.", C(error=s.ErrorNotice(code=s.ERROR_CODE_UNKNOWN_NODE, message="no node edge9")))

    emit("refused_zero_length", "Length 0.", raw=bytes(4), error=["MALFORMED"], type_name="ControllerFrame")
    emit("refused_too_large", "One more than the limit; the body need not follow.", raw=struct.pack(">I", 1048577),
         error=["FRAME_TOO_LARGE"], type_name="ControllerFrame")
    emit("refused_truncated_field", "A length-delimited field longer than the frame.",
         raw=struct.pack(">I", 2) + bytes.fromhex("2a05"), error=["MALFORMED"], type_name="ControllerFrame")
    emit("refused_unknown_body", "Body field 15.", raw=struct.pack(">I", 2) + bytes.fromhex("7a00"),
         error=["UNKNOWN_MESSAGE"], type_name="ControllerFrame")

    def with_unknown(obj, name, head, error, raw):
        emit("object_refused_" + name, head, raw=raw, error=error, type_name="Object")

    base = objs["session_qinq"][1]
    copy = d.Object()
    copy.CopyFrom(base)
    ipv4 = copy.session.ipv4.SerializeToString() + b"\x98\x06\x01"  # 99, varint 1
    sess = d.Session()
    sess.CopyFrom(copy.session)
    sess.ClearField("ipv4")
    sess_raw = sess.SerializeToString() + b"\x22" + bytes([len(ipv4)]) + ipv4
    copy.ClearField("session")
    raw = copy.SerializeToString() + b"\x8a\x01" + bytes([len(sess_raw)]) + sess_raw
    with_unknown(copy, "unknown_field", "Field 99 of SessionIPv4 is critical.", ["UNSUPPORTED", "17.4.99"], raw)
    raw1000 = d.Object(object_id=6, generation=2).SerializeToString() + b"\x72\x05\x08\x02" + b"\xc0\x3e\x01"
    with_unknown(None, "ignorable_field", "Field 1000 of NextHop may be ignored: accepted.", ["OK"], raw1000)
    with_unknown(None, "unknown_enum", "NextHop.kind 77.", ["UNSUPPORTED", "14.1"],
                 d.Object(object_id=6, generation=2).SerializeToString() + b"\x72\x02\x08\x4d")
    with_unknown(None, "unknown_family", "Object field 99: a family this version does not know.", ["UNSUPPORTED", "99"],
                 d.Object(object_id=6, generation=2).SerializeToString() + b"\x9a\x06\x00")

    ipv6 = objs["session_ipv6_pppoe"][1].session.ipv6.SerializeToString() + b"\x98\x06\x01"  # 99, varint 1
    raw = d.Session(line=d.Line(access_domain_id=2)).SerializeToString() + b"\x5a" + bytes([len(ipv6)]) + ipv6
    with_unknown(None, "ipv6_unknown_field", "Field 99 of SessionIPv6 is critical.", ["UNSUPPORTED", "17.11.99"],
                 d.Object(object_id=5, generation=1).SerializeToString() + b"\x8a\x01" + bytes([len(raw)]) + raw)

    def dual(change):
        obj = d.Object()
        obj.CopyFrom(objs["session_dual_stack"][1])
        change(obj.session.ipv6)
        return obj

    def other(name, change):
        obj = d.Object()
        obj.CopyFrom(objs[name][1])
        change(getattr(obj, obj.WhichOneof("body")))
        return obj

    def put(field, value):
        return lambda message: setattr(message, field, value)

    def short_prefix(ipv6):
        ipv6.prefixes[0].address = bytes(15)

    def host_bits(ipv6):
        ipv6.prefixes[1].length = 36

    def stranger(ipv6):
        ipv6.dhcpv6.associations[1].resource.length = 57

    def long_advertisement(ipv6):
        ipv6.router_advertisement += bytes(489)

    def long_reply(ipv6):
        ipv6.dhcpv6.reply_options = bytes(513)

    def short_client(ipv6):
        ipv6.dhcpv6.client_id = bytes(2)

    def long_server(ipv6):
        ipv6.dhcpv6.server_id = bytes(131)

    def resourceless(ipv6):
        ipv6.dhcpv6.associations[0].ClearField("resource")

    def many_prefixes(ipv6):
        ipv6.prefixes.extend([prefix6(f"2001:db8:3::{i:x}/128") for i in range(1, 16)])

    for name, head, path, obj in [
        ("ipv6_prefix_short", "An address of 15 bytes.", "17.11.1", dual(short_prefix)),
        ("ipv6_prefix_host_bits", "2001:db8:100::/36.", "17.11.1", dual(host_bits)),
        ("ipv6_prefixes_many", "17 prefixes.", "17.11.1", dual(many_prefixes)),
        ("ipv6_valid", "59 s.", "17.11.3", dual(put("valid_seconds", 59))),
        ("ipv6_advertisement_long", "513 bytes.", "17.11.5", dual(long_advertisement)),
        ("ipv6_advertisement_other", "A Neighbor Advertisement.", "17.11.5", dual(
            put("router_advertisement", b"\x88" + bytes(23)))),
        ("ipv6_interval", "1,801 s.", "17.11.6", dual(put("advertisement_interval_seconds", 1801))),
        ("ipv6_client_id_short", "A DUID of two bytes.", "17.11.7.1", dual(short_client)),
        ("ipv6_server_id_long", "A DUID of 131 bytes.", "17.11.7.2", dual(long_server)),
        ("ipv6_resource_foreign", "A resource that is none of the prefixes.", "17.11.7.3", dual(stranger)),
        ("ipv6_resource_missing", "An association without a resource.", "17.11.7.3", dual(resourceless)),
        ("ipv6_reply_long", "513 bytes.", "17.11.7.4", dual(long_reply)),
        ("ipv6_link_local", "Site-local is not link-local.", "11.8", other(
            "port_ipv6", put("ipv6_link_local", ip6("fec0::1")))),
        ("ipv6_identity", "A group is nobody's address.", "12.3", other(
            "server_identity_ipv6", put("ipv6_address", ip6("ff02::1")))),
        ("ipv6_gateway_of_both", "A gateway has one address.", "14.4", other(
            "next_hop_gateway_ipv6", put("ipv4_address", ip("192.0.2.1")))),
        ("ipv6_route_length", "129.", "15.3", other("route_ipv6_default", put("prefix_length", 129))),
        ("route_prefix_of_six_bytes", "Neither family's.", "15.2", other("route_ipv6_default", put("prefix", bytes(6)))),
        ("ipv6_rule_host_bits", "2001:db8:ffff::/40.", "18.1.3", other(
            "filter_ipv6", lambda it: setattr(it.rules[0], "remote_prefix_length", 40))),
    ]:
        emit("object_refused_" + name, head, raw=obj.SerializeToString(deterministic=True), error=["INVALID", path],
             type_name="Object")

    def changed(name, **fields):
        obj = d.Object()
        obj.CopyFrom(objs[name][1])
        part = obj.session.pppoe if obj.HasField("session") else obj.pppoe_service
        for field, value in fields.items():
            setattr(part, field, value)
        return obj

    relay = changed("session_pppoe")
    relay.session.line.relay_address, relay.session.line.relay_mac = ip("100.64.255.254"), mac("02:00:00:00:ff:fe")
    fast = changed("session_pppoe")
    fast.session.ipv4.dhcp_fast_path = True
    refused = {
        "pppoe_id_zero": ("Session id 0 is discovery's.", "17.10.1", changed("session_pppoe", pppoe_id=0)),
        "pppoe_id_reserved": ("RFC 2516 4: 65,535 is reserved.", "17.10.1", changed("session_pppoe", pppoe_id=65535)),
        "pppoe_failures_missing": ("Echoes without a limit.", "17.10.5", changed("session_pppoe", echo_failures=0)),
        "pppoe_relay": ("No relay stands between PPPoE peers.", "17.1.7", relay),
        "pppoe_fast_path": ("PPPoE has no DHCP.", "17.4.3", fast),
        "service_short_key": ("A key of 15 bytes.", "19.7", changed("pppoe_service", cookie_key=bytes(15))),
        "service_long_previous_key": ("A key of 17 bytes.", "19.8", changed("pppoe_service", previous_cookie_key=bytes(17))),
        "service_empty_name": ("The empty name is always offered.", "19.3", changed("pppoe_service")),
        "service_nameless": ("RFC 2516 5.2: a PADO has an AC-Name.", "19.2", changed("pppoe_service", ac_name="")),
    }
    refused["service_empty_name"][2].pppoe_service.service_names.append("")
    for name, (head, path, obj) in refused.items():
        emit("object_refused_" + name, head, raw=obj.SerializeToString(deterministic=True), error=["INVALID", path],
             type_name="Object")
    raw = objs["pppoe_service_plain"][1].pppoe_service.SerializeToString() + b"\x98\x06\x01"
    with_unknown(None, "service_unknown_field", "Field 99 of PPPoEService is critical.", ["UNSUPPORTED", "19.99"],
                 d.Object(object_id=5, generation=1).SerializeToString() + b"\x9a\x01" + bytes([len(raw)]) + raw)


objs = objects()
for name, (head, obj) in objs.items():
    emit_object(name, head, obj)
frames(objs)
identity_frames()

if "--check" in sys.argv:
    bad = [n for n, t in files.items() if not (OUT / n).exists() or (OUT / n).read_text() != t]
    bad += [p.name for p in OUT.glob("*.txt") if p.name not in files]
    sys.exit(f"vectors differ from their generator: {', '.join(sorted(bad))}" if bad else 0)
OUT.mkdir(parents=True, exist_ok=True)
for name, text in files.items():
    (OUT / name).write_text(text)
print(f"{len(files)} vectors")
