// SPDX-License-Identifier: Apache-2.0
// What the subscriber plane needs of the world: a durable store, the nodes, and its own configuration. The app adapts the
// other drivers to these protocols; drivers do not know each other.

import Addressing
import BNGCore
import DHCPv4
import Ethernet
import Fleet
import Subscribers

/// One durable change. The changes of one `submit` become durable together.
public enum SessionOperation: Equatable, Sendable {
    indirect case put(SessionRecord)
    case renew(SessionID, until: UTCTime)
    /// The same of its IPv6 lease.
    case renewIPv6(SessionID, until: UTCTime)
    /// Remembers what a line held and does not any more.
    case rest(StickyBinding?, prefixes: [StickyPrefixBinding])
    /// Remembers blocks of ports that rest, and that the session gave them back.
    case restNAT(NATRest, of: SessionID)
    /// Moves the session to history and remembers what it held for the line.
    indirect case end(SessionRecord, sticky: StickyBinding?, prefixes: [StickyPrefixBinding])
    /// Writes an accounting record into the spool.
    indirect case account(AccountingRecord)
    /// Remembers what a session's node has counted.
    case count(SessionID, SessionTotals, base: SessionTotals)
    /// Adds a line to the history of a session.
    case note(SessionNote)
    /// Session counters below `limit` may be used from now on and never again after a restart.
    case reserveSessionCounters(limit: UInt64)
}

public protocol SessionStoring: Sendable {
    /// Makes the operations durable, in order, then calls `done` (on any thread) with whether they are.
    func submit(_ operations: [SessionOperation], then done: @escaping @Sendable (Bool) -> Void)

    /// What AAA granted the line's last session; nil if the history knows none. `done` on any thread.
    func lastGrant(of line: LineKey, then done: @escaping @Sendable (ServiceGrant?) -> Void)
}

/// Whoever decides who is served: the local store, RADIUS, or both.
public protocol Authorizing: Sendable {
    /// Never blocks; calls `done` once, on any thread, also before it returns.
    func authorize(_ request: AuthorizationRequest, then done: @escaping @Sendable (AuthorizationOutcome) -> Void)
}

/// Takes accounting records once they are on disk.
public protocol AccountingOutlet: Sendable {
    /// Whether an interim record may be written: not while too many records wait.
    func acceptsInterim() -> Bool
    func stored(_ records: [AccountingRecord])
}

public protocol DataPlaneLink: Sendable {
    /// Installs the session; `done` gets false if the node refused it. While the node is away nothing is called.
    func upsert(
        node: NodeName, id: SessionID, generation: Generation, session: InstalledSession,
        then done: @escaping @Sendable (Bool) -> Void)

    /// Removes the session; `done` gets its final counters once the node has confirmed, however long that takes.
    func delete(node: NodeName, id: SessionID, then done: @escaping @Sendable (SessionTotals) -> Void)

    /// Live counters of sessions of one node; nil if it cannot be asked now.
    func counters(
        node: NodeName, ids: [SessionID], then done: @escaping @Sendable ([SessionID: SessionTotals]?) -> Void)

    /// Whether the node can be told something now.
    func isReachable(_ node: NodeName) -> Bool

    /// Makes sure that every node is told of a variant of a pool's template before any session that is installed after `ready`
    /// names it; gives its id, or nil where there is no room for another variant.
    func prepare(_ variant: TemplateVariant, then ready: @escaping @Sendable (UInt64?) -> Void)

    /// The final counters are durable here.
    func acknowledgeFinal(node: NodeName, id: SessionID)

    /// Sends a frame. With `requires`, only if the node holds that session at that generation or a newer one.
    func inject(node: NodeName, port: String, frame: [UInt8], requires: SessionRequirement?)
}

public struct SessionRequirement: Equatable, Sendable {
    public var id: SessionID
    public var generation: Generation

    public init(id: SessionID, generation: Generation) {
        self.id = id
        self.generation = generation
    }
}

/// How a session's DHCP parameters differ from its pool's.
public struct TemplateVariant: Hashable, Sendable {
    public var pool: String
    /// Empty: the pool's own.
    public var dns: [IPv4Address]
    public var prefixLength: UInt8?

    public init(pool: String, dns: [IPv4Address], prefixLength: UInt8?) {
        self.pool = pool
        self.dns = dns
        self.prefixLength = prefixLength
    }

    public var isPlain: Bool { self.dns.isEmpty && self.prefixLength == nil }

    /// The pool's template with the differences.
    public func applied(to template: PoolTemplate) -> PoolTemplate {
        var result = template
        if let prefixLength { result.prefixLength = Int(prefixLength) }
        if !self.dns.isEmpty {
            result.options.removeAll { $0.code == 6 }
            result.options.append(RawDHCPOption(code: 6, data: self.dns.flatMap(\.bytes)))
            result.options.sort { $0.code < $1.code }
        }
        return result
    }
}

