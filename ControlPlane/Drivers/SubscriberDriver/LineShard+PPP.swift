// SPDX-License-Identifier: Apache-2.0
// What a PPP machine asks for: packets, timers, AAA and an address by way of the session machine, and its end.

import BNGCore
import Fleet
import PPP
import PPPoE
import Subscribers

extension LineShard {
    func carryOut(_ action: PPPServerMachine.Action, _ entry: LineEntry) {
        guard let dial = entry.ppp else { return }
        switch action {
        case .send(let payload): self.send(payload, entry, requires: nil)
        case .sendConfirmed(let payload):
            let requires = entry.session.map { SessionRequirement(id: $0.record.id, generation: $0.record.generation) }
            self.send(payload, entry, requires: requires)
        case .authenticate(let name, let proof): self.authenticate(entry, dial, name, proof)
        case .confirm: self.confirm(entry, dial)
        case .ipv4Opened:
            self.count(.pppOpened)
            dial.established()
        case .ipv6Opened:
            self.count(.ipv6Opened)
            self.linkOpened(entry, dial)
        case .startTimer(let timer, let delay):
            // The plane's clock of whole seconds: never early, at most a tick late.
            let second = (self.world.utcNow().milliseconds + delay.wholeMilliseconds + 999) / 1_000
            dial.setDeadline(timer, second)
            self.pppWheel.add((entry.line, timer), at: second)
        case .cancelTimer(let timer): dial.setDeadline(timer, 0)
        case .finished(let reason): self.finished(entry, dial, reason)
        case .count(let counter): self.pppCounters[counter, default: 0] += 1
        }
    }

    func fireTimers(upTo second: Int64) {
        for (line, timer) in self.pppWheel.take(upTo: second) {
            guard let entry = self.lines[line], entry.ppp?.takeDeadline(timer, at: second) == true else { continue }
            self.perform(entry, .ppp(.timerFired(timer)))
            self.forgetIfIdle(entry)
        }
    }

    private func send(_ payload: [UInt8], _ entry: LineEntry, requires: SessionRequirement?) {
        guard let path = self.replyPath(entry) else { return }
        self.world.link.inject(
            node: path.node, port: path.port, frame: path.frame(pppoeID: entry.line.pppoeID, payload),
            requires: requires)
    }

    /// nil for a stored session whose node has not been seen since.
    func replyPath(_ entry: LineEntry) -> ReplyPath? {
        guard var path = entry.path else { return nil }
        guard path.portMAC == .zero else { return path }
        guard let mac = self.world.portMACs(of: path.node)[path.port] else { return nil }
        path.portMAC = mac
        entry.path = path
        return path
    }

    // MARK: Being let in

    private func authenticate(
        _ entry: LineEntry, _ dial: PPPDial, _ name: [UInt8], _ proof: PPPServerMachine.Proof
    ) {
        dial.setup?.userName = UserNameTemplate.printable(name)
        dial.setup?.credential = AuthorizationRequest.Credential(proof)
        self.perform(entry, .session(.begin))
    }

    /// The name and the proof AAA is asked about; nil for a line that names itself.
    func credentials(of entry: LineEntry) -> (name: String, credential: AuthorizationRequest.Credential)? {
        guard let setup = entry.ppp?.setup, setup.credential != .line else { return nil }
        return (setup.userName, setup.credential)
    }

    /// AAA let the client in and the pool gave an address.
    func admit(_ entry: LineEntry, to address: IPv4Address) {
        guard let dial = entry.ppp, let record = entry.session?.record else { return }
        let message = dial.setup?.message ?? []
        dial.setup?.credential = .line
        self.perform(entry, .ppp(.admitted(self.addresses(entry, record, address), message: message)))
    }

    func addresses(
        _ entry: LineEntry, _ record: SessionRecord, _ address: IPv4Address
    ) -> PPPServerMachine.Addresses {
        let granted = self.world.profile(of: record)?.dns ?? []
        let servers = granted.isEmpty ? entry.pool?.dns ?? [] : granted
        return PPPServerMachine.Addresses(
            local: record.ppp?.local ?? entry.pool?.template.gateway ?? .zero, peer: address, dns: servers)
    }

    private func confirm(_ entry: LineEntry, _ dial: PPPDial) {
        self.present(entry, dial)
        // No lease: the session lasts until one side ends it.
        self.perform(entry, .session(.confirm(until: .zero, at: self.world.utcNow())))
    }

    /// The link as it has been agreed on, for the record.
    private func present(_ entry: LineEntry, _ dial: PPPDial) {
        guard let record = entry.session?.record else { return }
        let link = dial.machine.link
        var details =
            record.ppp
            ?? PPPoEDetails(
                link: link, service: dial.service, local: entry.pool?.template.gateway ?? .zero,
                mtu: min(link.peerMRU, dial.setup?.maxPayload ?? PPPoEReplies.usualPayload))
        details.link = link
        var presentation = record.presentation
        presentation.ppp = details
        self.perform(entry, .session(.presented(presentation)))
    }

    /// IPv6CP has agreed on interface identifiers: the link may have its prefix.
    private func linkOpened(_ entry: LineEntry, _ dial: PPPDial) {
        guard self.world.configuration.ipv6[entry.line.accessDomain] != nil else { return }
        self.present(entry, dial)
        self.serve(entry, .link)
    }

    // MARK: The end

    /// The session is over: the client is told, unless it is gone.
    func sessionEnded(_ entry: LineEntry, _ cause: TerminateCause) {
        guard let dial = entry.ppp else { return }
        if dial.endCause == nil { dial.endCause = cause }
        let isGone = dial.isPeerGone || cause == .lostCarrier
        self.perform(entry, .ppp(isGone ? .linkLost : .close(PPPTerminateReason(cause))))
    }

    private func finished(_ entry: LineEntry, _ dial: PPPDial, _ reason: PPPTerminateReason) {
        if !dial.isPeerGone, let path = self.replyPath(entry) { self.sendTermination(entry.line.pppoeID, along: path) }
        self.releaseDial(entry)
        let cause = dial.endCause ?? TerminateCause(reason)
        self.perform(entry, .session(.end(cause, at: self.world.utcNow())))
    }
}

extension AuthorizationRequest.Credential {
    init(_ proof: PPPServerMachine.Proof) {
        switch proof {
        case .none: self = .line
        case .password(let password): self = .password(password)
        case .chap(let identifier, let challenge, let response):
            self = .chap(identifier: identifier, challenge: challenge, response: response)
        case .msChapV2(let identifier, let challenge, let response):
            self = .msChapV2(identifier: identifier, challenge: challenge, response: response)
        }
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 {
        self.components.seconds * 1_000 + self.components.attoseconds / 1_000_000_000_000_000
    }
}

extension PPPServerMachine.Seeds {
    static func random(using generator: inout SystemRandomNumberGenerator) -> Self {
        // Few draws: each is a system call.
        var challenge: [UInt8] = []
        challenge.reserveCapacity(16)
        challenge.appendBigEndian(generator.next())
        challenge.appendBigEndian(generator.next())
        return Self(
            magic: UInt32(truncatingIfNeeded: generator.next()), challenge: challenge, interfaceID: generator.next())
    }
}
