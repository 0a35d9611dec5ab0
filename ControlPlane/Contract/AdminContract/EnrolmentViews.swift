// SPDX-License-Identifier: Apache-2.0
// What the operator API says of nodes that enrol. Times are UTC milliseconds, 0 for never.

/// One key that asked to be a node, as `GET /v1/enrolments` lists it.
public struct EnrolmentView: Codable, Sendable, Equatable {
    /// SHA-256 of its public key, hexadecimal.
    public var fingerprint: String
    /// pending, approved or rejected.
    public var status: String
    /// The node it was approved for.
    public var node: String
    public var reason: String
    public var requestedName: String
    public var serial: String
    public var address: String
    public var agentVersion: String
    public var interfaces: [String]
    /// SHA-256 of the endorsement key its TPM has proven; empty: none.
    public var endorsementKey: String
    public var firstSeenMs: Int64
    public var lastSeenMs: Int64
    /// Serial of its newest certificate; empty: none.
    public var certificate: String
    public var certificateEndsMs: Int64
    public var revoked: Bool

    public init(
        fingerprint: String, status: String, node: String, reason: String, requestedName: String, serial: String,
        address: String, agentVersion: String, interfaces: [String], endorsementKey: String, firstSeenMs: Int64,
        lastSeenMs: Int64, certificate: String, certificateEndsMs: Int64, revoked: Bool
    ) {
        self.fingerprint = fingerprint
        self.status = status
        self.node = node
        self.reason = reason
        self.requestedName = requestedName
        self.serial = serial
        self.address = address
        self.agentVersion = agentVersion
        self.interfaces = interfaces
        self.endorsementKey = endorsementKey
        self.firstSeenMs = firstSeenMs
        self.lastSeenMs = lastSeenMs
        self.certificate = certificate
        self.certificateEndsMs = certificateEndsMs
        self.revoked = revoked
    }
}
