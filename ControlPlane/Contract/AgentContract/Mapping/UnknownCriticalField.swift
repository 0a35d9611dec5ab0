// SPDX-License-Identifier: Apache-2.0
// Finds fields 1-999 that this version does not know, at any depth ("understood whole or refused", docs/contract.md section 5).

import AgentProto
import BNGCore
import Foundation
import SwiftProtobuf

extension Message {
    /// Path of the first unknown critical field, numbers joined by dots; nil if there is none.
    public var unknownCriticalField: String? {
        var visitor = UnknownFieldVisitor()
        do { try self.traverse(visitor: &visitor) } catch { return nil }
        return visitor.found
    }
}

private struct UnknownFieldVisitor: Visitor {
    var path: [Int] = []
    var found: String?

    mutating func visitUnknown(bytes: Data) {
        guard self.found == nil, let number = firstCriticalField([UInt8](bytes)) else { return }
        self.found = (self.path + [number]).map(String.init).joined(separator: ".")
    }

    mutating func visitSingularMessageField<M: Message>(value: M, fieldNumber: Int) throws {
        self.path.append(fieldNumber)
        try value.traverse(visitor: &self)
        self.path.removeLast()
    }

    mutating func visitSingularInt64Field(value: Int64, fieldNumber: Int) {}
    mutating func visitSingularUInt64Field(value: UInt64, fieldNumber: Int) {}
    mutating func visitSingularBoolField(value: Bool, fieldNumber: Int) {}
    mutating func visitSingularEnumField<E: Enum>(value: E, fieldNumber: Int) {}
    mutating func visitSingularStringField(value: String, fieldNumber: Int) {}
    mutating func visitSingularBytesField(value: Data, fieldNumber: Int) {}
    mutating func visitSingularDoubleField(value: Double, fieldNumber: Int) {}
    mutating func visitMapField<K, V: MapValueType>(
        fieldType: _ProtobufMap<K, V>.Type, value: _ProtobufMap<K, V>.BaseType, fieldNumber: Int
    ) {}
    mutating func visitMapField<K, V>(
        fieldType: _ProtobufEnumMap<K, V>.Type, value: _ProtobufEnumMap<K, V>.BaseType, fieldNumber: Int
    ) where V.RawValue == Int {}
    mutating func visitMapField<K, V>(
        fieldType: _ProtobufMessageMap<K, V>.Type, value: _ProtobufMessageMap<K, V>.BaseType, fieldNumber: Int
    ) {}
}

/// Number of the first field below 1000 in well-formed unknown-field bytes.
private func firstCriticalField(_ bytes: [UInt8]) -> Int? {
    var at = 0
    var depth = 0
    func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < bytes.count, shift < 64 {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
    while at < bytes.count, let tag = varint() {
        let wireType = tag & 7
        if depth == 0, wireType != 4, tag >> 3 < 1000 { return Int(tag >> 3) }
        switch wireType {
        case 0: _ = varint()
        case 1: at += 8
        case 2:
            guard let length = varint(), length <= UInt64(bytes.count - at) else { return nil }
            at += Int(length)
        case 3: depth += 1
        case 4: depth -= 1
        case 5: at += 4
        default: return nil
        }
    }
    return nil
}
