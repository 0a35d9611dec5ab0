// SPDX-License-Identifier: Apache-2.0
// The exporting half of IPFIX for NAT events: records in, messages out. It opens no socket and keeps no record.
//
// A message is a header and sets: templates when they are due, then data records, those of one template side by side. Templates are
// due in the first message of a transport session and, for datagrams, again after a time and after a number of messages: a collector
// that was restarted understands nothing before them.
//
// The sequence number of the header is what RFC 7011 3.1 asks for, the count of data records before this message, but counted over the
// life of the database and not of the process: a record has the same number whenever it is sent, so what was lost on the way, or
// dropped before it could be sent, is a gap to the collector, and what is sent again after a crash is seen to be the same.
//
// Supported standards:
// RFC 7011: messages, template sets, data sets, variable lengths (3.1 to 3.4, 7), templates sent again (8.4), UDP and TCP (10.3, 10.4).
// RFC 8158: port blocks and address bindings (5.6.5, 5.6.8). Deviations: no natInstanceId (there is one instance); sessions and BIBs are
// not told, for ports come in blocks.

import BNGCore

/// Makes messages of NAT events.
public struct IPFIXExporter: Equatable, Sendable {
    static let headerLength = 16
    /// Smallest and largest message: the least holds all templates and the longest record.
    public static let messageSizes: ClosedRange<Int> = 700...9_000

    private let observationDomain: UInt32
    private let messageSize: Int
    /// nil: only with the first message (a stream).
    private let templateInterval: Seconds?
    private let templateMessages: Int
    private var templatesSent: UTCTime?
    private var messagesSinceTemplates = 0

    /// - Parameters:
    ///   - messageSize: octets of a message at most, headers of UDP and IP not counted.
    ///   - templateInterval: templates are sent again after that time; nil for streams.
    ///   - templateMessages: and after so many messages.
    public init(
        observationDomain: UInt32, messageSize: Int, templateInterval: Seconds?, templateMessages: Int = 500
    ) {
        precondition(Self.messageSizes.contains(messageSize), "message size \(messageSize)")
        self.observationDomain = observationDomain
        self.messageSize = messageSize
        self.templateInterval = templateInterval
        self.templateMessages = templateMessages
    }

    /// A new transport session begins: the next message has the templates.
    public mutating func restart() { self.templatesSent = nil }

    /// Messages of records in order of their numbers, which count from 1. A message ends before a gap in the numbers.
    public mutating func messages(_ records: [(sequence: UInt64, record: NATEventRecord)], at now: UTCTime) -> [[UInt8]]
    {
        var messages: [[UInt8]] = []
        var rest = records[...]
        while let first = rest.first {
            var message = self.begin(first.sequence, at: now)
            var next = first.sequence
            var open: (template: UInt16, offset: Int)?
            while let (sequence, record) = rest.first, sequence == next {
                let (template, bytes) = (record.template.id, record.bytes)
                let opens = open?.template != template
                guard message.count + bytes.count + (opens ? 4 : 0) <= self.messageSize else { break }
                if opens {
                    message.endSet(open?.offset)
                    open = (template, message.count)
                    message.beginSet(template)
                }
                message += bytes
                next += 1
                rest = rest.dropFirst()
            }
            message.endSet(open?.offset)
            message.setBigEndian(UInt16(message.count), at: 2)
            messages.append(message)
        }
        return messages
    }

    private mutating func begin(_ sequence: UInt64, at now: UTCTime) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(self.messageSize)
        message.appendBigEndian(UInt16(10))
        message.appendBigEndian(UInt16(0))
        message.appendBigEndian(UInt32(truncatingIfNeeded: now.milliseconds / 1_000))
        message.appendBigEndian(UInt32(truncatingIfNeeded: sequence &- 1))
        message.appendBigEndian(self.observationDomain)
        if self.templatesAreDue(now) {
            (self.templatesSent, self.messagesSinceTemplates) = (now, 0)
            let offset = message.count
            message.beginSet(2)
            message += IPFIXTemplate.portBlock.bytes + IPFIXTemplate.addressBinding.bytes
            message.endSet(offset)
        }
        self.messagesSinceTemplates += 1
        return message
    }

    private func templatesAreDue(_ now: UTCTime) -> Bool {
        guard let sent = self.templatesSent else { return true }
        guard let interval = self.templateInterval else { return false }
        // A clock set back makes them due too.
        return now < sent || now >= sent + interval || self.messagesSinceTemplates >= self.templateMessages
    }
}

extension [UInt8] {
    fileprivate mutating func beginSet(_ id: UInt16) {
        self.appendBigEndian(id)
        self.appendBigEndian(UInt16(0))
    }

    fileprivate mutating func endSet(_ offset: Int?) {
        guard let offset else { return }
        self.setBigEndian(UInt16(self.count - offset), at: offset + 2)
    }
}
