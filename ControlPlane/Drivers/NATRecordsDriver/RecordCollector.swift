// SPDX-License-Identifier: Apache-2.0
// A collector on the network: messages of IPFIX or syslog over datagrams or a stream, connected anew after each failure.

import BNGCore
import Foundation
import IPFIX
import Subscribers
import Syslog

final class RecordCollector: RecordSink {
    /// Turns records into messages, in order.
    struct Encoder {
        /// A new connection begins.
        var restart: () -> Void
        var messages: ([NATRecord]) -> [[UInt8]]
    }

    /// Records sent at once as datagrams, and the pause after them: 20,000 a second, which a collector's receive buffer takes.
    static let burst = 100
    static let pauseUs: UInt32 = 5_000

    private let host: String
    private let port: Int
    private let isStream: Bool
    private let encoder: Encoder
    private var socket: RecordSocket?

    init(host: String, port: Int, isStream: Bool, encoder: Encoder) {
        self.host = host
        self.port = port
        self.isStream = isStream
        self.encoder = encoder
    }

    func deliver(_ records: [NATRecord], isStopped: () -> Bool) throws(DeliveryFailure) {
        do throws(DeliveryFailure) {
            let socket = try self.connected(isStopped)
            if self.isStream {
                try socket.send(stream: self.encoder.messages(records).flatMap { $0 }, isStopped: isStopped)
            } else {
                try self.sendBursts(records, socket)
            }
        } catch {
            self.socket = nil
            throw error
        }
    }

    private func connected(_ isStopped: () -> Bool) throws(DeliveryFailure) -> RecordSocket {
        if let socket = self.socket {
            if !self.isStream { return socket }
            // Restarted collectors close; what follows goes to the new one.
            if (try? socket.checkOpen()) != nil { return socket }
        }
        let socket = try RecordSocket(host: self.host, port: self.port, isStream: self.isStream, isStopped: isStopped)
        self.encoder.restart()
        self.socket = socket
        return socket
    }

    private func sendBursts(_ records: [NATRecord], _ socket: RecordSocket) throws(DeliveryFailure) {
        for start in stride(from: 0, to: records.count, by: Self.burst) {
            let burst = Array(records[start..<min(start + Self.burst, records.count)])
            for message in self.encoder.messages(burst) { try socket.send(datagram: message) }
            // In that time a neighbour's ICMP says that nobody listens.
            usleep(Self.pauseUs)
            try socket.checkError("\(self.host):\(self.port)")
        }
    }
}

extension RecordCollector.Encoder {
    static func ipfix(_ exporter: IPFIXExporter, now: @escaping @Sendable () -> UTCTime) -> Self {
        var exporter = exporter
        return Self(
            restart: { exporter.restart() },
            messages: { records in exporter.messages(records.map { ($0.sequence, NATEventRecord($0)) }, at: now()) })
    }

    static func syslog(facility: SyslogMessage.Facility, enterprise: UInt32, isStream: Bool) -> Self {
        let process = (host: ProcessInfo.processInfo.hostName, id: "\(ProcessInfo.processInfo.processIdentifier)")
        return Self(
            restart: {},
            messages: { records in
                records.map { record in
                    let message = record.syslog(facility: facility, dataID: "nat@\(enterprise)", process: process)
                    return isStream ? message.frame : message.bytes
                }
            })
    }
}

extension NATRecordOutput {
    func sink(now: @escaping @Sendable () -> UTCTime) -> any RecordSink {
        switch self.kind {
        case .json(let path): return RecordFile(path: path)
        case .ipfix(let transport, let host, let port, let domain, let messageSize, let interval):
            let exporter = IPFIXExporter(
                observationDomain: domain, messageSize: messageSize,
                templateInterval: transport == .udp ? interval : nil)
            return RecordCollector(
                host: host, port: port, isStream: transport == .tcp, encoder: .ipfix(exporter, now: now))
        case .syslog(let transport, let host, let port, let facility, let enterprise):
            return RecordCollector(
                host: host, port: port, isStream: transport == .tcp,
                encoder: .syslog(
                    facility: facility, enterprise: enterprise, isStream: transport == .tcp))
        }
    }
}
