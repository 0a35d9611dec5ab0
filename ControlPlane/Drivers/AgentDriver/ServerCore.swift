// SPDX-License-Identifier: Apache-2.0
// What all connections share, on one event loop: the nodes, the way to the store and the delegate, the tick.

import AgentContract
import BNGCore
import Fleet
import Logging
import NIOCore

final class ServerCore {
    let configuration: AgentServerConfiguration
    let loop: any EventLoop
    let store: any AgentNodeStore
    let logger: Logger
    private let now: @Sendable () -> UTCTime
    private(set) var nodes: [NodeName: NodeLink] = [:]
    private(set) var refusedConnections: [String: UInt64] = [:]
    private var strangers = 0
    private var flushing: [NodeName: NodeLink] = [:]
    private var ticking = false
    private var generator = SystemRandomNumberGenerator()
    weak var delegate: (any AgentServerDelegate)?
    weak var server: AgentServer?

    init(
        configuration: AgentServerConfiguration, loop: any EventLoop, store: any AgentNodeStore,
        memory: [NodeName: NodeMemory], logger: Logger, now: @escaping @Sendable () -> UTCTime
    ) {
        self.configuration = configuration
        self.loop = loop
        self.store = store
        self.logger = logger
        self.now = now
        for name in configuration.nodes {
            self.nodes[name] = NodeLink(name: name, core: self, memory: memory[name] ?? NodeMemory(), logger: logger)
        }
    }

    func utcNow() -> UTCTime { self.now() }

    func randomBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self.generator) }
    }

    // MARK: Strangers

    func admitStranger() -> Bool {
        guard self.strangers < self.configuration.limits.strangers else { return false }
        self.strangers += 1
        return true
    }

    func dismissStranger() { self.strangers -= 1 }

    func refusedConnection(_ error: ContractError) {
        self.refusedConnections[error.code.name, default: 0] += 1
        self.logger.warning("closing a lane", metadata: ["error": "\(error)"])
    }

    func noticed(_ notice: Wire.ErrorNotice) {
        let error = ContractError(notice.code, String(notice.message.prefix(256)), path: notice.fieldPath)
        self.logger.warning("notice from an agent", metadata: ["error": "\(error)"])
    }

    // MARK: Flushing and time

    /// Marks a node; `flushMarked` at the end of the work at hand sends in as few writes as possible.
    func needsFlush(_ node: NodeLink) {
        if self.flushing.isEmpty {
            let bound = NIOLoopBound(self, eventLoop: self.loop)
            self.loop.execute { bound.value.flushMarked() }
        }
        self.flushing[node.name] = node
    }

    func flushMarked() {
        let marked = self.flushing
        self.flushing.removeAll(keepingCapacity: true)
        for node in marked.values { node.flush() }
    }

    func startTicking() {
        self.ticking = true
        self.scheduleTick()
    }

    func stopTicking() { self.ticking = false }

    private func scheduleTick() {
        guard self.ticking else { return }
        let every = min(250, Int64(self.configuration.heartbeatIntervalMs))
        self.loop.assumeIsolated().scheduleTask(in: .milliseconds(every)) {
            let now = NIODeadline.now()
            for node in self.nodes.values { node.tick(now) }
            self.scheduleTick()
        }
    }

    // MARK: Store

    /// nil: the store failed.
    func raiseTerm(_ node: NodeLink, then: @escaping (UInt64?) -> Void) {
        // One term per run of this process is enough: within it there is one association at a time.
        if let term = node.term { return then(term) }
        let back = NIOLoopBound(then, eventLoop: self.loop)
        let loop = self.loop
        self.store.raiseTerm(node.name) { result in
            loop.execute { back.value(try? result.get()) }
        }
    }

    func saveEpoch(_ node: NodeLink, _ epoch: UInt64, then: @escaping (NodeLink) -> Void) {
        self.store.saveSessionEpoch(node.name, epoch, then: self.whenDurable(node, then))
    }

    func save(
        _ node: NodeLink, _ generations: [ObjectKey: StoredGeneration], then: @escaping (NodeLink) -> Void
    ) {
        self.store.saveGenerations(node.name, generations, then: self.whenDurable(node, then))
    }

    private func whenDurable(
        _ node: NodeLink, _ then: @escaping (NodeLink) -> Void
    ) -> @Sendable (Result<Void, any Error>) -> Void {
        let back = NIOLoopBound((node, then), eventLoop: self.loop)
        let loop = self.loop
        return { result in
            loop.execute {
                let (node, then) = back.value
                switch result {
                case .success: then(node)
                case .failure(let error):
                    node.logger.error("the store refused", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    // MARK: Delegate

    func punted(_ node: NodeLink, _ packets: [PuntedPacket]) {
        guard let server = self.server, let delegate = self.delegate else { return }
        delegate.agentServer(server, node: node.name, punted: packets)
    }

    func occurred(_ node: NodeLink, _ events: [AgentEvent], durable: @escaping (NodeLink) -> Void) {
        guard let server = self.server, let delegate = self.delegate else { return }
        let back = NIOLoopBound((node, durable), eventLoop: self.loop)
        let loop = self.loop
        delegate.agentServer(server, node: node.name, events: events) {
            loop.execute {
                let (node, durable) = back.value
                durable(node)
            }
        }
    }

    func lostSessions(_ node: NodeLink, ready: @escaping (NodeLink) -> Void) {
        guard let server = self.server, let delegate = self.delegate else { return }
        let back = NIOLoopBound((node, ready), eventLoop: self.loop)
        let loop = self.loop
        delegate.agentServer(server, lostSessionsOf: node.name) {
            loop.execute {
                let (node, ready) = back.value
                ready(node)
            }
        }
    }

    func portsChanged(_ node: NodeLink) {
        guard let server = self.server else { return }
        self.delegate?.agentServer(server, node: node.name, ports: node.snapshot.ports)
    }

    func becameReachable(_ node: NodeLink) { self.became(node, .connected) }
    func becameUnreachable(_ node: NodeLink) { self.became(node, .unreachable) }

    private func became(_ node: NodeLink, _ reachability: NodeReachability) {
        guard let server = self.server else { return }
        self.delegate?.agentServer(server, node: node.name, became: reachability)
    }
}
