// SPDX-License-Identifier: Apache-2.0
// Session records as rows. Unsigned 64-bit values are stored as their two's complement.

import BNGCore
import Foundation
import GRDB
import Subscribers

extension SessionRecord {
    /// Columns shared by `sessions` and `history`, in the order `arguments` gives them.
    static let columns =
        "id, generation, phase, node, access_domain, s_vlan, c_vlan, relay, mac, s_tpid, c_tpid, relay_mac, vrf, pool,"
        + " address, client_id, option82, host_name, started_ms, lease_expires_ms, ended_ms, cause, port, user_name,"
        + " granted, ends_ms, accounted, up_packets, up_bytes, down_packets, down_bytes, dropped_packets,"
        + " pppoe_id, ppp, ipv6, ipv6_expires_ms, ipv6_up_packets, ipv6_up_bytes, ipv6_down_packets, ipv6_down_bytes, nat"
    static let columnCount = 41
    /// Columns of `sessions` alone: what the node had counted before it lost its counters.
    static let baseColumns =
        "base_up_packets, base_up_bytes, base_down_packets, base_down_bytes, base_dropped_packets,"
        + " base_ipv6_up_packets, base_ipv6_up_bytes, base_ipv6_down_packets, base_ipv6_down_bytes"
    static let baseColumnCount = 9

    static func placeholders(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }

    var arguments: [DatabaseValue] {
        var values: [DatabaseValue] = [
            .integer(self.id.rawValue), .integer(self.generation), .text(self.phase.rawValue), .text(self.node),
        ]
        values.reserveCapacity(Self.columnCount + Self.baseColumnCount)
        values += self.line.arguments
        values += [
            .integer(self.tags.sTPID), .integer(self.tags.cTPID), .integer(self.relayMAC.rawValue),
            .integer(self.vrf), .text(self.pool), .integer(self.address.rawValue),
            .blob(self.clientID), .blob(self.option82), .text(self.hostName),
            .integer(self.started.milliseconds), .integer(self.leaseExpires.milliseconds),
            .integer(self.ended.milliseconds), self.cause.map { .text($0.rawValue) } ?? .null,
            .text(self.port), .text(self.grant.userName), .text(self.grant.stored), .integer(self.ends.milliseconds),
            .boolean(self.isAccounted),
        ]
        values += self.counters.arguments
        values += [
            .integer(self.line.pppoeID), .text(self.ppp?.stored ?? ""), .text(self.ipv6?.stored ?? ""),
            .integer(self.ipv6?.expires.milliseconds ?? 0),
        ]
        values += self.counters.ipv6.arguments
        values.append(.text(self.nat?.text ?? ""))
        return values
    }

    /// nil if a column holds what no version wrote.
    init?(_ row: Row) {
        guard let phase = SessionPhase(rawValue: row[2]), var line = LineKey(row, at: 4),
            let pppoeID = UInt16(exactly: row[32] as Int64), let ppp = PPPoEDetails.from(row[33]),
            let ipv6 = IPv6Details.from(row[34], expires: UTCTime(milliseconds: row[35])),
            let grant = ServiceGrant(stored: row[24], userName: row[23]), let nat = NATGrant.from(row[40])
        else { return nil }
        line.pppoeID = pppoeID
        self.init(
            id: SessionID(rawValue: UInt64(bitPattern: row[0])), generation: UInt64(bitPattern: row[1]), phase: phase,
            node: row[3], line: line,
            tags: VLANTags(
                sVLAN: line.sVLAN, cVLAN: line.cVLAN, sTPID: UInt16(clamping: row[9] as Int64),
                cTPID: UInt16(clamping: row[10] as Int64)),
            relayMAC: MACAddress(rawValue: UInt64(bitPattern: row[11]) & 0xffff_ffff_ffff),
            vrf: UInt32(clamping: row[12] as Int64), pool: row[13],
            address: IPv4Address(rawValue: UInt32(clamping: row[14] as Int64)),
            clientID: [UInt8](blob: row[15]), option82: [UInt8](blob: row[16]), hostName: row[17],
            started: UTCTime(milliseconds: row[18]), leaseExpires: UTCTime(milliseconds: row[19]),
            ended: UTCTime(milliseconds: row[20]),
            cause: (row[21] as String?).flatMap(TerminateCause.init(rawValue:)),
            counters: SessionTotals(row, at: 27, ipv6: 36), grant: grant)
        self.port = row[22]
        self.ends = UTCTime(milliseconds: row[25])
        self.isAccounted = row[26]
        self.ppp = ppp
        self.ipv6 = ipv6
        self.nat = nat
    }

    /// A row of `sessions` with its base columns.
    init?(live row: Row) {
        self.init(row)
        self.counterBase = SessionTotals(row, at: Self.columnCount, ipv6: Self.columnCount + 5)
    }
}

extension ServiceGrant {
    /// Empty for what everybody gets where no AAA is configured: the user name has a column of its own.
    var stored: String {
        guard self != ServiceGrant(source: .open, userName: self.userName) else { return "" }
        return self.json.text
    }

    init?(stored text: String, userName: String) {
        guard !text.isEmpty else {
            self.init(source: .open, userName: userName)
            return
        }
        guard let grant = try? JSONDecoder().decode(ServiceGrant.self, from: Data(text.utf8)) else { return nil }
        self = grant
    }
}

extension SessionTotals {
    init(_ row: Row, at first: Int, ipv6: Int) {
        self.init()
        self.ipv6 = FamilyTotals(row, at: ipv6)
        self.upPackets = UInt64(bitPattern: row[first])
        self.upBytes = UInt64(bitPattern: row[first + 1])
        self.downPackets = UInt64(bitPattern: row[first + 2])
        self.downBytes = UInt64(bitPattern: row[first + 3])
        self.droppedPackets = UInt64(bitPattern: row[first + 4])
    }

    var arguments: [DatabaseValue] {
        [
            .integer(self.upPackets), .integer(self.upBytes), .integer(self.downPackets), .integer(self.downBytes),
            .integer(self.droppedPackets),
        ]
    }
}

extension FamilyTotals {
    fileprivate init(_ row: Row, at first: Int) {
        self.init()
        self.upPackets = UInt64(bitPattern: row[first])
        self.upBytes = UInt64(bitPattern: row[first + 1])
        self.downPackets = UInt64(bitPattern: row[first + 2])
        self.downBytes = UInt64(bitPattern: row[first + 3])
    }

    var arguments: [DatabaseValue] {
        [.integer(self.upPackets), .integer(self.upBytes), .integer(self.downPackets), .integer(self.downBytes)]
    }
}

extension LineKey {
    /// Values of access_domain, s_vlan, c_vlan, relay, mac.
    var arguments: [DatabaseValue] {
        [
            .integer(self.accessDomain), .integer(self.sVLAN), .integer(self.cVLAN), .integer(self.relay.rawValue),
            .integer(self.mac.rawValue),
        ]
    }

    init?(_ row: Row, at first: Int) {
        guard let mac = UInt64(exactly: row[first + 4] as Int64), mac >> 48 == 0 else { return nil }
        self.init(
            accessDomain: UInt32(clamping: row[first] as Int64), sVLAN: UInt16(clamping: row[first + 1] as Int64),
            cVLAN: UInt16(clamping: row[first + 2] as Int64),
            relay: IPv4Address(rawValue: UInt32(clamping: row[first + 3] as Int64)), mac: MACAddress(rawValue: mac))
    }
}
