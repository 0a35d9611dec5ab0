// SPDX-License-Identifier: Apache-2.0
// The life of one session, whatever protocol carries it (FEATURES B9).
//
// Objects: one machine per session id. Access protocols ask (`begin`, `confirm`, `end`), AAA and the owners of resources answer
// (`authorized`, `addressReserved`, `persisted`, `installed`, `removed`); the machine orders them so that nothing is promised
// that a power cut would forget and nothing is freed that a data plane may still use.
//
//   authorizing ─authorized─► reserving ─reserved─► reserved ─confirm─► persisting ─► installing ─► active ─► (regrant: again)
//        │ denied                │ refused              │ lapse            │              │            │ release, expiry, AAA
//        ▼                       ▼                      ▼                  ▼              ▼            ▼
//    terminated ◄────────────────┴──── nothing was promised ───────────  disconnecting ◄──────────────┘
//                                                                          │ removed by the node (as long as it is away)
//                                                                          ▼
//                                                                      recording ─persisted─► terminated, address given back
//
// A confirmation of an active session (a renewal on the slow path) and a change of what AAA grants persist and install again,
// at the next generation. A change the store or the node refuses is undone: the session goes on as before it.

import BNGCore

/// The life-cycle automaton of one session.
public struct SessionMachine: Machine, Equatable {
    public enum Event: Sendable {
        /// A client asks for service.
        case begin
        case authorized(ServiceGrant, sessionTimeout: Seconds)
        /// AAA refused, or nobody could be asked.
        case denied
        case addressReserved(IPv4Address, pool: String, vrf: VRF)
        case addressRefused
        /// How the client presents itself now; takes effect with the next confirmation.
        case presented(SessionPresentation)
        /// The client took the address, or renewed it; the lease is to last until then.
        case confirm(until: UTCTime, at: UTCTime)
        /// AAA grants something else from now on; the session is to end then (zero: never).
        case regrant(ServiceGrant, ends: UTCTime)
        /// What the node has counted since its counters began.
        case counted(SessionTotals)
        /// The node's counters are gone; they begin at zero with the next installation.
        case countersLost
        /// The client did not take the address in time, or chose another server.
        case lapse
        case persisted(Bool)
        case installed(Bool)
        /// The data plane granted a renewal by itself.
        case renewedByDataPlane(until: UTCTime)
        case end(TerminateCause, at: UTCTime)
        /// The node no longer holds the session.
        case removed(SessionTotals)
    }

    public enum Action: Equatable, Sendable {
        /// Ask AAA; answer `authorized` or `denied`.
        case authorize
        /// Find an address; answer `addressReserved` or `addressRefused`.
        case reserveAddress
        /// What `regrant` asked for is in force, or is not and the session is as it was.
        case changed(Bool)
        /// Store the record; answer `persisted`.
        case persist(SessionRecord)
        /// Store a renewal; no answer is awaited.
        case persistRenewal(SessionID, until: UTCTime)
        /// Store that the session is being removed; no answer is awaited. Whoever reported its end may forget it then.
        case persistEnding(SessionRecord)
        /// Install on the node; answer `installed`.
        case install(SessionRecord)
        /// Remove from the node; answer `removed`, however long that takes.
        case remove(SessionRecord)
        /// Store the end of the session and its totals; answer `persisted`.
        case recordEnd(SessionRecord)
        /// Tell the access protocol.
        case granted(IPv4Address)
        case refused
        case confirmed
        case confirmationFailed
        /// The session is over for the access protocol: nothing more is answered for it.
        case ended(TerminateCause)
        /// No data plane holds the address any more. `declined`: some other host uses it.
        case releaseAddress(IPv4Address, declined: Bool)
        /// The node may forget the final counters.
        case acknowledgeFinal(SessionID)
        /// The machine is done.
        case terminated(TerminateCause?)
    }

    private enum Step: Equatable, Sendable {
        case connecting
        case authorizing
        case reserving
        case reserved
        case persisting
        case installing
        case active
        case disconnecting
        case recording
        case terminated
    }

    private var step: Step
    /// An end that arrived while the store or the node had yet to answer.
    private var pendingEnd: PendingEnd?
    /// A confirmation that arrived then.
    private var pendingConfirmation: PendingConfirmation?
    /// What to go back to if the change under way is refused.
    private var before: Before?
    private var sessionTimeout: Seconds = 0
    public private(set) var record: SessionRecord

