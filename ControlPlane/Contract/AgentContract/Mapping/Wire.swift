// SPDX-License-Identifier: Apache-2.0
// Short names for the generated messages, and the bounds of a frame (docs/contract.md section 1).

import AgentProto

/// The messages of `proto/bng/agent/v1`.
public enum Wire {
    /// Newest minor version of version 1 that this side speaks; it speaks all before, too.
    public static let minor: UInt32 = 1

    public typealias AgentHeartbeat = Bng_Agent_V1_AgentHeartbeat
    public typealias AgentFrame = Bng_Agent_V1_AgentFrame
    public typealias AuditEntry = Bng_Agent_V1_AuditEntry
    public typealias AuditPage = Bng_Agent_V1_AuditPage
    public typealias AuditPageRequest = Bng_Agent_V1_AuditPageRequest
    public typealias AuditRequest = Bng_Agent_V1_AuditRequest
    public typealias AuditSummary = Bng_Agent_V1_AuditSummary
    public typealias Batch = Bng_Agent_V1_Batch
    public typealias BatchItem = Bng_Agent_V1_BatchItem
    public typealias BatchResult = Bng_Agent_V1_BatchResult
    public typealias Challenge = Bng_Agent_V1_Challenge
    public typealias ControllerHeartbeat = Bng_Agent_V1_ControllerHeartbeat
    public typealias ControllerFrame = Bng_Agent_V1_ControllerFrame
    public typealias CounterReport = Bng_Agent_V1_CounterReport
    public typealias Delete = Bng_Agent_V1_Delete
    public typealias ErrorCode = Bng_Agent_V1_ErrorCode
    public typealias ErrorNotice = Bng_Agent_V1_ErrorNotice
    public typealias EnrolReply = Bng_Agent_V1_EnrolReply
    public typealias EnrolRequest = Bng_Agent_V1_EnrolRequest
    public typealias Event = Bng_Agent_V1_Event
    public typealias EventBatch = Bng_Agent_V1_EventBatch
    public typealias Family = Bng_Agent_V1_Family
    public typealias Filter = Bng_Agent_V1_Filter
    public typealias FilterAction = Bng_Agent_V1_FilterAction
    public typealias FilterDirection = Bng_Agent_V1_FilterDirection
    public typealias FilterRule = Bng_Agent_V1_FilterRule
    public typealias FramedRoute = Bng_Agent_V1_FramedRoute
    public typealias GuardRate = Bng_Agent_V1_GuardRate
    public typealias GuardRates = Bng_Agent_V1_GuardRates
    public typealias Hello = Bng_Agent_V1_Hello
    public typealias HelloReply = Bng_Agent_V1_HelloReply
    public typealias Inject = Bng_Agent_V1_Inject
    public typealias IPv6Prefix = Bng_Agent_V1_IPv6Prefix
    public typealias ItemResult = Bng_Agent_V1_ItemResult
    public typealias Lane = Bng_Agent_V1_Lane
    public typealias LaneHello = Bng_Agent_V1_LaneHello
    public typealias Line = Bng_Agent_V1_Line
    public typealias NATForward = Bng_Agent_V1_NATForward
    public typealias NATPolicy = Bng_Agent_V1_NATPolicy
    public typealias NextHop = Bng_Agent_V1_NextHop
    public typealias Object = Bng_Agent_V1_Object
    public typealias PPPoEService = Bng_Agent_V1_PPPoEService
    public typealias PoolTemplate = Bng_Agent_V1_PoolTemplate
    public typealias Port = Bng_Agent_V1_Port
    public typealias PortInfo = Bng_Agent_V1_PortInfo
    public typealias Proof = Bng_Agent_V1_Proof
    public typealias PSKProof = Bng_Agent_V1_PSKProof
    public typealias Punt = Bng_Agent_V1_Punt
    public typealias PuntBatch = Bng_Agent_V1_PuntBatch
    public typealias PuntClass = Bng_Agent_V1_PuntClass
    public typealias QuoteEvidence = Bng_Agent_V1_QuoteEvidence
    public typealias Rate = Bng_Agent_V1_Rate
    public typealias Route = Bng_Agent_V1_Route
    public typealias ServerIdentity = Bng_Agent_V1_ServerIdentity
    public typealias Session = Bng_Agent_V1_Session
    public typealias SessionCounters = Bng_Agent_V1_SessionCounters
    public typealias SessionCountersReply = Bng_Agent_V1_SessionCountersReply
    public typealias SessionDHCPv6 = Bng_Agent_V1_SessionDHCPv6
    public typealias SessionIPv4 = Bng_Agent_V1_SessionIPv4
    public typealias SessionIPv6 = Bng_Agent_V1_SessionIPv6
    public typealias SessionNAT = Bng_Agent_V1_SessionNAT
    public typealias SessionPPPoE = Bng_Agent_V1_SessionPPPoE

    /// Largest frame body in bytes.
    public static let frameLimit = 1_048_576
    /// Bytes of the length in front of each frame.
    public static let lengthBytes = 4
    /// Largest number of items of a batch.
    public static let batchItemLimit = 4_096
    /// Largest number of entries of an audit page.
    public static let auditPageLimit: UInt32 = 4_096
    /// Largest frame punted or injected, in bytes.
    public static let packetLimit = 2_048
}

extension Wire.ErrorCode {
    /// The stable name of `docs/contract.md`: "STALE_TERM".
    public var name: String {
        switch self {
        case .unspecified: return "UNSPECIFIED"
        case .ok: return "OK"
        case .unsupported: return "UNSUPPORTED"
        case .invalid: return "INVALID"
        case .staleGeneration: return "STALE_GENERATION"
        case .generationReused: return "GENERATION_REUSED"
        case .unknownReference: return "UNKNOWN_REFERENCE"
        case .conflict: return "CONFLICT"
        case .limit: return "LIMIT"
        case .inUse: return "IN_USE"
        case .kernel: return "KERNEL"
        case .staleTerm: return "STALE_TERM"
        case .unknownScope: return "UNKNOWN_SCOPE"
        case .overload: return "OVERLOAD"
        case .frameTooLarge: return "FRAME_TOO_LARGE"
        case .malformed: return "MALFORMED"
        case .unexpected: return "UNEXPECTED"
        case .unknownMessage: return "UNKNOWN_MESSAGE"
        case .version: return "VERSION"
        case .unknownNode: return "UNKNOWN_NODE"
        case .identity: return "IDENTITY"
        case .unknownAssociation: return "UNKNOWN_ASSOCIATION"
        case .replaced: return "REPLACED"
        case .heartbeatLost: return "HEARTBEAT_LOST"
        case .creditExceeded: return "CREDIT_EXCEEDED"
        case .attestation: return "ATTESTATION"
        case .notApproved: return "NOT_APPROVED"
        case .UNRECOGNIZED(let code): return "CODE_\(code)"
        }
    }
}
