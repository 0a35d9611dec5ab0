// SPDX-License-Identifier: Apache-2.0
// Who a node has shown itself to be. Values for records and views.

import BNGCore

/// How a node shows who it is.
public enum NodeIdentityKind: String, Sendable, CaseIterable {
    case certificate, psk, tpm
}

/// What is known of a node's identity.
public struct NodeIdentityStatus: Hashable, Sendable {
    public var kind: NodeIdentityKind
    /// When it was last proven; zero: never since this controller started.
    public var provenAt: UTCTime
    /// When the certificate it showed ends; zero: it showed none that counts.
    public var certificateEnds: UTCTime
    /// Why the last attempt was refused; empty: it was not.
    public var refusal: String
    public var refusedAt: UTCTime

    public init(
        kind: NodeIdentityKind, provenAt: UTCTime = .zero, certificateEnds: UTCTime = .zero, refusal: String = "",
        refusedAt: UTCTime = .zero
    ) {
        self.kind = kind
        self.provenAt = provenAt
        self.certificateEnds = certificateEnds
        self.refusal = refusal
        self.refusedAt = refusedAt
    }
}
