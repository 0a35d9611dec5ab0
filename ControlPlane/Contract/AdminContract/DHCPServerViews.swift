// SPDX-License-Identifier: Apache-2.0
// What the operator API says of DHCP servers outside.

/// A group of servers in one family, as `GET /v1/dhcp-servers` lists it.
public struct DHCPServersView: Codable, Sendable, Equatable {
    public struct Server: Codable, Sendable, Equatable {
        public var address: String
        /// alive or silent.
        public var state: String
        public var sent: UInt64
        public var answered: UInt64
        public var unanswered: UInt64
        /// Times it was found silent.
        public var silences: UInt64

        public init(
            address: String, state: String, sent: UInt64, answered: UInt64, unanswered: UInt64, silences: UInt64
        ) {
            self.address = address
            self.state = state
            self.sent = sent
            self.answered = answered
            self.unanswered = unanswered
            self.silences = silences
        }
    }

    public var name: String
    /// ipv4 or ipv6.
    public var family: String
    public var servers: [Server]
    /// Exchanges under way, and those that wait for their turn.
    public var outstanding: Int
    public var waiting: Int
    /// Leases held.
    public var held: Int
    /// Zero values are left out.
    public var counters: [String: UInt64]
    /// Leases that were not got, by reason; zero values are left out.
    public var failures: [String: UInt64]

    public init(
        name: String, family: String, servers: [Server], outstanding: Int, waiting: Int, held: Int,
        counters: [String: UInt64], failures: [String: UInt64]
    ) {
        self.name = name
        self.family = family
        self.servers = servers
        self.outstanding = outstanding
        self.waiting = waiting
        self.held = held
        self.counters = counters
        self.failures = failures
    }
}
