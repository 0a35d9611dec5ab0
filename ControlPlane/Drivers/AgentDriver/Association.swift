// SPDX-License-Identifier: Apache-2.0
// One association: the lanes of one agent process, from its answered hello to the loss of the state lane.

import AgentContract
import BNGCore
import Fleet
import NIOCore

final class Association {
    enum Phase: Equatable {
        /// The term, the configuration or the owner of the sessions is not ready.
        case preparing
        /// The first audit runs; nothing else is sent.
        case auditing
        case open
    }

    /// A batch without a result.
    struct Outstanding {
        var id: UInt64
        var items: [(item: SendItem, generation: Generation)]
        var sent: NIODeadline
    }

    let id: [UInt8]
    let bootID: [UInt8]
    let state: LaneHandler
    var punt: LaneHandler?
    var telemetry: LaneHandler?
    var phase = Phase.preparing
    var sessionsReady = false
    var lastSign: NIODeadline
    var outstanding = CircularBuffer<Outstanding>(initialCapacity: 8)
    /// No batch before this time: the agent said it is overloaded.
    var pausedUntil: NIODeadline = .uptimeNanoseconds(0)
    var events = EventWindow()
    /// Asks it again; nil: its certificate is all there is to know.
    var identity: IdentityCheck?
    /// SubjectPublicKeyInfo of the state lane; nil: a Unix socket.
    var peerKey: [UInt8]?
    var attestAt: NIODeadline?
    var proofDeadline: NIODeadline?
    /// Of the contract, agreed on.
    var minor: UInt32 = 0

    init(id: [UInt8], bootID: [UInt8], state: LaneHandler, now: NIODeadline) {
        self.id = id
        self.bootID = bootID
        self.state = state
        self.lastSign = now
    }

    var laneNames: [String] {
        ["state"] + (self.punt == nil ? [] : ["punt"]) + (self.telemetry == nil ? [] : ["telemetry"])
    }
}

/// Events handed up and not yet durable, in the order they came; acknowledged in that order (docs/contract.md section 9).
struct EventWindow: Equatable {
    private struct Part: Equatable {
        var token: UInt64
        var last: UInt64
        var durable = false
    }

    private var parts: [Part] = []
    private var nextToken: UInt64 = 1
    /// Highest sequence received on the present lane: acknowledging more is an error.
    private var highest: UInt64 = 0

    var count: Int { self.parts.count }

    /// A new telemetry lane sends everything unacknowledged again.
    mutating func laneOpened() {
        self.parts.removeAll()
        self.highest = 0
    }

    /// Takes in a batch that ends with `last`; the token names it in `durable`.
    mutating func received(through last: UInt64) -> UInt64 {
        self.highest = max(self.highest, last)
        defer { self.nextToken += 1 }
        self.parts.append(Part(token: self.nextToken, last: last))
        return self.nextToken
    }

    /// The sequence to acknowledge now, if any.
    mutating func durable(_ token: UInt64) -> UInt64? {
        guard let index = self.parts.firstIndex(where: { $0.token == token }) else { return nil }
        self.parts[index].durable = true
        var acknowledged: UInt64?
        while let first = self.parts.first, first.durable {
            acknowledged = min(first.last, self.highest)
            self.parts.removeFirst()
        }
        return acknowledged
    }
}