    private struct PendingEnd: Equatable, Sendable {
        var cause: TerminateCause
        var at: UTCTime
    }

    private struct PendingConfirmation: Equatable, Sendable {
        var until: UTCTime
        var at: UTCTime
    }

    private struct Before: Equatable, Sendable {
        var grant: ServiceGrant
        var ends: UTCTime
        var generation: Generation
        /// The node refused the change and is being told the old state again.
        var isRestoring = false
    }

    /// A session that a client has asked for. `record.address` is not yet meaningful.
    public init(connecting record: SessionRecord) {
        self.record = record
        self.record.phase = .connecting
        self.step = .connecting
    }

    /// A session loaded from the store: active, or being removed when the process stopped.
    public init(restored record: SessionRecord) {
        self.record = record
        self.step = record.phase == .disconnecting ? .disconnecting : .active
    }

    public var isTerminated: Bool { self.step == .terminated }
    public var isActive: Bool { self.step == .active }
    public var isEnding: Bool {
        self.step == .disconnecting || self.step == .recording || self.step == .terminated || self.pendingEnd != nil
    }

    public mutating func handle(
        _ event: Event, at now: ContinuousClock.Instant, into actions: inout ActionBuffer<Action>
    ) {
        switch (self.step, event) {
        case (.connecting, .begin): self.begin(&actions)
        case (.authorizing, .authorized(let grant, let timeout)): self.authorized(grant, timeout, &actions)
        case (.authorizing, .denied), (.reserving, .addressRefused): self.neverBegan(refused: true, &actions)
        case (.reserving, .addressReserved(let address, let pool, let vrf)):
            self.reserved(address, pool, vrf, &actions)
        case (.reserved, .presented(let details)), (.active, .presented(let details)): self.present(details)
        case (.reserved, .confirm(let until, let at)), (.active, .confirm(let until, let at)):
            self.confirm(until, at, &actions)
        case (.persisting, .confirm(let until, let at)), (.installing, .confirm(let until, let at)):
            self.pendingConfirmation = PendingConfirmation(until: until, at: at)
        case (.active, .regrant(let grant, let ends)): self.regrant(grant, ends, &actions)
        case (_, .regrant): actions.append(.changed(false))
        case (_, .counted(let totals)): self.record.observe(totals)
        case (_, .countersLost): self.record.counterBase = self.record.counters
        case (.reserved, .lapse): self.giveUpReservation(&actions)
        case (.persisting, .persisted(true)): self.install(&actions)
        case (.persisting, .persisted(false)): self.persistFailed(&actions)
        case (.installing, .installed(true)): self.becameActive(&actions)
        case (.installing, .installed(false)): self.installFailed(&actions)
        case (.active, .renewedByDataPlane(let until)), (.installing, .renewedByDataPlane(let until)),
            (.persisting, .renewedByDataPlane(let until)):
            self.renewed(until, &actions)
        case (.connecting, .end), (.authorizing, .end), (.reserving, .end): self.neverBegan(refused: true, &actions)
        case (.reserved, .end): self.giveUpReservation(&actions)
        case (.active, .end(let cause, let at)): self.disconnect(cause, at, &actions)
        case (.persisting, .end(let cause, let at)), (.installing, .end(let cause, let at)):
            self.pendingEnd = PendingEnd(cause: cause, at: at)
        case (.disconnecting, .removed(let totals)): self.recordEnd(totals, &actions)
        case (.recording, .persisted(true)): self.finish(&actions)
        case (.recording, .persisted(false)): actions.append(.recordEnd(self.record))
        default: break  // an answer or a request that a later event has overtaken
        }
    }

    private mutating func begin(_ actions: inout ActionBuffer<Action>) {
        self.step = .authorizing
        actions.append(.authorize)
    }

    private mutating func authorized(
        _ grant: ServiceGrant, _ timeout: Seconds, _ actions: inout ActionBuffer<Action>
    ) {
        self.record.grant = grant
        self.sessionTimeout = timeout
        self.step = .reserving
        actions.append(.reserveAddress)
    }

    private mutating func reserved(
        _ address: IPv4Address, _ pool: String, _ vrf: VRF, _ actions: inout ActionBuffer<Action>
    ) {
        (self.record.address, self.record.pool, self.record.vrf) = (address, pool, vrf)
        self.record.phase = .authenticated
        self.step = .reserved
        actions.append(.granted(address))
    }

