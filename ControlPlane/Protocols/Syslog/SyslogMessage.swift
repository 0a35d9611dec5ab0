// SPDX-License-Identifier: Apache-2.0
// Syslog messages with structured data, for datagrams and for streams. No sockets, no clock.
//
// Supported standards:
// RFC 5424: header (6.2), structured data (6.3). Control characters in a value, which 6.3.3 allows, are written as `\u00xx`: whoever
// chooses a user name does not write lines into the collector's file.
// RFC 5426: one message per datagram. RFC 6587 3.4.1: octet counting.

import BNGCore

/// One message.
public struct SyslogMessage: Equatable, Sendable {
    /// Facilities by name (RFC 5424 6.2.1).
    public enum Facility: String, CaseIterable, Sendable {
        case kern, user, mail, daemon, auth, syslog, lpr, news, uucp, cron, authpriv, ftp, ntp, audit, alert, clock
        case local0, local1, local2, local3, local4, local5, local6, local7

        var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// Severities that are used.
    public enum Severity: Int, Sendable { case notice = 5, info = 6 }

    public var facility: Facility
    public var severity: Severity
    public var at: UTCTime
    /// Empty: not known.
    public var hostName: String
    public var applicationName: String
    public var processID: String
    public var messageID: String
    /// NAME@ENTERPRISE: printable ASCII without `=`, space, `]` and `"`.
    public var dataID: String
    /// Names as that of the data; values may hold anything.
    public var parameters: [(name: String, value: String)]
    /// ASCII without control characters.
    public var text: String

    public init(
        facility: Facility, severity: Severity, at: UTCTime, hostName: String, applicationName: String,
        processID: String, messageID: String, dataID: String, parameters: [(name: String, value: String)], text: String
    ) {
        self.facility = facility
        self.severity = severity
        self.at = at
        self.hostName = hostName
        self.applicationName = applicationName
        self.processID = processID
        self.messageID = messageID
        self.dataID = dataID
        self.parameters = parameters
        self.text = text
    }

    public static func == (a: Self, b: Self) -> Bool { a.bytes == b.bytes }

    /// The message as a datagram carries it.
    public var bytes: [UInt8] {
        var bytes = Array("<\(self.facility.number * 8 + self.severity.rawValue)>1 \(self.at.rfc3339)".utf8)
        for (field, limit) in [
            (self.hostName, 255), (self.applicationName, 48), (self.processID, 128), (self.messageID, 32),
        ] {
            bytes.append(UInt8(ascii: " "))
            bytes += Self.headerField(field, limit)
        }
        bytes += " [\(self.dataID)".utf8
        for (name, value) in self.parameters {
            bytes += " \(name)=\"".utf8
            bytes.appendEscaped(value)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes += "] \(self.text)".utf8
        return bytes
    }

    /// The message as a stream carries it: after its length (RFC 6587 3.4.1).
    public var frame: [UInt8] {
        let bytes = self.bytes
        return Array("\(bytes.count) ".utf8) + bytes
    }

    /// PRINTUSASCII of a length, the nil value for none.
    private static func headerField(_ text: String, _ limit: Int) -> [UInt8] {
        let bytes = text.utf8.filter { (33...126).contains($0) }.prefix(limit)
        return bytes.isEmpty ? [UInt8(ascii: "-")] : Array(bytes)
    }
}

extension [UInt8] {
    /// RFC 5424 6.3.3; at most 512 octets of the value.
    fileprivate mutating func appendEscaped(_ value: String) {
        var left = 512
        for scalar in value.unicodeScalars {
            let utf8 = Array(String(scalar).utf8)
            left -= utf8.count
            guard left >= 0 else { return }
            switch scalar.value {
            case 0x22, 0x5c, 0x5d: self += [UInt8(ascii: "\\")] + utf8
            case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029:
                let digits = String(scalar.value, radix: 16)
                self += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: self += utf8
            }
        }
    }
}
