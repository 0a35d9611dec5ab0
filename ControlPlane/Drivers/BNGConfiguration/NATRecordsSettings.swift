// SPDX-License-Identifier: Apache-2.0
// `nat-records:` as values.

import BNGCore
import Syslog

/// `nat-records:`
public struct NATRecordsSettings: Sendable, Equatable {
    /// Records kept at most for outputs that are behind.
    public var spool = 1_000_000
    public var outputs: [NATRecordOutputSettings] = []
}

/// An entry of `outputs:` in `nat-records:`
public struct NATRecordOutputSettings: Sendable, Equatable {
    public enum Transport: String, Sendable, CaseIterable { case udp, tcp }
    public enum Kind: String, Sendable, CaseIterable { case ipfix, syslog, json }

    public enum Target: Sendable, Equatable {
        case ipfix(HostPort, Transport, observationDomain: UInt32, messageSize: Int, templateInterval: Seconds)
        case syslog(HostPort, Transport, facility: SyslogMessage.Facility, enterprise: UInt32)
        case json(path: String)
    }

    public var name: String
    public var target: Target
}
