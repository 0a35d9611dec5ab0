// SPDX-License-Identifier: Apache-2.0
// The nodes in the words of the subscriber plane, and what nodes send in its words.

import AgentContract
import AgentDriver
import BNGConfiguration
import BNGCore
import Fleet
import Logging
import NIOCore
import Store
import SubscriberDriver
import Subscribers
import Synchronization

struct DataPlaneAdapter: DataPlaneLink {
    let server: AgentServer
    let templates: TemplateRegistry
    let reachable: ReachableNodes
    /// Answers are called here; the plane hops to its shards itself.
    let loop: any EventLoop

    func upsert(
        node: NodeName, id: SessionID, generation: Generation, session: InstalledSession,
        then done: @escaping @Sendable (Bool) -> Void
    ) {
        self.server.upsert(node: node, session: session, id: id, least: generation, on: self.loop) { result in
            switch result {
            case .success: done(true)
            case .failure: done(false)
            }
        }
    }

    func delete(node: NodeName, id: SessionID, then done: @escaping @Sendable (SessionTotals) -> Void) {
        self.server.delete(node: node, id: id, on: self.loop) { result in
            // A node that is no longer configured never confirms: its addresses stay bound (DESIGN section 2).
            guard case .success(let outcome) = result else { return }
            done(outcome.finalCounters.map(SessionTotals.init) ?? SessionTotals())
        }
    }

    func counters(
        node: NodeName, ids: [SessionID], then done: @escaping @Sendable ([SessionID: SessionTotals]?) -> Void
    ) {
        self.server.sessionCounters(node: node, ids: ids, on: self.loop) { result in
            guard case .success(let values) = result else { return done(nil) }
            done(Dictionary(values.map { ($0.session, SessionTotals($0)) }, uniquingKeysWith: { first, _ in first }))
        }
    }

    func isReachable(_ node: NodeName) -> Bool { self.reachable.contains(node) }

    func prepare(_ variant: TemplateVariant, then ready: @escaping @Sendable (UInt64?) -> Void) {
        self.templates.prepare(variant, then: ready)
    }

    func acknowledgeFinal(node: NodeName, id: SessionID) { self.server.acknowledgeFinal(node: node, id: id) }

    func inject(node: NodeName, port: String, frame: [UInt8], requires: SessionRequirement?) {
        self.server.inject(
            node: node, frame: frame, port: port, requires: requires.map { (session: $0.id, generation: $0.generation) }
        )
    }
}

extension SessionTotals {
    init(_ counters: SessionCounterValues) {
        self.init()
        self.upPackets = counters.upPackets
        self.upBytes = counters.upBytes
        self.downPackets = counters.downPackets
        self.downBytes = counters.downBytes
        self.droppedPackets = counters.droppedPackets
        self.ipv6.upPackets = counters.ipv6UpPackets
        self.ipv6.upBytes = counters.ipv6UpBytes
        self.ipv6.downPackets = counters.ipv6DownPackets
        self.ipv6.downBytes = counters.ipv6DownBytes
    }
}

/// Nodes whose agents are connected.
final class ReachableNodes: Sendable {
    private let names = Mutex<Set<NodeName>>([])

    func contains(_ node: NodeName) -> Bool { self.names.withLock { $0.contains(node) } }

    func set(_ node: NodeName, _ isReachable: Bool) {
        self.names.withLock { names in
            if isReachable { names.insert(node) } else { names.remove(node) }
        }
    }
}

extension TerminateCause {
    /// What an agent calls the end it has enforced.
    init(lapse: String) {
        switch lapse {
        case "session_timeout": self = .sessionTimeout
        case "idle_timeout": self = .idleTimeout
        case "lost_carrier": self = .lostCarrier
        case "ipv6_lease_expired": self = .ipv6LeaseExpired
        default: self = .leaseExpired
        }
    }
}

/// Hands what agents send to the subscriber plane.
final class NodeDelegate: AgentServerDelegate {
    private let plane: SubscriberPlane
    private let store: Store
    private let shards: [any EventLoop]
    /// Policy of each port, by node and name.
    private let policies: [NodeName: [String: PortPolicy]]
    /// Trusted relays of each port by IPv6 address.
    private let relays: [NodeName: [String: [IPv6Address: IPv4Address]]]
    private let reachable: ReachableNodes
    private let logger: Logger

