// SPDX-License-Identifier: Apache-2.0
// How an association begins, lives and ends: hello, term, the first audit, other lanes, heartbeats (docs/contract.md sections 2, 3).

import AgentContract
import BNGCore
import Fleet
import Foundation
import NIOCore

extension NodeLink {
    /// Begins an association; the hello has been checked and the term is durable.
    func associate(_ hello: Wire.Hello, on lane: LaneHandler, term: UInt64) -> Association {
        if let old = self.association {
            old.state.close(with: ContractError(.replaced, "a newer association of \(self.name) took over"))
            self.end(old, "replaced")
        }
        self.term = term
        let association = Association(
            id: self.core.randomBytes(16), bootID: [UInt8](hello.bootID), state: lane, now: .now())
        association.minor = min(hello.protocolMinorMax, Wire.minor)
        self.association = association
        self.describe(hello)
        lane.send(
            .helloReply(
                .with {
                    $0.associationID = Data(association.id)
                    $0.protocolMinor = association.minor
                    $0.controllerID = self.core.configuration.controllerID
                    $0.nodeTerm = term
                    $0.heartbeatIntervalMs = self.core.configuration.heartbeatIntervalMs
                    $0.heartbeatTimeoutMs = self.core.configuration.heartbeatTimeoutMs
                    $0.utcUnixMs = UInt64(clamping: self.core.utcNow().milliseconds)
                }))
        lane.flush()
        self.logger.info(
            "agent connected",
            metadata: [
                "agent": "\(hello.agentVersion)", "programs": "\(hello.programVersion)", "term": "\(term)",
                "ports": "\(hello.ports.count)",
            ])
        self.checkEpoch(hello, association)
        self.core.becameReachable(self)
        return association
    }

    private func describe(_ hello: Wire.Hello) {
        let limits = self.core.configuration.limits
        let now = self.core.utcNow()
        self.snapshot.reachability = .connected
        self.snapshot.connectedSince = now
        self.snapshot.lastSeen = now
        self.snapshot.minor = self.association?.minor ?? 0
        self.snapshot.agentVersion = String(hello.agentVersion.prefix(64))
        self.snapshot.programVersion = String(hello.programVersion.prefix(64))
        self.snapshot.kernelRelease = String(hello.kernelRelease.prefix(64))
        self.snapshot.bootID = [UInt8](hello.bootID)
        self.snapshot.clockSkewMs = Int64(clamping: hello.utcUnixMs) - now.milliseconds
        self.snapshot.ports = hello.ports.prefix(limits.ports).map(PortStatus.init)
        self.core.portsChanged(self)
        self.snapshot.capabilities = [:]
        for capability in hello.capabilities.prefix(limits.capabilities) {
            self.snapshot.capabilities[String(capability.name.prefix(64))] = capability.limit
        }
        self.adaptConfiguration()
        self.snapshot.termIsStale = hello.terms.contains { $0.scope == "node" && $0.term > self.term ?? 0 }
        if self.snapshot.termIsStale {
            self.logger.critical(
                "the agent has obeyed a controller with a higher term: it will refuse this one (lost store?)")
        }
        self.snapshot.traffic.associations += 1
    }

    /// New session maps mean a host reboot: leases granted there unseen are unknown, so their owner is asked first.
    private func checkEpoch(_ hello: Wire.Hello, _ association: Association) {
        guard let epoch = hello.epochs.first(where: { $0.family == .session })?.stateEpoch,
            epoch != self.memory.sessionEpoch
        else {
            association.sessionsReady = true
            return self.startWhenReady()
        }
        let remember: () -> Void = { [self] in
            self.core.saveEpoch(self, epoch) { link in
                guard link.association === association else { return }
                link.memory.sessionEpoch = epoch
                association.sessionsReady = true
                link.startWhenReady()
            }
        }
        guard self.memory.sessionEpoch != nil, self.intended.count(.session) > 0 else { return remember() }
        self.logger.notice("the node's session maps were made anew: extending leases before installing")
        self.core.lostSessions(self) { link in
            guard link.association === association else { return }
            remember()
        }
    }

