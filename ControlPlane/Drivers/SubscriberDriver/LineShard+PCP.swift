// SPDX-License-Identifier: Apache-2.0
// Port control on a shard (RFC 6887, RFC 6886): requests become changes of the session's forwards, and are answered when the node has
// confirmed them.

import BNGCore
import PCP
import Subscribers

/// What customers behind a NAT policy may ask for.
public struct PCPPolicy: Sendable, Equatable {
    /// Forwards of a session at most, whoever wants them.
    public var limit: Int
    /// Seconds a mapping is granted for.
    public var lifetimes: ClosedRange<UInt32>

    public init(limit: Int, lifetimes: ClosedRange<UInt32>) {
        self.limit = limit
        self.lifetimes = lifetimes
    }
}

extension LineShard {
    /// The node has checked the source; what is not this shard's is another's.
    func receive(_ frame: PCPFrame) {
        guard let entry = self.byID[frame.session], let record = entry.session?.record, let nat = record.nat else {
            return
        }
        self.count(.pcpReceived)
        guard let policy = self.world.configuration.pcp[nat.policy], self.isBehind(record, frame.source),
            entry.session?.isEnding == false
        else { return self.count(.pcpIgnored) }
        switch frame.request.question {
        case .announce, .address: self.answer(frame, record, .success)
        case .wrong(let result): self.answer(frame, record, result)
        case .map(let request): self.map(request, frame, entry, policy)
        }
    }

    private func isBehind(_ record: SessionRecord, _ address: IPv4Address) -> Bool {
        address == record.address || record.grant.routes.contains { $0.contains(address) }
    }

    private func map(_ request: PCPMapRequest, _ frame: PCPFrame, _ entry: LineEntry, _ policy: PCPPolicy) {
        // The client repeats itself while its first request is under way (RFC 6887 8.1.1).
        guard !entry.portRequests.contains(frame.request) else { return self.count(.duplicates) }
        guard self.world.link.isReachable(frame.node) else { return self.refuse(frame, entry, .networkFailure) }
        entry.portRequests.append(frame.request)
        let (id, asked, outcome) = (frame.session, frame.request, PCPOutcome())
        let now = self.world.utcNow()
        let edit = { (nat: NATGrant) -> Result<[NATGrant.Forward], PortForwardProblem> in
            var table = PCPTable(nat, policy)
            _ = table.expire(at: now)
            outcome.result = table.take(request, from: frame.source, at: now)
            guard case .success = outcome.result else { return .failure(PortForwardProblem("PCP")) }
            return .success(table.forwards(nat))
        }
        self.change(entry, .forwards(edit)) { result in
            guard let entry = self.byID[id] else { return }
            entry.portRequests.removeAll { $0 == asked }
            switch (result, outcome.result) {
            case (.done, .success(let granted)):
                self.count(.pcpMapped)
                self.send(PCPCodec.answer(frame.request, granted, epoch: self.epoch(entry)), frame, entry)
            case (_, .failure(let refusal)): self.refuse(frame, entry, refusal.result)
            // The node or the store did not take it, or too much is waiting.
            default: self.refuse(frame, entry, .noResources)
            }
        }
    }

    private func refuse(_ frame: PCPFrame, _ entry: LineEntry, _ result: PCPResult) {
        guard let record = entry.session?.record else { return }
        self.answer(frame, record, result)
    }

    private func answer(_ frame: PCPFrame, _ record: SessionRecord, _ result: PCPResult) {
        guard let entry = self.byID[record.id] else { return }
        if result != .success { self.count(.pcpRefused) }
        let address = record.nat?.address ?? .zero
        self.send(PCPCodec.answer(frame.request, result, epoch: self.epoch(entry), address: address), frame, entry)
    }

    /// RFC 6887 8.5: mappings live and die with the session, over restarts of either plane.
    private func epoch(_ entry: LineEntry) -> UInt32 {
        guard let started = entry.session?.record.started else { return 0 }
        return UInt32(clamping: (self.world.utcNow().milliseconds - started.milliseconds) / 1_000)
    }

    private func send(_ answer: [UInt8], _ frame: PCPFrame, _ entry: LineEntry) {
        guard let record = entry.session?.record else { return }
        self.world.link.inject(
            node: frame.node, port: frame.port, frame: frame.reply(answer),
            requires: SessionRequirement(id: record.id, generation: record.generation))
    }
}

/// What the table has decided, when the change's turn had come. On one loop.
private final class PCPOutcome: @unchecked Sendable {
    // Confined to the shard's loop, hence @unchecked.
    var result: Result<PCPGranted, PCPRefusal>?
}

extension PCPTable {
    fileprivate init(_ nat: NATGrant, _ policy: PCPPolicy) {
        self.init(
            address: nat.address, ports: nat.ranges, limit: policy.limit, lifetimes: policy.lifetimes,
            mappings: nat.forwards.map { forward in
                var client: Client?
                if case .client(let nonce, let expires) = forward.origin {
                    client = Client(nonce: nonce, expires: expires)
                }
                return Mapping(
                    transport: forward.isTCP ? .tcp : .udp, address: forward.inside, port: forward.insidePort,
                    externalPort: forward.outsidePort, client: client)
            })
    }

    /// The mappings as forwards; those that are nobody's of PCP stay as they are.
    fileprivate func forwards(_ nat: NATGrant) -> [NATGrant.Forward] {
        let fixed = nat.forwards.filter { $0.origin.expires == nil }
        return fixed
            + self.mappings.compactMap { mapping in
                guard let client = mapping.client else { return nil }
                return NATGrant.Forward(
                    isTCP: mapping.transport == .tcp, outsidePort: mapping.externalPort, inside: mapping.address,
                    insidePort: mapping.port, origin: .client(nonce: client.nonce, expires: client.expires))
            }
    }
}
