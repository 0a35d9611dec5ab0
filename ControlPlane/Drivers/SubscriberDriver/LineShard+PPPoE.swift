// SPDX-License-Identifier: Apache-2.0
// PPPoE on a shard (RFC 2516): requests become dials with an id of their own, frames find their dial, ids rest after it.

import BNGCore
import PPP
import PPPoE
import Subscribers

/// Ids that may not be used again yet: the client, or a node, may still hold them.
struct RestingIDs {
    static let limit = 65_536
    /// Longer than any client takes to notice that its session is gone.
    static let rest: Int64 = 300

    private var until: [LineKey: Int64] = [:]
    private var pruned: Int64 = 0

    mutating func add(_ line: LineKey, at second: Int64) {
        if self.until.count >= Self.limit { self.prune(at: second) }
        guard self.until.count < Self.limit else { return }
        self.until[line] = second + Self.rest
    }

    func contains(_ line: LineKey) -> Bool { self.until[line] != nil }

    mutating func prune(at second: Int64) {
        guard !self.until.isEmpty, second > self.pruned else { return }
        self.pruned = second
        self.until = self.until.filter { $0.value > second }
    }
}

extension LineShard {
    func receive(_ frame: PPPoEFrame) {
        switch frame.content {
        case .request(let request): self.requested(request, frame)
        case .terminate:
            self.count(.padtReceived)
            guard let entry = self.lines[frame.line], let dial = entry.ppp else { return }
            dial.isPeerGone = true
            dial.endCause = .userRequest
            self.perform(entry, .ppp(.linkLost))
            self.forgetIfIdle(entry)
        case .ppp(let payload):
            self.count(.pppReceived)
            guard let entry = self.lines[frame.line], entry.ppp != nil else {
                // A session of before: the client is told, and dials again.
                self.count(.pppUnknownSession)
                return self.sendTermination(frame.line.pppoeID, along: frame.path)
            }
            entry.path = frame.path
            self.perform(entry, .ppp(.received(payload)))
            self.forgetIfIdle(entry)
        }
    }

    // MARK: A request for a session

    private func requested(_ request: PPPoEDiscovery, _ frame: PPPoEFrame) {
        self.count(.padrReceived)
        guard let policy = self.world.configuration.pppoe[frame.line.accessDomain],
            let pool = self.world.pool(for: frame.line.accessDomain, relay: .zero)
        else { return self.count(.noPool) }
        guard let service = request.serviceName, policy.rules.accepts(service) else {
            return self.refuse(request, frame, .serviceName, "this service is not offered")
        }
        let dials = self.dials[frame.line] ?? []
        for id in dials {
            guard let entry = self.dial(frame.line, id), entry.ppp?.isAnswering(request) == true else { continue }
            self.count(.duplicates)
            return self.confirmSession(entry, frame.path)
        }
        guard !self.lockouts.isLocked(frame.line, at: self.world.utcNow()) else { return self.count(.lockedOut) }
        guard self.pending < self.world.configuration.pendingLimit else { return self.count(.shed) }
        // Who dials again takes the place of its own session, which counts until it is gone: that is not one too many.
        let isReplacing = dials.count >= policy.perMAC
        guard
            let limit = self.world.quotas.take(
                frame.line, node: frame.path.node, perLine: isReplacing ? 0 : policy.perLine,
                perNode: isReplacing ? 0 : policy.perNode)
        else { return self.dial(request, frame, policy, pool, beside: dials) }
        self.count(limit == .line ? .lineLimit : .nodeLimit)
        self.refuse(request, frame, .acSystem, "too many sessions")
    }

    private func dial(
        _ request: PPPoEDiscovery, _ frame: PPPoEFrame, _ policy: PPPoEPolicy, _ pool: PoolPolicy, beside: [UInt16]
    ) {
        guard let session = self.mintID(), let line = self.freeLine(frame.line, for: session) else {
            self.world.quotas.giveBack(frame.line, node: frame.path.node)
            return self.refuse(request, frame, .acSystem, "no session id")
        }
        for id in beside.prefix(max(0, beside.count + 1 - policy.perMAC)) {
            guard let entry = self.dial(frame.line, id) else { continue }
            self.count(.replaced)
            self.hangUp(entry, .replaced)
        }
        let maxPayload = PPPoEReplies.agreedPayload(request, policy.mru)
        let machine = PPPServerMachine(
            configuration: policy.machineConfiguration(maxPayload), seeds: .random(using: &self.randomness))
        let entry = LineEntry(line: line, pool: pool)
        entry.dhcp = nil
        entry.ppp = PPPDial(
            policy: policy, machine: machine, setup: .init(request: request, maxPayload: maxPayload))
        entry.path = frame.path
        self.begin(entry, id: session, frame)
        self.confirmSession(entry, frame.path)
        self.perform(entry, .ppp(.start))
    }