    /// Begins the first audit once the configuration and the sessions are ready.
    func startWhenReady() {
        guard let association = self.association, association.phase == .preparing, association.sessionsReady,
            self.configured
        else { return }
        association.phase = .auditing
        self.beginAudit()
    }

    /// Takes in another lane. The check of ids is the caller's.
    func open(_ lane: Wire.Lane, _ handler: LaneHandler, _ association: Association) {
        switch lane {
        case .punt:
            association.punt?.closeQuietly()
            association.punt = handler
            for puntClass in self.credits.keys { self.credits[puntClass]?.laneOpened() }
        case .telemetry:
            association.telemetry?.closeQuietly()
            association.telemetry = handler
            association.events.laneOpened()
        case .state, .unspecified, .UNRECOGNIZED: return
        }
        handler.send(.laneHelloReply(.with { $0.lane = lane }))
        handler.flush()
        self.flush()
    }

    /// A lane's connection is gone.
    func closed(_ handler: LaneHandler, _ association: Association) {
        if association.state === handler {
            if self.association === association { self.end(association, "state lane closed") }
        } else if association.punt === handler {
            association.punt = nil
        } else if association.telemetry === handler {
            association.telemetry = nil
        }
    }

    /// Ends the association. Intent, pending deletes and quarantine stay.
    func end(_ association: Association, _ cause: String) {
        guard self.association === association else { return }
        self.association = nil
        association.punt?.closeQuietly()
        association.telemetry?.closeQuietly()
        association.state.closeQuietly()
        self.queue.removeAll()
        self.inFlight.removeAll()
        self.refusals.removeAll()
        self.injects.removeAll()
        self.audit.reset()
        self.failCounterRequests()
        self.snapshot.reachability = .unreachable
        self.logger.warning("agent lost", metadata: ["cause": "\(cause)"])
        self.core.becameUnreachable(self)
    }

    func received(_ beat: Wire.AgentHeartbeat, _ association: Association) {
        let now = self.core.utcNow()
        let skew = Int64(clamping: beat.utcUnixMs) - now.milliseconds
        if abs(skew) > 1_000, abs(self.snapshot.clockSkewMs) <= 1_000 {
            self.logger.warning("the node's clock differs", metadata: ["skew_ms": "\(skew)"])
        }
        self.snapshot.clockSkewMs = skew
        self.snapshot.lastSeen = now
        self.snapshot.puntQueueDepth = beat.puntQueueDepth
        self.snapshot.eventQueueDepth = beat.eventQueueDepth
        self.snapshot.applyQueueDepth = beat.applyQueueDepth
        self.snapshot.lostEvents = beat.lostEvents
        self.snapshot.agentSessions = beat.sessions
        association.state.send(
            .heartbeat(
                .with {
                    $0.sequence = beat.sequence
                    $0.utcUnixMs = UInt64(clamping: now.milliseconds)
                }))
        association.state.flush()
    }

    /// Called a few times a second.
    func tick(_ now: NIODeadline) {
        self.expireCounterRequests(now)
        guard let association = self.association else { return }
        let configuration = self.core.configuration
        if now - association.lastSign > .milliseconds(Int64(configuration.heartbeatTimeoutMs)) {
            association.state.close(
                with: ContractError(.heartbeatLost, "no sign of life for \(configuration.heartbeatTimeoutMs) ms"))
            return self.end(association, "heartbeat lost")
        }
        if let oldest = association.outstanding.first,
            now - oldest.sent > .milliseconds(configuration.limits.batchTimeoutMs)
        {
            association.state.closeQuietly()
            return self.end(association, "no result of a batch")
        }
        guard self.attestWhenDue(association, now) else { return }
        if association.phase == .open, !self.audit.running, now >= self.audit.next {
            self.audit.due = true
            self.audit.next = now + .milliseconds(configuration.auditIntervalMs)
        }
        self.flush()
    }
}
