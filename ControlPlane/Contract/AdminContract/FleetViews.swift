// SPDX-License-Identifier: Apache-2.0
// What the operator API says of nodes: JSON objects shared by the server and bngctl. Times are UTC milliseconds, 0 for never.

/// One node, as `GET /v1/nodes` lists it.
public struct NodeView: Codable, Sendable, Equatable {
    public var name: String
    /// unknown, connected or unreachable.
    public var state: String
    public var connectedSinceMs: Int64
    public var lastSeenMs: Int64
    public var agentVersion: String
    public var programVersion: String
    public var kernel: String
    public var lanes: [String]
    public var term: UInt64
    public var termIsStale: Bool
    public var clockSkewMs: Int64
    public var ports: Int
    public var sessionsIntended: Int
    public var sessionsInstalled: Int
    public var queued: Int
    public var pendingDeletes: Int
    public var synchronized: Bool
    public var lostEvents: UInt64
    public var auditDifferences: Int
    public var quarantined: Int
    public var refused: Int
    public var capabilities: [String: UInt64]
    /// Minor version of the contract agreed on with its agent.
    public var contractMinor: UInt32
    /// certificate, psk or tpm.
    public var identity: String
    public var provenMs: Int64
    public var certificateEndsMs: Int64
    /// Why its last attempt to prove itself was refused; empty: it was not.
    public var refusal: String

    public init(
        name: String, state: String, connectedSinceMs: Int64, lastSeenMs: Int64, agentVersion: String,
        programVersion: String, kernel: String, lanes: [String], term: UInt64, termIsStale: Bool, clockSkewMs: Int64,
        ports: Int, sessionsIntended: Int, sessionsInstalled: Int, queued: Int, pendingDeletes: Int,
        synchronized: Bool, lostEvents: UInt64, auditDifferences: Int, quarantined: Int, refused: Int,
        capabilities: [String: UInt64], contractMinor: UInt32, identity: String, provenMs: Int64,
        certificateEndsMs: Int64, refusal: String
    ) {
        self.name = name
        self.state = state
        self.connectedSinceMs = connectedSinceMs
        self.lastSeenMs = lastSeenMs
        self.agentVersion = agentVersion
        self.programVersion = programVersion
        self.kernel = kernel
        self.lanes = lanes
        self.term = term
        self.termIsStale = termIsStale
        self.clockSkewMs = clockSkewMs
        self.ports = ports
        self.sessionsIntended = sessionsIntended
        self.sessionsInstalled = sessionsInstalled
        self.queued = queued
        self.pendingDeletes = pendingDeletes
        self.synchronized = synchronized
        self.lostEvents = lostEvents
        self.auditDifferences = auditDifferences
        self.quarantined = quarantined
        self.refused = refused
        self.capabilities = capabilities
        self.contractMinor = contractMinor
        self.identity = identity
        self.provenMs = provenMs
        self.certificateEndsMs = certificateEndsMs
        self.refusal = refusal
    }
}

/// One port of a node.
public struct PortView: Codable, Sendable, Equatable {
    public var node: String
    public var name: String
    public var role: String
    public var accessDomain: String
    /// native, generic, shared, detached or unknown.
    public var mode: String
    public var linkUp: Bool
    public var mac: String
    public var mtu: UInt32
    public var driver: String

    public init(
        node: String, name: String, role: String, accessDomain: String, mode: String, linkUp: Bool, mac: String,
        mtu: UInt32, driver: String
    ) {
        self.node = node
        self.name = name
        self.role = role
        self.accessDomain = accessDomain
        self.mode = mode
        self.linkUp = linkUp
        self.mac = mac
        self.mtu = mtu
        self.driver = driver
    }
}

/// A pool of public addresses and how much of it is used.
public struct NATPoolView: Codable, Sendable, Equatable {
    public var name: String
    public var vrf: UInt32
    /// dynamic, deterministic or one-to-one.
    public var layout: String
    public var policy: String
    /// Ports of a block; 0: one to one.
    public var blockPorts: UInt16
    public var addresses: Int
    /// Of one to one: addresses.
    public var blocks: Int
    public var held: Int
    public var resting: Int
    public var exhausted: UInt64
    public var alarm: Bool

    public init(
        name: String, vrf: UInt32, layout: String, policy: String, blockPorts: UInt16, addresses: Int, blocks: Int,
        held: Int, resting: Int, exhausted: UInt64, alarm: Bool
    ) {
        self.name = name
        self.vrf = vrf
        self.layout = layout
        self.policy = policy
        self.blockPorts = blockPorts
        self.addresses = addresses
        self.blocks = blocks
        self.held = held
        self.resting = resting
        self.exhausted = exhausted
        self.alarm = alarm
    }
}

/// A counter with the node and port it belongs to (port empty: the node; node empty: the controller).
public struct CounterView: Codable, Sendable, Equatable {
    public var node: String
    public var port: String
    public var name: String
    public var value: UInt64

    public init(node: String, port: String, name: String, value: UInt64) {
        self.node = node
        self.port = port
        self.name = name
        self.value = value
    }
}

/// The last audit of one node.
public struct AuditView: Codable, Sendable, Equatable {
    public struct Family: Codable, Sendable, Equatable {
        public var family: String
        public var intended: Int
        public var installed: Int
        public var missing: Int
        public var extra: Int
        public var different: Int

        public init(family: String, intended: Int, installed: Int, missing: Int, extra: Int, different: Int) {
            self.family = family
            self.intended = intended
            self.installed = installed
            self.missing = missing
            self.extra = extra
            self.different = different
        }
    }

    /// An object the agent refused.
    public struct Refusal: Codable, Sendable, Equatable {
        public var object: String
        public var error: String

        public init(object: String, error: String) {
            self.object = object
            self.error = error
        }
    }

    public var node: String
    /// 0: none yet.
    public var auditedMs: Int64
    public var audits: UInt64
    /// Of the last audit, before its repair.
    public var differences: Int
    public var families: [Family]
    /// Sessions installed there that this controller does not know; removed by `bngctl clear quarantine NODE`.
    public var quarantine: [String]
    public var refusals: [Refusal]

    public init(
        node: String, auditedMs: Int64, audits: UInt64, differences: Int, families: [Family], quarantine: [String],
        refusals: [Refusal]
    ) {
        self.node = node
        self.auditedMs = auditedMs
        self.audits = audits
        self.differences = differences
        self.families = families
        self.quarantine = quarantine
        self.refusals = refusals
    }
}
