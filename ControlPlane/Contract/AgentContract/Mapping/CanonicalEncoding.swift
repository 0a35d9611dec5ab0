// SPDX-License-Identifier: Apache-2.0
// The canonical encoding of docs/contract.md section 6 for any message: u32 field number, u32 length, value, in ascending order.
// Generated code visits known fields in ascending order and skips defaults, which is what the encoding asks for.

import AgentProto
import BNGCore
import Foundation
import SwiftProtobuf

extension Message {
    /// Appends the canonical encoding of this message.
    public func appendCanonical(to bytes: inout [UInt8]) {
        var visitor = CanonicalVisitor(bytes: bytes, skipped: Self.agentOwnedField)
        // The visitor throws for kinds of field the contract does not use; generated code then calls none of them.
        do { try self.traverse(visitor: &visitor) } catch { preconditionFailure("\(error)") }
        bytes = visitor.bytes
    }
}

extension Message {
    /// Number of the lease's end, which the data plane moves; 0: none.
    private static var agentOwnedField: Int {
        if Self.self is Wire.SessionIPv4.Type { return 6 }
        return Self.self is Wire.SessionIPv6.Type ? 2 : 0
    }
}

/// Thrown for a kind of field the canonical encoding has no rule for.
struct NoCanonicalForm: Error {}

private struct CanonicalVisitor: Visitor {
    var bytes: [UInt8]
    /// Number of the agent-owned field of the message being encoded; 0: none.
    let skipped: Int

    mutating func appendNumber(_ value: UInt64, _ field: Int) {
        guard field != self.skipped else { return }
        self.bytes.appendBigEndian(UInt32(field))
        self.bytes.appendBigEndian(UInt32(8))
        self.bytes.appendBigEndian(value)
    }

    mutating func appendBytes(_ value: some Collection<UInt8>, _ field: Int) {
        self.bytes.appendBigEndian(UInt32(field))
        self.bytes.appendBigEndian(UInt32(value.count))
        self.bytes.append(contentsOf: value)
    }

    mutating func visitSingularInt64Field(value: Int64, fieldNumber: Int) {
        self.appendNumber(UInt64(bitPattern: value), fieldNumber)
    }
    mutating func visitSingularUInt64Field(value: UInt64, fieldNumber: Int) { self.appendNumber(value, fieldNumber) }
    mutating func visitSingularBoolField(value: Bool, fieldNumber: Int) {
        self.appendNumber(value ? 1 : 0, fieldNumber)
    }
    mutating func visitSingularEnumField<E: Enum>(value: E, fieldNumber: Int) {
        self.appendNumber(UInt64(bitPattern: Int64(value.rawValue)), fieldNumber)
    }
    mutating func visitSingularStringField(value: String, fieldNumber: Int) {
        self.appendBytes(value.utf8, fieldNumber)
    }
    mutating func visitSingularBytesField(value: Data, fieldNumber: Int) { self.appendBytes(value, fieldNumber) }
    mutating func visitSingularMessageField<M: Message>(value: M, fieldNumber: Int) {
        var inner: [UInt8] = []
        value.appendCanonical(to: &inner)
        self.appendBytes(inner, fieldNumber)
    }

    mutating func visitUnknown(bytes: Data) {}
    mutating func visitSingularDoubleField(value: Double, fieldNumber: Int) throws { throw NoCanonicalForm() }
    mutating func visitMapField<K, V: MapValueType>(
        fieldType: _ProtobufMap<K, V>.Type, value: _ProtobufMap<K, V>.BaseType, fieldNumber: Int
    ) throws { throw NoCanonicalForm() }
    mutating func visitMapField<K, V>(
        fieldType: _ProtobufEnumMap<K, V>.Type, value: _ProtobufEnumMap<K, V>.BaseType, fieldNumber: Int
    ) throws where V.RawValue == Int { throw NoCanonicalForm() }
    mutating func visitMapField<K, V>(
        fieldType: _ProtobufMessageMap<K, V>.Type, value: _ProtobufMessageMap<K, V>.BaseType, fieldNumber: Int
    ) throws { throw NoCanonicalForm() }
}

extension Wire.Object {
    /// Family of the body; nil without one.
    public var family: Wire.Family? {
        switch self.body {
        case nil: return nil
        case .port: return .port
        case .serverIdentity: return .serverIdentity
        case .poolTemplate: return .poolTemplate
        case .nextHop: return .nextHop
        case .route: return .route
        case .guardRates: return .guardRates
        case .session: return .session
        case .filter: return .filter
        case .pppoeService: return .pppoeService
        case .natPolicy: return .natPolicy
        }
    }

    /// Appends the canonical encoding of the body message.
    public func appendCanonicalBody(to bytes: inout [UInt8]) {
        switch self.body {
        case nil: break
        case .port(let body): body.appendCanonical(to: &bytes)
        case .serverIdentity(let body): body.appendCanonical(to: &bytes)
        case .poolTemplate(let body): body.appendCanonical(to: &bytes)
        case .nextHop(let body): body.appendCanonical(to: &bytes)
        case .route(let body): body.appendCanonical(to: &bytes)
        case .guardRates(let body): body.appendCanonical(to: &bytes)
        case .session(let body): body.appendCanonical(to: &bytes)
        case .filter(let body): body.appendCanonical(to: &bytes)
        case .pppoeService(let body): body.appendCanonical(to: &bytes)
        case .natPolicy(let body): body.appendCanonical(to: &bytes)
        }
    }
}
