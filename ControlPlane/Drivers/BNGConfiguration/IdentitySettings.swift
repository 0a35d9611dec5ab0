// SPDX-License-Identifier: Apache-2.0
// Who nodes are: the authority that enrols them, who is approved by rule, what a TPM must show.

import BNGCore

/// `identity:`
public struct IdentitySettings: Sendable, Equatable {
    /// The certificate and key nodes' certificates are signed with.
    public struct Authority: Sendable, Equatable {
        /// PEM files.
        public var certificate: String
        public var key: String
    }

    /// An entry of `approve:`: a node that shows this needs no operator.
    public struct Rule: Sendable, Equatable {
        public enum Evidence: Sendable, Equatable {
            /// SHA-256 of the endorsement key, lower-case hexadecimal.
            case endorsementKey(String)
            /// As the host says: a claim.
            case serial(String)
        }

        public var evidence: Evidence
        public var node: NodeName
    }

    /// nil: nobody enrols here.
    public var authority: Authority?
    public var certificateLifetime: Seconds = 2_592_000
    public var approve: [Rule] = []
    /// Who enrols must show a TPM.
    public var requireTPM = false
    /// Folder of PEM certificates that sign endorsement keys; empty: no such certificate is believed, and none is asked for.
    public var endorsementAuthorities = ""
    /// Nodes that wait for an operator, at most.
    public var pending = 256
}

/// An entry of `attestation-policies:`
public struct AttestationPolicySettings: Sendable, Equatable {
    public var name = ""
    /// Digests (32 bytes) that each register of the SHA-256 bank may have; none: it is quoted and may have any.
    public var registers: [UInt32: [[UInt8]]] = [:]
    /// The event log must be there and lead to the registers.
    public var eventLog = false
    /// The endorsement key needs a certificate of `endorsement-authorities`.
    public var endorsementCertificate = false
    public var interval: Seconds = 3_600
}

/// `identity:` of a node.
public enum NodeIdentitySettings: Sendable, Equatable {
    case certificate
    /// A file.
    case psk(path: String)
    /// The name of an attestation policy.
    case tpm(policy: String)
}
