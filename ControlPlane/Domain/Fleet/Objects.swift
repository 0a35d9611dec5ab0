// SPDX-License-Identifier: Apache-2.0
// What a controller wants a node to hold, as values. The wire form is in proto/bng/agent/v1/desired.proto.

import BNGCore

/// Families of objects; the raw value is the wire number.
public enum ObjectFamily: UInt16, Sendable, CaseIterable, Comparable {
    case port = 1
    case serverIdentity = 2
    case poolTemplate = 3
    case nextHop = 4
    case route = 5
    case guardRates = 6
    case session = 7
    case filter = 8
    case pppoeService = 9
    case natPolicy = 10

    /// Sessions refer to everything else.
    private var installationRank: UInt16 { self == .session ? .max : self.rawValue }

    /// Order of installation: an object comes after those it refers to.
    public static func < (a: ObjectFamily, b: ObjectFamily) -> Bool { a.installationRank < b.installationRank }
}

/// Identity of an object within one node.
public struct ObjectKey: Hashable, Sendable, Comparable {
    public var family: ObjectFamily
    public var id: UInt64

    public init(_ family: ObjectFamily, _ id: UInt64) {
        self.family = family
        self.id = id
    }

    public static func < (a: ObjectKey, b: ObjectKey) -> Bool {
        a.family == b.family ? a.id < b.id : a.family < b.family
    }
}

public enum PortRole: UInt8, Sendable { case access = 1, core = 2 }
public enum RelayTrust: UInt8, Sendable { case none = 1, accessNode = 2, relays = 3 }

/// Policy of one port of a node.
public struct PortPolicy: Hashable, Sendable {
    public var name: String
    public var role: PortRole
    /// Of an access port; 0 for a core port.
    public var accessDomain: AccessDomainID
    public var vrf: VRF
    public var relayTrust: RelayTrust
    public var trustedRelays: [IPv4Address]
    /// Line-side IP MTU in bytes; 0: the interface's.
    public var mtu: UInt32
    /// The BNG's address on every line of an access port, in fe80::/10; nil: IPv6 is off here.
    public var linkLocal: IPv6Address?
    /// IPv6 next-header values that no packet from a line may carry: ascending, at most `refusedHeaderLimit`.
    public var refusedExtensionHeaders: [UInt8]

    /// Largest number of refused extension headers.
    public static let refusedHeaderLimit = 8

    public init(
        name: String, role: PortRole, accessDomain: AccessDomainID = 0, vrf: VRF = 0, relayTrust: RelayTrust = .none,
        trustedRelays: [IPv4Address] = [], mtu: UInt32 = 0, linkLocal: IPv6Address? = nil,
        refusedExtensionHeaders: [UInt8] = []
    ) {
        self.name = name
        self.role = role
        self.accessDomain = accessDomain
        self.vrf = vrf
        self.relayTrust = relayTrust
        self.trustedRelays = trustedRelays
        self.mtu = mtu
        self.linkLocal = linkLocal
        self.refusedExtensionHeaders = refusedExtensionHeaders
    }
}

/// The BNG's addresses toward subscribers.
public struct ServerIdentity: Hashable, Sendable {
    public var vrf: VRF
    /// DHCP option 54.
    public var address: IPv4Address
    /// Source of the ICMPv6 errors of its VRF; nil: none.
    public var ipv6: IPv6Address?

    public init(vrf: VRF, address: IPv4Address, ipv6: IPv6Address? = nil) {
        self.vrf = vrf
        self.address = address
        self.ipv6 = ipv6
    }
}

/// A DHCP option as it is put into a reply.
public struct RawDHCPOption: Hashable, Sendable {
    public var code: UInt8
    /// At most 255 bytes.
    public var data: [UInt8]

    public init(code: UInt8, data: [UInt8]) {
        self.code = code
        self.data = data
    }
}

/// Everything a DHCPv4 reply from one pool carries apart from the address.
public struct PoolTemplate: Hashable, Sendable {
    public var vrf: VRF
    public var serverIdentityID: UInt64
    public var gateway: IPv4Address
    public var prefixLength: Int
    public var lease: Seconds
    public var renewal: Seconds
    public var rebinding: Seconds
    /// Ascending codes.
    public var options: [RawDHCPOption]

    public init(
        vrf: VRF, serverIdentityID: UInt64, gateway: IPv4Address, prefixLength: Int, lease: Seconds, renewal: Seconds,
        rebinding: Seconds, options: [RawDHCPOption]
    ) {
        self.vrf = vrf
        self.serverIdentityID = serverIdentityID
        self.gateway = gateway
        self.prefixLength = prefixLength
        self.lease = lease
        self.renewal = renewal
        self.rebinding = rebinding
        self.options = options
    }
}

