// SPDX-License-Identifier: Apache-2.0
// What protocols want of a line's session: it begins with the first to want something, serves the others once AAA has answered, and is
// given up when it has promised nothing and nobody waits.

import BNGCore
import DHCPv6
import Subscribers

extension LineShard {
    /// Something is wanted: at once if the customer has been let in, else after AAA's answer; who has no session gets one.
    func serve(_ entry: LineEntry, _ wanted: LineEntry.Waiting) {
        if let session = entry.session {
            if session.isEnding { return self.refuse(entry, wanted) }
            if session.isAdmitted { return self.serveNow(entry, wanted) }
            return entry.waiting.append(wanted)
        }
        guard !self.lockouts.isLocked(entry.line, at: self.world.utcNow()) else {
            self.count(.lockedOut)
            return self.refuse(entry, wanted)
        }
        guard let path = entry.path, let presentation = entry.presentation, let id = self.mintID() else {
            return self.refuse(entry, wanted)
        }
        entry.waiting.append(wanted)
        self.connect(entry, id, path, presentation)
        self.perform(entry, .session(.begin))
    }

    /// A session of which nothing has been asked yet.
    func connect(_ entry: LineEntry, _ id: SessionID, _ path: ReplyPath, _ presentation: SessionPresentation) {
        var record = SessionRecord(
            id: id, generation: 0, phase: .connecting, node: path.node, line: entry.line, tags: presentation.tags,
            relayMAC: presentation.relayMAC, vrf: self.vrf(of: entry), pool: entry.pool?.name ?? "", address: .zero,
            clientID: presentation.clientID, option82: presentation.option82, hostName: presentation.hostName,
            started: self.world.utcNow(), leaseExpires: .zero)
        record.port = path.port
        record.isAccounted = self.world.configuration.aaa.accounting != nil
        entry.session = SessionMachine(connecting: record)
        self.add(entry, id: id)
        entry.isPending = true
        self.pending += 1
    }

    private func vrf(of entry: LineEntry) -> VRF {
        entry.pool?.vrf ?? self.world.configuration.ipv6[entry.line.accessDomain]?.vrf ?? 0
    }

    /// AAA let the customer in.
    func admitted(_ entry: LineEntry) {
        let waiting = entry.waiting
        entry.waiting = []
        if entry.ppp != nil { self.reserveAddress(entry) }
        for wanted in waiting { self.serveNow(entry, wanted) }
    }

    private func serveNow(_ entry: LineEntry, _ wanted: LineEntry.Waiting) {
        switch wanted {
        case .ipv4: self.reserveAddress(entry)
        case .link: self.confirmLink(entry)
        case .dhcpv6(let question): self.ask(question, entry)
        }
    }

    private func refuse(_ entry: LineEntry, _ wanted: LineEntry.Waiting) {
        switch wanted {
        case .ipv4: self.perform(entry, .dhcp(.addressDenied(.unavailable)))
        case .link: break
        case .dhcpv6(let question): self.perform(entry, .dhcpv6(.denied(question.key, .exhausted)))
        }
    }

    func refuseAll(_ entry: LineEntry) {
        let waiting = entry.waiting
        entry.waiting = []
        if entry.ppp != nil { return self.denyAddress(entry) }
        for wanted in waiting {
            if case .ipv4 = wanted { self.denyAddress(entry) } else { self.refuse(entry, wanted) }
        }
    }

    func denyAddress(_ entry: LineEntry) {
        if let dial = entry.ppp { return self.perform(entry, .ppp(.denied(message: dial.setup?.message ?? []))) }
        self.perform(entry, .dhcp(.addressDenied(entry.denial)))
    }

    /// A session that has promised nothing and that nobody waits for is given up.
    func abandonIfQuiet(_ entry: LineEntry) {
        // After what is under way: the machines may be about to ask for more.
        self.perform(entry, .settle)
    }

    func cameIntoForce(_ entry: LineEntry) {
        if let record = entry.session?.record {
            self.sessionIndex.add(record)
            if entry.presentation == record.presentation { entry.presentation = nil }
        }
        self.advertiseIfChanged(entry)
        self.accountIfChanged(entry)
        self.scheduleForwards(entry)
        self.forwardForAAA(entry)
        self.nextChange(entry)
    }
}
