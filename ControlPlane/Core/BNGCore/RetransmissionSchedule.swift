// SPDX-License-Identifier: Apache-2.0
// When a request that nobody answered is sent again (RFC 5080 2.2.1, RFC 8415 15).

/// The waits of one request to one server: each about twice the one before, up to a limit, none of them exact, so that
/// requests lost together are not sent again together.
public struct RetransmissionSchedule: Equatable, Sendable {
    /// Bounds of a schedule, in milliseconds.
    public struct Limits: Equatable, Sendable {
        /// IRT: the first wait.
        public var initialMs: Int64
        /// MRT: the longest.
        public var maximumMs: Int64
        /// MRC: how often a request is sent in all.
        public var transmissions: Int

        public init(initialMs: Int64, maximumMs: Int64, transmissions: Int) {
            self.initialMs = initialMs
            self.maximumMs = maximumMs
            self.transmissions = transmissions
        }
    }

    private let limits: Limits
    private var previousMs: Int64 = 0
    /// How often the request was sent.
    public private(set) var transmissions = 0

    public init(_ limits: Limits) {
        self.limits = limits
    }

    /// Called when the request is sent: how long to wait for its answer. nil: it was sent often enough already.
    public mutating func sent(using generator: inout some RandomNumberGenerator) -> Int64? {
        guard self.transmissions < self.limits.transmissions else { return nil }
        self.transmissions += 1
        // RAND is between -0.1 and +0.1, of the wait before or, at either end, of the wait itself.
        var wait = 2 * self.previousMs
        var base = self.previousMs
        if base == 0 { (wait, base) = (self.limits.initialMs, self.limits.initialMs) }
        if wait > self.limits.maximumMs { (wait, base) = (self.limits.maximumMs, self.limits.maximumMs) }
        let tenth = max(base / 10, 1)
        self.previousMs = max(1, wait + Int64.random(in: -tenth...tenth, using: &generator))
        return self.previousMs
    }
}
