// SPDX-License-Identifier: Apache-2.0
// Changes of a session one after the other: to the store, to the node, into force; or undone.

import BNGCore

extension SessionMachine {
    // MARK: Beginning

    /// The record holds what is to be.
    mutating func begin(
        _ purpose: Change.Purpose, _ before: SessionRecord, _ actions: inout ActionBuffer<Action>
    ) {
        let isFirst = before.generation == 0
        self.work = .busy(Busy(change: Change(purpose: purpose, before: isFirst ? nil : before)))
        self.persist(&actions)
    }

    private mutating func persist(_ actions: inout ActionBuffer<Action>) {
        // Also for unchanged content: a node takes a later lease only with a new generation (docs/contract.md).
        self.record.generation += 1
        self.record.phase = .active
        self.step = .persisting
        actions.append(.persist(self.record))
    }

    private mutating func start(at time: UTCTime) {
        guard self.record.generation == 0 else { return }
        self.record.started = time
        self.record.ends = self.sessionTimeout == 0 ? .zero : time + self.sessionTimeout
    }

    mutating func confirm(_ until: UTCTime, _ at: UTCTime, _ actions: inout ActionBuffer<Action>) {
        let before = self.record
        if let offer = self.offer {
            (self.record.address, self.record.pool, self.record.vrf) = (offer.address, offer.pool, offer.vrf)
            self.record.nat = offer.nat
            self.offer = nil
        }
        guard self.record.address != .zero else { return actions.append(.confirmationFailed) }
        self.start(at: at)
        self.record.leaseExpires = max(self.record.leaseExpires, until)
        self.begin(.ipv4, before, &actions)
    }

    mutating func extendNAT(_ grant: NATGrant, _ actions: inout ActionBuffer<Action>) {
        guard self.record.generation > 0, let held = self.record.nat, held.address == grant.address,
            held.firstPorts.count < grant.firstPorts.count
        else { return actions.append(.extensionRefused(grant)) }
        let before = self.record
        // Those of now: they may have changed while the block was asked for.
        self.record.nat = grant.with(held.forwards)
        self.begin(.nat, before, &actions)
    }

    mutating func confirmIPv6(_ details: IPv6Details, _ at: UTCTime, _ actions: inout ActionBuffer<Action>) {
        let before = self.record
        self.record.ipv6 = details.extended(to: before.ipv6?.expires)
        self.start(at: at)
        self.begin(.ipv6, before, &actions)
    }

    mutating func dropIPv4(_ cause: TerminateCause, _ at: UTCTime, _ actions: inout ActionBuffer<Action>) {
        if let offer = self.offer {
            let isDeclined = cause == .addressDeclined
            self.offer = nil
            actions.append(.releaseAddress(offer.address, pool: offer.pool, declined: isDeclined, used: isDeclined))
            if let nat = offer.nat { actions.append(.releaseNAT(nat, used: false)) }
        }
        guard self.record.generation > 0, self.record.address != .zero else { return }
        guard self.holdsIPv6 else { return self.disconnect(cause, at, &actions) }
        let before = self.record
        (self.record.address, self.record.leaseExpires, self.record.nat) = (.zero, .zero, nil)
        self.record.cause = cause == .addressDeclined ? cause : nil
        self.begin(.dropIPv4, before, &actions)
        actions.append(.droppedIPv4)
    }

    mutating func dropIPv6(
        _ kept: IPv6Details?, _ cause: TerminateCause, _ at: UTCTime, _ actions: inout ActionBuffer<Action>
    ) {
        guard self.record.generation > 0, self.record.ipv6 != nil else { return }
        let isEmpty = kept?.isEmpty ?? true
        if isEmpty, !self.holdsIPv4 { return self.disconnect(cause, at, &actions) }
        let before = self.record
        self.record.ipv6 = isEmpty ? nil : kept
        self.begin(.dropIPv6, before, &actions)
        if isEmpty { actions.append(.droppedIPv6) }
    }

    mutating func renewed(_ ipv4: UTCTime?, _ ipv6: UTCTime?, _ actions: inout ActionBuffer<Action>) {
        var (later4, later6): (UTCTime?, UTCTime?) = (nil, nil)
        if let ipv4, self.record.address != .zero, ipv4 > self.record.leaseExpires {
            self.record.leaseExpires = ipv4
            later4 = ipv4
        }
        if let ipv6, let held = self.record.ipv6, ipv6 > held.expires {
            self.record.ipv6?.expires = ipv6
            later6 = ipv6
        }
        guard later4 != nil || later6 != nil else { return }
        actions.append(.persistRenewal(self.record.id, ipv4: later4, ipv6: later6))
    }

    // MARK: In force

    mutating func install(_ actions: inout ActionBuffer<Action>) {
        self.step = .installing
        actions.append(.install(self.record))
    }

    mutating func cameIntoForce(_ actions: inout ActionBuffer<Action>) {
        guard let busy = self.busy else { return }
        if let before = busy.change.before { self.releaseWhatLeft(before, &actions) }
        switch busy.change.purpose {
        case .grant: actions.append(.changed(true))
        case .restoreGrant: actions.append(.changed(false))
        case .ipv4: if busy.end == nil { actions.append(.confirmed) }
        case .ipv6: if busy.end == nil { actions.append(.confirmedIPv6) }
        case .nat, .dropIPv4, .dropIPv6, .restore: actions.append(.settled)
        }
        self.resume(busy, &actions)
    }

