// SPDX-License-Identifier: Apache-2.0
// The telemetry lane: events acknowledged once durable, counters, session counters on request (docs/contract.md sections 9, 10).

import AgentContract
import BNGCore
import Fleet
import NIOCore

extension NodeLink {
    func received(_ batch: Wire.EventBatch, _ association: Association) throws(ContractError) {
        self.snapshot.lostEvents = batch.lost
        guard let last = batch.events.last?.sequence else { return }
        guard association.events.count < self.core.configuration.limits.eventBatches else {
            // Not taken in, so not acknowledged: a lane opened anew sends them again.
            throw ContractError(.overload, "too many event batches are not durable yet")
        }
        let token = association.events.received(through: last)
        let events = batch.events.compactMap(AgentEvent.init)
        self.snapshot.traffic.events += UInt64(events.count)
        for event in events {
            switch event {
            case .portChanged(let port): self.update(port)
            case .leaseRenewed(let session, _, let ipv4, let ipv6):
                self.intended.leaseRenewed(session: session.rawValue, ipv4: ipv4, ipv6: ipv6)
            case .sessionLapsed, .natPortsLow: break
            }
        }
        self.core.occurred(self, events) { link in
            guard link.association === association, let sequence = association.events.durable(token) else { return }
            association.telemetry?.send(.eventAck(.with { $0.sequence = sequence }))
            association.telemetry?.flush()
        }
    }

    private func update(_ port: PortStatus) {
        guard let index = self.snapshot.ports.firstIndex(where: { $0.name == port.name }) else { return }
        self.snapshot.ports[index] = port
        self.core.portsChanged(self)
    }

    func received(_ report: Wire.CounterReport) {
        self.snapshot.counters.removeAll(keepingCapacity: true)
        for counter in report.counters.prefix(self.core.configuration.limits.counters) {
            guard counter.name.utf8.count <= 64, counter.port.utf8.count <= 64 else { continue }
            self.snapshot.counters[.init(name: counter.name, port: counter.port)] = counter.value
        }
        let ports = report.ports.prefix(self.core.configuration.limits.ports).map(PortStatus.init)
        guard !ports.isEmpty, ports != self.snapshot.ports else { return }
        self.snapshot.ports = ports
        self.core.portsChanged(self)
    }

    func requestCounters(
        _ sessions: [SessionID], on loop: any EventLoop,
        then: @escaping @Sendable (Result<[SessionCounterValues], AgentError>) -> Void
    ) {
        let limits = self.core.configuration.limits
        guard let telemetry = self.association?.telemetry else {
            return loop.execute { then(.failure(.unreachable)) }
        }
        guard self.counterRequests.count < limits.counterRequests, sessions.count <= Wire.batchItemLimit else {
            return loop.execute { then(.failure(.overloaded)) }
        }
        let id = self.nextRequestID
        self.nextRequestID += 1
        self.counterRequests[id] = CounterRequest(
            deadline: .now() + .milliseconds(limits.counterRequestTimeoutMs), loop: loop, then: then)
        telemetry.send(
            .sessionCountersRequest(
                .with {
                    $0.requestID = id
                    $0.sessionIds = sessions.map(\.rawValue)
                }))
        telemetry.flush()
    }

    func received(_ reply: Wire.SessionCountersReply) {
        guard var request = self.counterRequests.removeValue(forKey: reply.requestID) else { return }
        request.sessions += reply.sessions.map(SessionCounterValues.init)
        guard reply.last else {
            self.counterRequests[reply.requestID] = request
            return
        }
        let (sessions, then) = (request.sessions, request.then)
        request.loop.execute { then(.success(sessions)) }
    }

    func expireCounterRequests(_ now: NIODeadline) {
        for (id, request) in self.counterRequests where request.deadline <= now {
            self.counterRequests[id] = nil
            let then = request.then
            request.loop.execute { then(.failure(.unreachable)) }
        }
    }
}
