// SPDX-License-Identifier: Apache-2.0
// A record in the words of IPFIX, syslog and JSON.

import BNGCore
import IPFIX
import Subscribers
import Syslog

extension NATEventRecord {
    init(_ record: NATRecord) {
        let entry = record.entry
        let event: Event =
            switch (entry.isWholeAddress, record.isReturn) {
            case (true, false): .addressBindingCreate
            case (true, true): .addressBindingDelete
            case (false, false): .portBlockAllocation
            case (false, true): .portBlockDeallocation
            }
        self.init(
            event: event, at: record.at, inside: entry.inside, outside: entry.address, ports: entry.ports,
            vrf: entry.vrf, poolName: entry.pool, userName: entry.userName)
    }
}

extension NATRecord {
    private var event: String { self.isReturn ? "return" : "grant" }

    /// - Parameters:
    ///   - dataID: name and enterprise number of the structured data.
    ///   - process: who we are: host and process id.
    func syslog(facility: SyslogMessage.Facility, dataID: String, process: (host: String, id: String)) -> SyslogMessage
    {
        let entry = self.entry
        let block = "\(entry.address):\(entry.ports.lowerBound)-\(entry.ports.upperBound)"
        return SyslogMessage(
            facility: facility, severity: .info, at: self.at, hostName: process.host,
            applicationName: "bng-controller", processID: process.id,
            messageID: self.isReturn ? "NATRETURN" : "NATGRANT",
            dataID: dataID,
            parameters: [
                ("sequence", "\(self.sequence)"), ("event", self.event), ("outside", "\(entry.address)"),
                ("first-port", "\(entry.ports.lowerBound)"), ("last-port", "\(entry.ports.upperBound)"),
                ("inside", "\(entry.inside)"), ("vrf", "\(entry.vrf)"), ("pool", entry.pool),
                ("granted", entry.granted.rfc3339), ("session", "\(entry.session)"), ("node", entry.node),
                ("line", entry.line), ("user", entry.userName),
            ], text: "\(self.event) \(block) \(entry.inside)")
    }

    /// One line with its end.
    var jsonLine: [UInt8] {
        var json = JSONWriter(capacity: 512)
        let entry = self.entry
        json.object { json in
            json.member("sequence", self.sequence)
            json.member("event", self.event)
            json.member("at", self.at.rfc3339)
            json.member("atMs", self.at.milliseconds)
            json.text("outside", entry.address)
            json.member("firstPort", entry.ports.lowerBound)
            json.member("lastPort", entry.ports.upperBound)
            json.text("inside", entry.inside)
            json.member("vrf", entry.vrf)
            json.member("pool", entry.pool)
            json.member("grantedMs", entry.granted.milliseconds)
            json.member("session", entry.session.description)
            json.member("node", entry.node)
            json.member("line", entry.line)
            json.member("user", entry.userName)
        }
        return json.bytes + [UInt8(ascii: "\n")]
    }
}
