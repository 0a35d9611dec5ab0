// SPDX-License-Identifier: Apache-2.0
// What the operator API says of sessions and pools.

/// One session, live or ended.
public struct SessionView: Codable, Sendable, Equatable {
    /// What the node counts for it now, or counted at its end.
    public struct Counters: Codable, Sendable, Equatable {
        public var upPackets: UInt64
        public var upBytes: UInt64
        public var downPackets: UInt64
        public var downBytes: UInt64
        public var droppedPackets: UInt64
        public var fastPathReplies: UInt64
        public var lastDropReason: String
        public var lastDropMs: Int64
        /// LCP echoes: requests of the client answered, requests sent to it, what came back.
        public var echoesAnswered: UInt64 = 0
        public var echoesSent: UInt64 = 0
        public var echoReplies: UInt64 = 0
        /// The IPv6 part of packets and bytes.
        public var ipv6UpPackets: UInt64 = 0
        public var ipv6UpBytes: UInt64 = 0
        public var ipv6DownPackets: UInt64 = 0
        public var ipv6DownBytes: UInt64 = 0
        public var routerAdvertisements: UInt64 = 0
        public var dhcpv6FastPathReplies: UInt64 = 0
        /// In use now: ports of all protocols, TCP connections and peers let in.
        public var natMappings: UInt64 = 0
        public var natFlows: UInt64 = 0
        public var natMappingsCreated: UInt64 = 0
        /// Packets that needed a port, a mapping or a connection and got none.
        public var natRefused: UInt64 = 0

        public init(
            upPackets: UInt64, upBytes: UInt64, downPackets: UInt64, downBytes: UInt64, droppedPackets: UInt64,
            fastPathReplies: UInt64 = 0, lastDropReason: String = "", lastDropMs: Int64 = 0
        ) {
            self.upPackets = upPackets
            self.upBytes = upBytes
            self.downPackets = downPackets
            self.downBytes = downBytes
            self.droppedPackets = droppedPackets
            self.fastPathReplies = fastPathReplies
            self.lastDropReason = lastDropReason
            self.lastDropMs = lastDropMs
        }
    }

    /// What the customer is served with: AAA's answer and the plan taken together.
    public struct Service: Codable, Sendable, Equatable {
        public var userName = ""
        /// open, local, radius, garden or cached.
        public var source = ""
        public var plan = ""
        public var planVersion: UInt32 = 0
        public var isGarden = false
        /// Bits per second and burst bytes; 0: not policed.
        public var rateUpBps: UInt64 = 0
        public var rateDownBps: UInt64 = 0
        public var burstUpBytes: UInt32 = 0
        public var burstDownBytes: UInt32 = 0
        public var filter = ""
        public var sessionTimeoutSeconds: UInt32 = 0
        /// 0: never.
        public var endsMs: Int64 = 0
        public var idleTimeoutSeconds: UInt32 = 0
        public var interimSeconds: UInt32 = 0
        /// end or reauthenticate.
        public var terminationAction = ""
        public var framedAddress = ""
        public var prefixLength: UInt8 = 0
        public var routes: [String] = []
        public var dns: [String] = []
        public var sessionsPerUser: UInt32 = 0
        /// Hexadecimal.
        public var classes: [String] = []
        public var replyMessage = ""
        /// Acct-Session-Id; empty: not accounted.
        public var accountingID = ""

        public init() {}
    }

    /// What a session holds of IPv6.
    public struct IPv6: Codable, Sendable, Equatable {
        /// The line's own; empty: none.
        public var prefix: String
        /// By DHCPv6.
        public var addresses: [String]
        public var delegated: [String]
        public var pools: [String]
        /// Hexadecimal; empty: no DHCPv6 client.
        public var duid: String
        /// Advertised before, and worth nothing any more.
        public var stale: [String]
        /// 0: none runs.
        public var leaseExpiresMs: Int64

        public init(
            prefix: String, addresses: [String], delegated: [String], pools: [String], duid: String, stale: [String],
            leaseExpiresMs: Int64
        ) {
            self.prefix = prefix
            self.addresses = addresses
            self.delegated = delegated
            self.pools = pools
            self.duid = duid
            self.stale = stale
            self.leaseExpiresMs = leaseExpiresMs
        }
    }

    /// The public side of a session's address.
    public struct NAT: Codable, Sendable, Equatable {
        public var address: String
        /// Ranges such as "1024-1535"; empty: one to one.
        public var ports: [String]
        public var pool: String
        /// Empty: one to one.
        public var policy: String
        /// Such as "tcp 443 to 192.168.1.2:8443".
        public var forwards: [String]

        public init(address: String, ports: [String], pool: String, policy: String, forwards: [String]) {
            self.address = address
            self.ports = ports
            self.pool = pool
            self.policy = policy
            self.forwards = forwards
        }
    }

