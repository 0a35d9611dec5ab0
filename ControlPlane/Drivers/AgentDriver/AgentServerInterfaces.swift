// SPDX-License-Identifier: Apache-2.0
// What the agent driver asks of others: a durable memory per node, and somebody to hand punts and events to.

import AgentContract
import BNGCore
import Fleet

/// What must be remembered of a node across restarts of the controller.
public struct NodeMemory: Sendable, Equatable {
    /// Age of the node's session maps when we last met; nil: never met.
    public var sessionEpoch: UInt64?
    public var generations: [ObjectKey: StoredGeneration]

    public init(sessionEpoch: UInt64? = nil, generations: [ObjectKey: StoredGeneration] = [:]) {
        self.sessionEpoch = sessionEpoch
        self.generations = generations
    }
}

/// The generation a configured object had with a given content.
public struct StoredGeneration: Sendable, Equatable {
    public var generation: Generation
    public var content: ObjectDigest

    public init(generation: Generation, content: ObjectDigest) {
        self.generation = generation
        self.content = content
    }
}

extension Generation {
    /// In a delete: whatever the node holds.
    public static let any = Generation(Int64.max)
}

/// Durable facts about nodes. Each call answers once, from any thread, after the fact is on disk.
public protocol AgentNodeStore: Sendable {
    /// Raises the node's term by one and returns it.
    func raiseTerm(_ node: NodeName, then: @escaping @Sendable (Result<UInt64, any Error>) -> Void)
    func saveSessionEpoch(
        _ node: NodeName, _ epoch: UInt64, then: @escaping @Sendable (Result<Void, any Error>) -> Void)
    func saveGenerations(
        _ node: NodeName, _ generations: [ObjectKey: StoredGeneration],
        then: @escaping @Sendable (Result<Void, any Error>) -> Void)
}

/// Receives what agents send. Called on the server's event loop: hand on, do not work there.
public protocol AgentServerDelegate: AnyObject, Sendable {
    /// Give the credits back with `AgentServer.processed` once the packets are dealt with.
    func agentServer(_ server: AgentServer, node: NodeName, punted packets: [PuntedPacket])
    /// Call `durable` once the events may be forgotten by the agent. Events may come again.
    func agentServer(
        _ server: AgentServer, node: NodeName, events: [AgentEvent], durable: @escaping @Sendable () -> Void)
    /// The node's session maps were made anew (host reboot): leases its data plane granted unseen are unknown. Nothing is
    /// installed before `ready` is called.
    func agentServer(_ server: AgentServer, lostSessionsOf node: NodeName, ready: @escaping @Sendable () -> Void)
    func agentServer(_ server: AgentServer, node: NodeName, became reachability: NodeReachability)
    /// The node's ports as it reports them; before its first punt, and whenever one changes.
    func agentServer(_ server: AgentServer, node: NodeName, ports: [PortStatus])
}

/// Why a request to a node failed.
public enum AgentError: Error, Equatable, Sendable {
    case unknownNode
    /// The node is not connected, so it cannot be asked.
    case unreachable
    /// The object was deleted before the node had it.
    case withdrawn
    /// The agent refused the object.
    case refused(ContractError)
    /// Too much is waiting; the audit repairs what was left out.
    case overloaded
    /// The store refused; nothing was sent.
    case notDurable(String)
}

/// What a node answered to a delete.
public struct DeleteOutcome: Sendable, Equatable {
    /// nil if the node did not hold the session.
    public var finalCounters: SessionCounterValues?

    public init(finalCounters: SessionCounterValues?) {
        self.finalCounters = finalCounters
    }
}