    init(
        plane: SubscriberPlane, store: Store, shards: [any EventLoop], configuration: ControllerConfiguration,
        reachable: ReachableNodes, logger: Logger
    ) {
        self.reachable = reachable
        self.plane = plane
        self.store = store
        self.shards = shards
        self.logger = logger
        var policies: [NodeName: [String: PortPolicy]] = [:]
        var relays: [NodeName: [String: [IPv6Address: IPv4Address]]] = [:]
        for node in configuration.nodes {
            for port in node.ports {
                policies[node.name, default: [:]][port.name] = configuration.policy(of: port)
                relays[node.name, default: [:]][port.name] = port.relaysByIPv6
            }
        }
        self.policies = policies
        self.relays = relays
    }

    func agentServer(_ server: AgentServer, node: NodeName, ports: [PortStatus]) {
        let macs = Dictionary(ports.map { ($0.name, $0.mac) }, uniquingKeysWith: { first, _ in first })
        self.plane.learn(ports: macs, of: node)
    }

    func agentServer(_ server: AgentServer, node: NodeName, punted packets: [AgentContract.PuntedPacket]) {
        let macs = self.plane.portMACs(of: node)
        var known: [SubscriberDriver.PuntedPacket] = []
        known.reserveCapacity(packets.count)
        var counts: [PuntClass: Int] = [:]
        for punt in packets {
            counts[punt.puntClass, default: 0] += 1
            guard let policy = self.policies[node]?[punt.port], let mac = macs[punt.port] else { continue }
            var packet = SubscriberDriver.PuntedPacket(
                puntClass: punt.puntClass, port: policy, portMAC: mac, frame: punt.frame)
            packet.session = punt.session ?? SessionID(rawValue: 0)
            if packet.puntClass == .dhcpv6 { packet.relays = self.relays[node]?[packet.port.name] ?? [:] }
            known.append(packet)
        }
        self.plane.receive(node: node, punts: known)
        // The shards work in order: when each has come to this point, the packets are dealt with.
        let done = counts
        self.afterShards { for (puntClass, count) in done { server.processed(node: node, puntClass, count: count) } }
    }

    func agentServer(
        _ server: AgentServer, node: NodeName, events: [AgentEvent], durable: @escaping @Sendable () -> Void
    ) {
        var renewals: [SessionRenewal] = []
        var lapses = 0
        for event in events {
            switch event {
            case .leaseRenewed(let id, _, let ipv4, let ipv6):
                renewals.append(SessionRenewal(id: id, ipv4: ipv4, ipv6: ipv6))
            case .sessionLapsed(let id, _, let cause):
                lapses += 1
                self.plane.lapsed(id, cause: TerminateCause(lapse: cause))
            case .natPortsLow(let id, _, let used, let granted):
                self.logger.debug(
                    "NAT ports low", metadata: ["session": "\(id)", "used": "\(used)", "granted": "\(granted)"])
                self.plane.natPortsLow(id)
            case .portChanged(let port):
                self.logger.notice(
                    "port changed",
                    metadata: [
                        "node": "\(node)", "port": "\(port.name)", "link": "\(port.linkUp)", "mode": "\(port.mode)",
                    ])
            }
        }
        let hasLapses = lapses > 0
        let finish: @Sendable () -> Void = {
            if hasLapses { self.afterEverythingIsStored(durable) } else { durable() }
        }
        guard !renewals.isEmpty else { return finish() }
        self.plane.renewed(renewals) { isDurable in
            // Unacknowledged events come again: with the next association, or when the lane is dialled anew.
            if isDurable { finish() }
        }
    }

    func agentServer(_ server: AgentServer, lostSessionsOf node: NodeName, ready: @escaping @Sendable () -> Void) {
        self.plane.nodeLostState(node)
        self.afterEverythingIsStored { self.afterShards(ready) }
    }

    func agentServer(_ server: AgentServer, node: NodeName, became reachability: NodeReachability) {
        self.reachable.set(node, reachability == .connected)
    }

    /// Runs once every shard has done what it was given before.
    private func afterShards(_ then: @escaping @Sendable () -> Void) {
        let countdown = Countdown(self.shards.count, then: then)
        for shard in self.shards { shard.execute { countdown.arrived() } }
    }

    /// Runs once what the shards were given before has reached the disk.
    private func afterEverythingIsStored(_ then: @escaping @Sendable () -> Void) {
        self.afterShards { self.store.submit([]) { _ in then() } }
    }
}

/// Calls once when all have arrived.
final class Countdown: Sendable {
    private let waiting: Mutex<Int>
    private let then: @Sendable () -> Void

    init(_ count: Int, then: @escaping @Sendable () -> Void) {
        self.waiting = Mutex(count)
        self.then = then
    }

    func arrived() {
        let last = self.waiting.withLock { waiting in
            waiting -= 1
            return waiting == 0
        }
        if last { self.then() }
    }
}
