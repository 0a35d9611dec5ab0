// SPDX-License-Identifier: Apache-2.0
// What a node has to prove, and what the driver asks of whoever keeps certificates, keys and policies.

import AgentContract
import BNGCore
import Fleet

/// How a node shows who it is. Over TLS; on a Unix socket only the first is possible, and nothing is asked.
public enum IdentityRequirement: Sendable {
    /// A certificate of the authority that names it.
    case certificate
    /// Knowledge of a key, on a connection to a controller it has pinned; any certificate.
    case psk(key: [UInt8])
    /// A certificate that names it, and a quote of its TPM about these registers (SHA-256 bank), again every `interval`.
    case tpm(registers: [UInt32], intervalMs: Int64)

    /// What views call it.
    public var kind: NodeIdentityKind {
        switch self {
        case .certificate: return .certificate
        case .psk: return .psk
        case .tpm: return .tpm
        }
    }
}

/// A TPM's quote and what belongs to it, as the agent sent it: hostile until judged.
public struct NodeEvidence: Sendable {
    /// nil: a node that enrols and has no name yet.
    public var node: NodeName?
    /// SHA-256 of the key of its connection.
    public var keyHash: [UInt8]
    /// What the quote must carry; 32 bytes.
    public var qualifyingData: [UInt8]
    public var registers: [UInt32]
    /// TPMT_PUBLIC.
    public var endorsementKey: [UInt8]
    /// DER; empty: none.
    public var endorsementCertificate: [UInt8]
    /// TPMT_PUBLIC.
    public var attestationKey: [UInt8]
    /// TPMS_ATTEST.
    public var attest: [UInt8]
    /// TPMT_SIGNATURE.
    public var signature: [UInt8]
    public var eventLog: [UInt8]
}

/// What became of evidence.
public enum AttestationVerdict: Sendable {
    /// The attestation key is known to live in the node's TPM.
    case proven(AttestedTPM)
    /// Good, but the key has to be shown to live beside the endorsement key: the TPM must find `secret`.
    case activate(credentialBlob: [UInt8], encryptedSecret: [UInt8], secret: [UInt8], then: AttestedTPM)
    /// Begins with the reason's stable name.
    case refused(String)
}

/// Which TPM it was.
public struct AttestedTPM: Hashable, Sendable {
    /// SHA-256 of its endorsement key's SubjectPublicKeyInfo, hexadecimal.
    public var endorsementKey: String
    /// Of its attestation key, hexadecimal.
    public var attestationKeyName: String

    public init(endorsementKey: String, attestationKeyName: String) {
        self.endorsementKey = endorsementKey
        self.attestationKeyName = attestationKeyName
    }
}

/// A node that asks for a certificate.
public struct EnrolmentRequest: Sendable {
    public var name: String
    public var serial: String
    /// PKCS #10, DER.
    public var signingRequest: [UInt8]
    public var agentVersion: String
    public var kernelRelease: String
    public var interfaces: [PortStatus]
    /// SubjectPublicKeyInfo of the connection, DER.
    public var key: [UInt8]
    /// Where it called from.
    public var address: String
    /// Names of its certificate if that is one of the authority's and not revoked: it asks for the next one.
    public var certifiedNames: Set<String>
    /// nil: no TPM was shown.
    public var tpm: AttestedTPM?
}

/// What is answered to it.
public enum EnrolmentAnswer: Sendable {
    case pending(String, retryAfterMs: UInt32)
    case refused(String)
    /// Certificates DER, the node's own first; `authority` DER.
    case approved(node: NodeName, certificates: [[UInt8]], authority: [UInt8], ports: [(name: String, role: PortRole)])
    /// Its TPM has to be seen first.
    case quote(registers: [UInt32])
}

/// Keeps certificates and judges evidence. Every method may be called from any thread and must not wait.
public protocol NodeTrust: Sendable {
    /// Whether a certificate of the authority was revoked; `serial` in hexadecimal.
    func isRevoked(serial: String) -> Bool
    func judge(_ evidence: NodeEvidence, then: @escaping @Sendable (AttestationVerdict) -> Void)
    /// The TPM found the secret: the attestation key may be believed from now on.
    func activated(_ tpm: AttestedTPM, node: NodeName)
    func enrol(_ request: EnrolmentRequest, then: @escaping @Sendable (EnrolmentAnswer) -> Void)
    /// A node was refused, or has proven itself (`refusal` nil).
    func noted(_ node: NodeName, refusal: String?)
}
