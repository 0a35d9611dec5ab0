// SPDX-License-Identifier: Apache-2.0
// What a shard keeps of one line, or of one PPPoE session on it: its protocol machine, its session, how to answer it.

import BNGCore
import DHCPv4
import Fleet
import NIOCore
import PCP
import Subscribers

/// State of one line, touched only on its shard's loop.
final class LineEntry {
    let line: LineKey
    /// The pool the session's address is of; before there is one, the pool the line would be served from. nil: its access domain
    /// has no IPv4.
    var pool: PoolPolicy?
    /// Of an IPoE line.
    var dhcp: DHCPv4ServerMachine?
    /// Of a PPPoE session.
    var ppp: PPPDial?
    /// Only while something of DHCPv6 is under way.
    var dhcpv6: DHCPv6Exchange?
    /// Hash of the Router Advertisement the line was sent last; 0: none.
    var advertised: UInt64 = 0
    /// The one its node is being given, with that generation, until it is in force.
    var announcement: (generation: Generation, message: [UInt8])?
    /// Hash of what accounting has been told that the session holds.
    var accounted = 0
    /// Who waits for AAA's answer.
    var waiting: [Waiting] = []
    var session: SessionMachine?
    /// Of the latest request; nil for a session restored from the store until its client speaks.
    var path: ReplyPath?
    var presentation: SessionPresentation? {
        get { self.presented?.value }
        set { self.presented = newValue.map(Presented.init) }
    }
    private var presented: Presented?
    /// Option 60 of the latest request that began a session.
    var vendorClass: [UInt8] = []
    var offerTimer: Scheduled<Void>?
    /// Why no address was given, for the protocol's answer.
    var denial: DHCPv4ServerMachine.Denial = .unavailable
    /// The address the client asked for, and whether only that one will do.
    var wish: (address: IPv4Address?, exact: Bool) = (nil, false)
    /// The template the data plane answers from: the pool's, or a variant of it. nil: the data plane does not answer this line.
    var templateID: UInt64?

    /// Counted among the clients that have asked and hold nothing yet.
    var isPending = false
    /// The node has held the session.
    var hasStarted = false
    /// The user's claim is held for this session.
    var hasClaim = false
    /// Unix second of the next interim record; 0: none.
    var interimDue: Int64 = 0
    /// Unix second at which the session is to be authenticated again; 0: not.
    var reauthenticationDue: Int64 = 0
    /// Unix second at which a forward of a client ends; 0: none.
    var forwardsDue: Int64 = 0
    /// Requests of port control under way.
    var portRequests: [PCPRequest] = []
    /// Changes that wait their turn, the one under way first.
    var changes: [GrantChange] = []
    var isChanging = false
    /// Told when the node has confirmed the removal.
    var removalWaiters: [@Sendable () -> Void] = []

    /// Apart from the entry: a session that is in force has it already.
    private final class Presented {
        let value: SessionPresentation

        init(_ value: SessionPresentation) { self.value = value }
    }

    /// What a protocol wants once the customer is let in.
    enum Waiting {
        case ipv4
        /// A Router Solicitation, or a link that has just opened.
        case link
        case dhcpv6(DHCPv6Exchange.Question)
    }

    init(line: LineKey, pool: PoolPolicy?, boundTo: IPv4Address? = nil) {
        self.line = line
        self.pool = pool
        self.templateID = pool?.templateID
        self.dhcp = pool.map { DHCPv4ServerMachine(parameters: $0.parameters, boundTo: boundTo) }
    }

    /// Serves the line from this pool, with these differences.
    func serve(from pool: PoolPolicy, _ variant: TemplateVariant, templateID: UInt64?) {
        self.pool = pool
        self.templateID = templateID
        self.dhcp?.parameters =
            variant.isPlain
            ? pool.parameters
            : DHCPv4Parameters(variant.applied(to: pool.template), serverIdentifier: pool.serverIdentifier)
    }

    /// The same MAC behind another circuit of a shared VLAN while the first one's session lives: the data plane could not tell
    /// their frames apart, so the later one is refused.
    func isClaimedByAnotherCircuit(_ request: DHCPRequestFrame) -> Bool {
        guard let record = self.session?.record, !record.option82.isEmpty,
            let option82 = request.message.options[DHCPv4OptionCode.relayAgentInformation].map(Array.init),
            record.option82 != option82
        else { return false }
        guard record.address == .zero else { return true }
        // The same circuit may have been told by DHCPv6, which carries no more than the two ids; a router's relays of both families
        // need not tell the same.
        if self.line.relay != .zero { return record.ipv6?.circuit != record.option82 }
        return Self.isAnotherCircuit(option82, than: record.option82)
    }

