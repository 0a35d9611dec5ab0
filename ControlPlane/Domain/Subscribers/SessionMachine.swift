// SPDX-License-Identifier: Apache-2.0
// The life of one session, whatever protocols carry it (FEATURES A8, B9).
//
// Objects: one machine per session id. Access protocols ask (`begin`, `confirm`, `confirmIPv6`, `end`), AAA and the owners of
// resources answer (`authorized`, `addressReserved`, `persisted`, `installed`, `removed`); the machine orders them so that nothing is
// promised that a power cut would forget and nothing is freed that a data plane may still use.
//
//   authorizing ─authorized─► preparing ─prepared─► open ──confirm, confirmIPv6, drop, regrant──► persisting ─► installing ─┐
//        │ denied                │                   │ ▲                                                                  │
//        ▼                       ▼                   │ └──────────────────────── in force, or undone ─────────────────────┘
//    terminated ◄────────── abandon, end ────────────┤ release, expiry, AAA
//                   (nothing was promised)           ▼
//                                              disconnecting ─removed by the node, as long as it is away─► recording ─persisted─►
//                                              terminated, everything given back
//
// IPv4 and IPv6 are two halves of one session: each comes, is renewed, fails and goes without the other, and the session ends with
// the second to go. One change is under way at a time; what comes meanwhile waits, the latest of a kind for all. A change the store
// or the node refuses is undone: the other half, and the half as it was before, go on.

import BNGCore

/// The life-cycle automaton of one session.
public struct SessionMachine: Machine, Equatable {
    // What is large is outside: events and actions go through queues.
    public enum Event: Sendable {
        /// A client asks for service.
        case begin
        indirect case authorized(ServiceGrant, sessionTimeout: Seconds)
        /// AAA refused, or nobody could be asked.
        case denied
        /// The line's own prefix is reserved, to be promised with whatever is promised first; nil: there is none.
        case prepared(IPv6Details?)
        case addressReserved(IPv4Address, pool: String, vrf: VRF, nat: NATGrant? = nil)
        case addressRefused
        /// The DNS servers that came with the address from outside; AAA's own stay.
        case provisioned(dns: [IPv4Address])
        /// How the client presents itself now; takes effect with the next confirmation.
        case presented(SessionPresentation)
        /// The client took the address, or renewed it; the lease is to last until then.
        case confirm(until: UTCTime, at: UTCTime)
        /// The client takes, or renews, this and holds nothing else of IPv6.
        case confirmIPv6(IPv6Details, at: UTCTime)
        /// The client holds no address any more.
        case dropIPv4(TerminateCause, at: UTCTime)
        /// The client holds no more of IPv6 than this.
        case dropIPv6(keeping: IPv6Details?, TerminateCause, at: UTCTime)
        /// AAA grants something else from now on; the session is to end then (zero: never).
        indirect case regrant(ServiceGrant, ends: UTCTime)
        /// What the node has counted since its counters began.
        case counted(SessionTotals)
        /// The node's counters are gone; they begin at zero with the next installation.
        case countersLost
        /// One block of ports more than the session has.
        case extendNAT(NATGrant)
        /// These and no other ports lead in; answered by `changed`.
        case forward([NATGrant.Forward])
        /// The client did not take the address in time, or chose another server.
        case lapse
        /// Nothing has been promised, and no protocol waits for anything.
        case abandon
        case persisted(Bool)
        case installed(Bool)
        /// The data plane granted renewals by itself.
        case renewedByDataPlane(ipv4: UTCTime?, ipv6: UTCTime?)
        case end(TerminateCause, at: UTCTime)
        /// The node no longer holds the session.
        case removed(SessionTotals)
    }