/// A router toward the core, or the kernel's own choice.
public enum NextHop: Hashable, Sendable {
    /// An IPv6 address may be link-local.
    case gateway(IPAddress, port: String)
    case kernel
}

public enum RouteTarget: Hashable, Sendable {
    case nextHop(id: UInt64)
    /// The same, of IPv4: sessions behind NAT send there with their own addresses (RFC 6888 REQ-6).
    case untranslated(nextHop: UInt64)
    /// A pool's prefix: an address without a session is unreachable.
    case subscribers
    case blackhole
    /// Public IPv4 addresses of NAT.
    case nat
}

public struct Route: Hashable, Sendable {
    public var vrf: VRF
    public var prefix: IPPrefix
    /// A next hop is of the prefix's family.
    public var target: RouteTarget

    public init(vrf: VRF, prefix: IPPrefix, target: RouteTarget) {
        self.vrf = vrf
        self.prefix = prefix
        self.target = target
    }
}

/// Classes of punted packets; the raw value is the wire number.
public enum PuntClass: UInt8, Sendable, CaseIterable {
    case dhcpv4 = 1
    case arp = 2
    case neighbor = 3
    case pppoe = 4
    case ppp = 5
    case held = 6
    case fragment = 7
    case nd = 8
    case dhcpv6 = 9
    case natPorts = 10
    case natFragment = 11
    case pcp = 12
    case natALG = 13

    /// Its packets come up; those of the others stay in the agent.
    public var isCarried: Bool {
        switch self {
        case .dhcpv4, .arp, .pppoe, .ppp, .nd, .dhcpv6, .pcp: return true
        case .neighbor, .held, .fragment, .natPorts, .natFragment, .natALG: return false
        }
    }
}

/// Token buckets in front of one punt class: packets per second and burst, per line and per port.
public struct GuardRate: Hashable, Sendable {
    public var puntClass: PuntClass
    public var linePacketsPerSecond: UInt32
    public var lineBurst: UInt32
    public var portPacketsPerSecond: UInt32
    public var portBurst: UInt32

    public init(
        puntClass: PuntClass, linePacketsPerSecond: UInt32, lineBurst: UInt32, portPacketsPerSecond: UInt32,
        portBurst: UInt32
    ) {
        self.puntClass = puntClass
        self.linePacketsPerSecond = linePacketsPerSecond
        self.lineBurst = lineBurst
        self.portPacketsPerSecond = portPacketsPerSecond
        self.portBurst = portBurst
    }
}

public enum ObjectBody: Hashable, Sendable {
    case port(PortPolicy)
    case serverIdentity(ServerIdentity)
    case poolTemplate(PoolTemplate)
    case nextHop(NextHop)
    case route(Route)
    case guardRates([GuardRate])
    case session(InstalledSession)
    case filter(PacketFilter)
    case pppoeService(PPPoEServicePolicy)
    case natPolicy(NATPolicy)

    public var family: ObjectFamily {
        switch self {
        case .port: return .port
        case .serverIdentity: return .serverIdentity
        case .poolTemplate: return .poolTemplate
        case .nextHop: return .nextHop
        case .route: return .route
        case .guardRates: return .guardRates
        case .session: return .session
        case .filter: return .filter
        case .pppoeService: return .pppoeService
        case .natPolicy: return .natPolicy
        }
    }

    /// Equal in every controller-owned field.
    public func sameContent(as other: ObjectBody) -> Bool {
        if case .session(let a) = self, case .session(let b) = other { return a.sameContent(as: b) }
        return self == other
    }
}

/// One object of a node's desired state.
public struct DesiredObject: Hashable, Sendable {
    public var id: UInt64
    public var generation: Generation
    public var body: ObjectBody

    public init(id: UInt64, generation: Generation, body: ObjectBody) {
        self.id = id
        self.generation = generation
        self.body = body
    }

    public var key: ObjectKey { ObjectKey(self.body.family, self.id) }
}

/// The id of a configured (named) object: stable across restarts without a store. FNV-1a over family and name, never 0.
public func namedObjectID(_ family: ObjectFamily, _ name: String) -> UInt64 {
    if family == .guardRates { return 1 }
    var hash = StableHash()
    hash.mix(UInt8(family.rawValue))
    hash.mix(name.utf8)
    return hash.value == 0 ? 1 : hash.value
}
