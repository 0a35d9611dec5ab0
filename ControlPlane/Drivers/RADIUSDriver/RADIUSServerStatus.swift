// SPDX-License-Identifier: Apache-2.0
// What a server did, for operators: counters and times.

/// Everything counted of one server in one role.
public struct RADIUSServerCounters: Sendable, Equatable {
    /// Requests sent, each once however often it was sent again.
    public var sent: UInt64 = 0
    public var retransmits: UInt64 = 0
    /// Waits for one transmission's answer that ran out.
    public var timeouts: UInt64 = 0
    public var accepts: UInt64 = 0
    public var rejects: UInt64 = 0
    /// Access-Challenges; nobody on a line can answer one.
    public var challenges: UInt64 = 0
    public var accountingResponses: UInt64 = 0
    public var probes: UInt64 = 0
    public var probeAnswers: UInt64 = 0
    /// Packets that do not decode.
    public var malformed: UInt64 = 0
    /// Wrong secret, or a forgery.
    public var badAuthenticator: UInt64 = 0
    public var badMessageAuthenticator: UInt64 = 0
    public var missingMessageAuthenticator: UInt64 = 0
    /// Answers to nothing that waits: late, or doubled.
    public var late: UInt64 = 0
    /// Packets of a kind that answers no request of this role.
    public var unexpected: UInt64 = 0
    /// Packets that came from somewhere else.
    public var wrongSource: UInt64 = 0
    /// Attributes that were left out of a grant because they were malformed.
    public var ignoredAttributes: UInt64 = 0
    /// Accepts that could not be served as they stood.
    public var refusedAccepts: UInt64 = 0
    /// Requests that went on to another server.
    public var moved: UInt64 = 0
    public var deaths: UInt64 = 0
    /// TLS connections that were lost or could not be opened.
    public var connectionFailures: UInt64 = 0
}

/// One server in one role.
public struct RADIUSServerStatus: Sendable, Equatable {
    public enum State: String, Sendable {
        case alive
        /// Waits are running out.
        case doubtful
        case dead
        /// TLS is not up.
        case disconnected
    }

    public var name: String
    public var role: RADIUSRole
    public var state: State
    public var inFlight: Int
    public var waiting: Int
    public var counters: RADIUSServerCounters
    /// Round trips of requests sent once; nil before the first.
    public var medianMicroseconds: UInt64?
    public var p99Microseconds: UInt64?
}

/// A histogram of times in steps of a quarter of a power of two; old times fade.
struct LatencyEstimate {
    private var buckets = [UInt32](repeating: 0, count: 256)
    private var total: UInt32 = 0

    mutating func add(microseconds: UInt64) {
        self.buckets[Self.bucket(microseconds)] += 1
        self.total += 1
        guard self.total >= 8_192 else { return }
        self.total = 0
        for index in self.buckets.indices {
            self.buckets[index] /= 2
            self.total += self.buckets[index]
        }
    }

    /// The time that `share` of 1000 stay below; nil without times.
    func quantile(_ share: UInt32) -> UInt64? {
        guard self.total > 0 else { return nil }
        let rank = (UInt64(self.total) * UInt64(share) + 999) / 1_000
        var seen: UInt64 = 0
        for (index, count) in self.buckets.enumerated() {
            seen += UInt64(count)
            if seen >= rank { return Self.upperBound(index) }
        }
        return nil
    }

    private static func bucket(_ value: UInt64) -> Int {
        guard value >= 4 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return exponent * 4 + Int(value >> UInt64(exponent - 2) & 3) - 4
    }

    private static func upperBound(_ bucket: Int) -> UInt64 {
        guard bucket >= 4 else { return UInt64(bucket) }
        let exponent = (bucket + 4) / 4
        let next = UInt64(4 + (bucket + 4) % 4 + 1)
        return exponent > 60 ? .max : next << UInt64(exponent - 2)
    }
}
