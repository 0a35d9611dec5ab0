// SPDX-License-Identifier: Apache-2.0
// Reads `nat-records:`.

import BNGCore
import IPFIX
import Syslog
import Yams

extension ConfigurationReader {
    mutating func readNATRecords(_ node: Node) {
        guard var reader = MappingReader(node, path: "nat-records", problems: self.problems) else { return }
        var settings = NATRecordsSettings()
        settings.spool = reader.integer("spool", 1_000...100_000_000) ?? settings.spool
        let places = reader.list("outputs", required: true)
        for (index, place) in places.enumerated() {
            guard let output = self.readOutput(place, "nat-records.outputs[\(index)]") else { continue }
            settings.outputs.append(output)
        }
        if places.count > 8 {
            self.problems.add(reader.place(of: "outputs"), "nat-records.outputs: expected at most 8 outputs")
        }
        reader.finish()
        // Names say where an output goes on after a restart; two on one file would tear each other's lines.
        for (what, key) in [("the name", \NATRecordOutputSettings.name), ("the file", \.path)] {
            let named = zip(settings.outputs, places).filter { !$0.0[keyPath: key].isEmpty }
            self.unique(named.map { $0.0[keyPath: key] }, named.map(\.1), "nat-records: \(what)")
        }
        self.configuration.natRecords = settings
    }

    private func readOutput(_ node: Node, _ path: String) -> NATRecordOutputSettings? {
        guard var reader = MappingReader(node, path: path, problems: self.problems) else { return nil }
        defer { reader.finish() }
        let name = reader.value("name", "a name without spaces", required: true) { text in
            text.isEmpty || text.contains(" ") ? nil : text
        }
        guard reader.required("kind", "ipfix | syslog | json") != nil,
            let kind = reader.choice("kind", NATRecordOutputSettings.Kind.self)
        else { return nil }
        let target: NATRecordOutputSettings.Target?
        switch kind {
        case .ipfix: target = self.readIPFIX(&reader)
        case .syslog: target = self.readSyslog(&reader)
        case .json:
            target = reader.value("file", "the absolute path of a file", required: true) { text in
                text.hasPrefix("/") && !text.hasSuffix("/") ? .json(path: text) : nil
            }
        }
        guard let name, let target else { return nil }
        return NATRecordOutputSettings(name: name, target: target)
    }

    private func readIPFIX(_ reader: inout MappingReader) -> NATRecordOutputSettings.Target? {
        let to = reader.value("to", "HOST:PORT such as 192.0.2.10:4739", required: true, HostPort.init)
        let transport = reader.choice("transport", NATRecordOutputSettings.Transport.self) ?? .udp
        let domain: UInt32 = reader.integer("observation-domain", 1...UInt32.max) ?? 1
        let size = reader.integer("message-size", IPFIXExporter.messageSizes) ?? 1_400
        let interval = reader.milliseconds("template-interval", 1_000...3_600_000) ?? 60_000
        if transport == .tcp, reader.has("template-interval") {
            self.problems.add(
                reader.place(of: "template-interval"),
                "\(reader.name("template-interval")): expected only with transport: udp")
        }
        return to.map {
            .ipfix(
                $0, transport, observationDomain: domain, messageSize: size, templateInterval: Seconds(interval / 1_000)
            )
        }
    }

    private func readSyslog(_ reader: inout MappingReader) -> NATRecordOutputSettings.Target? {
        let to = reader.value("to", "HOST:PORT such as 192.0.2.10:514", required: true, HostPort.init)
        let transport = reader.choice("transport", NATRecordOutputSettings.Transport.self) ?? .udp
        let facility = reader.choice("facility", SyslogMessage.Facility.self) ?? .local0
        // RFC 5612: the number for examples, while the operator has none.
        let enterprise: UInt32 = reader.integer("enterprise", 1...UInt32.max) ?? 32_473
        return to.map { .syslog($0, transport, facility: facility, enterprise: enterprise) }
    }
}

extension NATRecordOutputSettings {
    /// Empty: no file.
    fileprivate var path: String {
        guard case .json(let path) = self.target else { return "" }
        return path
    }
}
