// SPDX-License-Identifier: Apache-2.0
// The server's side of one client's DHCPv6 exchange.
//
// Objects: one machine per client and line. It knows what was offered and what is bound, by association, and the one
// message that waits for an answer; it owns no pool, clock or packet. Every association holds one address or one prefix.
//
//   received ──► gathering: one question for each association that holds nothing ──► all answered
//        advertise: kept as offered, sent              commit: confirm ──► confirmed ──► bound, sent
//
// Nothing is promised before `confirmed`. While a message waits, others are dropped, since clients repeat themselves; only
// Confirm and Information-Request, which change nothing, are answered meanwhile.
//
// Deviations: this server is the only one of its pools, so a Renew or Rebind for something it has no record of is granted if it
// is free and of this line, and refused with NoBinding (or lifetimes of zero) if not. Temporary addresses are not given.
// Reconfigure is never sent. Server Unicast is never granted, so unicast gets UseMulticast.
//
// Supported standards: RFC 8415 16, 18.3, 18.4.

import BNGCore

/// The DHCPv6 server automaton of one client.
public struct DHCPv6ServerMachine: Machine, Equatable {
    enum Purpose: Equatable, Sendable { case advertise, rapidCommit, commit, extend }

    enum Outcome: Equatable, Sendable {
        case binding(DHCPv6Lease.Resource)
        case refused(UInt16)
        /// What the client has is worth nothing (RFC 8415 18.3.5).
        case worthless
    }

    struct Pending: Equatable, Sendable {
        var request: DHCPv6Message
        var purpose: Purpose
        var open: Set<DHCPv6AssociationKey> = []
        var outcomes: [DHCPv6AssociationKey: Outcome] = [:]
        var isConfirming = false
    }

    public var configuration: DHCPv6Configuration
    let offerTime: Duration
    var bound: [DHCPv6AssociationKey: DHCPv6Lease.Resource]
    var offered: [DHCPv6AssociationKey: DHCPv6Lease.Resource] = [:]
    var pending: Pending?
    private var isOfferTimed = false

    /// - Parameters:
    ///   - bound: what a session restored from the store holds.
    ///   - offerTime: how long an offer stands without a request.
    public init(
        configuration: DHCPv6Configuration, bound: [DHCPv6Binding] = [], offerTime: Duration = .seconds(30)
    ) {
        self.configuration = configuration
        self.bound = Dictionary(bound.map { ($0.key, $0.resource) }, uniquingKeysWith: { first, _ in first })
        self.offerTime = offerTime
    }

    /// Nothing is offered, bound or under way: the machine may be forgotten.
    public var isIdle: Bool { self.pending == nil && self.bound.isEmpty && self.offered.isEmpty }

    /// A message waits for answers.
    public var isBusy: Bool { self.pending != nil }

    /// What the client holds, in order.
    public var bindings: [DHCPv6Binding] { Self.list(self.bound) }

    public mutating func handle(
        _ event: Event, at now: ContinuousClock.Instant, into actions: inout ActionBuffer<Action>
    ) {
        switch event {
        case .received(let message, let isUnicast): self.received(message, isUnicast, &actions)
        case .granted(let binding): self.granted(binding, &actions)
        case .denied(let key, let denial): self.denied(key, denial, &actions)
        case .confirmed: self.confirmed(&actions)
        case .confirmationFailed: self.confirmationFailed(&actions)
        case .ended: self.end(&actions)
        case .timerFired(.offer):
            self.isOfferTimed = false
            self.withdrawOffers(&actions)
        }
    }

    // MARK: Gathering

    /// Finds something for each association; what is held is used again.
    mutating func gather(_ request: DHCPv6Message, _ purpose: Purpose, _ actions: inout ActionBuffer<Action>) {
        guard self.pending == nil else { return actions.append(.count(.busy)) }
        var pending = Pending(request: request, purpose: purpose)
        for association in request.associations {
            let key = DHCPv6AssociationKey(association.kind, association.id)
            guard pending.outcomes[key] == nil, !pending.open.contains(key) else { continue }
            if let resource = self.bound[key] ?? self.offered[key] {
                pending.outcomes[key] = .binding(resource)
            } else if key.kind == .temporary || self.isFull(key.kind, pending) {
                pending.outcomes[key] = .refused(Self.unavailable(key.kind))
            } else {
                pending.open.insert(key)
                self.ask(key, association, isExtension: purpose == .extend, &actions)
            }
        }
        self.pending = pending
        self.proceed(&actions)
    }

    private func isFull(_ kind: IdentityAssociation.Kind, _ pending: Pending) -> Bool {
        let held = Set(self.bound.keys).union(self.offered.keys).union(pending.open)
        return held.count { $0.kind == kind } >= self.configuration.associationLimit
    }

    private func ask(
        _ key: DHCPv6AssociationKey, _ association: IdentityAssociation, isExtension: Bool,
        _ actions: inout ActionBuffer<Action>
    ) {
        var (address, prefix): (IPv6Address?, IPv6Prefix?) = (nil, nil)
        for lease in association.leases {
            switch lease.resource {
            case .address(let wish): address = address ?? (wish.isUnspecified ? nil : wish)
            case .prefix(let wish): prefix = prefix ?? wish
            }
        }
        if key.kind == .delegation {
            let isWhole = prefix.map { !$0.address.isUnspecified } ?? false
            actions.append(.requestPrefix(key, wish: prefix, exact: isExtension && isWhole))
        } else {
            actions.append(.requestAddress(key, wish: address, exact: isExtension && address != nil))
        }
    }