/// A packet a node sent up, with what is known of the port it came from.
public struct PuntedPacket: Sendable {
    public var puntClass: PuntClass
    public var port: PortPolicy
    public var portMAC: MACAddress
    public var frame: [UInt8]
    /// The one the node has found it to be of; 0: none.
    public var session = SessionID(rawValue: 0)
    /// The port's trusted relays by the IPv6 addresses they are known by, too.
    public var relays: [IPv6Address: IPv4Address] = [:]

    public init(puntClass: PuntClass, port: PortPolicy, portMAC: MACAddress, frame: [UInt8]) {
        self.puntClass = puntClass
        self.port = port
        self.portMAC = portMAC
        self.frame = frame
    }
}

/// A pool with what its leases carry.
public final class PoolPolicy: Sendable {
    // A class: every line has one at hand.
    public let name: String
    public let vrf: VRF
    public let prefix: IPv4Prefix
    public let ranges: [IPv4Range]
    public let statics: [MACAddress: IPv4Address]
    /// As installed on nodes; also what the slow path answers with.
    public let template: PoolTemplate
    public let templateID: UInt64
    public let serverIdentifier: IPv4Address
    /// The template in the words of the slow path: made once, shared by every line.
    let parameters: DHCPv4Parameters
    /// The DNS servers among the template's options, for PPP.
    let dns: [IPv4Address]
    public let quarantine: Seconds
    public let declineRest: Seconds
    public let allocation: AddressPool.Allocation
    /// Share of the addresses held from which it is an alarm; 0: never.
    public let alarmPercent: Int
    /// NAT pool of its addresses, unless the plan names one; nil: they are forwarded as they are.
    public let nat: String?
    /// Who decides which address a client gets; nil: the pool itself.
    public let external: ExternalPool?

    public init(
        name: String, vrf: VRF, prefix: IPv4Prefix, ranges: [IPv4Range], statics: [MACAddress: IPv4Address],
        template: PoolTemplate, templateID: UInt64, serverIdentifier: IPv4Address, quarantine: Seconds,
        declineRest: Seconds = 3600, allocation: AddressPool.Allocation = .sticky, alarmPercent: Int = 0,
        external: ExternalPool? = nil, nat: String? = nil
    ) {
        self.name = name
        self.vrf = vrf
        self.prefix = prefix
        self.ranges = ranges
        self.statics = statics
        self.template = template
        self.templateID = templateID
        self.serverIdentifier = serverIdentifier
        self.parameters = DHCPv4Parameters(template, serverIdentifier: serverIdentifier)
        let servers = template.options.first(where: { $0.code == 6 }).map(\.data) ?? []
        self.dns = stride(from: 0, to: servers.count - 3, by: 4).compactMap { IPv4Address(Array(servers[$0..<$0 + 4])) }
        self.quarantine = quarantine
        self.declineRest = declineRest
        self.allocation = allocation
        self.alarmPercent = alarmPercent
        self.external = external
        self.nat = nat
    }
}

/// What the plane serves.
public struct PlaneConfiguration: Sendable {
    /// Pools of each access domain; the first one unless a relay's address lies in another one's prefix.
    public var poolsByDomain: [AccessDomainID: [String]]
    public var pools: [PoolPolicy]
    public var issuer: UInt16
    /// First session counter this process may use.
    public var firstSessionCounter: UInt64
    /// Clients per shard that have asked but hold no lease yet; more are shed.
    public var pendingLimit: Int
    /// Pause before the end of a session is offered again to a store that failed.
    public var storeRetry: Duration
    /// How often deadlines are looked at.
    public var tick: Duration = .seconds(1)
    public var aaa = AAAPolicy()
    /// Access domains with PPPoE.
    public var pppoe: [AccessDomainID: PPPoEPolicy] = [:]
    /// Access domains with IPv6.
    public var ipv6: [AccessDomainID: IPv6Policy] = [:]
    public var prefixPools: [PrefixPoolPolicy] = []
    public var natPools: [NATPoolPolicy] = []
    /// NAT policies whose customers may ask for forwards, by name.
    public var pcp: [String: PCPPolicy] = [:]
    /// nil: no pool is external.
    public var external: (any ExternalAddressing)?

    public init(
        poolsByDomain: [AccessDomainID: [String]], pools: [PoolPolicy], issuer: UInt16, firstSessionCounter: UInt64,
        pendingLimit: Int = 65_536, storeRetry: Duration = .seconds(1)
    ) {
        self.poolsByDomain = poolsByDomain
        self.pools = pools
        self.issuer = issuer
        self.firstSessionCounter = firstSessionCounter
        self.pendingLimit = pendingLimit
        self.storeRetry = storeRetry
    }
}

