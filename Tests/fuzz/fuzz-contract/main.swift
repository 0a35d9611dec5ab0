// SPDX-License-Identifier: Apache-2.0
// Fuzzes what an agent can send, and objects: whatever decodes must survive being encoded and decoded again.
// The first byte chooses the message; the rest is its body. Run by `make fuzz T=contract`.

import AgentContract
import AgentProto
import Fleet
import Foundation
import FuzzDriver
import SwiftProtobuf

let target: FuzzTarget = { bytes, count in
    let data = input(bytes, count)
    guard let kind = data.first else { return 0 }
    let body = Array(data.dropFirst())
    switch kind % 4 {
    case 0:
        guard let frame = try? FrameCodec.agentFrame(body: body.span.bytes) else { return 0 }
        guard let again = try? FrameCodec.splitFrame(FrameCodec.frame(frame)) else { return 0 }
        let second = try? FrameCodec.agentFrame(body: again.span.bytes)
        precondition(second == frame, "an agent frame changed")
        report(frame)
    case 1:
        guard let frame = try? FrameCodec.controllerFrame(body: body.span.bytes) else { return 0 }
        guard let again = try? FrameCodec.splitFrame(FrameCodec.frame(frame)) else { return 0 }
        precondition((try? FrameCodec.controllerFrame(body: again.span.bytes)) == frame, "a controller frame changed")
    case 2:
        guard let object = try? Wire.Object(serializedBytes: body) else { return 0 }
        let digest = ObjectDigest(object)
        guard let value = try? DesiredObject(object) else { return 0 }
        precondition((try? DesiredObject(Wire.Object(value))) == value, "an object changed")
        precondition(ObjectDigest(value) == ObjectDigest(Wire.Object(value)), "two digests of one object")
        precondition(digest == ObjectDigest(value), "a digest lost a field")
    default: _ = try? FrameCodec.splitFrame(body)
    }
    return 0
}

/// Turns the reports in a frame into values, as the driver does.
func report(_ frame: Wire.AgentFrame) {
    switch frame.body {
    case .punts(let batch): for punt in batch.punts { _ = PuntedPacket(punt) }
    case .events(let batch): for event in batch.events { _ = AgentEvent(event) }
    case .sessionCounters(let reply): for counters in reply.sessions { _ = SessionCounterValues(counters) }
    case .auditPage(let page):
        var comparison = AuditComparison(.session, of: IntendedState())
        guard let entries = try? page.entries.map({ try HeldObject($0) }) else { return }
        try? comparison.add(entries, last: page.last, state: IntendedState()) { _ in false }
    default: break
    }
}

exit(fuzz(target))
