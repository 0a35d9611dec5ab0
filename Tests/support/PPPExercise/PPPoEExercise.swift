// SPDX-License-Identifier: Apache-2.0
// Whatever a client may send in discovery, taken the whole way: decoded, read, answered. The fuzzer and a unit test
// feed it.

import BNGCore
import PPPoE

/// Takes bytes the whole way; what it returns is a promise that was not kept.
public struct PPPoEExercise: Sendable {
    public init() {}

    /// nil: every promise was kept. The first byte says where the header begins.
    public func problem(with data: [UInt8]) -> String? {
        let at = Int(data.first ?? 0) % 32
        if let session = try? PPPoECodec.decodeSession(data.span, at: at) {
            guard session.payload.count >= 2, session.payload.upperBound <= data.count else {
                return "a payload is not inside its frame"
            }
        }
        guard let packet = try? PPPoECodec.decodeDiscovery(data.span, at: at) else { return nil }
        guard Self.survives(packet) else { return "an encoded packet decodes to another" }
        let parts = packet.circuitID.count + packet.remoteID.count
        guard parts <= data.count else { return "an access loop is longer than its frame" }
        if packet.circuitID.isEmpty == false, !packet.hasVendorTag { return "a circuit without its tag" }
        _ = PPPoEServiceRules(names: ["internet"], anyService: false).accepts(packet.serviceName ?? [])
        return self.answerProblem(packet)
    }

    private func answerProblem(_ packet: PPPoEDiscovery) -> String? {
        let answers = [
            PPPoEReplies.pads(for: packet, sessionID: 7, acName: "edge", maxPayload: 1_500),
            PPPoEReplies.refusal(of: packet, .serviceName, text: "no such service"),
            PPPoEReplies.padt(sessionID: 7, hostUniq: packet.hostUniq, text: "bye"),
        ]
        for answer in answers {
            guard Self.survives(answer) else { return "an answer does not decode" }
            guard answer.hostUniq == packet.hostUniq else { return "a Host-Uniq does not come back" }
        }
        guard let payload = answers[0].maxPayload else { return nil }
        return (1_493...1_500).contains(payload) && payload <= packet.maxPayload ?? 0
            ? nil : "a payload nobody offered"
    }

    private static func survives(_ packet: PPPoEDiscovery) -> Bool {
        var bytes: [UInt8] = [0xff]
        PPPoECodec.encode(packet, into: &bytes)
        return (try? PPPoECodec.decodeDiscovery(bytes.span, at: 1)) == packet
    }
}
