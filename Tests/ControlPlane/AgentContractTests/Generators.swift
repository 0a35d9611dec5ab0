// SPDX-License-Identifier: Apache-2.0
// Random sessions and states for the property tests.

import BNGCore
import Fleet
import TestVectors

extension SplitMix64 {
    mutating func number(_ range: Range<UInt64>) -> UInt64 { UInt64.random(in: range, using: &self) }
    mutating func flag() -> Bool { Bool.random(using: &self) }
    mutating func bytes(_ limit: Int) -> [UInt8] {
        (0..<Int(self.number(0..<UInt64(limit)))).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    mutating func session() -> InstalledSession {
        let sVLAN = self.flag() ? UInt16(self.number(1..<4_095)) : 0
        let cVLAN = sVLAN != 0 && self.flag() ? UInt16(self.number(1..<4_095)) : 0
        let isPPPoE = self.flag()
        let relayed = !isPPPoE && self.flag()
        let line = LineKey(
            accessDomain: UInt32(self.number(1..<9)), sVLAN: sVLAN, cVLAN: cVLAN,
            relay: relayed ? IPv4Address(rawValue: 0x0a00_0000 | UInt32(self.number(1..<1_000))) : .zero,
            mac: MACAddress(rawValue: 0x0200_0000_0000 | self.number(1..<1 << 32)),
            pppoeID: isPPPoE ? UInt16(self.number(1..<65_535)) : 0)
        return InstalledSession(
            line: line,
            tags: VLANTags(
                sVLAN: sVLAN, cVLAN: cVLAN, sTPID: sVLAN == 0 ? 0 : (self.flag() ? 0x8100 : 0x88a8),
                cTPID: cVLAN == 0 ? 0 : 0x8100),
            relayMAC: relayed ? MACAddress(rawValue: 0x0200_0000_0001) : .zero, vrf: UInt32(self.number(0..<3)),
            antiSpoof: self.flag() ? .strict : .log,
            address: IPv4Address(rawValue: 0x6440_0000 | UInt32(self.number(1..<1 << 16))),
            poolTemplateID: self.number(1..<10), dhcpFastPath: !isPPPoE && self.flag(), clientID: self.bytes(20),
            option82: self.bytes(40), leaseExpires: UTCTime(milliseconds: Int64(self.number(1..<1 << 41))),
            ends: self.flag() ? .zero : UTCTime(milliseconds: Int64(self.number(1..<1 << 41))),
            rateUp: self.flag() ? self.rate() : nil, rateDown: self.flag() ? self.rate() : nil,
            filterID: self.flag() ? self.number(1..<1 << 63) : 0,
            idleTimeout: self.flag() ? Seconds(UInt32(self.number(1..<1 << 32))) : 0, framedRoutes: self.prefixes(),
            pppoe: isPPPoE ? self.attachment() : nil, ipv6: self.flag() ? self.ipv6(isRelayed: relayed) : nil)
    }

    mutating func attachment() -> PPPoEAttachment {
        let echoes = self.flag()
        return PPPoEAttachment(
            mtu: UInt16(self.number(64..<65_536)), localMagic: UInt32(self.number(1..<1 << 32)),
            echoInterval: echoes ? Seconds(UInt32(self.number(1..<3_601))) : 0,
            echoFailures: echoes ? UInt8(self.number(1..<256)) : 0, clampMSS: self.flag())
    }

    /// - Parameter isRelayed: the node sends and answers nothing by itself.
    mutating func ipv6(isRelayed: Bool = false) -> IPv6Attachment {
        var prefixes: [IPv6Prefix] = []
        while prefixes.isEmpty || self.flag() && prefixes.count < IPv6Attachment.prefixLimit {
            let prefix = self.ipv6Prefix()
            if !prefixes.contains(prefix) { prefixes.append(prefix) }
        }
        let advertises = !isRelayed && self.flag()
        return IPv6Attachment(
            prefixes: prefixes, leaseExpires: UTCTime(milliseconds: Int64(self.number(0..<1 << 41))),
            valid: Seconds(UInt32(self.number(60..<1 << 32))), activityRenews: self.flag(),
            routerAdvertisement: advertises ? [134, 0, 0, 0] + self.bytes(12...508) : [],
            advertisementInterval: advertises && self.flag() ? Seconds(UInt32(self.number(4..<1_801))) : 0,
            dhcpv6: !isRelayed && self.flag() ? self.dhcpv6(prefixes) : nil)
    }

    private mutating func dhcpv6(_ prefixes: [IPv6Prefix]) -> DHCPv6Attachment {
        let associations = prefixes.prefix(DHCPv6Attachment.associationLimit).enumerated().map { index, prefix in
            DHCPv6Attachment.Association(
                kind: prefix.length == 128 ? .nonTemporary : .delegation, iaid: UInt32(index), resource: prefix)
        }
        return DHCPv6Attachment(
            clientID: self.bytes(3...130), serverID: self.bytes(3...130), associations: Array(associations),
            replyOptions: self.bytes(1...512))
    }

    /// Inside 2000::/3; an address every other time.
    mutating func ipv6Prefix(_ lengths: Range<UInt64> = 8..<129) -> IPv6Prefix {
        let address = IPv6Address(
            high: 0x2000_0000_0000_0000 | self.number(0..<1 << 61), low: self.number(0..<UInt64.max))
        return IPv6Prefix(holding: address, length: self.flag() ? 128 : Int(self.number(lengths)))
    }

    mutating func bytes(_ counts: ClosedRange<Int>) -> [UInt8] {
        (0..<Int.random(in: counts, using: &self)).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    mutating func pppoeService() -> PPPoEServicePolicy {
        PPPoEServicePolicy(
            accessDomain: UInt32(self.number(1..<9)), acName: "bng-\(self.number(0..<1000))",
            serviceNames: (0..<self.number(0..<17)).map { "service-\($0)" }, anyService: self.flag(),
            maxPayload: self.flag() ? UInt32(self.number(1_493..<9_001)) : 0,
            padoDelay: UInt32(self.number(0..<10_001)),
            cookieKey: self.key(), previousCookieKey: self.flag() ? self.key() : [])
    }

    private mutating func key() -> [UInt8] { (0..<16).map { _ in UInt8(self.number(0..<256)) } }

    mutating func rate() -> LineRate {
        LineRate(
            bitsPerSecond: self.number(64_000..<100_000_000_001), burstBytes: UInt32(self.number(1_600..<1 << 32)))
    }

    mutating func prefix(_ lengths: Range<UInt64> = 8..<33) -> IPv4Prefix? {
        let length = Int(self.number(lengths))
        let address = UInt32(self.number(1..<127)) << 24 | UInt32(self.number(0..<1 << 24))
        return IPv4Prefix(IPv4Address(rawValue: address & (UInt32.max << UInt32(32 - length))), length: length)
    }

    mutating func prefixes() -> [IPv4Prefix] {
        var result: [IPv4Prefix] = []
        for _ in 0..<self.number(0..<17) {
            if let prefix = self.prefix(), !result.contains(prefix) { result.append(prefix) }
        }
        return result
    }

    private mutating func remote() -> IPPrefix? {
        guard self.flag() else { return nil }
        return self.flag() ? .v6(self.ipv6Prefix(1..<129)) : self.prefix(1..<33).map { .v4($0) }
    }

    mutating func filter() -> PacketFilter {
        let directions: [FilterDirection] = [.up, .down, .both]
        let rules = (0..<self.number(0..<33)).map { _ in
            var rule = FilterRule(
                action: self.flag() ? .permit : .deny, direction: directions[Int(self.number(0..<3))],
                remote: self.remote(), protocolNumber: UInt8(self.number(0..<256)))
            if FilterRule.protocolsWithPorts.contains(rule.protocolNumber) || self.flag() {
                rule.protocolNumber = self.flag() ? 6 : 17
                let first = UInt16(self.number(1..<65_536))
                rule.remotePorts = first...UInt16(self.number(UInt64(first)..<65_536))
            }
            return rule
        }
        return PacketFilter(rules: rules, defaultAction: self.flag() ? .permit : .deny)
    }
}