    public enum Action: Equatable, Sendable {
        /// Ask AAA; answer `authorized` or `denied`.
        case authorize
        /// Find the line's own prefix if it is to have one; answer `prepared`.
        case prepare
        /// Protocols may ask for addresses.
        case admitted
        /// What `regrant` or `forward` asked for is in force, or is not and the session is as it was.
        case changed(Bool)
        /// Store the record; answer `persisted`.
        indirect case persist(SessionRecord)
        /// Store renewals; no answer is awaited.
        case persistRenewal(SessionID, ipv4: UTCTime?, ipv6: UTCTime?)
        /// Store that the session is being removed; no answer is awaited. Whoever reported its end may forget it then.
        indirect case persistEnding(SessionRecord)
        /// Install on the node; answer `installed`.
        indirect case install(SessionRecord)
        /// Remove from the node; answer `removed`, however long that takes.
        indirect case remove(SessionRecord)
        /// Store the end of the session and its totals; answer `persisted`.
        indirect case recordEnd(SessionRecord)
        /// Tell the access protocols: an address is reserved, or there is none.
        case granted(IPv4Address)
        case addressDenied
        /// Nobody is served.
        case refused
        case confirmed
        case confirmationFailed
        case confirmedIPv6
        case confirmationFailedIPv6
        /// What a client gave back is gone from the node, or what could not be is undone there; the session is at rest.
        case settled
        /// This half is over for its protocols, the other one is not.
        case droppedIPv4
        case droppedIPv6
        /// The session is over for the access protocols: nothing more is answered for it.
        case ended(TerminateCause)
        /// No data plane holds the address any more. `declined`: some other host uses it; `used`: it had been promised.
        case releaseAddress(IPv4Address, pool: String, declined: Bool, used: Bool)
        case releaseIPv6([IPv6Details.Resource])
        /// Nor its public side.
        case releaseNAT(NATGrant, used: Bool)
        /// This is not what the session is to have: what it has not got of it is free.
        case extensionRefused(NATGrant)
        /// The node may forget the final counters.
        case acknowledgeFinal(SessionID)
        /// The machine is done.
        case terminated(TerminateCause?)
    }

    enum Step: Equatable, Sendable {
        case connecting, authorizing, preparing, open, persisting, installing, disconnecting, recording, terminated
    }

    struct Offer: Equatable, Sendable {
        var address: IPv4Address
        var pool: String
        var vrf: VRF
        var nat: NATGrant?
    }

    /// What is on its way to the store and the node.
    struct Change: Equatable, Sendable {
        enum Purpose: Equatable, Sendable { case ipv4, ipv6, nat, grant, dropIPv4, dropIPv6, restore, restoreGrant }

        var purpose: Purpose
        /// What is in force; nil: nothing has been promised yet.
        var before: SessionRecord?
    }

    /// What waits for the change under way, and that change: rarely there, so that it does not make every session larger.
    struct Busy: Equatable, Sendable {
        var change: Change
        var end: (cause: TerminateCause, at: UTCTime)?
        var confirmation: (until: UTCTime, at: UTCTime)?
        var ipv6: (details: IPv6Details?, drop: TerminateCause?, at: UTCTime)?
        var dropIPv4: (cause: TerminateCause, at: UTCTime)?

        static func == (a: Busy, b: Busy) -> Bool {
            a.change == b.change && a.end?.cause == b.end?.cause && a.confirmation?.until == b.confirmation?.until
                && a.ipv6?.details == b.ipv6?.details && a.dropIPv4?.cause == b.dropIPv4?.cause
        }
    }

    indirect enum Work: Equatable, Sendable {
        case none
        case busy(Busy)
    }

    var step: Step
    var work = Work.none
    var offer: Offer?
    var sessionTimeout: Seconds = 0
    public internal(set) var record: SessionRecord

    /// A session that a client has asked for. `record.address` is not yet meaningful.
    public init(connecting record: SessionRecord) {
        self.record = record
        self.record.phase = .connecting
        self.step = .connecting
    }

    /// A session loaded from the store: active, or being removed when the process stopped.
    public init(restored record: SessionRecord) {
        self.record = record
        self.step = record.phase == .disconnecting ? .disconnecting : .open
    }

