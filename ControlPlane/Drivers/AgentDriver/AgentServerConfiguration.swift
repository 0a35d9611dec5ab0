// SPDX-License-Identifier: Apache-2.0
// What the agents' listener is told: where to listen, whom to expect, and every limit on what a peer can make grow.

import BNGCore
import Fleet

/// Where agents connect.
public enum AgentListener: Sendable {
    case unix(path: String)
    /// PEM files. `authority` signs the agents' certificates.
    case tls(host: String, port: Int, certificate: String, key: String, authority: String)
}

/// Settings of an `AgentServer`.
public struct AgentServerConfiguration: Sendable {
    /// Name this controller gives in its hello.
    public var controllerID: String
    public var listeners: [AgentListener]
    public var nodes: [NodeName]
    public var heartbeatIntervalMs: UInt32
    public var heartbeatTimeoutMs: UInt32
    public var auditIntervalMs: Int64
    public var limits: Limits
    /// Nodes without an entry show a certificate.
    public var identities: [NodeName: IdentityRequirement] = [:]
    /// nil: nothing is revoked, no TPM is believed and nobody enrols.
    public var trust: (any NodeTrust)?
    /// Whether nodes without a certificate may ask for one.
    public var enrols = false

    /// Whether the listeners let in peers without a certificate of the authority, to prove themselves otherwise.
    var admitsUncertified: Bool {
        self.enrols
            || self.identities.values.contains {
                if case .psk = $0 { return true }
                return false
            }
    }

    /// Bounds on what a peer, or a storm of work, can make grow.
    public struct Limits: Sendable {
        /// Connections that have not said hello yet.
        public var strangers = 64
        /// Time for the first frame.
        public var helloTimeoutMs: Int64 = 5_000
        /// Time for an answer to a challenge: a TPM is slow.
        public var proofTimeoutMs: Int64 = 15_000
        /// Batches without a result (docs/contract.md asks for at most 8).
        public var batches = 8
        /// Items of one batch; 1,024 of the largest stay below the frame limit.
        public var batchItems = 1_024
        /// Objects waiting to be sent to one node.
        public var queuedItems = 262_144
        /// Time a batch may stay without a result before the association is given up.
        public var batchTimeoutMs: Int64 = 30_000
        /// Frames waiting to be injected while the punt lane is congested.
        public var queuedInjects = 16_384
        public var dhcpCredits = 2_048
        public var arpCredits = 256
        public var pppoeCredits = 1_024
        public var pppCredits = 8_192
        public var ndCredits = 1_024
        public var dhcpv6Credits = 1_024
        public var pcpCredits = 256

        /// Punts of a class under way at most; 0: the class stays in the agent.
        func credits(of puntClass: PuntClass) -> Int {
            switch puntClass {
            case .dhcpv4: return self.dhcpCredits
            case .arp: return self.arpCredits
            case .pppoe: return self.pppoeCredits
            case .ppp: return self.pppCredits
            case .nd: return self.ndCredits
            case .dhcpv6: return self.dhcpv6Credits
            case .pcp: return self.pcpCredits
            case .neighbor, .held, .fragment, .natPorts, .natFragment, .natALG: return 0
            }
        }
        /// Named counters kept of one node.
        public var counters = 8_192
        public var ports = 64
        public var capabilities = 128
        /// Event batches handed up and not yet durable.
        public var eventBatches = 64
        public var counterRequests = 256
        public var counterRequestTimeoutMs: Int64 = 3_000

        public init() {}
    }

    public init(
        controllerID: String, listeners: [AgentListener], nodes: [NodeName], heartbeatIntervalMs: UInt32 = 1_000,
        heartbeatTimeoutMs: UInt32 = 5_000, auditIntervalMs: Int64 = 60_000, limits: Limits = Limits()
    ) {
        self.controllerID = controllerID
        self.listeners = listeners
        self.nodes = nodes
        self.heartbeatIntervalMs = heartbeatIntervalMs
        self.heartbeatTimeoutMs = heartbeatTimeoutMs
        self.auditIntervalMs = auditIntervalMs
        self.limits = limits
    }
}
