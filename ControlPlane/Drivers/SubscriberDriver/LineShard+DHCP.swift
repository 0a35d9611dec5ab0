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
        case .withdrawOffer:
            self.perform(entry, .session(.lapse))
            self.abandonIfQuiet(entry)
        case .grantLease: self.grantLease(entry)
        case .released:
            self.count(.released)
            self.dropIPv4(entry, .userRequest)
        case .declined:
            self.count(.declined)
            self.dropIPv4(entry, .addressDeclined)
        case .send(let reply, let delivery): self.send(reply, delivery, entry)
        case .startTimer(.offer, let delay): self.startOfferTimer(entry, delay)
        case .cancelTimer(.offer):
            entry.offerTimer?.cancel()
            entry.offerTimer = nil
        case .count(let counter): self.count(PlaneCounter(counter))
        }
    }

    /// The client holds its address no more; the session ends with it unless there is IPv6.
    private func dropIPv4(_ entry: LineEntry, _ cause: TerminateCause) {
        self.perform(entry, .session(.dropIPv4(cause, at: self.world.utcNow())))
        self.abandonIfQuiet(entry)
    }

    /// The client wants an address: a session begins, or gets one.
    private func requestAddress(_ entry: LineEntry, wish: IPv4Address?, exact: Bool) {
        entry.wish = (wish, exact)
        self.serve(entry, .ipv4)
    }

    private func grantLease(_ entry: LineEntry) {
        if let presentation = entry.presentation { self.perform(entry, .session(.presented(presentation))) }
        let now = self.world.utcNow()
        self.perform(entry, .session(.confirm(until: now + (entry.pool?.template.lease ?? 0), at: now)))
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
