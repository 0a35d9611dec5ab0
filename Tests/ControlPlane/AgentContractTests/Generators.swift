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
        let relayed = self.flag()
        let line = LineKey(
            accessDomain: UInt32(self.number(1..<9)), sVLAN: sVLAN, cVLAN: cVLAN,
            relay: relayed ? IPv4Address(rawValue: 0x0a00_0000 | UInt32(self.number(1..<1_000))) : .zero,
            mac: MACAddress(rawValue: 0x0200_0000_0000 | self.number(1..<1 << 32)))
        return InstalledSession(
            line: line,
            tags: VLANTags(
                sVLAN: sVLAN, cVLAN: cVLAN, sTPID: sVLAN == 0 ? 0 : (self.flag() ? 0x8100 : 0x88a8),
                cTPID: cVLAN == 0 ? 0 : 0x8100),
            relayMAC: relayed ? MACAddress(rawValue: 0x0200_0000_0001) : .zero, vrf: UInt32(self.number(0..<3)),
            antiSpoof: self.flag() ? .strict : .log,
            address: IPv4Address(rawValue: 0x6440_0000 | UInt32(self.number(1..<1 << 16))),
            poolTemplateID: self.number(1..<10), dhcpFastPath: self.flag(), clientID: self.bytes(20),
            option82: self.bytes(40), leaseExpires: UTCTime(milliseconds: Int64(self.number(1..<1 << 41))),
            ends: self.flag() ? .zero : UTCTime(milliseconds: Int64(self.number(1..<1 << 41))))
    }
}