/// Who is asked about a customer, and what follows from the answer.
public struct AAAPolicy: Sendable {
    /// nil: everybody is served with the default plan.
    public var authority: (any Authorizing)?
    public var catalog = PlanCatalog()
    /// The user name of a line in an access domain.
    public var userName: @Sendable (LineFacts) -> String = { $0.mac.description }
    public var onReject = RejectPolicy.silence
    public var onUnavailable = OutagePolicy.refuse
    public var aboveLimit = UserLimitPolicy.replace
    /// nil: no accounting.
    public var accounting: (any AccountingOutlet)?
    /// First sequence number an accounting record may have.
    public var firstAccountingSequence: UInt64 = 1
    public var report: @Sendable (PlaneReport) -> Void = { _ in }

    public init() {}
}

/// What operators should read about in the log.
public enum PlaneReport: Sendable, Equatable {
    /// AAA granted what cannot be served.
    case unservable(user: String, problem: ProfileProblem)
    case rejected(user: String, line: LineKey, message: String)
    case lockedOut(line: LineKey, failures: UInt32)
    case authorityUnavailable(user: String)
    case changeRefused(SessionID)
}

/// What the plane counts; names as in metrics and `bngctl show punts`.
public enum PlaneCounter: String, Sendable, CaseIterable {
    case malformedFrame = "malformed_frame"
    case malformedDHCP = "malformed_dhcp"
    case notDHCP = "not_dhcp"
    case forgedOption82 = "forged_option82"
    case untrustedRelay = "untrusted_relay"
    case hardwareMismatch = "chaddr_mismatch"
    case lineConflict = "line_conflict"
    case noPool = "no_pool"
    case shed
    case poolExhausted = "pool_exhausted"
    case storeFailed = "store_failed"
    case installFailed = "install_failed"
    case received, offers, acks, naks, informs
    case ignored, duplicates
    case otherServer = "other_server"
    case silent
    case released, declined
    case sessionsStarted = "sessions_started"
    case sessionsEnded = "sessions_ended"
    case renewedByDataPlane = "renewed_by_data_plane"
    case authorized, rejected, gardened
    case lockedOut = "locked_out"
    case authorityUnavailable = "authority_unavailable"
    case servedFromCache = "served_from_cache"
    case unservable
    case overUserLimit = "over_user_limit"
    case replaced
    case changes
    case changesRefused = "changes_refused"
    case reauthenticated
    case accountingStarts = "accounting_starts"
    case accountingInterims = "accounting_interims"
    case accountingStops = "accounting_stops"
    case countersUnavailable = "counters_unavailable"
    case malformedPPPoE = "malformed_pppoe"
    case forgedCircuit = "forged_circuit"
    case padrReceived = "padr_received"
    case padrRefused = "padr_refused"
    case padsSent = "pads_sent"
    case padtReceived = "padt_received"
    case padtSent = "padt_sent"
    case pppReceived = "ppp_received"
    case pppUnknownSession = "ppp_unknown_session"
    case pppOpened = "ppp_opened"
    case ipv6Opened = "ppp_ipv6_opened"
    case malformedND = "malformed_nd"
    case malformedDHCPv6 = "malformed_dhcpv6"
    case relayWithoutMAC = "dhcpv6_relay_no_mac"
    case noIPv6 = "no_ipv6"
    case solicitations = "router_solicitations"
    case advertisements = "router_advertisements"
    case dhcpv6Received = "dhcpv6_received"
    case dhcpv6Advertises = "dhcpv6_advertises"
    case dhcpv6Replies = "dhcpv6_replies"
    case dhcpv6Busy = "dhcpv6_busy"
    case dhcpv6Ignored = "dhcpv6_ignored"
    case prefixesExhausted = "prefixes_exhausted"
    case natExhausted = "nat_exhausted"
    case natExtended = "nat_extended"
    case natExtensionRefused = "nat_extension_refused"
    /// A forward AAA wants does not fit the session.
    case forwardRefused = "nat_forward_refused"
    case pcpReceived = "pcp_received"
    case malformedPCP = "malformed_pcp"
    /// From an address that is not the session's, or without a policy that allows it.
    case pcpIgnored = "pcp_ignored"
    /// Made, renewed or deleted.
    case pcpMapped = "pcp_mapped"
    case pcpRefused = "pcp_refused"
    case pcpExpired = "pcp_expired"
    case ipv6Started = "ipv6_started"
    case ipv6Ended = "ipv6_ended"
    /// The server outside gave nothing.
    case externalUnavailable = "external_unavailable"
    /// It gave what is not the pool's, or what another session here holds.
    case externalUnusable = "external_unusable"
    case externalLost = "external_lost"
    case lineLimit = "pppoe_line_limit"
    case nodeLimit = "pppoe_node_limit"
}
