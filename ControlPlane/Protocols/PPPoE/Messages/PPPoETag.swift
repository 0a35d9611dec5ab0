// SPDX-License-Identifier: Apache-2.0
// The tags of discovery packets: RFC 2516 appendix A, RFC 4638, and the access loop tags of TR-101 3.9.2.

import BNGCore

/// One tag of a discovery packet.
public struct PPPoETag: Equatable, Sendable {
    public var type: UInt16
    public var value: [UInt8]

    public init(_ type: UInt16, _ value: [UInt8] = []) {
        self.type = type
        self.value = value
    }

    public static let endOfList: UInt16 = 0x0000
    public static let serviceName: UInt16 = 0x0101
    public static let acName: UInt16 = 0x0102
    public static let hostUniq: UInt16 = 0x0103
    public static let acCookie: UInt16 = 0x0104
    public static let vendorSpecific: UInt16 = 0x0105
    public static let relaySessionID: UInt16 = 0x0110
    /// RFC 4638.
    public static let maxPayload: UInt16 = 0x0120
    public static let serviceNameError: UInt16 = 0x0201
    public static let acSystemError: UInt16 = 0x0202
    public static let genericError: UInt16 = 0x0203

    /// The Broadband Forum, whose vendor tag carries what an access node knows of the line.
    public static let broadbandForum: UInt32 = 3_561
    static let circuitIDSubtag: UInt8 = 1
    static let remoteIDSubtag: UInt8 = 2

    /// A vendor tag as an access node adds it (TR-101 3.9.2); parts that are empty or longer than 255 bytes are left
    /// out.
    public static func accessLoop(circuitID: [UInt8], remoteID: [UInt8]) -> PPPoETag {
        var value: [UInt8] = []
        value.appendBigEndian(Self.broadbandForum)
        for (type, part) in [(Self.circuitIDSubtag, circuitID), (Self.remoteIDSubtag, remoteID)]
        where (1...255).contains(part.count) {
            value += [type, UInt8(part.count)]
            value += part
        }
        return PPPoETag(Self.vendorSpecific, value)
    }
}