    /// The line with an id nobody holds: of the session's counter, so that ids come round as late as they can.
    private func freeLine(_ line: LineKey, for session: SessionID) -> LineKey? {
        var candidate = line
        for attempt in 0..<UInt64(256) {
            candidate.pppoeID = UInt16((session.counter + attempt) % 65_534) + 1
            if self.lines[candidate] == nil, !self.resting.contains(candidate) { return candidate }
        }
        return nil
    }

    private func begin(_ entry: LineEntry, id: SessionID, _ frame: PPPoEFrame) {
        let presentation = SessionPresentation(
            tags: frame.path.tags, relayMAC: .zero, clientID: [], option82: frame.circuit, hostName: "")
        self.connect(entry, id, frame.path, presentation)
        self.dials[frame.line, default: []].append(entry.line.pppoeID)
    }

    func dial(_ line: LineKey, _ id: UInt16) -> LineEntry? {
        var key = line
        key.pppoeID = id
        return self.lines[key]
    }

    /// Ends a dial or a session for another reason than its client's.
    func hangUp(_ entry: LineEntry, _ cause: TerminateCause) {
        entry.ppp?.endCause = cause
        if let session = entry.session, session.record.generation > 0, !session.isEnding {
            self.perform(entry, .session(.end(cause, at: self.world.utcNow())))
        } else {
            self.perform(entry, .ppp(.close(PPPTerminateReason(cause))))
        }
        self.forgetIfIdle(entry)
    }

    /// The link of a stored session, as it was.
    func restorePPP(_ entry: LineEntry, _ record: SessionRecord) {
        entry.dhcp = nil
        entry.path = ReplyPath(
            node: record.node, port: record.port, portMAC: .zero, tags: record.tags, peerMAC: record.line.mac)
        guard record.phase == .active, let details = record.ppp,
            let policy = self.world.configuration.pppoe[record.line.accessDomain]
        else { return }
        let machine = PPPServerMachine(
            restored: details.link, addresses: self.addresses(entry, record, record.address),
            configuration: policy.machineConfiguration(details.mtu > PPPoEReplies.usualPayload ? details.mtu : nil),
            seeds: .random(using: &self.randomness))
        entry.ppp = PPPDial(policy: policy, machine: machine, setup: nil)
        _ = self.world.quotas.take(record.line, node: record.node, perLine: 0, perNode: 0)
        self.dials[record.line.withoutPPPoE, default: []].append(record.line.pppoeID)
    }

    /// The dial's id is free again, after its rest.
    func releaseDial(_ entry: LineEntry) {
        let line = entry.line.withoutPPPoE
        guard var ids = self.dials[line], let index = ids.firstIndex(of: entry.line.pppoeID) else { return }
        ids.remove(at: index)
        self.dials[line] = ids.isEmpty ? nil : ids
        self.resting.add(entry.line, at: self.world.utcNow().milliseconds / 1_000)
    }

    // MARK: Discovery packets out

    private func confirmSession(_ entry: LineEntry, _ path: ReplyPath) {
        guard let dial = entry.ppp, let setup = dial.setup else { return }
        self.count(.padsSent)
        let reply = PPPoEReplies.pads(
            for: setup.request, sessionID: entry.line.pppoeID, acName: dial.policy.acName,
            maxPayload: setup.maxPayload)
        self.world.link.inject(node: path.node, port: path.port, frame: path.frame(reply), requires: nil)
    }

    private func refuse(_ request: PPPoEDiscovery, _ frame: PPPoEFrame, _ error: PPPoEError, _ text: String) {
        self.count(.padrRefused)
        let reply = PPPoEReplies.refusal(of: request, error, text: text)
        self.world.link.inject(
            node: frame.path.node, port: frame.path.port, frame: frame.path.frame(reply), requires: nil)
    }

    func sendTermination(_ id: UInt16, along path: ReplyPath) {
        guard id != 0 else { return }
        self.count(.padtSent)
        let reply = PPPoEReplies.padt(sessionID: id)
        self.world.link.inject(node: path.node, port: path.port, frame: path.frame(reply), requires: nil)
    }
}