    /// The link of a PPPoE session.
    public struct PPPoE: Codable, Sendable, Equatable {
        /// SESSION_ID.
        public var id: UInt16
        /// The Service-Name asked for.
        public var service: String
        /// pap, chap, ms-chap-v2 or none.
        public var authentication: String
        public var mtu: UInt16
        /// Our end.
        public var local: String
        /// Hexadecimal.
        public var localMagic: String
        public var peerMagic: String
        /// 0:0:0:0 where IPv6CP is not open.
        public var localInterfaceID: String
        public var peerInterfaceID: String

        public init(
            id: UInt16, service: String, authentication: String, mtu: UInt16, local: String, localMagic: String,
            peerMagic: String, localInterfaceID: String, peerInterfaceID: String
        ) {
            self.id = id
            self.service = service
            self.authentication = authentication
            self.mtu = mtu
            self.local = local
            self.localMagic = localMagic
            self.peerMagic = peerMagic
            self.localInterfaceID = localInterfaceID
            self.peerInterfaceID = peerInterfaceID
        }
    }

    /// Something that happened to the session between start and stop.
    public struct Note: Codable, Sendable, Equatable {
        public var atMs: Int64
        public var kind: String
        public var text: String

        public init(atMs: Int64, kind: String, text: String) {
            self.atMs = atMs
            self.kind = kind
            self.text = text
        }
    }

    public var id: String
    public var node: String
    public var port: String
    public var phase: String
    public var accessDomain: String
    /// "untagged", "100" or "100.7".
    public var vlan: String
    public var mac: String
    /// Empty: on the line itself.
    public var relay: String
    public var vrf: UInt32
    public var pool: String
    public var address: String
    public var hostName: String
    /// Hexadecimal.
    public var clientID: String
    public var option82: String
    public var generation: UInt64
    public var startedMs: Int64
    public var leaseExpiresMs: Int64
    /// 0 while the session lives.
    public var endedMs: Int64
    public var cause: String
    public var service: Service
    /// nil: IPoE.
    public var ipv6: IPv6?
    /// nil: not translated.
    public var nat: NAT?
    public var pppoe: PPPoE?
    public var counters: Counters?
    /// Groups of DHCP servers outside that gave it what it holds.
    public var externalServers: [String] = []
    /// Of one session only; oldest first.
    public var notes: [Note] = []

    public init(
        id: String, node: String, port: String, phase: String, accessDomain: String, vlan: String, mac: String,
        relay: String,
        vrf: UInt32, pool: String, address: String, hostName: String, clientID: String, option82: String,
        generation: UInt64, startedMs: Int64, leaseExpiresMs: Int64, endedMs: Int64, cause: String,
        service: Service, counters: Counters? = nil
    ) {
        self.id = id
        self.node = node
        self.port = port
        self.service = service
        self.phase = phase
        self.accessDomain = accessDomain
        self.vlan = vlan
        self.mac = mac
        self.relay = relay
        self.vrf = vrf
        self.pool = pool
        self.address = address
        self.hostName = hostName
        self.clientID = clientID
        self.option82 = option82
        self.generation = generation
        self.startedMs = startedMs
        self.leaseExpiresMs = leaseExpiresMs
        self.endedMs = endedMs
        self.cause = cause
        self.counters = counters
    }
}

/// A page of sessions; `next` continues it (`?after=`), nil on the last page.
public struct SessionPage: Codable, Sendable, Equatable {
    public var sessions: [SessionView]
    public var next: String?

    public init(sessions: [SessionView], next: String?) {
        self.sessions = sessions
        self.next = next
    }
}

/// Which sessions `GET /v1/sessions` lists.
public struct SessionQuery: Sendable, Equatable {
    public static let limits = 1...1_000

    public var after: String?
    public var limit = 100
    public var node: String?
    public var pool: String?
    public var mac: String?
    public var address: String?
    public var user: String?

    public init() {}
}

/// One pool.
public struct PoolView: Codable, Sendable, Equatable {
    public var name: String
    public var vrf: UInt32
    public var prefix: String
    public var gateway: String
    public var total: Int
    public var held: Int
    /// Given back: in quarantine, or remembered for their last line.
    public var returned: Int
    public var unused: Int
    /// Times nothing could be given.
    public var exhausted: UInt64
    /// Held outside the ranges: static or granted by AAA.
    public var external: Int
    /// More is held than the pool's alarm threshold.
    public var alarm: Bool
    /// sticky, ring or external.
    public var allocation: String

    public init(
        name: String, vrf: UInt32, prefix: String, gateway: String, total: Int, held: Int, returned: Int, unused: Int,
        exhausted: UInt64, external: Int, alarm: Bool, allocation: String
    ) {
        self.name = name
        self.vrf = vrf
        self.prefix = prefix
        self.gateway = gateway
        self.total = total
        self.held = held
        self.returned = returned
        self.unused = unused
        self.exhausted = exhausted
        self.external = external
        self.alarm = alarm
        self.allocation = allocation
    }
}

/// Answer to a request that changes something.
public struct ActionView: Codable, Sendable, Equatable {
    public var message: String
    public var count: Int

    public init(message: String, count: Int) {
        self.message = message
        self.count = count
    }
}
