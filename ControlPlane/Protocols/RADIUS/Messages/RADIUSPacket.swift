// SPDX-License-Identifier: Apache-2.0
// A RADIUS packet as a value.

import BNGCore

/// One packet (RFC 2865 3).
public struct RADIUSPacket: Equatable, Sendable {
    public var code: RADIUSCode
    /// Matches answers to questions, together with the sender's port.
    public var identifier: UInt8
    public var authenticator: RADIUSAuthenticator
    public var attributes: RADIUSAttributes

    public init(
        code: RADIUSCode, identifier: UInt8, authenticator: RADIUSAuthenticator = .zero,
        attributes: RADIUSAttributes = RADIUSAttributes()
    ) {
        self.code = code
        self.identifier = identifier
        self.authenticator = authenticator
        self.attributes = attributes
    }
}