    /// Likewise for what an access node says by DHCPv6; what says nothing of its circuit claims none.
    func isClaimedByAnotherCircuit(_ frame: IPv6Frame) -> Bool {
        if let origin = frame.origin {
            guard let known = self.session?.record.ipv6?.origin else { return false }
            return origin != known
        }
        guard !frame.circuit.isEmpty, let record = self.session?.record, !record.option82.isEmpty else { return false }
        return Self.isAnotherCircuit(frame.circuit, than: record.option82)
    }

    /// By the two ids, the only ones that both families carry; one that either leaves out says nothing.
    private static func isAnotherCircuit(_ told: [UInt8], than known: [UInt8]) -> Bool {
        guard let known = try? RelayAgentInformation(decoding: known.span),
            let told = try? RelayAgentInformation(decoding: told.span)
        else { return true }
        let differ = { (one: [UInt8], other: [UInt8]) in !one.isEmpty && !other.isEmpty && one != other }
        return differ(known.circuitID, told.circuitID) || differ(known.remoteID, told.remoteID)
    }

    var isForgettable: Bool {
        self.session == nil && self.dhcp?.isIdle != false && self.ppp?.machine.isFinished != false
            && self.dhcpv6?.isQuiet != false
    }

    /// No protocol is in the middle of something.
    var isQuiet: Bool {
        self.waiting.isEmpty && self.dhcp?.isIdle != false && self.ppp == nil && self.dhcpv6?.isQuiet != false
    }
}

/// Something AAA or an operator wants to be different, and who waits for the result.
struct GrantChange {
    enum What {
        case change(ServiceGrantChange)
        /// A new answer of AAA; Session-Timeout counts from now.
        case grant(ServiceGrant)
        /// Other ports of the session lead in.
        case forwards((NATGrant) -> Result<[NATGrant.Forward], PortForwardProblem>, isAAA: Bool = false)
    }

    var what: What
    var done: @Sendable (DynamicAuthorizationResult) -> Void
}

extension SessionPresentation {
    /// What a request says of its client. A unicast renewal bypasses the access node: what that inserted before still holds.
    init(_ request: DHCPRequestFrame, line: LineKey, known: SessionRecord?) {
        let options = request.message.options
        let printable = options[DHCPv4OptionCode.hostName]?.filter { $0 > 0x20 && $0 < 0x7f } ?? []
        self.init(
            tags: request.path.tags, relayMAC: line.relay == .zero ? .zero : request.path.peerMAC,
            clientID: options[DHCPv4OptionCode.clientIdentifier].map(Array.init) ?? [],
            option82: options[DHCPv4OptionCode.relayAgentInformation].map(Array.init) ?? known?.option82 ?? [],
            hostName: String(decoding: printable.prefix(64), as: UTF8.self))
    }
}

extension DHCPv4Parameters {
    /// What the slow path's replies carry: the same facts the data plane's template holds.
    init(_ template: PoolTemplate, serverIdentifier: IPv4Address) {
        self.init(
            serverIdentifier: serverIdentifier, gateway: template.gateway,
            netmask: IPv4Prefix(.zero, length: template.prefixLength)?.netmask ?? .zero, lease: template.lease,
            renewal: template.renewal, rebinding: template.rebinding,
            options: template.options.map { .init(code: $0.code, data: $0.data) })
    }
}

extension SessionRecord {
    /// The line as AAA and accounting describe it.
    func facts(vendorClass: [UInt8] = []) -> LineFacts {
        var facts = LineFacts(
            node: self.node, port: self.port, accessDomain: self.line.accessDomain, sVLAN: self.line.sVLAN,
            cVLAN: self.line.cVLAN, mac: self.line.mac)
        if let information = try? RelayAgentInformation(decoding: self.option82.span) {
            (facts.circuitID, facts.remoteID) = (information.circuitID, information.remoteID)
        }
        (facts.clientID, facts.vendorClass, facts.hostName) = (self.clientID, vendorClass, self.hostName)
        if let duid = self.ipv6?.clientID, !duid.isEmpty { facts.duid = duid }
        if self.line.pppoeID != 0 { facts.pppoe = .init(id: self.line.pppoeID, service: self.ppp?.service ?? "") }
        return facts
    }
}