    /// The node holds none of what was in force before and is not any more.
    private mutating func releaseWhatLeft(_ before: SessionRecord, _ actions: inout ActionBuffer<Action>) {
        if before.address != self.record.address {
            self.releaseAddress(of: before, declined: self.record.cause == .addressDeclined, &actions)
            self.record.cause = nil
        }
        let held = Set(self.record.ipv6?.resources ?? [])
        self.release((before.ipv6?.resources ?? []).filter { !held.contains($0) }, &actions)
        // The node refused a block, or has lost none of the others.
        if let tried = before.nat, let nat = self.record.nat, tried.firstPorts.count > nat.firstPorts.count {
            actions.append(.extensionRefused(tried))
        }
    }

    /// The session is at rest; what came meanwhile is due now.
    private mutating func resume(_ finished: Busy, _ actions: inout ActionBuffer<Action>) {
        self.step = .open
        self.work = .none
        if let end = finished.end { return self.disconnect(end.cause, end.at, &actions) }
        if let drop = finished.dropIPv4 { self.dropIPv4(drop.cause, drop.at, &actions) }
        if let confirmation = finished.confirmation {
            self.whenOpen(.confirm(until: confirmation.until, at: confirmation.at), &actions)
        }
        guard let waiting = finished.ipv6 else { return }
        if let cause = waiting.drop {
            self.whenOpen(.dropIPv6(keeping: waiting.details, cause, at: waiting.at), &actions)
        } else if let details = waiting.details {
            self.whenOpen(.confirmIPv6(details, at: waiting.at), &actions)
        }
    }

    /// Now, or after what has just been begun.
    private mutating func whenOpen(_ event: Event, _ actions: inout ActionBuffer<Action>) {
        self.handle(event, at: .now, into: &actions)
    }

    // MARK: Undone

    /// The record as it was, but for what was counted and renewed since.
    private func restored(_ before: SessionRecord) -> SessionRecord {
        var record = before
        (record.counters, record.counterBase) = (self.record.counters, self.record.counterBase)
        if before.address == self.record.address {
            record.leaseExpires = max(before.leaseExpires, self.record.leaseExpires)
        }
        return record
    }

    mutating func persistFailed(_ actions: inout ActionBuffer<Action>) {
        guard let busy = self.busy else { return }
        guard let before = busy.change.before else {
            // Nothing of a session that was never stored is accounted.
            self.record.isAccounted = false
            return self.fail(busy, &actions)
        }
        let failed = self.record
        switch busy.change.purpose {
        case .grant:
            self.record = self.restored(before)
            actions.append(.changed(false))
        case .ipv6:
            self.record = self.restored(before)
            actions.append(.confirmationFailedIPv6)
        case .nat:
            self.record = self.restored(before)
            if let refused = failed.nat { actions.append(.extensionRefused(refused)) }
            actions.append(.settled)
        case .ipv4 where before.address == .zero:
            self.record = self.restored(before)
            self.releaseAddress(of: failed, declined: false, &actions)
            actions.append(.confirmationFailed)
        // The store will be told with the next change; what matters is that the node forgets it.
        case .dropIPv4, .dropIPv6: return self.install(&actions)
        case .ipv4, .restore, .restoreGrant: return self.fail(busy, &actions)
        }
        self.resume(busy, &actions)
    }

    mutating func installFailed(_ actions: inout ActionBuffer<Action>) {
        guard var busy = self.busy, let before = busy.change.before else {
            if let busy = self.busy { self.fail(busy, &actions) }
            return
        }
        let failed = self.record
        switch busy.change.purpose {
        case .grant: busy.change.purpose = .restoreGrant
        case .nat: busy.change.purpose = .restore
        case .ipv6:
            actions.append(.confirmationFailedIPv6)
            busy.change.purpose = .restore
        case .ipv4 where before.address == .zero:
            actions.append(.confirmationFailed)
            busy.change.purpose = .restore
        default: return self.fail(busy, &actions)
        }
        self.record = self.restored(before)
        self.record.generation = failed.generation
        busy.change.before = failed
        self.work = .busy(busy)
        self.persist(&actions)
    }

    private mutating func fail(_ busy: Busy, _ actions: inout ActionBuffer<Action>) {
        switch busy.change.purpose {
        case .grant, .restoreGrant: actions.append(.changed(false))
        case .ipv6: actions.append(.confirmationFailedIPv6)
        default: actions.append(.confirmationFailed)
        }
        // Whether the node holds an older state of it is unknown here: removal settles both cases.
        self.disconnect(busy.end?.cause ?? .configuration, busy.end?.at ?? self.record.started, &actions)
    }
}

extension IPv6Details {
    /// Its lease ends no earlier than the one that runs.
    fileprivate func extended(to running: UTCTime?) -> IPv6Details {
        var details = self
        if let running { details.expires = max(details.expires, running) }
        return details
    }
}
