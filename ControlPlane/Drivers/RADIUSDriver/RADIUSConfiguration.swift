// SPDX-License-Identifier: Apache-2.0
// What the client is told: servers, groups, how this NAS presents itself, and every limit.

import BNGCore
import RADIUS
import RADIUSContract

/// What a server is asked for.
public enum RADIUSRole: String, Sendable { case authentication, accounting }

/// Something that keeps the driver from starting.
public struct RADIUSDriverError: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// Settings of a `RADIUSClient`.
public struct RADIUSConfiguration: Sendable {
    /// How a server is reached.
    public enum Transport: Sendable, Equatable {
        /// An address, not a name: a name could point elsewhere while requests are under way.
        case udp(address: String, authenticationPort: Int, accountingPort: Int, secretFile: String)
        /// RadSec (RFC 6614). PEM files; `authority` signs the server's certificate, which names `host`.
        case tls(host: String, port: Int, certificate: String, key: String, authority: String)
    }

    public struct Server: Sendable, Equatable {
        public var name: String
        public var transport: Transport
        /// The first wait for an answer.
        public var timeoutMs: Int64 = 1_000
        /// How often a request is sent again.
        public var retries = 2
        /// The server answers Status-Server.
        public var usesStatusServer = true
        /// Access answers without a Message-Authenticator are not believed.
        public var requiresMessageAuthenticator = true

        public init(name: String, transport: Transport) {
            self.name = name
            self.transport = transport
        }
    }

    public enum Policy: String, Sendable {
        /// The first that lives, in order.
        case failOver = "fail-over"
        /// The one with the fewest requests in flight.
        case loadBalance = "load-balance"
    }

    /// Servers of one role, by name.
    public struct Group: Sendable, Equatable {
        public var servers: [String]
        public var policy = Policy.failOver
        /// After that nobody has answered, whatever the servers' own times.
        public var totalMs: Int64

        public init(servers: [String], policy: Policy = .failOver, totalMs: Int64) {
            self.servers = servers
            self.policy = policy
            self.totalMs = totalMs
        }
    }

    /// Bounds on what load can make grow.
    public struct Limits: Sendable, Equatable {
        /// UDP sockets to one server in one role; each carries 256 requests.
        public var sockets = 16
        /// TLS connections to one server in one role; each carries 256 requests.
        public var connections = 4
        /// Requests in one role, sent and waiting to be sent.
        public var requests = 8_192

        public init() {}
    }

    public var servers: [Server]
    public var authentication: Group
    public var accounting: Group
    /// When a server counts as dead; whether it is probed is the server's own setting.
    public var liveness = ServerLivenessMachine.Settings()
    public var profile = NASProfile()
    public var mapping = AttributeMapping()
    /// User-Password of customers whose line is the proof; nil: an empty one.
    public var passwordFile: String?
    /// Where requests come from; nil: what the routing table says.
    public var sourceAddress: String?
    public var limits = Limits()

    public init(servers: [Server], authentication: Group, accounting: Group) {
        self.servers = servers
        self.authentication = authentication
        self.accounting = accounting
    }
}