    private mutating func neverBegan(refused: Bool, _ actions: inout ActionBuffer<Action>) {
        self.step = .terminated
        if refused { actions.append(.refused) }
        actions.append(.terminated(nil))
    }

    private mutating func giveUpReservation(_ actions: inout ActionBuffer<Action>) {
        self.step = .terminated
        actions.append(.releaseAddress(self.record.address, declined: false))
        actions.append(.terminated(nil))
    }

    private mutating func confirm(_ until: UTCTime, _ at: UTCTime, _ actions: inout ActionBuffer<Action>) {
        if self.record.generation == 0 {
            self.record.started = at
            self.record.ends = self.sessionTimeout == 0 ? .zero : at + self.sessionTimeout
        }
        self.record.leaseExpires = max(self.record.leaseExpires, until)
        self.record.phase = .active
        self.persist(&actions)
    }

    private mutating func persist(_ actions: inout ActionBuffer<Action>) {
        // Also for unchanged content: a node takes a later lease only with a new generation (docs/contract.md).
        self.record.generation += 1
        self.step = .persisting
        actions.append(.persist(self.record))
    }

    private mutating func regrant(
        _ grant: ServiceGrant, _ ends: UTCTime, _ actions: inout ActionBuffer<Action>
    ) {
        self.before = Before(grant: self.record.grant, ends: self.record.ends, generation: self.record.generation)
        (self.record.grant, self.record.ends) = (grant, ends)
        self.persist(&actions)
    }

    private mutating func present(_ details: SessionPresentation) {
        self.record.presentation = details
    }

    private mutating func persistFailed(_ actions: inout ActionBuffer<Action>) {
        if let before = self.before, !before.isRestoring {
            // Neither the disk nor the node has the change.
            (self.record.grant, self.record.ends, self.record.generation) = (
                before.grant, before.ends, before.generation
            )
            self.before = nil
            actions.append(.changed(false))
            return self.resume(&actions)
        }
        // Nothing of a session that was never stored is accounted.
        if self.record.generation == 1 { self.record.isAccounted = false }
        self.fail(&actions)
    }

    private mutating func install(_ actions: inout ActionBuffer<Action>) {
        self.step = .installing
        actions.append(.install(self.record))
    }

    private mutating func becameActive(_ actions: inout ActionBuffer<Action>) {
        let before = self.before
        self.before = nil
        if let before {
            actions.append(.changed(!before.isRestoring))
        } else if self.pendingEnd == nil {
            actions.append(.confirmed)
        }
        self.resume(&actions)
    }

    /// The session is active; what arrived meanwhile is due now.
    private mutating func resume(_ actions: inout ActionBuffer<Action>) {
        self.step = .active
        if let end = self.pendingEnd { return self.disconnect(end.cause, end.at, &actions) }
        guard let confirmation = self.pendingConfirmation else { return }
        self.pendingConfirmation = nil
        self.confirm(confirmation.until, confirmation.at, &actions)
    }

    private mutating func installFailed(_ actions: inout ActionBuffer<Action>) {
        guard let before = self.before, !before.isRestoring else { return self.fail(&actions) }
        (self.record.grant, self.record.ends) = (before.grant, before.ends)
        self.before?.isRestoring = true
        self.persist(&actions)
    }

    private mutating func fail(_ actions: inout ActionBuffer<Action>) {
        if self.before != nil { actions.append(.changed(false)) }
        self.before = nil
        actions.append(.confirmationFailed)
        // Whether the node holds an older state of it is unknown here: removal settles both cases.
        self.disconnect(
            self.pendingEnd?.cause ?? .configuration, self.pendingEnd?.at ?? self.record.started, &actions)
    }

    private mutating func renewed(_ until: UTCTime, _ actions: inout ActionBuffer<Action>) {
        guard until > self.record.leaseExpires else { return }
        self.record.leaseExpires = until
        actions.append(.persistRenewal(self.record.id, until: until))
    }

    private mutating func disconnect(
        _ cause: TerminateCause, _ at: UTCTime, _ actions: inout ActionBuffer<Action>
    ) {
        self.step = .disconnecting
        (self.pendingEnd, self.pendingConfirmation) = (nil, nil)
        self.record.phase = .disconnecting
        self.record.cause = cause
        self.record.ended = at
        actions.append(.ended(cause))
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
        actions.append(.releaseAddress(self.record.address, declined: self.record.cause == .addressDeclined))
        actions.append(.terminated(self.record.cause))
    }
}
