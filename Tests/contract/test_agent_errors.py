# SPDX-License-Identifier: Apache-2.0
"""docs/contract.md, section 4, line by line: what is refused, by which name, and what it does to the connection."""

import struct

import pytest
from agent_controller import Closed, base_objects, d, s, session


def notice_then_close(controller, lane):
    """The error notice's code name; then the agent must close the lane."""
    notice = controller.expect("error", lane)
    with pytest.raises(Closed):
        while controller.lanes[lane].receive(5) is not None:
            pass
    return s.ErrorCode.Name(notice.code)[len("ERROR_CODE_") :]


RAW = {
    "FRAME_TOO_LARGE": struct.pack(">I", (1 << 20) + 1),
    "MALFORMED": struct.pack(">I", 0),
    "UNKNOWN_MESSAGE": struct.pack(">I", 2) + b"\x7a\x00",
}


@pytest.mark.parametrize("code", RAW)
@pytest.mark.parametrize("lane", [s.LANE_STATE, s.LANE_PUNT, s.LANE_TELEMETRY])
def test_nonsense_closes_the_lane_by_name(associated, code, lane):
    associated.lanes[lane].send_raw(RAW[code])
    assert notice_then_close(associated, lane) == code
    if lane == s.LANE_STATE:
        for other in (s.LANE_PUNT, s.LANE_TELEMETRY):
            with pytest.raises(Closed):
                while associated.lanes[other].receive(5) is not None:
                    pass
        associated.greet()
    else:
        assert associated.take_lane() == lane
    associated.apply(session(1), *base_objects())


def test_truncated_body_is_malformed(associated):
    associated.state.send_raw(struct.pack(">I", 2) + b"\x2a\x05")
    assert notice_then_close(associated, s.LANE_STATE) == "MALFORMED"


def test_wrong_lane_and_wrong_time_are_unexpected(associated):
    associated.punt.send(batch=s.Batch(batch_id=1, scope="node", term=1, items=[s.BatchItem(upsert=session(1))]))
    assert notice_then_close(associated, s.LANE_PUNT) == "UNEXPECTED"
    associated.take_lane()
    assert associated.audit()[d.FAMILY_SESSION][0] == 0
    associated.telemetry.send(event_ack=s.EventAck(sequence=1 << 40))
    assert notice_then_close(associated, s.LANE_TELEMETRY) == "UNEXPECTED"
    associated.take_lane()
    associated.state.send(hello_reply=s.HelloReply(association_id=bytes(16)))
    assert notice_then_close(associated, s.LANE_STATE) == "UNEXPECTED"


def test_frame_before_the_hello_is_answered(agent, controller):
    agent.start()
    lane = controller.accept()
    assert lane.receive().WhichOneof("body") == "hello"
    lane.send(batch=s.Batch(batch_id=1, scope="node", term=1))
    controller.lanes = {s.LANE_STATE: lane}
    assert notice_then_close(controller, s.LANE_STATE) == "UNEXPECTED"


def test_connection_cut_inside_a_frame_applies_nothing(associated):
    body = s.ControllerFrame(batch=s.Batch(
        batch_id=1, scope="node", term=1, items=[s.BatchItem(upsert=session(1))])).SerializeToString()
    associated.state.send_raw(struct.pack(">I", len(body)) + body[:-1])
    associated.close()
    associated.greet()
    assert associated.audit()[d.FAMILY_SESSION][0] == 0


def test_drip_fed_frames_are_understood(associated):
    body = s.ControllerFrame(batch=s.Batch(
        batch_id=77, scope="node", term=1, items=[s.BatchItem(upsert=session(1))])).SerializeToString()
    for byte in struct.pack(">I", len(body)) + body:
        associated.state.send_raw(bytes([byte]))
    result = associated.expect("batch_result", where=lambda m: m.batch_id == 77)
    assert result.results[0].code == s.ERROR_CODE_OK


def test_unknown_critical_field_refuses_the_item_with_its_path(associated):
    good = session(1)
    ipv4 = good.session.ipv4.SerializeToString() + b"\x98\x06\x01"
    bare = d.Session()
    bare.CopyFrom(good.session)
    bare.ClearField("ipv4")
    raw_session = bare.SerializeToString() + b"\x22" + bytes([len(ipv4)]) + ipv4
    raw = d.Object(object_id=1, generation=1).SerializeToString() + b"\x8a\x01" + bytes([len(raw_session)]) + raw_session
    result = associated.batch([s.BatchItem(upsert=d.Object.FromString(raw)), s.BatchItem(upsert=session(2))])
    assert result.results[0].code == s.ERROR_CODE_UNSUPPORTED and result.results[0].field_path == "17.4.99"
    assert result.results[1].code == s.ERROR_CODE_OK


def test_unknown_fields_of_the_batch_and_too_many_items_refuse_it_whole(associated):
    batch = s.Batch.FromString(
        s.Batch(batch_id=5, scope="node", term=1, items=[s.BatchItem(upsert=session(1))]).SerializeToString() + b"\x48\x01")
    associated.state.send(batch=batch)
    result = associated.expect("batch_result", where=lambda m: m.batch_id == 5)
    assert result.error.code == s.ERROR_CODE_UNSUPPORTED and result.error.field_path == "5.9" and not result.results
    result = associated.batch([s.BatchItem(acknowledge_final=n + 1) for n in range(4097)])
    assert result.error.code == s.ERROR_CODE_LIMIT
    result = associated.batch([s.BatchItem()])
    assert result.results[0].code == s.ERROR_CODE_UNSUPPORTED
    assert associated.audit()[d.FAMILY_SESSION][0] == 0


def test_bad_page_requests_are_answered_and_the_lane_stays(associated):
    for limit, family in ((0, d.FAMILY_SESSION), (4097, d.FAMILY_SESSION), (10, 99)):
        associated.state.send(audit_page_request=s.AuditPageRequest(request_id=1, family=family, limit=limit))
        assert associated.expect("error").code == s.ERROR_CODE_INVALID
    associated.apply(session(1))


def test_silence_ends_the_association_but_deletes_nothing(agent, controller):
    controller.heartbeat_ms, controller.timeout_ms = 100, 500
    agent.start()
    controller.greet()
    controller.apply(*base_objects(), session(1))
    before = controller.audit()
    controller.answer_heartbeats = False
    assert notice_then_close(controller, s.LANE_STATE) == "HEARTBEAT_LOST"
    controller.answer_heartbeats = True
    controller.greet()
    assert controller.audit() == before


def test_a_flood_of_small_batches_is_answered_in_order(associated):
    total = 20000
    body = b""
    for i in range(total):
        frame = s.ControllerFrame(batch=s.Batch(batch_id=10 + i, scope="node", term=1)).SerializeToString()
        body += struct.pack(">I", len(frame)) + frame
    import threading

    sender = threading.Thread(target=lambda: associated.state.send_raw(body))
    sender.start()
    for i in range(total):
        assert associated.expect("batch_result").batch_id == 10 + i
    sender.join()
