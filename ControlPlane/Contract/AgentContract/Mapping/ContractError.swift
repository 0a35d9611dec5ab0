// SPDX-License-Identifier: Apache-2.0
// Why a message or an object was refused, in the contract's own codes.

import AgentProto

/// A refusal: stable code, where in the message, and words for people.
public struct ContractError: Error, Equatable, Sendable, CustomStringConvertible {
    public var code: Wire.ErrorCode
    /// Field numbers from the frame or the object down, joined by dots; empty if none.
    public var fieldPath: String
    public var message: String

    public init(_ code: Wire.ErrorCode, _ message: String, path: String = "") {
        self.code = code
        self.fieldPath = path
        self.message = message
    }

    public var description: String {
        let place = self.fieldPath.isEmpty ? "" : " (field \(self.fieldPath))"
        return "\(self.code.name)\(place): \(self.message)"
    }
}
