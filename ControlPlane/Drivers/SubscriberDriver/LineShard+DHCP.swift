// SPDX-License-Identifier: Apache-2.0
// What the DHCPv4 machine asks for: an address, a lease, a timer, a frame.

import BNGCore
import DHCPv4
import NIOCore
import Subscribers

extension LineShard {
    func carryOut(_ action: DHCPv4ServerMachine.Action, _ entry: LineEntry) {
        switch action {
        case .requestAddress(let wish, let exact): self.requestAddress(entry, wish: wish, exact: exact)
        case .withdrawOffer: self.perform(entry, .session(.lapse))
        case .grantLease: self.grantLease(entry)
        case .released:
            self.count(.released)
            self.perform(entry, .session(.end(.userRequest, at: self.world.utcNow())))
        case .declined:
            self.count(.declined)
            self.perform(entry, .session(.end(.addressDeclined, at: self.world.utcNow())))
        case .send(let reply, let delivery): self.send(reply, delivery, entry)
        case .startTimer(.offer, let delay): self.startOfferTimer(entry, delay)
        case .cancelTimer(.offer):
            entry.offerTimer?.cancel()
            entry.offerTimer = nil
        case .count(let counter): self.count(PlaneCounter(counter))
        }
    }

    /// The client wants an address: a session begins.
    private func requestAddress(_ entry: LineEntry, wish: IPv4Address?, exact: Bool) {
        if let session = entry.session {
            // Still being removed, or an address is already on its way for an earlier message.
            if session.isEnding { self.perform(entry, .dhcp(.addressDenied(.unavailable))) }
            return
        }
        let now = self.world.utcNow()
        guard !self.lockouts.isLocked(entry.line, at: now) else {
            self.count(.lockedOut)
            return self.perform(entry, .dhcp(.addressDenied(.unavailable)))
        }
        guard let path = entry.path, let presentation = entry.presentation, let id = self.mintID() else {
            return self.perform(entry, .dhcp(.addressDenied(.unavailable)))
        }
        entry.wish = (wish, exact)
        var record = SessionRecord(
            id: id, generation: 0, phase: .connecting, node: path.node, line: entry.line, tags: presentation.tags,
            relayMAC: presentation.relayMAC, vrf: entry.pool.vrf, pool: entry.pool.name, address: .zero,
            clientID: presentation.clientID, option82: presentation.option82, hostName: presentation.hostName,
            started: now, leaseExpires: .zero)
        record.port = path.port
        record.isAccounted = self.world.configuration.aaa.accounting != nil
        entry.session = SessionMachine(connecting: record)
        self.add(entry, id: id)
        entry.isPending = true
        self.pending += 1
        self.perform(entry, .session(.begin))
    }

    private func grantLease(_ entry: LineEntry) {
        if let presentation = entry.presentation { self.perform(entry, .session(.presented(presentation))) }
        let now = self.world.utcNow()
        self.perform(entry, .session(.confirm(until: now + entry.pool.template.lease, at: now)))
    }

    private func send(_ reply: DHCPv4Message, _ delivery: DHCPv4Delivery, _ entry: LineEntry) {
        guard let path = entry.path else { return }
        var requires: SessionRequirement?
        switch reply.type {
        case .offer: self.count(.offers)
        case .nak: self.count(.naks)
        case .ack where reply.yourAddress == .zero: self.count(.informs)
        default:
            self.count(.acks)
            requires = entry.session.map { SessionRequirement(id: $0.record.id, generation: $0.record.generation) }
        }
        guard let server = entry.dhcp?.parameters.serverIdentifier else { return }
        let frame = replyFrame(reply, delivery, from: server, along: path)
        self.world.link.inject(node: path.node, port: path.port, frame: frame, requires: requires)
    }

    private func startOfferTimer(_ entry: LineEntry, _ delay: Duration) {
        entry.offerTimer?.cancel()
        let line = entry.line
        entry.offerTimer = self.loop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
            guard let entry = self.lines[line] else { return }
            entry.offerTimer = nil
            self.perform(entry, .dhcp(.timerFired(.offer)))
            self.forgetIfIdle(entry)
            self.flush()
        }
    }
}