    public var isTerminated: Bool { self.step == .terminated }
    /// In force, and nothing is under way.
    public var isActive: Bool { self.step == .open && self.record.generation > 0 }
    /// AAA has let the customer in.
    public var isAdmitted: Bool { self.step == .open || self.step == .persisting || self.step == .installing }
    /// Nothing has been promised, offered or asked for.
    public var isBare: Bool { self.step == .open && self.record.generation == 0 && self.offer == nil }
    public var isEnding: Bool {
        self.step == .disconnecting || self.step == .recording || self.step == .terminated || self.busy?.end != nil
    }
    /// The IPv6 half as it will be once everything that was asked for is in force.
    public var intendedIPv6: IPv6Details? {
        if let waiting = self.busy?.ipv6 { return waiting.details }
        return self.record.ipv6
    }

    var busy: Busy? {
        if case .busy(let busy) = self.work { return busy }
        return nil
    }

    /// Whether IPv6 would be left if IPv4 went, and the reverse.
    var holdsIPv6: Bool { self.intendedIPv6?.isEmpty == false }
    var holdsIPv4: Bool { self.record.address != .zero || self.busy?.confirmation != nil || self.offer != nil }

    public mutating func handle(
        _ event: Event, at now: ContinuousClock.Instant, into actions: inout ActionBuffer<Action>
    ) {
        switch (self.step, event) {
        case (.connecting, .begin):
            self.step = .authorizing
            actions.append(.authorize)
        case (.authorizing, .authorized(let grant, let timeout)):
            (self.record.grant, self.sessionTimeout, self.step) = (grant, timeout, .preparing)
            actions.append(.prepare)
        case (.preparing, .prepared(let details)):
            (self.record.ipv6, self.record.phase, self.step) = (details, .authenticated, .open)
            actions.append(.admitted)
        case (.authorizing, .denied), (.connecting, .end), (.authorizing, .end):
            self.neverBegan(&actions)
        case (.preparing, .end): self.neverBegan(&actions)
        case (_, .provisioned(let dns)): if self.record.grant.dns.isEmpty { self.record.grant.dns = dns }
        case (_, .counted(let totals)): self.record.observe(totals)
        case (_, .countersLost): self.record.counterBase = self.record.counters
        case (.disconnecting, .removed(let totals)): self.recordEnd(totals, &actions)
        case (.recording, .persisted(true)): self.finish(&actions)
        case (.recording, .persisted(false)): actions.append(.recordEnd(self.record))
        case (.persisting, .persisted(let isDurable)):
            if isDurable { self.install(&actions) } else { self.persistFailed(&actions) }
        case (.installing, .installed(let isInstalled)):
            if isInstalled { self.cameIntoForce(&actions) } else { self.installFailed(&actions) }
        case (.open, _): self.handleOpen(event, &actions)
        case (.persisting, _), (.installing, _): self.wait(event, &actions)
        case (_, .regrant), (_, .forward): actions.append(.changed(false))
        case (_, .extendNAT(let grant)): actions.append(.extensionRefused(grant))
        default: break  // an answer or a request that a later event has overtaken
        }
    }

    private mutating func handleOpen(_ event: Event, _ actions: inout ActionBuffer<Action>) {
        switch event {
        case .addressReserved(let address, let pool, let vrf, let nat):
            self.reserved(Offer(address: address, pool: pool, vrf: vrf, nat: nat), &actions)
        case .extendNAT(let grant): self.extendNAT(grant, &actions)
        case .forward(let forwards):
            guard self.record.generation > 0, let nat = self.record.nat else { return actions.append(.changed(false)) }
            let before = self.record
            self.record.nat = nat.with(forwards)
            self.begin(.grant, before, &actions)
        case .addressRefused: actions.append(.addressDenied)
        case .presented(let details): self.record.presentation = details
        case .confirm(let until, let at): self.confirm(until, at, &actions)
        case .confirmIPv6(let details, let at): self.confirmIPv6(details, at, &actions)
        case .dropIPv4(let cause, let at): self.dropIPv4(cause, at, &actions)
        case .dropIPv6(let details, let cause, let at): self.dropIPv6(details, cause, at, &actions)
        case .regrant(let grant, let ends):
            guard self.record.generation > 0 else { return actions.append(.changed(false)) }
            let before = self.record
            (self.record.grant, self.record.ends) = (grant, ends)
            self.begin(.grant, before, &actions)
        case .lapse: self.withdrawOffer(&actions)
        case .abandon:
            if self.isBare { self.neverBegan(&actions) }
        case .renewedByDataPlane(let ipv4, let ipv6): self.renewed(ipv4, ipv6, &actions)
        case .end(let cause, let at):
            if self.record.generation == 0 { self.neverBegan(&actions) } else { self.disconnect(cause, at, &actions) }
        default: break
        }
    }

