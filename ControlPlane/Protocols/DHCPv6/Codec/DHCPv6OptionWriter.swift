// SPDX-License-Identifier: Apache-2.0
// Options to bytes, nested ones included.

import BNGCore

enum DHCPv6OptionWriter {
    /// False if a value does not fit the 16 bits of its length.
    static func append(_ options: [DHCPv6Option], to bytes: inout [UInt8]) -> Bool {
        for option in options {
            bytes.appendBigEndian(option.code)
            let lengthOffset = bytes.count
            bytes.appendBigEndian(UInt16(0))
            guard Self.appendValue(option, to: &bytes) else { return false }
            let length = bytes.count - lengthOffset - 2
            guard length <= Int(UInt16.max) else { return false }
            bytes.setBigEndian(UInt16(length), at: lengthOffset)
        }
        return true
    }

    private static func appendValue(_ option: DHCPv6Option, to bytes: inout [UInt8]) -> Bool {
        switch option {
        case .clientID(let duid), .serverID(let duid): bytes += duid.bytes
        case .association(let association): return Self.append(association, to: &bytes)
        case .lease(let lease): return Self.append(lease, to: &bytes)
        case .optionRequest(let codes): for code in codes { bytes.appendBigEndian(code) }
        case .preference(let value): bytes.append(value)
        case .elapsedTime(let time): bytes.appendBigEndian(time)
        case .status(let code, let text):
            bytes.appendBigEndian(code)
            bytes += text
        case .rapidCommit, .reconfigureAccept: break
        case .nameServers(let servers): bytes += servers.flatMap(\.bytes)
        case .searchList(let names): bytes += names.flatMap(\.wireForm)
        case .remoteID(let enterprise, let id):
            bytes.appendBigEndian(enterprise)
            bytes += id
        case .interfaceID(let value), .subscriberID(let value), .other(_, let value): bytes += value
        }
        return true
    }

    private static func append(_ association: IdentityAssociation, to bytes: inout [UInt8]) -> Bool {
        bytes.appendBigEndian(association.id)
        if association.kind != .temporary {
            bytes.appendBigEndian(association.renewal)
            bytes.appendBigEndian(association.rebinding)
        }
        return Self.append(association.options, to: &bytes)
    }

    private static func append(_ lease: DHCPv6Lease, to bytes: inout [UInt8]) -> Bool {
        if case .address(let address) = lease.resource { bytes += address.bytes }
        bytes.appendBigEndian(lease.preferred)
        bytes.appendBigEndian(lease.valid)
        if case .prefix(let prefix) = lease.resource { bytes += [UInt8(prefix.length)] + prefix.address.bytes }
        return Self.append(lease.options, to: &bytes)
    }
}
