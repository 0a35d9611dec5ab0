# SPDX-License-Identifier: Apache-2.0
"""Hello, batches, results, audit."""

from agent_controller import base_objects, d, ip, s, session


def codes(result):
    return [s.ErrorCode.Name(x.code)[len("ERROR_CODE_") :] for x in result.results]


def test_hello_names_ports_epochs_and_limits(agent, controller):
    agent.start()
    hello = controller.greet()
    assert hello.node_id == "edge1" and len(hello.boot_id) == 16
    assert [p.name for p in hello.ports] == ["access0", "core0"]
    assert all(p.mode == 2 for p in hello.ports), "veth takes native XDP"
    assert {c.name: c.limit for c in hello.capabilities}["sessions"] == 65536
    assert len({e.state_epoch for e in hello.epochs}) == 10
    assert hello.next_event_sequence == 1


def test_batch_applies_and_equal_upserts_touch_nothing(associated):
    before = associated.audit()
    one = session(1, s_vlan=100, s_tpid=0x8100)
    associated.apply(one)
    after = associated.audit()
    assert after[d.FAMILY_SESSION][0] == 1 and before[d.FAMILY_PORT] == after[d.FAMILY_PORT]
    associated.apply(one, *base_objects())
    assert associated.audit() == after


def test_items_are_independent_and_refusals_are_named(associated):
    one, two = session(1), session(2)
    same_line, same_address = session(3), session(4)
    same_line.session.line.mac = one.session.line.mac
    same_address.session.ipv4.address = one.session.ipv4.address
    no_domain = session(5, access_domain_id=9)
    no_template = session(6)
    no_template.session.ipv4.pool_template_id = 99
    bad_vlan = session(7, s_vlan=4095, s_tpid=0x8100)
    own = session(8, address=ip("100.64.0.1"))
    stale, reused = session(2, generation=1), session(1)
    reused.session.anti_spoof = d.ANTI_SPOOF_LOG
    newer = session(2, generation=5)
    items = [one, two, same_line, same_address, no_domain, no_template, bad_vlan, own, newer, stale, reused]
    result = associated.batch([s.BatchItem(upsert=o) for o in items])
    assert codes(result) == [
        "OK", "OK", "CONFLICT", "CONFLICT", "UNKNOWN_REFERENCE", "UNKNOWN_REFERENCE", "INVALID", "CONFLICT", "OK",
        "STALE_GENERATION", "GENERATION_REUSED",
    ]
    assert [x.field_path for x in result.results[2:8]] == ["17.1", "17.4.1", "17.1.1", "17.4.2", "17.1.2", "17.4.1"]
    assert result.results[9].generation == 5
    assert associated.audit()[d.FAMILY_SESSION][0] == 2


def test_objects_in_use_are_not_deleted(associated):
    associated.apply(session(1))
    families = (d.FAMILY_PORT, d.FAMILY_SERVER_IDENTITY, d.FAMILY_POOL_TEMPLATE, d.FAMILY_NEXT_HOP)
    result = associated.batch(
        [s.BatchItem(**{"delete": s.Delete(family=f, object_id=1, generation=9)}) for f in families])
    assert codes(result) == ["IN_USE"] * 4


def test_delete_returns_final_counters_until_acknowledged(associated):
    associated.apply(session(1))
    one = s.BatchItem(**{"delete": s.Delete(family=d.FAMILY_SESSION, object_id=(1 << 48) | 1, generation=1)})
    for _ in range(2):
        result = associated.batch([one]).results[0]
        assert result.code == s.ERROR_CODE_OK and result.generation == 0
        assert result.final_counters.session_id == (1 << 48) | 1
    acknowledged = associated.batch([s.BatchItem(acknowledge_final=(1 << 48) | 1), one])
    assert codes(acknowledged) == ["OK", "OK"]
    assert not acknowledged.results[1].HasField("final_counters")


def test_older_terms_and_other_scopes_are_refused_whole(associated):
    associated.term = 7
    associated.apply(session(1))
    refused = associated.batch([s.BatchItem(upsert=session(2))], term=6)
    assert refused.error.code == s.ERROR_CODE_STALE_TERM and not refused.results
    refused = associated.batch([s.BatchItem(upsert=session(2))], scope="group-1")
    assert refused.error.code == s.ERROR_CODE_UNKNOWN_SCOPE
    assert associated.audit()[d.FAMILY_SESSION][0] == 1


def test_audit_pages_walk_all_objects(associated):
    associated.apply(*[session(n) for n in range(1, 101)])
    after, seen = 0, []
    while True:
        associated.state.send(audit_page_request=s.AuditPageRequest(
            request_id=1, family=d.FAMILY_SESSION, after_object_id=after, limit=30))
        page = associated.expect("audit_page")
        seen += [e.object_id for e in page.entries]
        if page.last:
            break
        after = seen[-1]
    assert seen == [(1 << 48) | n for n in range(1, 101)]
    total = 0
    associated.state.send(audit_page_request=s.AuditPageRequest(request_id=1, family=d.FAMILY_SESSION, limit=4096))
    for entry in associated.expect("audit_page").entries:
        total += int.from_bytes(entry.digest, "big")
    assert (total % (1 << 128)).to_bytes(16, "big") == associated.audit()[d.FAMILY_SESSION][1]


def test_session_counters_on_request(associated):
    associated.apply(*[session(n) for n in range(1, 1501)])
    associated.telemetry.send(session_counters_request=s.SessionCountersRequest(
        request_id=3, session_ids=[(1 << 48) | 5, 99]))
    reply = associated.expect("session_counters", s.LANE_TELEMETRY)
    assert [c.session_id for c in reply.sessions] == [(1 << 48) | 5] and reply.last
    associated.telemetry.send(session_counters_request=s.SessionCountersRequest(request_id=4))
    got = 0
    while True:
        reply = associated.expect("session_counters", s.LANE_TELEMETRY)
        got += len(reply.sessions)
        if reply.last:
            break
    assert got == 1500


def test_session_counter_requests_wait_their_turn_up_to_a_bound(associated):
    associated.apply(*[session(n) for n in range(1, 1101)])
    frames = b""
    for request in range(40):
        body = s.ControllerFrame(session_counters_request=s.SessionCountersRequest(request_id=request)).SerializeToString()
        frames += len(body).to_bytes(4, "big") + body
    associated.telemetry.send_raw(frames)
    finished, refused, current = [], 0, None
    while len(finished) + refused < 40:
        frame = associated.telemetry.receive()
        if frame.WhichOneof("body") == "error":
            assert frame.error.code == s.ERROR_CODE_OVERLOAD
            refused += 1
        elif frame.WhichOneof("body") == "session_counters":
            assert current in (None, frame.session_counters.request_id), "interleaved"
            current = None if frame.session_counters.last else frame.session_counters.request_id
            if frame.session_counters.last:
                finished.append(frame.session_counters.request_id)
    assert finished == sorted(finished) and len(finished) >= 16