    private mutating func granted(_ binding: DHCPv6Binding, _ actions: inout ActionBuffer<Action>) {
        precondition(binding.isConsistent, "\(binding) is of another kind than its association")
        guard self.pending?.open.remove(binding.key) != nil else {
            // An answer to a question that is not asked any more: nobody else would give it back.
            let isHeld = [self.bound[binding.key], self.offered[binding.key]].contains(binding.resource)
            if !isHeld { actions.append(.withdraw([binding])) }
            return
        }
        self.pending?.outcomes[binding.key] = .binding(binding.resource)
        self.offered[binding.key] = binding.resource
        self.proceed(&actions)
    }

    private mutating func denied(
        _ key: DHCPv6AssociationKey, _ denial: Denial, _ actions: inout ActionBuffer<Action>
    ) {
        guard let pending = self.pending, self.pending?.open.remove(key) != nil else { return }
        self.pending?.outcomes[key] = Self.outcome(of: denial, key.kind, pending)
        self.proceed(&actions)
    }

    private static func outcome(
        of denial: Denial, _ kind: IdentityAssociation.Kind, _ pending: Pending
    ) -> Outcome {
        switch (denial, pending.purpose) {
        case (.notOnLink, .extend) where pending.request.type == .rebind: return .worthless
        case (.notOnLink, .extend), (.notYours, .extend): return .refused(DHCPv6StatusCode.noBinding)
        case (.notOnLink, .commit) where kind == .nonTemporary: return .refused(DHCPv6StatusCode.notOnLink)
        default: return .refused(Self.unavailable(kind))
        }
    }

    static func unavailable(_ kind: IdentityAssociation.Kind) -> UInt16 {
        kind == .delegation ? DHCPv6StatusCode.noPrefixes : DHCPv6StatusCode.noAddresses
    }

    // MARK: Answering

    private mutating func proceed(_ actions: inout ActionBuffer<Action>) {
        guard let pending = self.pending, pending.open.isEmpty, !pending.isConfirming else { return }
        let taken = self.taken(pending)
        // 18.3.1: with nothing to commit, Rapid Commit is not answered with a Reply.
        if pending.purpose == .advertise || pending.purpose == .rapidCommit && taken.isEmpty {
            self.advertise(pending, &actions)
        } else if taken.isEmpty {
            self.pending = nil
            self.settleOffers(&actions)
            actions.append(.send(self.reply(.reply, to: pending)))
        } else {
            self.pending?.isConfirming = true
            actions.append(.confirm(Self.list(self.bound.merging(taken) { _, new in new })))
        }
    }

    private mutating func advertise(_ gathered: Pending, _ actions: inout ActionBuffer<Action>) {
        var pending = gathered
        pending.purpose = .advertise
        self.pending = nil
        actions.append(.send(self.reply(.advertise, to: pending)))
        guard !self.offered.isEmpty else { return }
        self.isOfferTimed = true
        actions.append(.startTimer(.offer, after: self.offerTime))
    }

    private func taken(_ pending: Pending) -> [DHCPv6AssociationKey: DHCPv6Lease.Resource] {
        pending.outcomes.compactMapValues { if case .binding(let resource) = $0 { resource } else { nil } }
    }

    private mutating func confirmed(_ actions: inout ActionBuffer<Action>) {
        guard let pending = self.pending, pending.isConfirming else { return }
        self.pending = nil
        let taken = self.taken(pending)
        self.bound.merge(taken) { _, new in new }
        for key in taken.keys { self.offered[key] = nil }
        self.settleOffers(&actions)
        actions.append(.send(self.reply(.reply, to: pending)))
    }

    private mutating func confirmationFailed(_ actions: inout ActionBuffer<Action>) {
        guard self.pending?.isConfirming == true else { return }
        self.pending = nil
        self.settleOffers(&actions)
        actions.append(.count(.silent))
    }

    /// What was offered and not taken goes back.
    private mutating func settleOffers(_ actions: inout ActionBuffer<Action>) {
        if self.isOfferTimed { actions.append(.cancelTimer(.offer)) }
        self.isOfferTimed = false
        self.withdrawOffers(&actions)
    }

    private mutating func withdrawOffers(_ actions: inout ActionBuffer<Action>) {
        // A message that waits may be about to take them; its end settles them.
        guard self.pending == nil, !self.offered.isEmpty else { return }
        actions.append(.withdraw(Self.list(self.offered)))
        self.offered = [:]
    }

    private mutating func end(_ actions: inout ActionBuffer<Action>) {
        self.pending = nil
        self.bound = [:]
        self.settleOffers(&actions)
    }

    static func list(_ resources: [DHCPv6AssociationKey: DHCPv6Lease.Resource]) -> [DHCPv6Binding] {
        resources.map { DHCPv6Binding($0.key, $0.value) }.sorted { $0.key < $1.key }
    }
}
