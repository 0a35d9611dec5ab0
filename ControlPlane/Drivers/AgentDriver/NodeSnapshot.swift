// SPDX-License-Identifier: Apache-2.0
// What the agent driver knows of one node at one moment, for people and metrics.

import AgentContract
import BNGCore
import Fleet

/// A copy of a node's state.
public struct NodeSnapshot: Sendable {
    /// A counter's identity: its name and the port it belongs to (empty: the node).
    public struct CounterKey: Hashable, Sendable {
        public var name: String
        public var port: String
    }

    /// An object the agent refused, newest state of it.
    public struct Refusal: Sendable {
        public var key: ObjectKey
        public var generation: Generation
        public var error: ContractError
    }

    public var name: NodeName
    public var reachability: NodeReachability = .unknown
    public var connectedSince: UTCTime = .zero
    /// Heartbeats, hellos and results are signs of life.
    public var lastSeen: UTCTime = .zero
    public var identity = NodeIdentityStatus(kind: .certificate)
    /// Minor version of the contract agreed on.
    public var minor: UInt32 = 0
    public var agentVersion = ""
    public var programVersion = ""
    public var kernelRelease = ""
    public var bootID: [UInt8] = []
    public var term: UInt64 = 0
    /// The agent has met a controller with a higher term: everything we send is refused.
    public var termIsStale = false
    public var clockSkewMs: Int64 = 0
    public var lanes: [String] = []
    public var ports: [PortStatus] = []
    public var capabilities: [String: UInt64] = [:]
    public var puntQueueDepth: UInt32 = 0
    public var eventQueueDepth: UInt32 = 0
    public var applyQueueDepth: UInt32 = 0
    public var lostEvents: UInt64 = 0
    public var agentSessions: UInt32 = 0
    public var intendedSessions = 0
    public var queuedItems = 0
    public var pendingDeletes = 0
    public var synchronized = false
    public var audit: [AuditOutcome] = []
    public var auditedAt: UTCTime = .zero
    public var audits: UInt64 = 0
    /// Audits in a row that found differences; two are an alarm.
    public var unequalAudits = 0
    public var quarantine: [HeldObject] = []
    public var refusals: [Refusal] = []
    public var counters: [CounterKey: UInt64] = [:]
    public var traffic = Traffic()

    /// What went over the lanes since the controller began.
    public struct Traffic: Sendable {
        public var associations: UInt64 = 0
        public var upserts: UInt64 = 0
        public var deletes: UInt64 = 0
        public var refused: UInt64 = 0
        public var punts: [PuntClass: UInt64] = [:]
        public var puntReasons: [String: UInt64] = [:]
        /// As the agent reports it: for want of credit, lane or room, in the present association.
        public var puntsDropped: UInt64 = 0
        public var injects: UInt64 = 0
        public var injectsDropped: UInt64 = 0
        public var events: UInt64 = 0
    }
}
