// SPDX-License-Identifier: Apache-2.0
// `radius:` as values, defaults filled in.

import BNGCore
import RADIUS
import RADIUSContract

/// `radius:`
public struct RADIUSSettings: Sendable, Equatable {
    public var nasAddress: IPv4Address?
    /// nil: the name of the customer's node.
    public var nasIdentifier: String?
    /// Ethernet.
    public var nasPortType: UInt32 = 15
    public var calledStation: String?
    public var stationFormat = StationFormat.upperDashes
    /// Where requests come from; nil: what the routing table says.
    public var sourceAddress: String?
    /// Of User-Password for customers whose line is the proof; nil: an empty one.
    public var passwordFile: String?
    public var minimumInterim: Seconds = 60
    /// A text attribute that carries the plan's name in accounting.
    public var planAttribute: RADIUSDictionary.Entry?
    public var ipv6Accounting = NASProfile.IPv6Accounting.erx
    public var servers: [Server] = []
    public var authentication = Group(totalMs: 15_000)
    public var accounting = Group(totalMs: 30_000)
    public var deadMs: UInt32 = 30_000
    public var probeMs: UInt32 = 5_000
    /// Sockets to one server in one role.
    public var sockets = 16
    /// Requests in one role, sent and waiting.
    public var requests = 8_192
    public var rules: [AttributeRule] = []
    public var dynamicAuthorization: DynamicAuthorization?

    /// An entry of `servers:`
    public struct Server: Sendable, Equatable {
        public enum Transport: Sendable, Equatable {
            case udp(address: String, authenticationPort: Int, accountingPort: Int, secretFile: String)
            case tls(HostPort, certificate: String, key: String, authority: String)
        }

        public var name: String
        public var transport: Transport
        public var timeoutMs: UInt32 = 1_000
        public var retries = 2
        public var usesStatusServer = true
        public var requiresMessageAuthenticator = true
    }

    public enum Policy: String, Sendable, CaseIterable {
        case failOver = "fail-over"
        case loadBalance = "load-balance"
    }

    /// `authentication:` and `accounting:`
    public struct Group: Sendable, Equatable {
        /// Names; empty: this role is not RADIUS's.
        public var servers: [String] = []
        public var policy = Policy.failOver
        public var totalMs: UInt32
    }

    /// `dynamic-authorization:`
    public struct DynamicAuthorization: Sendable, Equatable {
        public struct Client: Sendable, Equatable {
            public var address: String
            public var secretFile: String
            public var requiresMessageAuthenticator = true
        }

        public var listen: HostPort
        public var clients: [Client] = []
        /// Zero: Event-Timestamp is not asked for.
        public var window: Seconds = 300
    }
}