    /// What comes while a change is under way.
    private mutating func wait(_ event: Event, _ actions: inout ActionBuffer<Action>) {
        guard var busy = self.busy else { return }
        switch event {
        case .addressReserved(let address, let pool, let vrf, let nat):
            return self.reserved(Offer(address: address, pool: pool, vrf: vrf, nat: nat), &actions)
        // The node asks again.
        case .extendNAT(let grant): return actions.append(.extensionRefused(grant))
        case .addressRefused: return actions.append(.addressDenied)
        case .renewedByDataPlane(let ipv4, let ipv6): return self.renewed(ipv4, ipv6, &actions)
        case .lapse: return self.withdrawOffer(&actions)
        case .regrant, .forward: return actions.append(.changed(false))
        case .confirm(let until, let at): (busy.confirmation, busy.dropIPv4) = ((until, at), nil)
        case .confirmIPv6(let details, let at): busy.ipv6 = (details, nil, at)
        case .dropIPv4(let cause, let at): (busy.dropIPv4, busy.confirmation) = ((cause, at), nil)
        case .dropIPv6(let details, let cause, let at): busy.ipv6 = (details, cause, at)
        case .end(let cause, let at): busy.end = (cause, at)
        // Stored with the next change.
        case .presented(let details): return self.record.presentation = details
        default: return
        }
        self.work = .busy(busy)
    }

    private mutating func reserved(_ offer: Offer, _ actions: inout ActionBuffer<Action>) {
        self.offer = offer
        actions.append(.granted(offer.address))
    }

    private mutating func withdrawOffer(_ actions: inout ActionBuffer<Action>) {
        guard let offer = self.offer else { return }
        self.offer = nil
        actions.append(.releaseAddress(offer.address, pool: offer.pool, declined: false, used: false))
        if let nat = offer.nat { actions.append(.releaseNAT(nat, used: false)) }
    }

    /// Nothing was promised: nothing is left behind.
    private mutating func neverBegan(_ actions: inout ActionBuffer<Action>) {
        self.step = .terminated
        self.withdrawOffer(&actions)
        self.release(self.record.ipv6?.resources ?? [], &actions)
        actions.append(.refused)
        actions.append(.terminated(nil))
    }

    // MARK: The end

    mutating func disconnect(_ cause: TerminateCause, _ at: UTCTime, _ actions: inout ActionBuffer<Action>) {
        self.step = .disconnecting
        self.work = .none
        self.record.phase = .disconnecting
        self.record.cause = cause
        self.record.ended = at
        actions.append(.ended(cause))
        self.withdrawOffer(&actions)
        actions.append(.persistEnding(self.record))
        actions.append(.remove(self.record))
    }

    private mutating func recordEnd(_ totals: SessionTotals, _ actions: inout ActionBuffer<Action>) {
        self.step = .recording
        self.record.phase = .terminated
        self.record.observe(totals)
        actions.append(.recordEnd(self.record))
    }

    private mutating func finish(_ actions: inout ActionBuffer<Action>) {
        self.step = .terminated
        actions.append(.acknowledgeFinal(self.record.id))
        self.releaseAddress(of: self.record, declined: self.record.cause == .addressDeclined, &actions)
        self.release(self.record.ipv6?.resources ?? [], &actions)
        actions.append(.terminated(self.record.cause))
    }

    func releaseAddress(of record: SessionRecord, declined: Bool, _ actions: inout ActionBuffer<Action>) {
        guard record.address != .zero else { return }
        actions.append(.releaseAddress(record.address, pool: record.pool, declined: declined, used: true))
        if let nat = record.nat { actions.append(.releaseNAT(nat, used: true)) }
    }

    func release(_ resources: [IPv6Details.Resource], _ actions: inout ActionBuffer<Action>) {
        if !resources.isEmpty { actions.append(.releaseIPv6(resources)) }
    }
}
