// SPDX-License-Identifier: Apache-2.0
// Outputs of NAT records: the store in the words of their driver, the configuration, metrics.

import AdminContract
import BNGConfiguration
import BNGCore
import Logging
import NATRecordsDriver
import Store
import Subscribers
import Telemetry

struct NATRecordStoreAdapter: NATRecordStoring {
    let store: Store

    func natRecords(after sequence: UInt64, limit: Int) throws -> [NATRecord] {
        try self.store.natRecords(after: sequence, limit: limit)
    }

    func advance(_ output: String, to sequence: UInt64, then done: @escaping @Sendable (Bool) -> Void) {
        self.store.submit([.advanceNATRecords(output: output, to: sequence)]) { result in
            if case .success = result { done(true) } else { done(false) }
        }
    }

    func lastNATRecord() throws -> UInt64 { try self.store.lastNATRecord() }
}

extension NATRecordsSettings {
    /// Has the store keep records from now on; nil: nobody is told.
    func driver(of store: Store, logger: Logger, now: @escaping @Sendable () -> UTCTime) throws -> NATRecordsDriver? {
        let cursors = try store.keepNATRecords(for: self.outputs.map(\.name), limit: self.spool)
        guard !self.outputs.isEmpty else { return nil }
        let driver = NATRecordsDriver(
            outputs: self.outputs.map(NATRecordOutput.init), cursors: cursors,
            store: NATRecordStoreAdapter(store: store), logger: logger, now: now)
        store.watchNATRecords { driver.wake() }
        return driver
    }
}

extension NATRecordOutput {
    init(_ settings: NATRecordOutputSettings) {
        let kind: Kind =
            switch settings.target {
            case .json(let path): .json(path: path)
            case .ipfix(let to, let transport, let domain, let size, let interval):
                .ipfix(
                    transport == .udp ? .udp : .tcp, host: to.host, port: to.port, observationDomain: domain,
                    messageSize: size, templateInterval: interval)
            case .syslog(let to, let transport, let facility, let enterprise):
                .syslog(
                    transport == .udp ? .udp : .tcp, host: to.host, port: to.port, facility: facility,
                    enterprise: enterprise)
            }
        self.init(name: settings.name, kind: kind)
    }
}

extension Controller {
    func natRecordMetrics() -> [MetricFamily] {
        let statuses = self.natRecords?.status() ?? []
        func family(
            _ name: String, _ help: String, _ kind: MetricFamily.Kind, _ value: (NATRecordStatus) -> UInt64
        ) -> MetricFamily {
            var family = MetricFamily(name, help: help, kind: kind)
            for status in statuses { family.add(value(status), .init("output", status.output.name)) }
            return family
        }
        return [
            family("bng_nat_records_sent_total", "NAT records delivered.", .counter) { $0.sent },
            family("bng_nat_records_lost_total", "NAT records dropped at the bound of the spool.", .counter) {
                $0.lost
            },
            family("bng_nat_records_waiting", "NAT records on disk that are not delivered.", .gauge) { $0.waiting },
            family("bng_nat_record_failures_total", "Deliveries that failed; they are repeated.", .counter) {
                $0.failures
            },
            family("bng_nat_record_output_failing", "1 while an output cannot deliver.", .gauge) {
                $0.problem == nil ? 0 : 1
            },
        ]
    }
}

extension NATRecordOutputView {
    init(_ status: NATRecordStatus) {
        self.init(
            name: status.output.name, kind: status.output.kindName, destination: status.output.destination,
            problem: status.problem ?? "", sequence: status.sequence, waiting: status.waiting, sent: status.sent,
            lost: status.lost, failures: status.failures)
    }
}
