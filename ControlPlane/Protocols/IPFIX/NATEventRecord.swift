// SPDX-License-Identifier: Apache-2.0
// NAT events as IPFIX data records: the two templates and their values.

import BNGCore

/// A block of ports, or a whole address, granted or taken back (RFC 8158 5.6.5, 5.6.8).
public struct NATEventRecord: Equatable, Sendable {
    /// Values of natEvent (RFC 8158 4.2).
    public enum Event: UInt8, Sendable {
        case addressBindingCreate = 14
        case addressBindingDelete = 15
        case portBlockAllocation = 16
        case portBlockDeallocation = 17
    }

    public var event: Event
    public var at: UTCTime
    public var inside: IPv4Address
    public var outside: IPv4Address
    /// Not sent with an address binding.
    public var ports: ClosedRange<UInt16>
    public var vrf: VRF
    /// At most 253 octets of each name are sent.
    public var poolName: String
    public var userName: String

    public init(
        event: Event, at: UTCTime, inside: IPv4Address, outside: IPv4Address, ports: ClosedRange<UInt16>, vrf: VRF,
        poolName: String, userName: String
    ) {
        self.event = event
        self.at = at
        self.inside = inside
        self.outside = outside
        self.ports = ports
        self.vrf = vrf
        self.poolName = poolName
        self.userName = userName
    }

    var template: IPFIXTemplate {
        switch self.event {
        case .addressBindingCreate, .addressBindingDelete: return .addressBinding
        case .portBlockAllocation, .portBlockDeallocation: return .portBlock
        }
    }

    /// The values in the order of the template's fields.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(UInt64(bitPattern: self.at.milliseconds))
        bytes.append(self.event.rawValue)
        bytes.appendBigEndian(self.inside.rawValue)
        bytes.appendBigEndian(self.outside.rawValue)
        if self.template == .portBlock {
            bytes.appendBigEndian(self.ports.lowerBound)
            bytes.appendBigEndian(self.ports.upperBound)
            // Every port of the range.
            bytes.appendBigEndian(UInt16(1))
            bytes.appendBigEndian(UInt16(clamping: self.ports.count))
        }
        bytes.appendBigEndian(self.vrf)
        bytes.appendVariable(self.poolName)
        bytes.appendVariable(self.userName)
        return bytes
    }
}

extension IPFIXTemplate {
    static let portBlock = IPFIXTemplate(
        id: 256,
        fields: [
            .observationTimeMilliseconds, .natEvent, .sourceIPv4Address, .postNATSourceIPv4Address, .portRangeStart,
            .portRangeEnd, .portRangeStepSize, .portRangeNumPorts, .ingressVRFID, .natPoolName, .userName,
        ])
    static let addressBinding = IPFIXTemplate(
        id: 257,
        fields: [
            .observationTimeMilliseconds, .natEvent, .sourceIPv4Address, .postNATSourceIPv4Address, .ingressVRFID,
            .natPoolName, .userName,
        ])
}

extension [UInt8] {
    /// A string of at most 253 octets, whole characters, after its length (RFC 7011 7).
    fileprivate mutating func appendVariable(_ text: String) {
        var bytes: [UInt8] = []
        for character in text.unicodeScalars {
            let scalar = Array(String(character).utf8)
            guard bytes.count + scalar.count <= 253 else { break }
            bytes += scalar
        }
        self.append(UInt8(bytes.count))
        self += bytes
    }
}
