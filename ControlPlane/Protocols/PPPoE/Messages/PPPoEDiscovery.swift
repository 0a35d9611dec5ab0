// SPDX-License-Identifier: Apache-2.0
// One packet of the discovery stage (RFC 2516 5) and what its tags say.

import BNGCore

/// A discovery packet: the PPPoE header and its tags, in the order they came; an End-Of-List ends them and is not
/// kept.
public struct PPPoEDiscovery: Equatable, Sendable {
    public enum Code: UInt8, Sendable, CaseIterable {
        case padi = 0x09
        case pado = 0x07
        case padr = 0x19
        case pads = 0x65
        case padt = 0xa7
    }

    public var code: Code
    public var sessionID: UInt16
    public var tags: [PPPoETag]

    public init(code: Code, sessionID: UInt16 = 0, tags: [PPPoETag] = []) {
        self.code = code
        self.sessionID = sessionID
        self.tags = tags
    }
}

extension PPPoEDiscovery {
    /// The first value of a type.
    public func value(_ type: UInt16) -> [UInt8]? { self.tags.first { $0.type == type }?.value }

    /// The service asked for. nil unless there is exactly one such tag, which a PADI and a PADR must have (RFC 2516
    /// 5.1, 5.3).
    public var serviceName: [UInt8]? {
        let names = self.tags.filter { $0.type == PPPoETag.serviceName }
        return names.count == 1 ? names.first?.value : nil
    }

    public var hostUniq: [UInt8]? { self.value(PPPoETag.hostUniq) }
    public var relaySessionID: [UInt8]? { self.value(PPPoETag.relaySessionID) }
    public var acCookie: [UInt8]? { self.value(PPPoETag.acCookie) }

    /// RFC 4638 2: two bytes; other lengths say nothing.
    public var maxPayload: UInt16? {
        guard let value = self.value(PPPoETag.maxPayload), value.count == 2 else { return nil }
        return UInt16(value[0]) << 8 | UInt16(value[1])
    }

    /// A tag of the Broadband Forum is there. Only a trusted access node may send one.
    public var hasVendorTag: Bool { self.accessLoop != nil }
    /// TR-101's Agent Circuit ID; empty if there is none.
    public var circuitID: [UInt8] { self.accessLoopValue(PPPoETag.circuitIDSubtag) }
    /// TR-101's Agent Remote ID; empty if there is none.
    public var remoteID: [UInt8] { self.accessLoopValue(PPPoETag.remoteIDSubtag) }

    private var accessLoop: ArraySlice<UInt8>? {
        for tag in self.tags where tag.type == PPPoETag.vendorSpecific && tag.value.count >= 4 {
            let vendor = tag.value.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if vendor == PPPoETag.broadbandForum { return tag.value.dropFirst(4) }
        }
        return nil
    }

    /// What follows a sub-tag that runs past the end is not read.
    private func accessLoopValue(_ type: UInt8) -> [UInt8] {
        guard var rest = self.accessLoop else { return [] }
        while rest.count >= 2 {
            let head = rest.prefix(2)
            let body = rest.dropFirst(2)
            let length = Int(head[head.startIndex + 1])
            guard length <= body.count else { return [] }
            if head[head.startIndex] == type { return Array(body.prefix(length)) }
            rest = body.dropFirst(length)
        }
        return []
    }
}
