// SPDX-License-Identifier: Apache-2.0
// What the server of RFC 5176 is told, and what it counts.

import BNGCore
import RADIUSContract

/// Settings of a `DynamicAuthorizationServer`.
public struct DynamicAuthorizationConfiguration: Sendable {
    /// Who may send requests: an address and a secret of its own.
    public struct Client: Sendable, Equatable {
        public var address: String
        public var secretFile: String
        /// Requests without Message-Authenticator are dropped.
        public var requiresMessageAuthenticator = true

        public init(address: String, secretFile: String) {
            self.address = address
            self.secretFile = secretFile
        }
    }

    public var host: String
    public var port: Int
    public var clients: [Client]
    /// How far Event-Timestamp may be from now. Zero: requests need none, and a copy of one is a request again.
    public var windowSeconds: Int64 = 300
    /// What NAS-IP-Address must be when a request carries it.
    public var nasAddress: IPv4Address?
    public var mapping = AttributeMapping()
    public var limits = Limits()

    /// Bounds on what clients can make grow.
    public struct Limits: Sendable, Equatable {
        /// Requests without an answer yet.
        public var inFlight = 4_096
        /// How long a request may stay without an answer.
        public var answerMs: Int64 = 30_000
        /// How long the answer to a request is given again to a copy of it.
        public var repeatMs: Int64 = 30_000
        /// Requests remembered, so that a copy is known as one.
        public var remembered = 1 << 20

        public init() {}
    }

    public init(host: String, port: Int = 3_799, clients: [Client]) {
        self.host = host
        self.port = port
        self.clients = clients
    }
}

/// What the server did.
public struct DynamicAuthorizationCounters: Sendable, Equatable {
    public var disconnects: UInt64 = 0
    public var changes: UInt64 = 0
    public var acknowledged: UInt64 = 0
    public var refused: UInt64 = 0
    /// Copies that were answered as the first was, or whose first is still being worked on.
    public var duplicates: UInt64 = 0
    /// Copies of requests whose answer is no longer kept.
    public var replayed: UInt64 = 0
    public var unknownClient: UInt64 = 0
    public var malformed: UInt64 = 0
    public var badAuthenticator: UInt64 = 0
    public var badMessageAuthenticator: UInt64 = 0
    public var missingMessageAuthenticator: UInt64 = 0
    /// Event-Timestamp missing or outside the window.
    public var stale: UInt64 = 0
    public var unexpected: UInt64 = 0
    /// Too many in flight or remembered.
    public var overloaded: UInt64 = 0
    /// Nobody said what became of it in time.
    public var unanswered: UInt64 = 0
}
