// SPDX-License-Identifier: Apache-2.0
// Ethernet with up to two VLAN tags: where the payload of a punted frame starts, and the head of a frame to inject.

import BNGCore

/// The parsed head of an Ethernet frame.
public struct EthernetHeader: Equatable, Sendable {
    public static let ipv4: UInt16 = 0x0800
    public static let pppoeDiscovery: UInt16 = 0x8863
    public static let pppoeSession: UInt16 = 0x8864
    static let cTag: UInt16 = 0x8100
    static let sTag: UInt16 = 0x88a8

    public var destination: MACAddress
    public var source: MACAddress
    public var tags: VLANTags
    public var etherType: UInt16
    /// Bytes in front of the payload: 14, 18 or 22.
    public var length: Int

    public init(destination: MACAddress, source: MACAddress, tags: VLANTags, etherType: UInt16) {
        self.destination = destination
        self.source = source
        self.tags = tags
        self.etherType = etherType
        self.length = 14 + (tags.sTPID == 0 ? 0 : 4) + (tags.cTPID == 0 ? 0 : 4)
    }

    /// Parses a frame from its first byte. Outer tag 0x8100 or 0x88a8, inner tag 0x8100 (IEEE 802.1Q); a third tag is an error.
    public init(decoding frame: borrowing Span<UInt8>) throws(DecodeError) {
        var cursor = ByteCursor(end: frame.count)
        let addresses = try cursor.skip(12)
        self.destination = MACAddress(frame, at: addresses)
        self.source = MACAddress(frame, at: addresses + 6)
        self.tags = .untagged
        self.etherType = try cursor.readUInt16(frame)
        if self.etherType == Self.cTag || self.etherType == Self.sTag {
            self.tags.sTPID = self.etherType
            self.tags.sVLAN = try cursor.readUInt16(frame) & 0xfff
            self.etherType = try cursor.readUInt16(frame)
            if self.etherType == Self.cTag {
                self.tags.cTPID = self.etherType
                self.tags.cVLAN = try cursor.readUInt16(frame) & 0xfff
                self.etherType = try cursor.readUInt16(frame)
            }
        }
        guard self.etherType != Self.cTag, self.etherType != Self.sTag else {
            throw DecodeError(.invalid(field: "number of VLAN tags"), at: cursor.offset - 2)
        }
        self.length = cursor.offset
    }

    /// Appends the head in wire form; tags with priority 0.
    public func encode(into frame: inout [UInt8]) {
        frame += self.destination.bytes
        frame += self.source.bytes
        if self.tags.sTPID != 0 {
            frame.appendBigEndian(self.tags.sTPID)
            frame.appendBigEndian(self.tags.sVLAN)
        }
        if self.tags.cTPID != 0 {
            frame.appendBigEndian(self.tags.cTPID)
            frame.appendBigEndian(self.tags.cVLAN)
        }
        frame.appendBigEndian(self.etherType)
    }
}
